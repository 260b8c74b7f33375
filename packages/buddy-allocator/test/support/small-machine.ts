/** Small machines for tests: zones side by side from pfn 0, everything handed over unless left out. */
import { Memmap, Migratetype } from '@bootmem/memmap';
import { PageAllocator, type PageAllocatorOptions } from '@bootmem/buddy-allocator/machine';
import type { ZoneName } from '@bootmem/memmap';

/** One zone of a small machine; zones follow each other. */
export interface SmallZone {
  readonly zone: ZoneName;
  readonly pages: number;
  readonly nid?: number;
  /** Migratetype of each pageblock; default Movable. */
  readonly typeOf?: (pageblock: number) => 0 | 1 | 2;
  /** Pages, counted from the zone's start, that stay with boot code. */
  readonly keep?: readonly (readonly [start: number, end: number])[];
}

/** Builds a machine and hands its memory over. Caches are off unless asked for, so that lists show all. */
export function smallMachine(
  zones: readonly SmallZone[],
  options: PageAllocatorOptions = {},
): PageAllocator {
  let at = 0;
  const specs = zones.map(({ zone, pages, nid = 0 }) => {
    const startPfn = at;
    at += pages;
    return { nid, zone, startPfn, endPfn: at, presentPages: pages };
  });
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: at }] });
  const allocator = PageAllocator.create(memmap, specs, { caches: false, ...options });
  zones.forEach(({ typeOf = () => Migratetype.MOVABLE, keep = [] }, i) => {
    const { nid, zone, startPfn, endPfn } = specs[i]!;
    memmap.initRange(startPfn, endPfn, allocator.zone(nid, zone)!.core.zoneId);
    for (let pfn = startPfn; pfn < endPfn; pfn += 512) {
      memmap.pageblocks.setMigratetype(pfn, typeOf((pfn - startPfn) / 512));
    }
    let from = startPfn;
    for (const [start, end] of [...keep, [endPfn - startPfn, endPfn - startPfn] as const]) {
      if (startPfn + start > from) allocator.freeBlocks(from, startPfn + start);
      from = startPfn + end;
    }
  });
  return allocator;
}

/** Allocates `count` blocks or fails the test. */
export function take(
  allocator: PageAllocator,
  count: number,
  order: number,
  migratetype: 0 | 1 | 2,
): number[] {
  return Array.from({ length: count }, () => {
    const pfn = allocator.allocPages(order, { migratetype });
    if (pfn === undefined) throw new Error(`no block of order ${order}`);
    return pfn;
  });
}
