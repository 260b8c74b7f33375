/**
 * Page cache of one thread for one zone: what the kernel calls a per-CPU list.
 *
 *     order 0, 1, 2 ...  x  unmovable, movable, reclaimable:  a stack of page numbers each
 *
 * Order-0 traffic hardly ever takes the zone's lock: an empty list is filled with a batch, a full cache
 * gives a batch back (cache-moves.ts). Only the owning thread touches its cache, with plain loads and
 * stores: atomics would cost more than the rest of the allocation. Other threads can ask the owner to drain
 * (ATTENTION, and limits of 0, which bring its next free to the slow path), and take over the cache of a
 * dead thread.
 *
 * Two policies: the kernel's (kernel-cache.ts), with one limit in pages for orders 0..3 and 9; and a limit per
 * list for all orders 0..9 (own-cache.ts), whose hits need no counter and are short (fast-path.ts).
 *
 * Invariants: I11 count = sum of lists; entries are CACHED heads of this cache only.
 */
import type { Geometry } from '@bootmem/memmap';
import { PageState } from '@bootmem/memmap';

import { type CacheParts, createCacheMoves } from './cache-moves.js';
import { Cache, CACHE_LISTS, CACHE_TYPES, CacheList, cacheListAt } from '../base/control-layout.js';
import { createKernelCache } from './kernel-cache.js';
import { createOwnCache } from './own-cache.js';
import type { WorkerCache } from './worker-cache-types.js';

const { CACHED, DIRTY } = PageState;

/** What {@link createWorkerCache} works on. */
interface WorkerCacheParts extends Omit<CacheParts, 'counted'> {
  readonly geometry: Geometry;
  /** A limit per list for all orders 0..9 instead of the kernel's policy. */
  readonly deep: boolean;
}

/** The cache of the calling thread for one zone. */
export function createWorkerCache(parts: WorkerCacheParts): WorkerCache {
  const { maxOrder, pageblockOrder } = parts.geometry;
  const whole = { ...parts, counted: !parts.deep, maxOrder, pageblockOrder };
  const moves = createCacheMoves(whole);
  return parts.deep ? createOwnCache(whole, moves) : createKernelCache(whole, moves);
}

/**
 * Gives back what a dead thread's cache holds. Under the zone's lock.
 * @returns pages given back
 */
export function reclaimCache(
  parts: Pick<WorkerCacheParts, 'columns' | 'words' | 'at' | 'area'>,
): number {
  const { words: w, at, area } = parts;
  const { state } = parts.columns;
  let pages = 0;
  for (let list = 0; list < CACHE_LISTS; list++) {
    const order = Math.floor(list / CACHE_TYPES);
    const l = at + cacheListAt(list);
    const top = w[l]!;
    for (let entry = w[l + CacheList.BOTTOM]! + 1; entry <= top; entry++) {
      w[l + CacheList.BOTTOM] = entry;
      const index = w[entry]!;
      // A block that was in flight when the thread died has been freed with the zone's recovery.
      if ((state[index]! & ~DIRTY) !== (CACHED | order)) continue;
      area.free(index, order, false, state[index]! & DIRTY);
      pages += 1 << order;
    }
  }
  w[at + Cache.COUNT] = 0;
  w[at + Cache.ATTENTION] = 0;
  return pages;
}
