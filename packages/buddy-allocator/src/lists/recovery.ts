/**
 * Putting a zone in order after a thread died holding the zone's lock.
 *
 *     bytes   1 the region in flight (free-area.ts) becomes free     3 moves that were done are brought to their end
 *             2 what is allocated in the run in flight (run.ts) too  4 free blocks of several types are cut
 *                                                                    5 free pairs become one block
 *     lists   6 all lists and counters are forgotten, and made anew from the bytes
 *
 * The state byte of a head says what the block is, whatever the lists looked like; only the order of blocks within a
 * list is lost. A step undoes nothing that it would need once more, so a thread that dies in here leaves all of it to
 * the next. O(pages of the run + blocks of the zone).
 */
import { type Memmap, Migratetype, PageState } from '@bootmem/memmap';
import {
  type Columns,
  HEAD_KIND_MASK,
  HEAD_ORDER_MASK,
  PageblockBit,
} from '@bootmem/memmap/shared';

import { Zone } from '../base/control-layout.js';
import type { FreeArea } from './free-area-types.js';
import { isMixed } from './mixed.js';
import { moveRecord } from './moving.js';
import { parkBlock, takerOf } from './parked-blocks.js';
import { closeRun, openedRun } from './run.js';

const { ALLOCATED, BODY, CACHED, DIRTY, FREE, GUARD, MOVING, UNACCEPTED } = PageState;
const KIND = HEAD_KIND_MASK;
const ORDER = HEAD_ORDER_MASK;
/** Types below it merge with each other. */
const MERGEABLE = 3;

/** A zone as recovery sees it. */
export interface RecoverableZone {
  readonly memmap: Memmap;
  readonly columns: Columns;
  readonly area: FreeArea;
  readonly words: Int32Array;
  readonly at: number;
  readonly zoneId: number;
  readonly startPfn: number;
  readonly endPfn: number;
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

/** Calls `visit` for every pageblock of the zone that has descriptors, with its first index in the zone. */
export function forEachPageblock(
  zone: Pick<RecoverableZone, 'memmap' | 'startPfn' | 'endPfn'>,
  visit: (index: number, pfn: number) => void,
): void {
  const size = 2 ** zone.memmap.geometry.pageblockOrder;
  for (let pfn = zone.startPfn - (zone.startPfn % size); pfn < zone.endPfn; pfn += size) {
    const index = zone.memmap.indexOf(pfn);
    if (index >= 0) visit(index, pfn);
  }
}

/**
 * Puts the zone in order. Under its lock.
 * @returns pages of the region that was in flight, 0 when there was none
 */
export function recoverZone(zone: RecoverableZone): number {
  const { words: w, at: z } = zone;
  const pages = freeRegion(zone);
  freeRun(zone);
  finishMoves(zone);
  cutMixed(zone);
  mergePairs(zone);
  rebuildLists(zone);
  w[z + Zone.RECOVERIES] = w[z + Zone.RECOVERIES]! + 1;
  return pages;
}

function freeRegion(zone: RecoverableZone): number {
  const { words: w, at: z } = zone;
  const order = w[z + Zone.JOURNAL_ORDER]! - 1;
  if (order < 0) return 0;
  const region = w[z + Zone.JOURNAL_INDEX]! & ~((1 << order) - 1);
  const { state } = zone.columns;
  state.fill(BODY, region + 1, region + (1 << order));
  state[region] = FREE | order | DIRTY;
  w[z + Zone.JOURNAL_ORDER] = 0;
  return 1 << order;
}

function freeRun(zone: RecoverableZone): void {
  const { memmap, words, at } = zone;
  const { state } = zone.columns;
  const { startPfn, pages } = openedRun(words, at);
  for (let pfn = startPfn; pfn < startPfn - pages; pfn++) {
    const index = memmap.indexOf(pfn);
    if ((state[index]! & ~DIRTY) === CACHED) state[index] = ALLOCATED | DIRTY;
  }
  for (let pfn = startPfn; pfn < startPfn + pages;) {
    const index = memmap.indexOf(pfn);
    const s = state[index]!;
    const kind = s & KIND;
    const order = s >= FREE ? s & ORDER : 0;
    if (kind === ALLOCATED || kind === MOVING || kind === CACHED) {
      // Inside there may be what is left of single pages.
      state.fill(BODY, index + 1, index + (1 << order));
      state[index] = FREE | order | DIRTY;
    }
    pfn += 1 << order;
  }
  closeRun(words, at);
}

function finishMoves(zone: RecoverableZone): void {
  const { state } = zone.columns;
  const blocks = { columns: zone.columns, geometry: zone.memmap.geometry };
  forEachUnit(zone, (index, s) => {
    if ((s & KIND) !== MOVING) return;
    const { from, done } = moveRecord(blocks, index, s & ORDER);
    if (!done) return;
    // It may be free already, alone or in a larger block.
    const used = (state[from]! & ~DIRTY) === (ALLOCATED | (s & ORDER));
    if (used) state[from] = FREE | (s & ORDER) | DIRTY;
    state[index] = (s & (DIRTY | ORDER)) | ALLOCATED;
  });
}

/**
 * Cuts free blocks whose pageblocks differ in type into these: such a block was in flight, or somebody was changing the
 * types one by one, under the lock or in `mergePairs` below.
 */
function cutMixed(zone: RecoverableZone): void {
  const { state } = zone.columns;
  const { pageblockOrder } = zone.memmap.geometry;
  const step = 1 << pageblockOrder;
  forEachUnit(zone, (index, s, pages) => {
    if ((s & KIND) !== FREE || !isMixed(zone.area, index, s & ORDER, pageblockOrder)) return;
    // The lowest head last: until then the block is what it was, and this can be done again.
    for (let i = index + pages - step; i >= index; i -= step) {
      state[i] = FREE | pageblockOrder | (s & DIRTY);
    }
  });
}

/** Two free halves; a free block takes in the guard block beside it, too. */
function isPair(lower: number, upper: number): boolean {
  const [a, b] = [lower & KIND, upper & KIND];
  if ((lower & ORDER) !== (upper & ORDER)) return false;
  return (a === FREE && (b === FREE || b === GUARD)) || (a === GUARD && b === FREE);
}

function mergePairs(zone: RecoverableZone): void {
  const { state, zone: zoneOf } = zone.columns;
  const { maxOrder, pageblockOrder } = zone.memmap.geometry;
  const { area, zoneId } = zone;
  forEachUnit(zone, (index, s) => {
    if ((s & KIND) !== FREE && (s & KIND) !== GUARD) return;
    let upper = index;
    for (let order = s & ORDER; order < maxOrder; order++) {
      const lower = upper ^ (1 << order);
      // The upper half comes last, when all that is below it has been merged.
      if (lower > upper || zoneOf[lower] !== zoneId) return;
      if (!isPair(state[lower]!, state[upper]!)) return;
      if (order >= pageblockOrder && !alignTypes(area, lower, upper, order, pageblockOrder)) return;
      const old = (state[lower]! | state[upper]!) & DIRTY;
      state[upper] = BODY;
      state[lower] = FREE | (order + 1) | old;
      upper = lower;
    }
  });
}

/** Gives the upper of two free blocks the type of the lower; false when they must not be one. */
function alignTypes(
  area: FreeArea,
  lower: number,
  upper: number,
  order: number,
  pageblockOrder: number,
): boolean {
  const [type, other] = [area.typeOf(lower), area.typeOf(upper)];
  if (type === other) return true;
  if (type >= MERGEABLE || other >= MERGEABLE) return false;
  for (let i = upper; i < upper + (1 << order); i += 1 << pageblockOrder) area.setType(i, type);
  return true;
}

function rebuildLists(zone: RecoverableZone): void {
  const { words: w, at: z, area } = zone;
  const { pageblocks } = zone.columns;
  const { pageblockOrder } = zone.memmap.geometry;
  area.reset();
  w[z + Zone.GUARD] = 0;
  w[z + Zone.ISOLATED_BLOCKS] = 0;
  w[z + Zone.TAKEN] = 0;
  w[z + Zone.RESERVED_HIGHATOMIC] = 0;
  forEachUnit(zone, (index, s) => {
    const kind = s & KIND;
    if (kind === FREE) {
      const type = area.typeOf(index);
      area.insert(index, s & ORDER, type, true, s & DIRTY);
      area.account(1 << (s & ORDER), type);
    } else if (kind === GUARD) {
      w[z + Zone.GUARD] = w[z + Zone.GUARD]! + (1 << (s & ORDER));
    } else if (kind === UNACCEPTED) {
      parkBlock(zone, index);
    } else if (kind === MOVING && takerOf(zone, index) !== undefined) {
      w[z + Zone.TAKEN] = w[z + Zone.TAKEN]! + 1;
    }
  });
  forEachPageblock(zone, (index, pfn) => {
    const byte = pageblocks[index >>> pageblockOrder]!;
    if ((byte & PageblockBit.ISOLATED) !== 0) {
      w[z + Zone.ISOLATED_BLOCKS] = w[z + Zone.ISOLATED_BLOCKS]! + 1;
    }
    const whole = pfn >= zone.startPfn && pfn + (1 << pageblockOrder) <= zone.endPfn;
    if (whole && area.typeOf(index) === Migratetype.HIGHATOMIC) {
      w[z + Zone.RESERVED_HIGHATOMIC] = w[z + Zone.RESERVED_HIGHATOMIC]! + (1 << pageblockOrder);
    }
  });
}
