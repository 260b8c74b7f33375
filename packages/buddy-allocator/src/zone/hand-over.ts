/**
 * Handing memory over to a zone: pages of boot code, which are managed and free from then on.
 *
 *     [startPfn, endPfn)   as large as alignment allows  ▶ a pageblock of its own where types differ  ▶ tail of its list
 *                          what the gate keeps           ▶ parked, to be accepted later
 *
 * Checked before the gate is asked, which may take long, and again under the lock: two threads may come with the same range.
 * A thread that ends in here has handed over the blocks up to some place.
 */
import { PageState } from '@bootmem/memmap';

import { Zone } from '../base/control-layout.js';
import { BuddyError } from '../base/errors.js';
import { isMixed } from '../lists/mixed.js';
import { parkBlock } from '../lists/parked-blocks.js';
import { closeRun, openRun } from '../lists/run.js';
import { extractPages } from './range-take.js';
import type { BuddyZone } from './zone.js';

const { BODY, FREE, UNACCEPTED } = PageState;

/**
 * Hands `[startPfn, endPfn)` over.
 * @param keep  asked block by block, without a lock; `true` keeps one off the lists: it is parked as unaccepted
 * @returns pages handed over
 * @throws ERR_BUDDY_OUT_OF_ZONE | ERR_BUDDY_UNINITIALISED | ERR_BUDDY_NOT_ALLOCATED, nothing changed
 * @kernel memblock_free_pages, deferred_free_pages
 */
export function handOver(
  zone: BuddyZone,
  startPfn: number,
  endPfn: number,
  keep?: (pfn: number, order: number) => boolean,
): number {
  checkHandOver(zone, startPfn, endPfn);
  const parked = new Set<number>();
  if (keep !== undefined) {
    forEachBlock(zone, startPfn, endPfn, (pfn, order) => {
      if (keep(pfn, order)) parked.add(pfn);
    });
  }
  zone.locked(() => {
    checkHandOver(zone, startPfn, endPfn);
    forEachBlock(zone, startPfn, endPfn, (pfn, order) => {
      const index = zone.memmap.indexOf(pfn);
      if (parked.has(pfn)) parkNew(zone, index, order);
      else freeNew(zone, index, order);
    });
  });
  return endPfn - startPfn;
}

/** Hands over pages that have just been initialised, under the lock. */
export function handOverLocked(zone: BuddyZone, startPfn: number, endPfn: number): void {
  forEachBlock(zone, startPfn, endPfn, (pfn, order) => {
    freeNew(zone, zone.memmap.indexOf(pfn), order);
  });
}

/** The blocks of a range, each as large as its alignment and the end allow, in order of pages. */
function forEachBlock(
  { maxOrder }: BuddyZone,
  startPfn: number,
  endPfn: number,
  visit: (pfn: number, order: number) => void,
): void {
  for (let pfn = startPfn; pfn < endPfn;) {
    let order = maxOrder;
    while (pfn % (1 << order) !== 0 || pfn + (1 << order) > endPfn) order--;
    visit(pfn, order);
    pfn += 1 << order;
  }
}

/**
 * Takes back what was handed over: `[startPfn, endPfn)` is boot code's again, if all of it is free.
 * @returns false when it is not, also in a cache; nothing has changed then
 */
export function handBack(zone: BuddyZone, startPfn: number, endPfn: number): boolean {
  const { memmap, words: w, at } = zone;
  const { state } = zone.columns;
  return zone.locked(() => {
    for (let pfn = startPfn; pfn < endPfn;) {
      const head = memmap.coveringHead(pfn);
      if (head?.state !== FREE) return false;
      pfn = head.pfn + 2 ** head.order;
    }
    // All of it is free to whoever finds it, until it is nobody's and not counted any more.
    openRun(w, at, startPfn, endPfn - startPfn);
    extractPages(zone, startPfn, endPfn);
    const index = memmap.indexOf(startPfn);
    state.fill(BODY, index, index + (endPfn - startPfn));
    w[at + Zone.MANAGED] = w[at + Zone.MANAGED]! - (endPfn - startPfn);
    closeRun(w, at);
    return true;
  });
}

function parkNew(zone: BuddyZone, index: number, order: number): void {
  const { words: w, at } = zone;
  // Its byte and its count together: it is parked from then on, whoever ends this.
  zone.columns.state[index] = UNACCEPTED | order;
  w[at + Zone.MANAGED] = w[at + Zone.MANAGED]! + (1 << order);
  parkBlock(zone, index);
}

function freeNew(zone: BuddyZone, index: number, order: number): void {
  const { area, words: w, at } = zone;
  const { pageblockOrder } = zone.memmap.geometry;
  const step = isMixed(area, index, order, pageblockOrder) ? pageblockOrder : order;
  for (let i = index; i < index + (1 << order); i += 1 << step) {
    // In the journal and counted before anything can come in between.
    area.journal(i, step + 1);
    w[at + Zone.MANAGED] = w[at + Zone.MANAGED]! + (1 << step);
    area.free(i, step, true, 0);
  }
}

function checkHandOver(zone: BuddyZone, startPfn: number, endPfn: number): void {
  const { memmap } = zone;
  const { state, zone: zoneOf } = zone.columns;
  if (!(startPfn >= zone.startPfn && startPfn < endPfn && endPfn <= zone.endPfn)) {
    throw new BuddyError('ERR_BUDDY_OUT_OF_ZONE', 'the range lies inside the zone', {
      startPfn,
      endPfn,
      zoneStart: zone.startPfn,
      zoneEnd: zone.endPfn,
    });
  }
  // Both ends of each section's part stand for it: a full scan would double the work of hand-over.
  const size = memmap.pagesPerSection;
  for (let pfn = startPfn; pfn < endPfn;) {
    const end = Math.min(endPfn, (memmap.sectionOf(pfn) + 1) * size);
    for (const at of [pfn, end - 1]) {
      const index = memmap.indexOf(at);
      if (index >= 0 && state[index] === BODY && zoneOf[index] === zone.zoneId) continue;
      const known = index >= 0 && state[index] !== 0;
      throw new BuddyError(
        known ? 'ERR_BUDDY_NOT_ALLOCATED' : 'ERR_BUDDY_UNINITIALISED',
        `pfn ${at} is not an initialised page owned by boot code`,
        { pfn: at, state: index < 0 ? 0 : state[index] },
      );
    }
    pfn = end;
  }
}
