/**
 * `@bootmem/memblock`: Linux's early memory region allocator.
 */
export {
  ALLOC_ACCESSIBLE,
  ALLOC_ANYWHERE,
  ALLOC_NOLEAKTRACE,
  LOW_ADDRESS_LIMIT,
  MAX_NAMED_RESERVATIONS,
  MAX_PAGE_ORDER,
  MemFlags,
  NO_NODE,
  PHYS_ADDR_MAX,
} from './constants.js';
export { MemblockError, type MemblockErrorCode, type MemblockErrorDetails } from './errors.js';
export { diffStates } from './diff-states.js';
export { Memblock, type RangeColumns } from './memblock.js';
export type {
  AlignOptions,
  BoundOptions,
  FindOptions,
  RangeNodeOptions,
  RangeOptions,
} from './memblock-allocator.js';
export { coverWithBlocks, type PageReceiver, type ReleaseOptions } from './memblock-handover.js';
export { parseMemorySize, RESERVATION_ERRNO, type ReservationRecord } from './memblock-named.js';
export { rangesOverlap, type PfnOwner, type WalkOptions } from './memblock-queries.js';
export type { RegionAttributes } from './memblock-regions.js';
export type { Settings } from './options.js';
export { profileForRelease, type MemblockProfile } from './profiles.js';
export type { RangeCursor } from './range-cursor.js';
export {
  BootReplay,
  replayBoot,
  showEvent,
  type BootReplayOptions,
  type BootReplayResult,
  type Checkpoint,
  type ReplayDifference,
  type ReplayedAllocation,
  type ReplayedDump,
} from './replay/boot-replay.js';
export { compareDump } from './replay/compare-dump.js';
export {
  parseDebugLine,
  readDebugLog,
  type DebugEvent,
  type DumpEvent,
  type GrownEvent,
  type LogEntry,
  type RangeEvent,
  type RequestEvent,
} from './replay/debug-log.js';
export { DumpReader, parseDump, stateOfDump, type MemblockDump } from './replay/dump-text.js';
export { joinBlocks, NumaLines, type NumaBlock } from './replay/numa-blocks.js';
export type {
  ArrayCapacity,
  Direction,
  LateAllocator,
  LogLevel,
  MemblockOptions,
  MemblockState,
  MemblockWarning,
  MemRange,
  MemRegion,
  NamedReservation,
  PfnRange,
  RegionType,
} from './types.js';
