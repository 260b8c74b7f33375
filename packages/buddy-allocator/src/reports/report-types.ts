/**
 * Reports as objects: what an allocator, a simulation or a parser fills in, and the formatters print.
 * Types only. Counts are pages unless a field says otherwise.
 */
import type { ZoneName } from '@bootmem/memmap';

/** Which zone a line is about. */
export interface ZoneId {
  readonly nid: number;
  readonly zone: ZoneName;
}

/** Free blocks of a zone by order. */
export interface BuddyinfoZone extends ZoneId {
  /** Blocks per order, order 0 first; isolated ones included, cached and unaccepted pages not. */
  readonly free: readonly number[];
}

/** Free blocks and pageblocks of a zone by migratetype, in the order of `PagetypeinfoOptions.migratetypes`. */
export interface PagetypeinfoZone extends ZoneId {
  /** `free[type][order]` in blocks. */
  readonly free: readonly (readonly number[])[];
  /** Pageblocks per type. */
  readonly pageblocks: readonly number[];
  /** Pageblocks per type that hold pages of another type; printed where page owners are tracked. */
  readonly mixedPageblocks?: readonly number[];
}

/** One worker's page cache in a zone. */
export interface PagesetReport {
  readonly cpu: number;
  readonly count: number;
  readonly high: number;
  readonly batch: number;
  readonly highMin?: number;
  readonly highMax?: number;
  /** Drift allowed to this worker's counters. */
  readonly threshold: number;
}

/** Named counters, by the kernel's names, e.g. `nr_free_pages`. */
export type Counters = Readonly<Record<string, number>>;

/** One zone of /proc/zoneinfo. */
export interface ZoneinfoReport extends ZoneId {
  readonly freePages: number;
  readonly boost: number;
  /** Marks with the boost included. */
  readonly min: number;
  readonly low: number;
  readonly high: number;
  readonly promo?: number;
  readonly spannedPages: number;
  readonly presentPages: number;
  readonly managedPages: number;
  readonly cmaPages: number;
  /** Lowmem reserve by zone index. */
  readonly protection: readonly number[];
  /** Counters of the zone; `nr_free_pages` is taken from `freePages` where it is missing. */
  readonly counters: Counters;
  /** NUMA counters; leave out to print none. */
  readonly numa?: Counters;
  /** Counters of the node, printed under its first populated zone. */
  readonly nodeCounters: Counters;
  readonly pagesets: readonly PagesetReport[];
  readonly nodeUnreclaimable: boolean;
  readonly startPfn: number;
  readonly reservedHighatomic?: number;
  readonly freeHighatomic?: number;
}
