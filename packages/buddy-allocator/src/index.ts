// Zones: where they lie.
export { zoneLayout, type ZoneLayoutOptions } from './zones/zone-layout.js';
export {
  arm64ZoneLimits,
  pfnRangesOf,
  x86ZoneLimits,
  type MemoryByteRegion,
} from './zones/limits.js';
export { unavailableHoles } from './zones/unavailable.js';
export type { UnavailableHole, UnavailableRange } from './zones/unavailable.js';
export { ZoneError, type ZoneErrorCode } from './zones/errors.js';
export type {
  CoreSize,
  MemoryPfnRange,
  MovablePolicy,
  NodeLayout,
  ZoneLayout,
  ZoneLayoutWarning,
  ZoneLimit,
  ZoneLimits,
  ZoneName,
  ZoneSpan,
} from './zones/types.js';
export { groupsByMobility, nodeOrders, zoneLists } from './zones/zonelist.js';
export type { NumaTopology, ZoneLists, ZoneRef } from './zones/zonelist.js';
// Numbers per zone: profiles of kernel releases, watermarks, reserves, cache sizes, request flags.
export { NUMA_ITEMS, profileForRelease } from './marks/profile.js';
export type { KernelProfile } from './marks/profile.js';
export { bootManagedPages, dmaReserve, memmapPages } from './marks/managed.js';
export {
  boostWatermark,
  highatomicCap,
  hugePageMinFreeKbytes,
  lowmemKbytes,
  minFreeKbytes,
  zoneWatermarks,
  type ManagedZone,
  type Watermarks,
} from './marks/watermarks.js';
export {
  DEFAULT_LOWMEM_RESERVE_RATIO,
  lowmemReserve,
  totalReservePages,
} from './marks/lowmem-reserve.js';
export {
  ALLOC_RESERVES,
  AllocFlag,
  WMARK_MASK,
  watermarkFast,
  watermarkOk,
  type WatermarkRequest,
  type WatermarkZone,
} from './marks/watermark-check.js';
export { pcpBatch, pcpHigh, statThreshold, type PcpHigh } from './marks/pcp-size.js';
export { Gfp, GfpBit, gfpMigratetype, gfpZone } from './marks/gfp.js';
// Reports: the texts of /proc and of the log, from typed objects.
export { formatBuddyinfo } from './reports/buddyinfo.js';
export {
  MIGRATETYPE_NAMES,
  formatPagetypeinfo,
  type PagetypeinfoOptions,
} from './reports/pagetypeinfo.js';
export { formatZoneinfo } from './reports/zoneinfo.js';
export {
  formatFragmentationIndex,
  formatUnusableIndex,
  fragmentationIndex,
  unusableIndex,
} from './reports/fragmentation.js';
export { formatMemInfo } from './reports/mem-info.js';
export {
  buddyinfoOf,
  fragmentationOf,
  memInfoOf,
  pagetypeinfoOf,
  zoneinfoOf,
  type ZoneFragmentation,
  type ZoneReportOptions,
} from './reports/live.js';
export type { MemInfo, MemInfoNode, MemInfoZone } from './reports/mem-info.js';
export {
  builtZonelistsLine,
  fallbackLines,
  initmemLines,
  memoryLine,
  memoryRangeLines,
  movableStartLines,
  unavailableLines,
  zoneRangeLines,
  zonelistLines,
  type MemoryLine,
} from './reports/boot-lines.js';
export type {
  BuddyinfoZone,
  Counters,
  PagesetReport,
  PagetypeinfoZone,
  ZoneId,
  ZoneinfoReport,
} from './reports/types.js';
// The allocator: zones on a memmap.
export { BuddyError, type BuddyErrorCode } from './core/errors.js';
export { PageAllocator } from './core/page-allocator.js';
export type { MarkOptions } from './core/allocator-marks.js';
export type { AcceptState } from './core/unaccepted-blocks.js';
export { BuddyZone, type BuddyZoneParts } from './core/zone.js';
export type { FreeArea } from './core/free-area.js';
export type { Fallback } from './core/fallback.js';
export type { WorkerCache } from './core/worker-cache-types.js';
export type {
  AcceptGate,
  AllocatorHooks,
  AllocOptions,
  NamedZone,
  PageAllocatorHandle,
  PageAllocatorOptions,
  Pressure,
  ZoneSpec,
} from './core/allocator-types.js';
export { Zone as ZoneWord } from './core/control-layout.js';
export { auditZone, type CacheGrid, type Violation, type ZoneAudit } from './core/verify.js';
export { findFreeRun, type RunRequest } from './core/range-take.js';
export {
  allocContigRange,
  isolatePageblock,
  type MoveCallback,
  unisolatePageblock,
} from './core/isolation.js';
export { compactZone, type CompactionResult } from './core/compaction.js';
// General use: one memory, many threads.
export { BuddyAllocator } from './face/buddy-allocator.js';
export type { BlockVisitor } from './face/face-inspect.js';
export type { PressureCallback } from './face/requests.js';
export { POISON, type ViewConstructor } from './face/page-data.js';
export type { StopWatch } from './face/low-watch.js';
export type {
  AllocatorStats,
  AllocRequest,
  BuddyAllocatorOptions,
  BuddyHandle,
  BuddySnapshot,
  BufferOwner,
  FaceWatermarks,
  FreeStatus,
  Mobility,
  RangeRequest,
} from './face/face-types.js';
