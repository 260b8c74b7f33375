/**
 * Page cache of one thread for one zone: what the kernel calls a per-CPU list.
 *
 *     order 0, 1, 2 ...  x  unmovable, movable, reclaimable:  a stack of page numbers each
 *
 * Order-0 traffic hardly ever takes the zone's lock: an empty list is filled with a batch, a full cache
 * gives a batch back (cache-moves.ts). Only the owning thread touches its cache, with plain loads and
 * stores: atomics would cost more than the rest of the allocation. Other threads can ask the owner to drain
 * (ATTENTION, and limits of 0, which bring its next free to the slow path), and take what is in a cache that is parked
 * or of a dead thread (parking.ts, parked-cache.ts).
 *
 * Two policies: the kernel's (kernel-cache.ts), with one limit in pages for orders 0..3 and 9; and a limit per
 * list for all orders 0..9 (own-cache.ts), whose hits need no counter and are short (fast-path.ts).
 *
 * Invariants: I11 count = sum of lists; entries are CACHED heads of this cache only.
 */
import type { Geometry } from '@bootmem/memmap';

import { type CacheParts, createCacheMoves } from './cache-moves.js';
import { createKernelCache } from './kernel-cache.js';
import { createOwnCache } from './own-cache.js';
import type { WorkerCache } from './worker-cache-types.js';

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
