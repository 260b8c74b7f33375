/**
 * Page cache of one thread with the kernel's policy: one limit in pages for the lists of orders 0..3 and of
 * the pageblock order.
 *
 * The batch doubles while a thread keeps allocating, the limit (`high`) grows with it up to `highMax`; a
 * thread that mostly frees gives back more and more at a time (`freeCount`). Where the limit is fixed
 * (`highMin` equals `highMax`) it stays.
 *
 * Source: reference of the buddy allocator, section 6.
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
import { createParking } from './parked-cache.js';
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
const NONE = -1;
/** Bounds every list: less than a stack has room for. */
const MAX_ENTRIES = 1000;
const COSTLY_ORDER = 3;
const MAX_FACTOR = 5;

/** A cache of the policy `shared`. */
export function createKernelCache(
  parts: CacheParts & { readonly maxOrder: number; readonly pageblockOrder: number },
  moves: CacheMoves,
): WorkerCache {
  const { words: w, at, zoneAt: z, lock, unlock, maxOrder, pageblockOrder, onUse, claim } = parts;
  const { state, pageblocks } = parts.columns;
  const LISTS = at + Cache.LISTS;
  const COUNT = at + Cache.COUNT;
  const ATTENTION = at + Cache.ATTENTION;
  let batch = 1;
  let high = 0;
  let highMin = 0;
  let highMax = 0;
  let factor = 0;
  let freeCount = 0;
  /** Bit per order that is cached. */
  let cachedMask = 0;
  const limitOf = (): number => MAX_ENTRIES;
  const parking = createParking({ words: w, at, moves, drain, limitOf, lock, unlock, onUse });

  function retune(): void {
    parking.unpark();
    resize();
    settle();
  }

  function resize(): void {
    batch = Math.max(1, w[z + Zone.BATCH]!);
    highMin = Math.min(w[z + Zone.HIGH_MIN]!, MAX_ENTRIES);
    highMax = Math.min(w[z + Zone.HIGH_MAX]!, MAX_ENTRIES);
    high = Math.min(Math.max(high, highMin), highMax);
    cachedMask = 0;
    for (let o = 0; o < ORDERS && highMax > 0; o++) {
      if (o <= maxOrder && (o <= COSTLY_ORDER || o === pageblockOrder)) cachedMask |= 1 << o;
    }
    publish();
  }

  function publish(): void {
    w[at + Cache.HIGH] = high;
    w[at + Cache.BATCH] = batch;
  }

  function settle(): void {
    publish();
    for (let list = 0; list < CACHE_LISTS; list++) moves.settle(list, MAX_ENTRIES);
  }

  const holds = (order: number): boolean => ((cachedMask >>> order) & 1) === 1 && order < ORDERS;

  function pop(order: number, type: number): number {
    if (order >= ORDERS) return NONE;
    const l = LISTS + ((order * TYPES + type) << HEADER_SHIFT);
    for (;;) {
      const top = w[l]!;
      if (top === w[l + BOTTOM]!) return NONE;
      const index = w[top]!;
      w[l] = top - 1;
      w[COUNT] = w[COUNT]! - (1 << order);
      const head = state[index]!;
      // Else two threads freed it in the same instant, and the other one's entry has been used.
      if ((head & STATE_MASK) !== (CACHED | order)) continue;
      // Keeps order and dirty bit.
      state[index] = head ^ SWAP;
      freeCount >>= 1;
      return index;
    }
  }

  function push(index: number, order: number): boolean {
    if (!holds(order)) return false;
    let type = pageblocks[index >>> pageblockOrder]! & PAGEBLOCK_MASK;
    if (type >= TYPES) {
      // HighAtomic and CMA go with Movable, Isolate past the cache.
      if ((type & ISOLATED) !== 0) return false;
      type = MOVABLE;
    }
    const list = order * TYPES + type;
    const l = LISTS + (list << HEADER_SHIFT);
    if (w[l]! >= w[l + LIMIT]!) {
      if (!makeRoom(list)) return false;
      // What went back may have been another entry of this very block, freed twice: then the caller finds it free.
      if ((state[index]! & STATE_MASK) !== (ALLOCATED | order)) return false;
    }
    // Nothing after it can fail, or end this thread between the two.
    claim?.(index, order);
    const top = w[l]! + 1;
    w[top] = index;
    w[l] = top;
    state[index] = CACHED_DIRTY | order;
    const count = w[COUNT]! + (1 << order);
    w[COUNT] = count;
    factor >>= 1;
    if (freeCount < batch << MAX_FACTOR) freeCount += 1 << order;
    if (count >= high) overflow(list, order, count);
    return true;
  }

  /** The list has no room, or is parked, or somebody asked for a drain: then the block goes back as well. */
  function makeRoom(list: number): boolean {
    const l = LISTS + (list << HEADER_SHIFT);
    if (parking.unpark() && w[l]! < w[l + LIMIT]!) return true;
    if (w[ATTENTION] !== 0) {
      drain();
      return false;
    }
    giveBack(list, batch);
    return true;
  }

  function overflow(list: number, order: number, count: number): void {
    // Blocks of several pages freed in a row: they were allocated elsewhere and are not needed here.
    const inARow = order > 0 && order <= COSTLY_ORDER && freeCount >= batch + count;
    let pages = 1;
    if (inARow) pages = Math.min(count, batch << MAX_FACTOR);
    else if (high >= batch) {
      pages = Math.min(Math.max(freeCount, batch), Math.max(batch, high - batch));
    }
    giveBack(list, pages);
  }

  /** Frees so many pages from the cold ends of the lists, starting with `first`. */
  function giveBack(first: number, pages: number): void {
    w[at + Cache.DRAINS] = w[at + Cache.DRAINS]! + 1;
    lock();
    let left = pages;
    let list = first;
    do {
      const order = Math.floor(list / TYPES);
      left -= moves.giveBack(list, Math.ceil(left / (1 << order))) << order;
      list = list + 1 === CACHE_LISTS ? 0 : list + 1;
    } while (left > 0 && list !== first);
    unlock();
    settle();
  }

  function batchFor(order: number): Batch {
    if (high < batch) return { wanted: 1, needed: 1 };
    let n = order === 0 ? batch << factor : batch;
    if (highMin !== highMax) high = Math.min(high + n, highMax);
    if (order === 0) {
      const room = Math.max(high - w[COUNT]! - batch, batch);
      if (n <= room && factor < MAX_FACTOR) factor++;
      n = Math.min(n, room);
    }
    const wanted = Math.min(n > 1 ? Math.max(n >> order, 2) : n, MAX_ENTRIES);
    return { wanted, needed: wanted };
  }

  function refill(order: number, type: number, flags: number): number {
    if (parking.unpark()) {
      const index = pop(order, type);
      if (index !== NONE) return index;
    }
    if (w[ATTENTION] !== 0) drain();
    if (!holds(order)) return NONE;
    const got = moves.fetch(order, type, batchFor(order), flags);
    settle();
    return got === 0 ? NONE : pop(order, type);
  }

  function drain(): void {
    parking.unpark();
    w[ATTENTION] = 0;
    if (cachePages(w, at) > 0) moves.giveAll();
    high = Math.max(highMin, Math.min(high, highMax));
    settle();
  }

  function close(): void {
    drain();
    for (let list = 0; list < CACHE_LISTS; list++) moves.settle(list, 0);
  }

  // Not in use yet: the first call that needs it makes it so.
  moves.reset();
  parking.park();
  resize();
  return { pop, push, refill, drain, close, retune, holds, ...parking };
}
