/**
 * Where a kernel has page descriptors, and how many of them have no memory: of the whole machine, and zone by zone as
 * kernels 5.10 … 5.13 added them up.
 *
 * ```
 *              |       section        |
 *  zones       |  DMA  |    DMA32     |
 *  of DMA      |u=====u|uuuuuuuuuuuuuu|    its own holes, and the rest of the section that its end lies in
 *  of DMA32            |====uu====uuuu|    whose pages are counted once more here
 * ```
 * @kernel memmap_init_zone, init_unavailable_range
 */
import { byNode } from '../by-node.js';
import type { ZoneLayout, ZoneSpan } from '@bootmem/buddy-allocator/zones';
import type { MemoryPfnRange, PfnRange } from '@bootmem/memmap';

/** Where descriptors are. */
export interface DescriptorMap {
  /** They come in aligned groups of so many pages, for groups with memory. Of an array: pages of a pageblock. */
  readonly grain: number;
  /** The hole behind the last memory counts as well, up to the end of its group. */
  readonly hasTail: boolean;
  /** Instead: one array. */
  readonly array?: PfnRange;
}

/** The array of FLATMEM. It begins at address 0 on i386, elsewhere with memory; it ends with the last zone. */
export function flatArray({ nodes }: ZoneLayout, fromZero: boolean): PfnRange {
  const ends = nodes.flatMap(({ zones }) => zones.map(({ endPfn }) => endPfn));
  return { startPfn: fromZero ? 0 : (nodes[0]?.startPfn ?? 0), endPfn: Math.max(...ends) };
}

/** Groups with memory, as disjoint ascending ranges. */
function described(map: DescriptorMap, memory: readonly MemoryPfnRange[]): PfnRange[] {
  if (map.array !== undefined) return [map.array];
  const ranges: { startPfn: number; endPfn: number }[] = [];
  for (const range of memory) {
    const startPfn = Math.floor(range.startPfn / map.grain) * map.grain;
    const endPfn = Math.ceil(range.endPfn / map.grain) * map.grain;
    const last = ranges.at(-1);
    if (last !== undefined && startPfn <= last.endPfn) last.endPfn = Math.max(last.endPfn, endPfn);
    else ranges.push({ startPfn, endPfn });
  }
  return ranges;
}

/** Pages of `[startPfn, endPfn)` in some ranges. O(log n + ranges touched). */
function pagesIn(ranges: readonly PfnRange[], startPfn: number, endPfn: number): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle]!.endPfn <= startPfn) low = middle + 1;
    else high = middle;
  }
  let pages = 0;
  for (let index = low; index < ranges.length && ranges[index]!.startPfn < endPfn; index++) {
    const range = ranges[index]!;
    pages += Math.min(endPfn, range.endPfn) - Math.max(startPfn, range.startPfn);
  }
  return pages;
}

/**
 * Descriptors without memory on the whole machine.
 * @param map     where descriptors are
 * @param memory  of the machine, ascending
 */
export function pagesWithoutMemory(map: DescriptorMap, memory: readonly MemoryPfnRange[]): number {
  const ranges = described(map, memory);
  const end = map.hasTail ? Infinity : (memory.at(-1)?.endPfn ?? 0);
  const own = ranges.reduce((sum, range) => sum + pagesIn(memory, range.startPfn, range.endPfn), 0);
  return pagesIn(ranges, 0, end) - own;
}

/** Descriptors behind the last page that a zone has, of memory that no zone has and of holes in it. */
export interface BehindZones {
  /** The zone that they are given to. */
  readonly zone: ZoneSpan;
  /** Where they begin. */
  readonly startPfn: number;
  readonly ranges: readonly PfnRange[];
}

/**
 * What lies between the last page of the zones and the end of memory, where memory goes on behind the zones. An array
 * has no more of it than the pageblock that the zones end in.
 *
 * ```
 *  memory    [=========================================]
 *  zones     [================]
 *  SPARSEMEM                  |uuuuuuuuuuuuuuuuuuuuuuuuuuuuu|   to the end of the section of the last memory
 *  FLATMEM                    |uu|                              to the end of the pageblock
 * ```
 * @param map     where descriptors are
 * @param layout  zones
 * @param memory  what they were made from, and what no zone has, ascending
 * @returns `undefined` where the zones have all memory
 * @kernel memmap_init, init_unavailable_range
 */
export function behindZones(
  map: DescriptorMap,
  layout: ZoneLayout,
  memory: readonly MemoryPfnRange[],
): BehindZones | undefined {
  const zones = layout.nodes.flatMap((node) => node.zones.filter((one) => one.presentPages > 0));
  const zonesEnd = Math.max(0, ...zones.map(({ endPfn }) => endPfn));
  const zone = zones.find(({ endPfn }) => endPfn === zonesEnd);
  const memoryEnd = memory.at(-1)?.endPfn ?? 0;
  if (zone === undefined || memoryEnd <= zonesEnd) return undefined;
  const lastOfZones = memory.findLast((range) => range.startPfn < zonesEnd)!;
  const startPfn = Math.min(lastOfZones.endPfn, zonesEnd);
  const ranges = described(blocksOf(map), memory).flatMap((range) => {
    const start = Math.max(range.startPfn, startPfn);
    const end = map.hasTail ? range.endPfn : Math.min(range.endPfn, memoryEnd);
    return start < end ? [{ startPfn: start, endPfn: end }] : [];
  });
  return { zone, startPfn, ranges };
}

/** A page is taken for one with a descriptor where the first page of its pageblock has one. */
function blocksOf(map: DescriptorMap): DescriptorMap {
  if (map.array === undefined) return map;
  const endPfn = Math.ceil(map.array.endPfn / map.grain) * map.grain;
  return { ...map, array: { ...map.array, endPfn } };
}

/** Descriptors without memory that a zone counts. */
export interface ZoneSum {
  readonly nid: number;
  readonly zone: ZoneSpan['zone'];
  readonly pages: number;
}

/**
 * The same zone by zone, in the kernel's order. Zones without any are left out.
 * @param map     where descriptors are
 * @param layout  zones
 * @param memory  what they were made from, ascending
 */
export function zoneSums(
  map: DescriptorMap,
  layout: ZoneLayout,
  memory: readonly MemoryPfnRange[],
): ZoneSum[] {
  const ranges = described(map, memory);
  const sums: ZoneSum[] = [];
  const memoryOf = byNode(memory);
  let holeStart = 0;
  for (const { nid, zones } of layout.nodes) {
    const own = memoryOf.get(nid) ?? [];
    for (const zone of zones.filter(({ spannedPages }) => spannedPages > 0)) {
      let pages = 0;
      const within = (pfn: number): number => Math.min(Math.max(pfn, zone.startPfn), zone.endPfn);
      for (const range of own) {
        const start = within(range.startPfn);
        if (holeStart < start) pages += pagesIn(ranges, holeStart, start);
        holeStart = within(range.endPfn);
      }
      if (map.hasTail) {
        const end = Math.ceil(zone.endPfn / map.grain) * map.grain;
        if (holeStart < end) pages += pagesIn(ranges, holeStart, end);
      }
      if (pages > 0) sums.push({ nid, zone: zone.zone, pages });
    }
  }
  return sums;
}
