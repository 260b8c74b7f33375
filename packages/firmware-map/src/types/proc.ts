/** Files of a running machine. Units and conventions: description.ts. */
import type { Located, LocatedRange, ZoneName } from './common.js';
import type { MapEntry } from './firmware.js';
import type { MemblockRegionLine } from './memblock.js';

/** One entry of /proc/iomem. */
export interface IomemEntry extends LocatedRange {
  readonly name: string;
  /** Nesting, 0 = top. */
  readonly depth: number;
}

/** A zone of /proc/zoneinfo; pages unless said otherwise. */
export interface ZoneinfoZone extends Located {
  readonly nid: number;
  readonly zone: ZoneName;
  readonly free?: number;
  readonly boost?: number;
  readonly min?: number;
  readonly low?: number;
  readonly high?: number;
  readonly promo?: number;
  readonly spanned?: number;
  readonly present?: number;
  readonly managed?: number;
  readonly cma?: number;
  /** `protection:`: the lowmem reserve by zone index. */
  readonly protection?: readonly number[];
  readonly startPfn?: number;
  /** Counters (`nr_free_pages` …) by name. */
  readonly counters: Readonly<Record<string, number>>;
  /** Per-CPU page sets: `high` and `batch` of the first one. */
  readonly pcpHigh?: number;
  readonly pcpBatch?: number;
}

/** A row of /proc/buddyinfo: free blocks by order. */
export interface BuddyinfoRow extends Located {
  readonly nid: number;
  readonly zone: ZoneName;
  readonly counts: readonly number[];
}

/** /proc/pagetypeinfo. */
export interface PagetypeInfo {
  readonly pageblockOrder?: number;
  readonly pagesPerBlock?: number;
  /** Free blocks by order and type; `capped`: some count was printed as `>100000`. */
  readonly free: readonly ({
    readonly nid: number;
    readonly zone: ZoneName;
    readonly type: string;
    readonly counts: readonly number[];
    readonly capped: boolean;
  } & Located)[];
  /** Pageblocks by type. */
  readonly blocks: readonly ({
    readonly nid: number;
    readonly zone: ZoneName;
    readonly counts: Readonly<Record<string, number>>;
  } & Located)[];
}

/**
 * Files of /sys/kernel/debug/memblock, on the architectures that keep memblock after boot: the lists as they are in
 * the end, without what was given back since.
 */
export interface MemblockFiles {
  readonly memory: readonly MemblockRegionLine[];
  readonly reserved: readonly MemblockRegionLine[];
}

/** Files of a running machine. */
export interface ProcFiles {
  readonly iomem?: readonly IomemEntry[];
  /** /sys/firmware/memmap: the firmware's map before any edit. */
  readonly firmwareMemmap?: readonly MapEntry[];
  readonly zoneinfo?: readonly ZoneinfoZone[];
  readonly buddyinfo?: readonly BuddyinfoRow[];
  readonly pagetypeinfo?: PagetypeInfo;
  /** /proc/meminfo values, KiB, by name. */
  readonly meminfo?: Readonly<Record<string, number>>;
  /** Nodes of /sys/devices/system/node. */
  readonly nodes?: readonly SysfsNode[];
  readonly memblock?: MemblockFiles;
}

/** A node of /sys/devices/system/node. */
export interface SysfsNode extends Located {
  readonly nid: number;
  readonly cpus: readonly number[];
  readonly distances: readonly number[];
  readonly memTotalKb?: number;
}
