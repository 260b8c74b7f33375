/** Readers for recorded kernel state. Private: used by tests and conformance runners only. */
export { sharedOracle, fixtureOracle, type OracleName } from './find.js';
export { OracleError } from './text.js';
export {
  BootRecord,
  listBoots,
  readConstants,
  type BootMeta,
  type KernelConstants,
} from './boot.js';
export { NID_NONE, NID_UNSET, readMemblock, readNumaMeminfo } from './memblock.js';
export type {
  MemblockListSnapshot,
  MemblockRegionSnapshot,
  MemblockSnapshot,
  NumaBlockSnapshot,
} from './memblock.js';
export { readZones, type NodeSnapshot, type ZoneSnapshot, type ZonesSnapshot } from './zones.js';
export {
  listPfns,
  readFreeLists,
  type FreeListSnapshot,
  type FreeListsSnapshot,
  type FreeRun,
} from './freelists.js';
export { SECTION_FLAGS, expandPageblocks, readSections, readStructPages } from './memmap.js';
export type { PageblockRun, SectionSnapshot, StructPageRun } from './memmap.js';
export { readBuddyinfo, readIomem, readPagetypeinfo } from './proc.js';
export type {
  BuddyinfoLine,
  IomemLine,
  PagetypeBlocksLine,
  PagetypeFreeLine,
  PagetypeinfoNode,
} from './proc.js';
export { readZoneinfo } from './zoneinfo.js';
export type { ZoneinfoItem, ZoneinfoPageset, ZoneinfoZone } from './zoneinfo.js';
export {
  readFirmwareMemmap,
  readMemoryBlocks,
  readNodes,
  readSysctl,
  readTitled,
} from './sysfs.js';
export type { FirmwareMemmapEntry, MemoryBlockLine, MemoryBlocks, NodeLine } from './sysfs.js';
