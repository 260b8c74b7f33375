/**
 * Entry `@bootmem/memmap`: the map of page descriptors, and the names of what a page and a zone can be.
 */
export { Memmap } from './map/memmap.js';
export { type MemmapHandle, type MemmapOptions } from './map/memmap-types.js';
export { type PageDescription } from './map/describe.js';
export { type PageblockView } from './map/pageblocks.js';
export { type StorageKind } from './table/columns.js';
export { MemmapError, type MemmapErrorCode } from './facts/errors.js';
export { type MemoryPfnRange, type PfnRange } from './facts/units.js';
export { ARM64_4K, ARM64_64K, type Geometry, X86_64 } from './facts/geometry.js';
export { type DeviceState, PageState, type PlainState, SectionFlag } from './facts/page-state.js';
export { Migratetype, MIGRATETYPE_NAMES } from './facts/migratetype.js';
export { ZONE_INDEX_BY_NAME, ZONE_NAMES, ZoneIndex, type ZoneName } from './facts/zones.js';
