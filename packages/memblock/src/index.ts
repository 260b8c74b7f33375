/**
 * `@bootmem/memblock`: Linux's early memory region allocator.
 */
export {
  ALLOC_ACCESSIBLE,
  ALLOC_ANYWHERE,
  ALLOC_NOLEAKTRACE,
  LOW_ADDRESS_LIMIT,
  MemFlags,
  NO_NODE,
  PHYS_ADDR_MAX,
} from './base/constants.js';
export { MemblockError, type MemblockErrorCode } from './base/errors.js';
export type { RangeCursor } from './list/range-cursor.js';
export { Memblock } from './memblock.js';
export { diffStates } from './parts/diff-states.js';
export { coverWithBlocks } from './parts/handover.js';
export { profileForRelease, type MemblockProfile } from './base/profiles.js';
export type {
  Direction,
  LateAllocator,
  MemblockOptions,
  MemblockState,
  MemblockWarning,
  MemRange,
  MemRegion,
  NamedReservation,
  NodePfnRange,
  PageReceiver,
  RegionType,
} from './base/types.js';
