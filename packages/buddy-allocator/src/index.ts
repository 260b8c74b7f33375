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
