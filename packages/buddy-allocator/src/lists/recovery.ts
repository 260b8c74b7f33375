/**
 * Rebuilding a zone's lists from the state bytes, after a thread died holding the zone's lock.
 *
 * The state byte of every head says what the block is, and the in-flight region (free-area.ts) says which
 * block the dead thread was changing. So: forget all lists and counters, turn the region into one free
 * block, walk the zone head by head, and put every free block back. The order of blocks within a list is
 * lost, nothing else. O(blocks of the zone).
 */
import { type Memmap, PageState } from '@bootmem/memmap';
import { type Columns, HEAD_KIND_MASK, HEAD_ORDER_MASK } from '@bootmem/memmap/shared';

import { Zone } from '../base/control-layout.js';
import type { FreeArea } from './free-area.js';

const { BODY, FREE, UNACCEPTED, GUARD, DIRTY } = PageState;
const KIND = HEAD_KIND_MASK;
const ORDER = HEAD_ORDER_MASK;

/** A zone as recovery sees it. */
interface RecoverableZone {
  readonly memmap: Memmap;
  readonly columns: Columns;
  readonly area: FreeArea;
  readonly words: Int32Array;
  readonly at: number;
  readonly zoneId: number;
  readonly startPfn: number;
  readonly endPfn: number;
  parkLocked(index: number): void;
}

/** Calls `visit(index, state, pages)` for every head and page of the zone, in order of index. */
export function forEachUnit(
  zone: Pick<RecoverableZone, 'memmap' | 'columns' | 'zoneId' | 'startPfn' | 'endPfn'>,
  visit: (index: number, state: number, pages: number, pfn: number) => void,
): void {
  const { state, zone: zoneOf } = zone.columns;
  const size = zone.memmap.pagesPerSection;
  for (let pfn = zone.startPfn; pfn < zone.endPfn;) {
    const end = Math.min(zone.endPfn, (zone.memmap.sectionOf(pfn) + 1) * size);
    const index = zone.memmap.indexOf(pfn);
    if (index >= 0) {
      for (let i = index; i < index + (end - pfn);) {
        const s = state[i]!;
        const pages = s >= FREE ? 1 << (s & ORDER) : 1;
        if (zoneOf[i] === zone.zoneId && s !== 0) visit(i, s, pages, pfn + (i - index));
        i += pages;
      }
    }
    pfn = end;
  }
}

/**
 * Rebuilds lists and counters. Under the zone's lock.
 * @returns pages of the region that was in flight, 0 when there was none
 */
export function recoverZone(zone: RecoverableZone): number {
  const { words: w, at: z, area } = zone;
  const { state } = zone.columns;
  const orderPlusOne = w[z + Zone.JOURNAL_ORDER]!;
  const order = orderPlusOne - 1;
  const region = orderPlusOne === 0 ? -1 : w[z + Zone.JOURNAL_INDEX]! & ~((1 << order) - 1);
  area.reset();
  w[z + Zone.GUARD] = 0;
  if (region >= 0) state.fill(BODY, region, region + (1 << order));
  forEachUnit(zone, (index, s) => {
    const kind = s & KIND;
    if (kind === FREE) {
      const type = area.typeOf(index);
      area.insert(index, s & ORDER, type, true, s & DIRTY);
      area.account(1 << (s & ORDER), type);
    } else if (kind === GUARD) {
      w[z + Zone.GUARD] = w[z + Zone.GUARD]! + (1 << (s & ORDER));
    } else if (kind === UNACCEPTED) {
      zone.parkLocked(index);
    }
  });
  w[z + Zone.JOURNAL_ORDER] = 0;
  if (region >= 0) area.free(region, order, true, DIRTY);
  w[z + Zone.RECOVERIES] = w[z + Zone.RECOVERIES]! + 1;
  return region < 0 ? 0 : 1 << order;
}
