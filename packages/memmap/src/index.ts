export { MemmapError, type ErrorDetails, type MemmapErrorCode } from './errors.js';
export {
  addressToPfn,
  alignDown,
  alignUp,
  MAX_NODES,
  MAX_PFN,
  type Nid,
  type Order,
  order,
  type Pfn,
  pfn,
  pfnToAddress,
  pfnUnchecked,
  type PhysAddr,
  tryPfn,
} from './units.js';
export { ARM64_4K, ARM64_64K, checkGeometry, type Geometry, X86_64 } from './geometry.js';
export {
  type DeviceState,
  HEAD_KIND_MASK,
  HEAD_ORDER_MASK,
  headOrder,
  isDeviceState,
  Migratetype,
  MIGRATETYPE_COUNT,
  MIGRATETYPE_NAMES,
  PAGEBLOCK_TYPE_MASK,
  PageblockBit,
  PageState,
  type PlainState,
  SectionFlag,
  ZONE_NAMES,
  ZoneIndex,
} from './page-state.js';
export { type Columns, type ColumnBuffers, type StorageKind } from './columns.js';
export { type BlockHead, type PageDescription } from './describe.js';
export { Memmap } from './memmap.js';
export { type MemmapHandle, type MemmapOptions, type PfnRange } from './memmap-types.js';
export { PageblockView } from './pageblocks.js';
export { type RunVisitor } from './section-table.js';
export { type ZoneName, ZoneRegistry } from './zone-registry.js';
export { type LockResult, SharedLock } from './shared-lock.js';
export { ThreadRegistry, type ThreadRegistryHandle } from './thread-registry.js';
export { allocateBuffer, allocateWords, canShare, isShared } from './words.js';
export { arrayFill, type FillKernel, fillModuleBytes, wasmFill } from './fill.js';
