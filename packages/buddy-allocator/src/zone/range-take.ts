/**
 * Taking free memory by place instead of by order: address limits, alignment, boundaries, runs longer than
 * the largest block, and exactly the range that somebody wants (contiguous allocation, compaction).
 *
 *     free blocks   [....][........]  [..][................]
 *     wanted run          [~~~~~]                 the lowest (or highest) run that fits; it may span
 *                                                 blocks; what is left of the blocks goes back
 *
 * One walk over the heads of the zone, O(blocks); everything under the zone's lock. Pages taken this way
 * are allocated one by one (order 0), so they can be freed one by one or together.
 */
import { PageState } from '@bootmem/memmap';
import { HEAD_KIND_MASK, HEAD_ORDER_MASK } from '@bootmem/memmap/shared';

import { BuddyError } from '../base/errors.js';
import { linksOf } from '../lists/moving.js';
import { forEachUnit } from '../lists/recovery.js';
import { closeRun, openRun } from '../lists/run.js';
import type { BuddyZone } from './zone.js';

const { ALLOCATED, BODY, FREE, DIRTY, MOVING } = PageState;
const KIND = HEAD_KIND_MASK;
const ORDER = HEAD_ORDER_MASK;

/** Which run is wanted; pages and pfns. */
export interface RunRequest {
  readonly pages: number;
  /** Lowest pfn allowed. */
  readonly min: number;
  /** End of the allowed pfns. */
  readonly max: number;
  /** The run starts at a multiple of this; a power of two. */
  readonly align: number;
  /** The run does not cross a multiple of this; 0 for none, else a power of two >= pages. */
  readonly boundary: number;
  /** The highest run that fits instead of the lowest. */
  readonly topDown: boolean;
}

const up = (value: number, align: number): number => Math.ceil(value / align) * align;
const down = (value: number, align: number): number => Math.floor(value / align) * align;

function fitLow(start: number, end: number, request: RunRequest): number | undefined {
  const { pages, align, boundary } = request;
  let at = up(start, align);
  if (boundary > 0 && Math.floor(at / boundary) !== Math.floor((at + pages - 1) / boundary)) {
    at = up(up(at, boundary), align);
  }
  return at + pages <= end ? at : undefined;
}

function fitHigh(start: number, end: number, request: RunRequest): number | undefined {
  const { pages, align, boundary } = request;
  let at = down(end - pages, align);
  if (boundary > 0 && Math.floor(at / boundary) !== Math.floor((at + pages - 1) / boundary)) {
    at = down(down(at + pages - 1, boundary) - pages, align);
  }
  return at >= start ? at : undefined;
}

/** First pfn of a free run that fits, or undefined. Under the zone's lock. */
export function findFreeRun(zone: BuddyZone, request: RunRequest): number | undefined {
  let found: number | undefined;
  let start = 0;
  let end = -1;
  const consider = (): void => {
    const low = Math.max(start, request.min);
    const high = Math.min(end, request.max);
    if (end < 0 || high - low < request.pages || (found !== undefined && !request.topDown)) return;
    found = (request.topDown ? fitHigh : fitLow)(low, high, request) ?? found;
  };
  forEachUnit(zone, (index, state, pages, pfn) => {
    const usable = (state & KIND) === FREE && zone.area.typeOf(index) < 5;
    if (usable && pfn === end) {
      end += pages;
      return;
    }
    consider();
    [start, end] = usable ? [pfn, pfn + pages] : [0, -1];
  });
  consider();
  return found;
}

/**
 * Takes the free pages `[startPfn, endPfn)` off the lists; the caller has found them all free. Their single pages are
 * the caller's from the return on, and nobody's before.
 * @param owner  whose they are, where pages have owners
 * @returns true when part of the memory may hold old data
 */
export function extractRun(zone: BuddyZone, startPfn: number, endPfn: number, owner = 0): boolean {
  const { ownersAt, memmap } = zone;
  openRun(zone.words, zone.at, startPfn, endPfn - startPfn);
  const dirty = extractPages(zone, startPfn, endPfn);
  if (ownersAt !== 0) {
    const at = ownersAt + memmap.indexOf(startPfn);
    zone.words.fill(owner, at, at + (endPfn - startPfn));
  }
  closeRun(zone.words, zone.at);
  return dirty;
}

/** As {@link extractRun}, for one block that is to be filled with what the block at `from` holds. */
export function extractTarget(zone: BuddyZone, pfn: number, order: number, from: number): void {
  const { state } = zone.columns;
  const index = zone.memmap.indexOf(pfn);
  openRun(zone.words, zone.at, pfn, 2 ** order);
  const dirty = extractPages(zone, pfn, pfn + 2 ** order) ? DIRTY : 0;
  const { links, shift } = linksOf(zone.linked, order);
  const slot = (index >>> shift) << 1;
  state[index] = MOVING | order | dirty;
  links[slot] = zone.tag;
  links[slot + 1] = from;
  state.fill(BODY, index + 1, index + 2 ** order);
  closeRun(zone.words, zone.at);
}

/** Takes free pages off the lists, as single allocated ones; in a run that is open. @returns as {@link extractRun} */
export function extractPages(zone: BuddyZone, startPfn: number, endPfn: number): boolean {
  const { area, memmap } = zone;
  const { state } = zone.columns;
  let dirty = 0;
  for (let pfn = startPfn; pfn < endPfn;) {
    const head = memmap.coveringHead(pfn);
    if (head?.state !== FREE) {
      throw new BuddyError('ERR_BUDDY_CORRUPT', `pfn ${pfn} is not free any more`, { pfn });
    }
    const index = memmap.indexOf(head.pfn);
    const blockEnd = head.pfn + 2 ** head.order;
    const type = area.typeOf(index);
    const old = state[index]! & DIRTY;
    const from = pfn - head.pfn;
    const to = Math.min(endPfn, blockEnd) - head.pfn;
    dirty |= old;
    area.journal(index, head.order + 1);
    area.remove(index, head.order, type);
    area.account(-(to - from), type);
    for (const [start, end] of [
      [0, from],
      [to, 2 ** head.order],
    ] as const) {
      // What the run leaves of the block goes back as aligned blocks, to the tails.
      for (let at = start; at < end;) {
        const order = pieceOrder(at, end);
        area.insert(index + at, order, type, true, old);
        at += 1 << order;
      }
    }
    for (let i = index + from; i < index + to; i++) state[i] = ALLOCATED | old;
    area.journal(index, 0);
    pfn = head.pfn + to;
  }
  return dirty !== 0;
}

/** Order of the largest aligned block that starts at `at` and ends by `end`, inside a block. */
function pieceOrder(at: number, end: number): number {
  let order = 31 - Math.clz32(at === 0 ? end : at & -at);
  while (at + (1 << order) > end) order--;
  return order;
}

/** First page of the range that is not an allocated page of order 0, or undefined. */
export function firstNotSingle(
  zone: BuddyZone,
  startPfn: number,
  endPfn: number,
): number | undefined {
  const { state } = zone.columns;
  for (let pfn = startPfn; pfn < endPfn; pfn++) {
    const index = zone.memmap.indexOf(pfn);
    if (index < 0 || (state[index]! & (KIND | ORDER)) !== ALLOCATED) return pfn;
  }
  return undefined;
}

/**
 * Frees single pages `[startPfn, endPfn)` as blocks as large as alignment and pageblocks allow; merging makes them
 * larger. Under the lock. All of them are free from the start, whoever ends it; each block is in the journal before its
 * pages lose their state.
 */
export function freeRunLocked(zone: BuddyZone, startPfn: number, endPfn: number): void {
  const { state } = zone.columns;
  openRun(zone.words, zone.at, startPfn, endPfn - startPfn);
  for (let pfn = startPfn; pfn < endPfn;) {
    let order = zone.memmap.geometry.pageblockOrder;
    while (pfn % 2 ** order !== 0 || pfn + 2 ** order > endPfn) order--;
    const index = zone.memmap.indexOf(pfn);
    zone.area.journal(index, order + 1);
    state.fill(BODY, index, index + 2 ** order);
    zone.area.free(index, order, true, DIRTY);
    pfn += 2 ** order;
  }
  closeRun(zone.words, zone.at);
}
