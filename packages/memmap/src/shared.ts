/**
 * Entry `@bootmem/memmap/shared`: for packages that keep their own words in the same shared memory, or work on the
 * map's columns. The lock that survives its owner, who is alive, buffers, the check of handles, columns and masks.
 */
export {
  type BufferNeed,
  checkHandle,
  type HandleErrorMaker,
  type HandleFormat,
} from './shared/check-handle.js';
export { type LockOptions, type LockResult, SharedLock } from './shared/shared-lock.js';
export {
  ThreadRegistry,
  type ThreadRegistryHandle,
  THREADS_FORMAT,
} from './shared/thread-registry.js';
export { ThreadGuardian } from './shared/thread-guardian.js';
export { waitSlice } from './shared/slice.js';
export { allocateBuffer, allocateWords, canShare } from './shared/words.js';
export { MEMMAP_FORMAT } from './map/handle.js';
export { checkGeometry } from './facts/geometry.js';
export { type BlockHead } from './map/describe.js';
export { type ColumnBuffers, type Columns } from './table/columns.js';
export { type RunVisitor } from './table/section-table.js';
export { type NodeZone, type ZoneRegistry } from './table/zone-registry.js';
export { HEAD_KIND_MASK, HEAD_ORDER_MASK, headOrder } from './facts/page-state.js';
export { PAGEBLOCK_TYPE_MASK, PageblockBit } from './facts/migratetype.js';
