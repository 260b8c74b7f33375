/**
 * Entry `@bootmem/buddy-allocator/reports`: objects from a running allocator, and the kernel's texts from objects.
 */
export { bootLines } from './reports/boot-lines.js';
export { formatBuddyinfo } from './reports/buddyinfo.js';
export { formatFragmentationIndex, formatUnusableIndex } from './reports/fragmentation.js';
export { formatMemInfo, type MemInfo } from './reports/mem-info.js';
export { formatPagetypeinfo } from './reports/pagetypeinfo.js';
export { formatZoneinfo } from './reports/zoneinfo.js';
export {
  buddyinfoOf,
  fragmentationOf,
  memInfoOf,
  pagetypeinfoOf,
  zoneinfoOf,
  type ZoneReportOptions,
} from './reports/live.js';
export type {
  BuddyinfoZone,
  Counters,
  PagetypeinfoZone,
  ZoneinfoReport,
} from './reports/report-types.js';
