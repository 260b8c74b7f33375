/**
 * Entry `@bootmem/buddy-allocator/zones`: where zones lie, who is asked in which order, and the numbers of each zone.
 * Pure functions: numbers in, numbers out.
 */
export { zoneLayout, type ZoneLayoutOptions } from './layout/zone-layout.js';
export type {
  CoreSize,
  MovablePolicy,
  NodeLayout,
  ZoneLayout,
  ZoneLimit,
  ZoneLimits,
  ZoneSpan,
} from './layout/layout-types.js';
export { arm64ZoneLimits, pfnRangesOf, x86ZoneLimits } from './layout/limits.js';
export { unavailableHoles, type UnavailableHole } from './layout/unavailable.js';
export {
  groupsByMobility,
  nodeOrders,
  type NumaTopology,
  zoneLists,
  type ZoneLists,
} from './layout/zonelist.js';
export { type KernelProfile, profileForRelease } from './marks/profile.js';
export { bootManagedPages, dmaReserve } from './marks/managed.js';
export {
  hugePageMinFreeKbytes,
  lowmemKbytes,
  minFreeKbytes,
  type Watermarks,
  zoneWatermarks,
} from './marks/watermarks.js';
export { lowmemReserve } from './marks/lowmem-reserve.js';
export { AllocFlag, watermarkOk } from './marks/watermark-check.js';
export { pcpBatch, pcpHigh, statThreshold } from './marks/pcp-size.js';
export { Gfp, GfpBit, gfpMigratetype, gfpZone } from './marks/gfp.js';
