/**
 * Holes that have page descriptors although there is no memory.
 *
 *      section     |<------- present -------->|<------- present -------->|
 *      memory        [=====]    [=======]           [==========]
 *      unavailable |u|     |uuuu|       |uuuuu|uuuuu|          |uuuuuuuuuu|
 *
 * A section's descriptors cover all of it, so those of the holes are initialised too, as reserved pages of
 * the zone that the memory above them belongs to; the tail of the last section goes to the zone below it.
 *
 * Source: reference of deferred initialisation, section 2
 * @kernel memmap_init, init_unavailable_range
 */
import { BuddyError } from '../base/errors.js';
import type { MemoryPfnRange, ZoneName } from '@bootmem/memmap';
import type { ZoneLayout } from './layout-types.js';

/** One piece of a hole inside a present section. */
interface UnavailableRange {
  readonly nid: number;
  readonly zone: ZoneName;
  readonly zoneIndex: number;
  readonly startPfn: number;
  readonly endPfn: number;
}

/** The holes that were met together: what the kernel prints as one line. */
export interface UnavailableHole {
  readonly nid: number;
  readonly zone: ZoneName;
  readonly pages: number;
  /** Pieces of the hole that lie in present sections, ascending. */
  readonly ranges: readonly UnavailableRange[];
}

/** Whether memory lies in `[startPfn, endPfn)`. O(log ranges). */
function holdsMemory(memory: readonly MemoryPfnRange[], startPfn: number, endPfn: number): boolean {
  let [low, high] = [0, memory.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (memory[middle]!.endPfn > startPfn) high = middle;
    else low = middle + 1;
  }
  return low < memory.length && memory[low]!.startPfn < endPfn;
}

/**
 * Holes in present sections, in the order in which the zones are initialised.
 * @param layout  zones of the machine
 * @param memory  the ranges the layout was made from, ascending
 * @param pagesPerSection pages of one section, a power of two. Default 32768 (x86-64)
 * @remarks O(ranges × (zones + log ranges)), however many sections there are
 */
export function unavailableHoles(
  layout: ZoneLayout,
  memory: readonly MemoryPfnRange[],
  pagesPerSection = 32768,
): UnavailableHole[] {
  if (!(pagesPerSection > 0 && Number.isInteger(Math.log2(pagesPerSection)))) {
    throw new BuddyError('ERR_ZONE_ARGUMENT', 'pagesPerSection must be a power of two', {
      pagesPerSection,
    });
  }
  const holes: UnavailableHole[] = [];
  const byNid = new Map(layout.nodes.map((node) => [node.nid, node]));
  const addHole = (
    start: number,
    end: number,
    at: Omit<UnavailableRange, 'startPfn' | 'endPfn'>,
  ): void => {
    const ranges: UnavailableRange[] = [];
    let pages = 0;
    // Only the first and the last section of a hole can hold memory, and so have descriptors.
    const last = Math.floor((end - 1) / pagesPerSection);
    let section = Math.floor(start / pagesPerSection);
    for (;;) {
      const from = section * pagesPerSection;
      const to = from + pagesPerSection;
      if (holdsMemory(memory, from, to)) {
        const startPfn = Math.max(start, from);
        const endPfn = Math.min(end, to);
        const { nid, zone, zoneIndex } = at;
        ranges.push({ nid, zone, zoneIndex, startPfn, endPfn });
        pages += endPfn - startPfn;
      }
      if (section === last) break;
      section = last;
    }
    if (pages > 0) holes.push({ nid: at.nid, zone: at.zone, pages, ranges });
  };
  let holeStart = 0;
  let lastZone: { nid: number; zone: ZoneName; zoneIndex: number } | undefined;
  for (const range of memory) {
    for (const zone of byNid.get(range.nid)?.zones ?? []) {
      if (zone.presentPages === 0) continue;
      const start = Math.max(range.startPfn, zone.startPfn);
      const end = Math.min(range.endPfn, zone.endPfn);
      lastZone = zone;
      if (start >= end) continue;
      if (holeStart < start) addHole(holeStart, start, zone);
      holeStart = end;
    }
  }
  const end = Math.ceil(holeStart / pagesPerSection) * pagesPerSection;
  if (holeStart < end && lastZone !== undefined) addHole(holeStart, end, lastZone);
  return holes;
}
