/**
 * Reports of a running allocator, as the objects that the formatters print.
 *
 * Each zone is read under its lock, so the numbers of one zone belong together; between zones time passes,
 * as in the kernel. Counters that only a whole operating system has (page cache, anonymous memory, …) are
 * 0 unless the caller adds them. Locks: one zone's lock at a time; page caches are read without.
 *
 * Source: reference of the buddy allocator, section 10
 */
import { MIGRATETYPE_NAMES, ZONE_INDEX_BY_NAME, ZONE_NAMES, type ZoneName } from '@bootmem/memmap';
import type { NamedZone } from '../machine/allocator-types.js';
import { Cache, cachePages } from '../base/cache-layout.js';
import { cacheAt, Header, Zone } from '../base/control-layout.js';
import type { PageAllocator } from '../machine/page-allocator.js';
import { statThreshold } from '../marks/pcp-size.js';
import { fragmentationIndex, unusableIndex } from './fragmentation.js';
import type { MemInfo, MemInfoZone } from './mem-info.js';
import { NAMES_WITHOUT_CMA } from './pagetypeinfo.js';
import type {
  BuddyinfoZone,
  Counters,
  PagesetReport,
  PagetypeinfoZone,
  ZoneinfoReport,
} from './report-types.js';

/** Zones of an x86-64 kernel: what reports list for every node. */
const X86_ZONES = ZONE_NAMES.filter((zone) => zone !== 'HighMem');

const isPopulated = ({ core }: NamedZone): boolean => core.get(Zone.PRESENT) > 0;

/** Zones by node, then from the lowest up. */
function sorted(zones: readonly NamedZone[]): NamedZone[] {
  const byIndex = (a: ZoneName, b: ZoneName): number =>
    ZONE_INDEX_BY_NAME[a] - ZONE_INDEX_BY_NAME[b];
  return [...zones].sort((a, b) => a.nid - b.nid || byIndex(a.zone, b.zone));
}

/** Free blocks per order of every zone with memory. */
export function buddyinfoOf(allocator: PageAllocator): BuddyinfoZone[] {
  return sorted(allocator.zones.filter(isPopulated)).map(({ nid, zone, core }) => ({
    nid,
    zone,
    free: core.locked(() => core.freeBlocks()),
  }));
}

/** Pageblocks of a zone by type number; those count whose page at the zone's own stride is in the zone. */
function pageblockCounts({ core }: NamedZone): Map<number, number> {
  const { memmap } = core;
  const { zone: zoneOf } = memmap.columns();
  const step = 2 ** memmap.geometry.pageblockOrder;
  const counts = new Map<number, number>();
  for (let pfn = core.startPfn; pfn < core.endPfn;) {
    const index = memmap.indexOf(pfn);
    if (index < 0) {
      // The section has no descriptors: on to the next one, keeping the stride.
      const next = (memmap.sectionOf(pfn) + 1) * memmap.pagesPerSection;
      pfn += Math.ceil((next - pfn) / step) * step;
      continue;
    }
    if (zoneOf[index] === core.zoneId) {
      const type = memmap.pageblocks.migratetype(pfn);
      counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    pfn += step;
  }
  return counts;
}

/**
 * Free blocks by type and order and pageblocks by type of every zone with memory.
 * @param migratetypes printed names in order; default those without CMA
 * @remarks O(pageblocks of all zones)
 */
export function pagetypeinfoOf(
  allocator: PageAllocator,
  migratetypes: readonly string[] = NAMES_WITHOUT_CMA,
): PagetypeinfoZone[] {
  const numbers: readonly string[] = MIGRATETYPE_NAMES;
  const types = migratetypes.map((name) => numbers.indexOf(name));
  return sorted(allocator.zones.filter(isPopulated)).map((named) => {
    const { nid, zone, core } = named;
    return core.locked(() => {
      const blocks = pageblockCounts(named);
      const perOrder = (type: number): number[] =>
        Array.from({ length: core.maxOrder + 1 }, (_, order) => core.area.count(order, type));
      return {
        nid,
        zone,
        free: types.map((type) => (type < 0 ? [] : perOrder(type))),
        pageblocks: types.map((type) => blocks.get(type) ?? 0),
      };
    });
  });
}

/** Page caches of one zone, of all attached threads. */
function pagesetsOf(
  allocator: PageAllocator,
  { core }: NamedZone,
): (PagesetReport & { thread: number })[] {
  const { words } = core;
  const threads = words[Header.THREADS]!;
  // Named zones carry the allocator's words, in which caches follow all zones.
  const zoneNumber = allocator.zones.findIndex((candidate) => candidate.core === core);
  const attached: number[] = [];
  for (let thread = 1; thread <= threads; thread += 1) {
    const at = cacheAt(words, zoneNumber, thread);
    if (core.cacheAt !== undefined && words[at + Cache.OWNER] !== 0) attached.push(thread);
  }
  const threshold = statThreshold(core.managedPages, attached.length);
  return attached.map((thread) => {
    const at = cacheAt(words, zoneNumber, thread);
    return {
      thread,
      cpu: thread - 1,
      count: cachePages(words, at),
      high: words[at + Cache.HIGH]!,
      batch: words[at + Cache.BATCH]!,
      highMin: core.get(Zone.HIGH_MIN),
      highMax: core.get(Zone.HIGH_MAX),
      threshold,
    };
  });
}

/** What a report of zones can be told beyond the allocator's own numbers. */
export interface ZoneReportOptions {
  /** Zones that every node has, lowest first; those without memory are listed as empty. */
  readonly zones?: readonly ZoneName[];
  /** Further counters of a zone, by the kernel's names. */
  readonly zoneCounters?: (nid: number, zone: ZoneName) => Counters;
  /** Counters of a node, by the kernel's names. */
  readonly nodeCounters?: (nid: number) => Counters;
}

function emptyReport(nid: number, zone: ZoneName, count: number): ZoneinfoReport {
  return {
    nid,
    zone,
    freePages: 0,
    boost: 0,
    min: 0,
    low: 0,
    high: 0,
    promo: 0,
    spannedPages: 0,
    presentPages: 0,
    managedPages: 0,
    cmaPages: 0,
    protection: new Array<number>(count).fill(0),
    counters: {},
    nodeCounters: {},
    pagesets: [],
    nodeUnreclaimable: false,
    startPfn: 0,
  };
}

function zoneReport(
  allocator: PageAllocator,
  named: NamedZone,
  options: ZoneReportOptions & { readonly zones: readonly ZoneName[] },
): ZoneinfoReport {
  const { nid, zone, core } = named;
  return core.locked(() => {
    const boost = core.get(Zone.BOOST);
    return {
      nid,
      zone,
      freePages: core.freePages,
      boost,
      min: core.get(Zone.MARK_MIN) + boost,
      low: core.get(Zone.MARK_LOW) + boost,
      high: core.get(Zone.MARK_HIGH) + boost,
      promo: core.get(Zone.MARK_PROMO) + boost,
      spannedPages: core.endPfn - core.startPfn,
      presentPages: core.get(Zone.PRESENT),
      managedPages: core.managedPages,
      cmaPages: core.get(Zone.CMA),
      protection: options.zones.map((name) => core.get(Zone.RESERVE + ZONE_INDEX_BY_NAME[name])),
      counters: {
        nr_free_pages_blocks: core.get(Zone.FREE_BLOCKS),
        nr_free_cma: core.get(Zone.FREE_CMA),
        nr_unaccepted: core.get(Zone.UNACCEPTED),
        ...options.zoneCounters?.(nid, zone),
      },
      nodeCounters: options.nodeCounters?.(nid) ?? {},
      pagesets: pagesetsOf(allocator, named),
      nodeUnreclaimable: false,
      startPfn: core.startPfn,
      reservedHighatomic: core.get(Zone.RESERVED_HIGHATOMIC),
      freeHighatomic: core.get(Zone.FREE_HIGHATOMIC),
    };
  });
}

/** Every zone of every node, empty ones included. A page set is one attached thread. */
export function zoneinfoOf(
  allocator: PageAllocator,
  options: ZoneReportOptions = {},
): ZoneinfoReport[] {
  const { zones = X86_ZONES } = options;
  const nids = [...new Set(allocator.zones.map(({ nid }) => nid))].sort((a, b) => a - b);
  return nids.flatMap((nid) =>
    zones.map((zone) => {
      const named = allocator.zone(nid, zone);
      return named === undefined
        ? emptyReport(nid, zone, zones.length)
        : zoneReport(allocator, named, { ...options, zones });
    }),
  );
}

/** Bits `1 << migratetype` of the types that have a block of `order`. */
function typesWithBlocks({ core }: NamedZone, order: number): number {
  return MIGRATETYPE_NAMES.reduce(
    (bits, _, type) => (core.area.count(order, type) > 0 ? bits | (1 << type) : bits),
    0,
  );
}

/** The Mem-Info report; what only an operating system knows is 0. */
export function memInfoOf(allocator: PageAllocator, options: ZoneReportOptions = {}): MemInfo {
  const { zones: configured = X86_ZONES } = options;
  const managed = sorted(allocator.zones.filter(({ core }) => core.managedPages > 0));
  const zones = managed.map((named): MemInfoZone => {
    const report = zoneReport(allocator, named, { ...options, zones: configured });
    const pagesets = pagesetsOf(allocator, named);
    const blocks = named.core.locked(() =>
      named.core
        .freeBlocks()
        .map((count, order) => ({ blocks: count, types: typesWithBlocks(named, order) })),
    );
    return {
      nid: named.nid,
      zone: named.zone,
      freePages: report.freePages,
      boost: report.boost,
      min: report.min,
      low: report.low,
      high: report.high,
      reservedHighatomic: report.reservedHighatomic ?? 0,
      freeHighatomic: report.freeHighatomic ?? 0,
      presentPages: report.presentPages,
      managedPages: report.managedPages,
      counters: options.zoneCounters?.(named.nid, named.zone) ?? {},
      freePcp: pagesets.reduce((sum, pageset) => sum + pageset.count, 0),
      localPcp: pagesets.find((pageset) => pageset.thread === allocator.thread)?.count ?? 0,
      freeCma: named.core.get(Zone.FREE_CMA),
      lowmemReserve: report.protection,
      free: blocks,
    };
  });
  const sum = (pick: (zone: MemInfoZone) => number): number =>
    zones.reduce((total, zone) => total + pick(zone), 0);
  const nids = [...new Set(zones.map(({ nid }) => nid))];
  const present = allocator.zones.reduce((total, { core }) => total + core.get(Zone.PRESENT), 0);
  const onlyMovable = (zone: MemInfoZone): boolean =>
    zone.zone === 'HighMem' || zone.zone === 'Movable';
  return {
    totals: {
      free: sum((zone) => zone.freePages),
      free_pcp: sum((zone) => zone.freePcp),
      free_cma: sum((zone) => zone.freeCma),
    },
    nodes: nids.map((nid) => ({
      nid,
      counters: options.nodeCounters?.(nid) ?? {},
      allUnreclaimable: false,
    })),
    zones,
    pagecachePages: 0,
    swap: { cachePages: 0, freeKbytes: 0, totalKbytes: 0 },
    ramPages: present,
    highmemOrMovablePages: sum((zone) => (onlyMovable(zone) ? zone.managedPages : 0)),
    reservedPages: present - sum((zone) => zone.managedPages),
    hwpoisonedPages: 0,
  };
}

/** How broken up a zone's free memory is, by order, in thousandths. */
interface ZoneFragmentation {
  readonly nid: number;
  readonly zone: ZoneName;
  /** Part of free memory of no use for a request of this order. */
  readonly unusable: readonly number[];
  /** Why a request of this order would fail; -1000 where it would not. */
  readonly fragmentation: readonly number[];
}

/** Fragmentation of every zone with memory. */
export function fragmentationOf(allocator: PageAllocator): ZoneFragmentation[] {
  return buddyinfoOf(allocator).map(({ nid, zone, free }) => ({
    nid,
    zone,
    unusable: free.map((_, order) => unusableIndex(free, order)),
    fragmentation: free.map((_, order) => fragmentationIndex(free, order)),
  }));
}
