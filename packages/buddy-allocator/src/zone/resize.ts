/**
 * Blocks that become larger or smaller where they are.
 *
 *     extend   [ block ][ free, same order ]   ▶   [        block        ]      again, until it is as large as asked for
 *     shrink   [        block        ]   ▶   [ block ][ free ]                  again, until it is as small
 *
 * Only upwards: a block keeps its first page, and so its handle. A half that comes is free by its byte, on a list or just off it,
 * until the head's byte says its new order; one that goes is a run in flight from that moment on; both by statements without a
 * call in between. So a thread that ends in the middle leaves a block of one of the orders on the way, and the rest free.
 *
 * Locks: the zone's, for one call.
 */
import { PageState } from '@bootmem/memmap';

import { Zone } from '../base/control-layout.js';
import { closeRun, openRun } from '../lists/run.js';
import type { BuddyZone } from './zone.js';

const { ALLOCATED, BODY, DIRTY, FREE } = PageState;

/** Types from here on are kept apart: reserved, contiguous, isolated. */
const SPECIAL = 3;

/** What an extension found. `dirty`: what was added may hold old data. */
export type Extension = 'not allocated' | 'no room' | { readonly dirty: boolean };

const isAllocated = ({ columns }: BuddyZone, index: number, order: number): boolean =>
  (columns.state[index]! & ~DIRTY) === (ALLOCATED | order);

/** Makes a block of `order` one of `to`, if all that follows it is free. Under no lock. */
export function extendBlock(zone: BuddyZone, index: number, order: number, to: number): Extension {
  const { area } = zone;
  const { state, zone: zoneOf } = zone.columns;
  return zone.locked(() => {
    if (!isAllocated(zone, index, order)) return 'not allocated';
    if (index % 2 ** to !== 0) return 'no room';
    for (let o = order; o < to; o++) {
      const half = index + 2 ** o;
      const free = (state[half]! & ~DIRTY) === (FREE | o) && zoneOf[half] === zone.zoneId;
      if (!free || area.typeOf(half) >= SPECIAL) return 'no room';
    }
    let dirty = 0;
    for (let o = order; o < to; o++) {
      const half = index + 2 ** o;
      const type = area.typeOf(half);
      dirty |= state[half]! & DIRTY;
      area.remove(half, o, type);
      area.account(-(2 ** o), type);
      // Free until here, also to who finds it off the list after a death; the block's from here on.
      state[half] = BODY;
      state[index] = (state[index]! & DIRTY) | dirty | ALLOCATED | (o + 1);
    }
    return { dirty: dirty !== 0 };
  });
}

/** Makes a block of `order` one of `to`. False when it is no such block. Under no lock. */
export function shrinkBlock(zone: BuddyZone, index: number, order: number, to: number): boolean {
  const { words: w, at, memmap } = zone;
  const { state } = zone.columns;
  return zone.locked(() => {
    if (!isAllocated(zone, index, order)) return false;
    const dirty = state[index]! & DIRTY;
    for (let o = order - 1; o >= to; o--) {
      const half = index + 2 ** o;
      const pages = 2 ** o;
      const pfn = memmap.pfnOf(half);
      openRun(w, at, pfn, 0);
      // Two blocks, the upper one nobody's but free to whoever finds it, at once.
      state[half] = ALLOCATED | o | DIRTY;
      state[index] = ALLOCATED | o | dirty;
      w[at + Zone.RUN_PAGES] = pages;
      zone.freeBlockLocked(half, o, DIRTY, false);
      closeRun(w, at);
    }
    return true;
  });
}
