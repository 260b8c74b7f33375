/**
 * Page cache of one thread in which each list has a limit of its own, for blocks of orders 0..9.
 *
 *     0 ──▶ first ──▶ 2 * first ──▶ ... ──▶ most        limit of a list, in entries
 *     ▲                 while refills follow refills, or refills and drains take turns
 *     └──────────────── a drain that others asked for
 *
 * Hits are in fast-path.ts and know no policy: whether a thread allocates, frees or does both is seen from
 * its slow paths only (`streak`). It starts with a batch and a limit of four; both double while it keeps
 * allocating. The limit doubles when a refill follows a drain or the other way round, too: the list was too
 * short for how far this thread goes up and down. A drain goes down to the half, so that neither end is
 * near. A thread that only frees keeps its limit and gives back more at a time.
 *
 * All limits together, in pages, are at most the thread's share (cache-budget.ts).
 *
 * Locks: the zone's, for at most MAX_BATCH blocks at a time. Source: reference of the buddy allocator,
 * section 6, for what the kernel tunes and why.
 */
import { Migratetype, PageState } from '@bootmem/memmap';
import { PAGEBLOCK_TYPE_MASK, PageblockBit } from '@bootmem/memmap/shared';

import type { Batch, CacheMoves, CacheParts } from './cache-moves.js';
import { CACHED_ALLOCATED, HEAD_MASK } from './cache-moves.js';
import {
  Cache,
  CACHE_LISTS,
  CACHE_ORDERS,
  CACHE_TYPES,
  CacheList,
  cachePages,
  LIST_HEADER_SHIFT,
} from '../base/cache-layout.js';
import { Zone } from '../base/control-layout.js';
import { createBudget, type OrderSizes, ownSizes } from './cache-budget.js';
import { createParking } from './parked-cache.js';
import { Park } from './parking.js';
import type { WorkerCache } from './worker-cache-types.js';

// Copies for the inner loops, see fast-path.ts.
const ORDERS = CACHE_ORDERS;
const TYPES = CACHE_TYPES;
const HEADER_SHIFT = LIST_HEADER_SHIFT;
const SWAP = CACHED_ALLOCATED;
const CACHED = PageState.CACHED;
const ALLOCATED = PageState.ALLOCATED;
const STATE_MASK = HEAD_MASK;
const CACHED_DIRTY = PageState.CACHED | PageState.DIRTY;
const MOVABLE = Migratetype.MOVABLE;
const ISOLATED = PageblockBit.ISOLATED;
const PAGEBLOCK_MASK = PAGEBLOCK_TYPE_MASK | PageblockBit.ISOLATED;
const BOTTOM = CacheList.BOTTOM;
const LIMIT = CacheList.LIMIT;
const { store } = Atomics;
const NONE = -1;
/** Bounds how long a thread holds the lock for its cache. */
const MAX_BATCH = 512;
const MAX_STREAK = 5;

/** A cache of the policy `own`. */
export function createOwnCache(
  parts: CacheParts & { readonly maxOrder: number; readonly pageblockOrder: number },
  moves: CacheMoves,
): WorkerCache {
  const { words: w, at, zoneAt: z, lock, unlock, maxOrder, pageblockOrder } = parts;
  const { onUse, claim, ownership } = parts;
  const { state, pageblocks } = parts.columns;
  const LISTS = at + Cache.LISTS;
  const ATTENTION = at + Cache.ATTENTION;
  /** Slow paths in a row of the same kind, by list: > 0 refills, < 0 drains. */
  const streak = new Int8Array(CACHE_LISTS);
  let sizes: OrderSizes[] = [];
  const budget = createBudget(shrink);
  const { limits } = budget;
  const limitOf = (list: number): number => limits[list]!;
  const parking = createParking({ words: w, at, moves, drain, limitOf, lock, unlock, onUse });

  function resize(): void {
    const zone = {
      batch: Math.max(1, w[z + Zone.BATCH]!),
      highMin: w[z + Zone.HIGH_MIN]!,
      highMax: w[z + Zone.HIGH_MAX]!,
      managed: w[z + Zone.MANAGED]!,
    };
    sizes = Array.from({ length: ORDERS }, (_, order) =>
      order <= maxOrder ? ownSizes(order, zone) : { batch: 0, first: 0, most: 0 },
    );
    w[at + Cache.HIGH] = sizes[0]!.first;
    w[at + Cache.BATCH] = sizes[0]!.batch;
    budget.restart(zone.highMax);
  }

  function retune(): void {
    // Of a cache that nobody uses, the sizes are all there is.
    if (w[at + Cache.PARK] === Park.OWNED || cachePages(w, at) > 0) drain();
    resize();
  }

  /** No list may hold anything until it is used. */
  function restart(): void {
    budget.restart();
    streak.fill(0);
    for (let list = 0; list < CACHE_LISTS; list++) moves.settle(list, 0);
  }

  /** Another list gets what this one gives up. */
  function shrink(list: number, limit: number): void {
    const entries =
      w[LISTS + (list << HEADER_SHIFT)]! - w[LISTS + (list << HEADER_SHIFT) + BOTTOM]!;
    if (entries > limit) {
      lock();
      moves.giveBack(list, entries - limit);
      unlock();
    }
    moves.settle(list, limit);
  }

  function pop(order: number, type: number): number {
    if (order >= ORDERS) return NONE;
    const l = LISTS + ((order * TYPES + type) << HEADER_SHIFT);
    for (;;) {
      const top = w[l]!;
      if (top === w[l + BOTTOM]!) return NONE;
      const index = w[top]!;
      const head = state[index]!;
      if (ownership !== undefined && (head & STATE_MASK) === (CACHED | order)) {
        w[ownership.at + index] = ownership.owner;
        // Pairs with the load in `ownedBlocks`. The entry goes last: until then it is one whose block has been used.
        store(state, index, head ^ SWAP);
        w[l] = top - 1;
        return index;
      }
      w[l] = top - 1;
      // Else two threads freed it in the same instant, and the other one's entry has been used.
      if ((head & STATE_MASK) !== (CACHED | order)) continue;
      // Keeps order and dirty bit.
      state[index] = head ^ SWAP;
      return index;
    }
  }

  function push(index: number, order: number): boolean {
    if (order >= ORDERS) return false;
    let type = pageblocks[index >>> pageblockOrder]! & PAGEBLOCK_MASK;
    if (type >= TYPES) {
      // HighAtomic and CMA go with Movable, Isolate past the cache.
      if ((type & ISOLATED) !== 0) return false;
      type = MOVABLE;
    }
    const list = order * TYPES + type;
    const l = LISTS + (list << HEADER_SHIFT);
    if (w[l]! >= w[l + LIMIT]!) {
      if (!makeRoom(list, order)) return false;
      // What went back may have been another entry of this very block, freed twice: then the caller finds it free.
      if ((state[index]! & STATE_MASK) !== (ALLOCATED | order)) return false;
    }
    // Nothing after it can fail, or end this thread between the two.
    claim?.(index, order);
    const top = w[l]! + 1;
    w[top] = index;
    w[l] = top;
    state[index] = CACHED_DIRTY | order;
    return true;
  }

  /** The list is full, or parked, or somebody asked for a drain, or the order is not cached at all. */
  function makeRoom(list: number, order: number): boolean {
    const l = LISTS + (list << HEADER_SHIFT);
    if (parking.unpark() && w[l]! < w[l + LIMIT]!) return true;
    if (w[ATTENTION] !== 0) {
      drain();
      return false;
    }
    const size = sizes[order]!;
    const limit = limits[list]!;
    const before = streak[list]!;
    if (limit === 0) {
      if (!budget.grow(list, size.first)) return false;
    } else if (before <= 0 || !budget.grow(list, Math.min(2 * limit, size.most))) {
      streak[list] = Math.max(Math.min(0, before) - 1, -MAX_STREAK);
      // Several drains in a row: what is freed here was allocated elsewhere and is not needed here.
      const entries = before < 0 ? limit - size.batch : limit >> 1;
      w[at + Cache.DRAINS] = w[at + Cache.DRAINS]! + 1;
      lock();
      moves.giveBack(list, Math.max(1, Math.min(entries, MAX_BATCH)));
      unlock();
    }
    moves.settle(list, limits[list]!);
    return true;
  }

  function batchFor(list: number, order: number): Batch {
    const size = sizes[order]!;
    const before = streak[list]!;
    const limit = limits[list]!;
    if (limit === 0) budget.grow(list, size.first);
    else if (before !== 0) budget.grow(list, Math.min(2 * limit, size.most));
    streak[list] = Math.min(Math.max(0, before) + 1, MAX_STREAK);
    const half = Math.max(1, Math.min(limits[list]! >> 1, MAX_BATCH));
    const wanted = before < 0 ? half : Math.min(half, size.batch << before);
    return { wanted, needed: Math.min(wanted, size.batch) };
  }

  function refill(order: number, type: number, flags: number): number {
    if (parking.unpark()) {
      const index = pop(order, type);
      if (index !== NONE) return index;
    }
    if (w[ATTENTION] !== 0) drain();
    if (sizes[order]!.most === 0) return NONE;
    const list = order * TYPES + type;
    const batch = batchFor(list, order);
    if (limits[list] === 0) return NONE;
    const got = moves.fetch(order, type, batch, flags);
    moves.settle(list, limits[list]!);
    return got === 0 ? NONE : pop(order, type);
  }

  function drain(): void {
    parking.unpark();
    w[ATTENTION] = 0;
    if (cachePages(w, at) > 0) moves.giveAll();
    restart();
  }

  // Not in use yet: the first call that needs it makes it so.
  moves.reset();
  parking.park();
  resize();
  return {
    pop,
    push,
    refill,
    drain,
    close: drain,
    retune,
    ...parking,
    holds: (order) => order < ORDERS && sizes[order]!.most > 0,
  };
}
