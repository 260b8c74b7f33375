/**
 * Compaction: two scanners walk towards each other; movable blocks found from the low end move into free
 * memory found from the high end, so that the low end becomes large free blocks.
 *
 *     low ─▶ [a.b..c][....]      ...      [..####][######] ◀─ high
 *              a, b, c move into the free parts at the high end
 *
 * The user's callback copies the contents and redirects whoever holds the page number; it may refuse.
 * Locks: short holds for each free block taken; the callback runs without a lock.
 */
import { Migratetype, PageState } from '@bootmem/memmap';
import { HEAD_KIND_MASK, HEAD_ORDER_MASK } from '@bootmem/memmap/shared';

import { type MoveCallback, runMove } from './moves.js';
import { extractTarget } from './range-take.js';
import type { BuddyZone } from './zone.js';

const { ALLOCATED, FREE } = PageState;
const KIND = HEAD_KIND_MASK;
const ORDER = HEAD_ORDER_MASK;

/** Outcome of a compaction run. */
export interface CompactionResult {
  /** Blocks moved. */
  readonly moved: number;
  /** Pages in them. */
  readonly movedPages: number;
  /** Blocks that the callback refused. */
  readonly refused: number;
}

/** Finds free blocks from the high end downwards. */
class FreeScanner {
  readonly #zone: BuddyZone;
  #block: number;
  constructor(zone: BuddyZone, start: number) {
    this.#zone = zone;
    this.#block = start;
  }

  /** Takes a block of `order` above `above` for what is at `from`; its index, or undefined when the scanners meet. */
  take(order: number, above: number, from: number): number | undefined {
    const zone = this.#zone;
    const size = 2 ** zone.memmap.geometry.maxOrder;
    for (; this.#block > above; this.#block -= size) {
      const target = this.#takeIn(this.#block, order, from);
      if (target !== undefined) return target;
    }
    return undefined;
  }

  #takeIn(start: number, order: number, from: number): number | undefined {
    const zone = this.#zone;
    const { state, zone: zoneOf } = zone.columns;
    const index = zone.memmap.indexOf(start);
    if (index < 0) return undefined;
    return zone.locked(() => {
      for (let i = index + 2 ** zone.maxOrder - 1; i >= index; i--) {
        const s = state[i]!;
        if ((s & KIND) !== FREE || (s & ORDER) < order || zoneOf[i] !== zone.zoneId) continue;
        if (zone.area.typeOf(i) > Migratetype.RECLAIMABLE) continue;
        const pfn = start + (i - index) + 2 ** (s & ORDER) - 2 ** order;
        extractTarget(zone, pfn, order, from);
        return zone.memmap.indexOf(pfn);
      }
      return undefined;
    });
  }
}

/** Runs one compaction over a zone. O(pages). @kernel compact_zone */
export function compactZone(
  zone: BuddyZone,
  move: MoveCallback,
  isMovable: (pfn: number) => boolean,
): CompactionResult {
  zone.drainCaches();
  const { memmap } = zone;
  const { state } = zone.columns;
  const size = 2 ** memmap.geometry.maxOrder;
  const free = new FreeScanner(zone, Math.floor((zone.endPfn - 1) / size) * size);
  let moved = 0;
  let movedPages = 0;
  let refused = 0;
  for (let pfn = zone.startPfn; pfn < zone.endPfn;) {
    const index = memmap.indexOf(pfn);
    const s = index < 0 ? 0 : state[index]!;
    const pages = s >= FREE ? 2 ** (s & ORDER) : 1;
    const step = index < 0 ? memmap.pagesPerSection - (pfn % memmap.pagesPerSection) : pages;
    const candidate = (s & KIND) === ALLOCATED && zone.columns.zone[index] === zone.zoneId;
    if (candidate && isMovable(pfn)) {
      const blockStart = Math.floor(pfn / size) * size;
      const target = free.take(s & ORDER, blockStart, index);
      if (target === undefined) break;
      if (runMove(zone, index, target, move)) {
        moved++;
        movedPages += pages;
      } else refused++;
    }
    pfn += step;
  }
  zone.cache?.drain();
  return { moved, movedPages, refused };
}
