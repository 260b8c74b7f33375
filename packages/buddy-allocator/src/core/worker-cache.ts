/**
 * Page cache of one thread for one zone: what the kernel calls a per-CPU list.
 *
 *                top                              an allocation pops at the top, a free pushes there;
 *                 v                               a drain takes from the other end, so what was freed
 *     [ oldest | ... | newest ]  ring per list    last is used first and the coldest go back
 *
 * Order-0 traffic hardly ever takes the zone's lock: an empty list is filled with a batch, a full cache
 * gives a batch back. Only the owning thread touches its cache, with plain loads and stores: atomics would
 * cost more than the rest of the allocation. Other threads can set the ATTENTION word, which makes the
 * owner drain at its next call, and take over the cache of a thread that has died.
 *
 * Batch and limit follow the kernel: the batch doubles while a thread keeps allocating, the limit grows
 * with it up to `highMax`, and a thread that mostly frees gives back more and more at a time. Two ends
 * differ: rings bound the limit (1024 pages), and with DEEP_CACHE orders 4..9 have small lists of their own.
 *
 * A batch is carved from one block in one pass: repeated splitting would hand out the same pages in the
 * same order, because the smallest block that fits is always the rest of the block split last.
 *
 * Invariants: I11 count = sum of lists; entries are CACHED heads of this cache only; ring entries are
 * published (count) only when the region in flight is closed, so a dying thread loses no page.
 */
import { type Columns, type Geometry, Migratetype, PageState } from '@bootmem/memmap';

import { Cache, CACHE_ORDERS, CACHE_TYPES, RING_AT, ringEntries, Zone } from './control-layout.js';
import type { FreeArea } from './free-area.js';
import type { Fallback } from './fallback.js';

const { CACHED, ALLOCATED, DIRTY } = PageState;
const NONE = -1;
const MAX_FACTOR = 5;
const COSTLY_ORDER = 3;
const CACHED_ALLOCATED = CACHED ^ ALLOCATED;

/** What {@link createWorkerCache} works on. */
export interface WorkerCacheParts {
  readonly columns: Columns;
  readonly words: Int32Array;
  /** Offset of the zone's block. */
  readonly zoneAt: number;
  /** Offset of the cache's block. */
  readonly at: number;
  readonly geometry: Geometry;
  readonly area: FreeArea;
  readonly fallback: Fallback;
  readonly deep: boolean;
  readonly lock: () => void;
  readonly unlock: () => void;
}

/** Cache operations of the owning thread. */
export interface WorkerCache {
  /** Pops a block; -1 when the list is empty or the order is not cached: go to `refill` or the zone. */
  readonly pop: (order: number, type: number) => number;
  /** Fills the empty list of (order, type) and pops; -1 when the zone has nothing. */
  readonly refill: (order: number, type: number, flags: number) => number;
  /** Puts a block that the caller has checked; false when the order or its type is not cached. */
  readonly push: (index: number, order: number) => boolean;
  /** True when blocks of the order can be cached. */
  readonly holds: (order: number) => boolean;
  /** Gives everything back. */
  readonly drain: () => void;
  /** Recomputes the limits after the zone's size or marks changed. */
  readonly retune: () => void;
}

/** The cache of the calling thread for one zone. */
export function createWorkerCache(parts: WorkerCacheParts): WorkerCache {
  const { words: w, at, zoneAt: z, area, fallback, deep, lock, unlock } = parts;
  const { state } = parts.columns;
  const { maxOrder, pageblockOrder } = parts.geometry;
  const LISTS = at + Cache.LISTS;
  const COUNT = at + Cache.COUNT;
  const PAGES = at + Cache.PAGES;
  const ATTENTION = at + Cache.ATTENTION;
  const ringOf = Int32Array.from(RING_AT, (r) => r + at);
  const maskOf = Int32Array.from({ length: CACHE_ORDERS }, (_, o) => ringEntries(o) - 1);
  /** Entries that a list of its own may hold, 0 for lists that share the limit `high`. */
  const ownLimit = new Int32Array(CACHE_ORDERS);
  const cached = new Uint8Array(16);
  let batch = 1;
  let high = 0;
  let highMin = 0;
  let highMax = 0;
  let factor = 0;
  let freeCount = 0;

  function retune(): void {
    batch = Math.max(1, w[z + Zone.BATCH]!);
    const ring = ringEntries(0);
    highMin = Math.min(w[z + Zone.HIGH_MIN]!, ring);
    highMax = Math.min(w[z + Zone.HIGH_MAX]!, ring);
    high = Math.min(Math.max(high, highMin), highMax);
    const managed = w[z + Zone.MANAGED]!;
    for (let o = 0; o < CACHE_ORDERS; o++) {
      const low = o <= COSTLY_ORDER;
      const limit = deep && !low ? Math.min(16, managed >> (o + 7)) : 0;
      ownLimit[o] = limit;
      const shared = low || (o === pageblockOrder && !deep);
      cached[o] = o <= maxOrder && (shared ? highMax > 0 : limit > 1) ? 1 : 0;
    }
    publish();
  }

  function publish(): void {
    w[at + Cache.HIGH] = high;
    w[at + Cache.BATCH] = batch;
  }

  function pop(order: number, type: number): number {
    const list = order * CACHE_TYPES + type;
    const l = LISTS + (list << 1);
    const count = w[l + 1]!;
    if (count === 0 || order >= CACHE_ORDERS || w[ATTENTION] !== 0) return NONE;
    const top = w[l]!;
    const index = w[ringOf[list]! + (top & maskOf[order]!)]!;
    w[l] = top - 1;
    w[l + 1] = count - 1;
    if (ownLimit[order] === 0) w[COUNT] = w[COUNT]! - (1 << order);
    w[PAGES] = w[PAGES]! - (1 << order);
    freeCount >>= 1;
    // Keeps order and dirty bit, turns "cached" into "allocated".
    state[index] = state[index]! ^ CACHED_ALLOCATED;
    return index;
  }

  function push(index: number, order: number): boolean {
    if (order >= CACHE_ORDERS || cached[order] === 0) return false;
    let type = area.typeOf(index);
    if (type >= CACHE_TYPES) {
      if (type === Migratetype.ISOLATE) return false;
      type = Migratetype.MOVABLE;
    }
    const list = order * CACHE_TYPES + type;
    const l = LISTS + (list << 1);
    const top = w[l]! + 1;
    state[index] = CACHED | DIRTY | order;
    w[ringOf[list]! + (top & maskOf[order]!)] = index;
    w[l] = top;
    const entries = w[l + 1]! + 1;
    w[l + 1] = entries;
    w[PAGES] = w[PAGES]! + (1 << order);
    const own = ownLimit[order]!;
    if (own !== 0) {
      if (entries >= own) giveBack(list, own >> 1, false);
    } else {
      const count = w[COUNT]! + (1 << order);
      w[COUNT] = count;
      factor >>= 1;
      if (freeCount < batch << MAX_FACTOR) freeCount += 1 << order;
      if (count >= high) overflow(list, order, count);
    }
    if (w[ATTENTION] !== 0) drain();
    return true;
  }

  function overflow(list: number, order: number, count: number): void {
    // Blocks of several pages freed in a row: they were allocated elsewhere and will not be needed here.
    const inARow = order > 0 && order <= COSTLY_ORDER && freeCount >= batch + count;
    let pages = 1;
    if (inARow) pages = Math.min(count, batch << MAX_FACTOR);
    else if (high >= batch) {
      pages = Math.min(Math.max(freeCount, batch), Math.max(batch, high - batch));
    }
    giveBack(list, pages, true);
  }

  /** Frees entries from the cold ends, starting with `list`; `amount` in pages or, for one list, entries. */
  function giveBack(list: number, amount: number, shared: boolean): void {
    w[at + Cache.DRAINS] = w[at + Cache.DRAINS]! + 1;
    lock();
    let left = amount;
    let at0 = list;
    do {
      const order = Math.floor(at0 / CACHE_TYPES);
      const eligible = shared ? ownLimit[order] === 0 : at0 === list;
      if (eligible) left = freeFrom(at0, order, left, shared ? 1 << order : 1);
      at0 = at0 + 1 === CACHE_ORDERS * CACHE_TYPES ? 0 : at0 + 1;
    } while (left > 0 && at0 !== list);
    unlock();
    publish();
  }

  function freeFrom(list: number, order: number, amount: number, weight: number): number {
    const l = LISTS + (list << 1);
    const ring = ringOf[list]!;
    const mask = maskOf[order]!;
    const pages = 1 << order;
    const shared = ownLimit[order] === 0;
    let left = amount;
    while (left > 0 && w[l + 1]! > 0) {
      const index = w[ring + ((w[l]! - w[l + 1]! + 1) & mask)]!;
      // Journal first: the block must never be in no one's hands.
      area.journal(index, order + 1);
      w[l + 1] = w[l + 1]! - 1;
      w[PAGES] = w[PAGES]! - pages;
      if (shared) w[COUNT] = w[COUNT]! - pages;
      area.free(index, order, false, state[index]! & DIRTY);
      left -= weight;
    }
    return left;
  }

  function batchFor(order: number): number {
    if (ownLimit[order] !== 0) return ownLimit[order]! >> 1;
    if (high < batch) return 1;
    let n = order === 0 ? batch << factor : batch;
    if (highMin !== highMax) high = Math.min(high + n, highMax);
    if (order === 0) {
      const room = Math.max(high - w[COUNT]! - batch, batch);
      if (n <= room && factor < MAX_FACTOR) factor++;
      n = Math.min(n, room);
    }
    return n > 1 ? Math.max(n >> order, 2) : n;
  }

  function refill(order: number, type: number, flags: number): number {
    if (w[ATTENTION] !== 0) drain();
    if (order >= CACHE_ORDERS || cached[order] === 0) return NONE;
    const entries = Math.min(batchFor(order), ringEntries(order));
    w[at + Cache.REFILLS] = w[at + Cache.REFILLS]! + 1;
    lock();
    let got = 0;
    while (got < entries) {
      const more = carve(order, type, entries - got);
      if (more === 0) {
        if (!takeOne(order, type, flags)) break;
        got++;
      } else got += more;
    }
    unlock();
    publish();
    return got === 0 ? NONE : pop(order, type);
  }

  /** Appends a block obtained with the fallbacks; at the cold end, as batches are used in order. */
  function takeOne(order: number, type: number, flags: number): boolean {
    const index = fallback.rmqueue(order, type, flags, CACHED);
    if (index === NONE) return false;
    append(order, type, index);
    return true;
  }

  function append(order: number, type: number, index: number): void {
    const list = order * CACHE_TYPES + type;
    const l = LISTS + (list << 1);
    w[ringOf[list]! + ((w[l]! - w[l + 1]!) & maskOf[order]!)] = index;
    w[l + 1] = w[l + 1]! + 1;
    w[PAGES] = w[PAGES]! + (1 << order);
    if (ownLimit[order] === 0) w[COUNT] = w[COUNT]! + (1 << order);
  }

  /** Cuts up to `wanted` blocks from the smallest block of the own type; returns how many. */
  function carve(order: number, type: number, wanted: number): number {
    const fitting = (w[z + Zone.MASK + type]! >>> order) << order;
    if (fitting === 0) return 0;
    const found = 31 - Math.clz32(fitting & -fitting);
    const index = area.first(found, type);
    const n = Math.min(wanted, 1 << (found - order));
    const list = order * CACHE_TYPES + type;
    const l = LISTS + (list << 1);
    const ring = ringOf[list]!;
    const mask = maskOf[order]!;
    const end = index + (1 << found);
    area.journal(index, found + 1);
    const dirty = state[index]! & DIRTY;
    area.remove(index, found, type);
    area.account(-(n << order), type);
    let cold = w[l]! - w[l + 1]!;
    let p = index;
    for (let i = 0; i < n; i++) {
      state[p] = CACHED | order | dirty;
      w[ring + (cold & mask)] = p;
      cold--;
      p += 1 << order;
    }
    // What is left, in blocks that grow with the alignment of their place in the block.
    while (p < end) {
      const o = 31 - Math.clz32((p - index) & -(p - index));
      area.insert(p, o, type, false, dirty);
      p += 1 << o;
    }
    // From here to the return nothing can interrupt: region closed and entries published together.
    w[z + Zone.JOURNAL_ORDER] = 0;
    w[l + 1] = w[l + 1]! + n;
    w[PAGES] = w[PAGES]! + (n << order);
    if (ownLimit[order] === 0) w[COUNT] = w[COUNT]! + (n << order);
    return n;
  }

  function drain(): void {
    w[ATTENTION] = 0;
    if (w[PAGES] === 0) return;
    lock();
    for (let list = 0; list < CACHE_ORDERS * CACHE_TYPES; list++) {
      freeFrom(list, Math.floor(list / CACHE_TYPES), Infinity, 1);
    }
    unlock();
    high = Math.max(highMin, Math.min(high, highMax));
    publish();
  }

  retune();
  return { pop, refill, push, drain, retune, holds: (order) => cached[order] === 1 };
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
  for (let list = 0; list < CACHE_ORDERS * CACHE_TYPES; list++) {
    const order = Math.floor(list / CACHE_TYPES);
    const l = at + Cache.LISTS + (list << 1);
    const mask = ringEntries(order) - 1;
    while (w[l + 1]! > 0) {
      const index = w[at + RING_AT[list]! + ((w[l]! - w[l + 1]! + 1) & mask)]!;
      w[l + 1] = w[l + 1]! - 1;
      if ((state[index]! & ~DIRTY) !== (CACHED | order)) continue;
      area.free(index, order, false, state[index]! & DIRTY);
      pages += 1 << order;
    }
  }
  w[at + Cache.COUNT] = 0;
  w[at + Cache.PAGES] = 0;
  w[at + Cache.ATTENTION] = 0;
  return pages;
}
