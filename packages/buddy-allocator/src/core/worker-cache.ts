/**
 * Page cache of one thread for one zone: what the kernel calls a per-CPU list.
 *
 *                top                              an allocation pops at the top, a free pushes there;
 *                 v                               a drain takes from the other end, so what was freed
 *     [ oldest | ... | newest ]  ring per list    last is used first and the coldest go back
 *
 * Order-0 traffic hardly ever takes the zone's lock: an empty list is filled with a batch, a full cache
 * gives a batch back. Only the owning thread touches its cache, with plain loads and stores: atomics would
 * cost more than the rest of the allocation. Other threads can ask the owner to drain (ATTENTION, and
 * limits of 0, which bring its next free to the slow path), and take over the cache of a dead thread.
 *
 * Two policies. `shared`: the kernel's; one limit in pages for the lists of orders 0..3 and 9; the batch
 * doubles while a thread keeps allocating, the limit grows with it up to `highMax`, a thread that mostly
 * frees gives back more and more at a time. `own`: each list has a limit, for all orders 0..9, and whether
 * a thread mostly allocates or frees is seen from its slow paths only, so that a hit is as short as it can
 * be: two positions, one ring entry, one state byte. Rings bound every limit (1000 entries).
 *
 * A batch is carved from one block in one pass: repeated splitting would hand out the same pages in the
 * same order, because the smallest block that fits is always the rest of the block split last.
 *
 * Invariants: I11 count = sum of lists; entries are CACHED heads of this cache only; ring entries are
 * published (TOP, BOTTOM) only when the region in flight is closed, so a dying thread loses no page.
 */
import {
  type Columns,
  type Geometry,
  HEAD_KIND_MASK,
  HEAD_ORDER_MASK,
  Migratetype,
  PAGEBLOCK_TYPE_MASK,
  PageblockBit,
  PageState,
} from '@bootmem/memmap';

import {
  Cache,
  CACHE_LISTS,
  CACHE_ORDERS,
  CACHE_TYPES,
  CacheList,
  cacheListAt,
  cachePages,
  LIST_HEADER_SHIFT,
  RING_ENTRIES,
  RING_STRIDE,
  ringAt,
  Zone,
} from './control-layout.js';
import type { FreeArea } from './free-area.js';
import { type Fallback, TakeFlag } from './fallback.js';

const { CACHED, ALLOCATED, DIRTY } = PageState;
// Copies of imported values: an import is read through its module's cell each time, a constant of this
// module is folded into the code. Worth a third of a cache hit.
const ORDERS = CACHE_ORDERS;
const TYPES = CACHE_TYPES;
const HEADER_SHIFT = LIST_HEADER_SHIFT;
const STRIDE = RING_STRIDE;
const MOVABLE = Migratetype.MOVABLE;
const PAGEBLOCK_MASK = PAGEBLOCK_TYPE_MASK | PageblockBit.ISOLATED;
const STATE_MASK = HEAD_KIND_MASK | HEAD_ORDER_MASK;
const NONE = -1;
const MAX_FACTOR = 5;
const COSTLY_ORDER = 3;
const CACHED_ALLOCATED = CACHED ^ ALLOCATED;
const CACHED_DIRTY = CACHED | DIRTY;
const ALLOCATED_DIRTY = ALLOCATED | DIRTY;
const RING_MASK = RING_ENTRIES - 1;
const MAX_ENTRIES = 1000;
const DEEP_ENTRIES = 16;
const { BOTTOM, LIMIT } = CacheList;

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
  /** Policy `own` for all orders 0..9 instead of `shared`. */
  readonly deep: boolean;
  /** Batches may be cut from one block in one pass; not with guard blocks. */
  readonly carving: boolean;
  readonly lock: () => void;
  readonly unlock: () => void;
}

/** Cache operations of the owning thread. */
export interface WorkerCache {
  /** Pops a block; -1 when the list is empty: go to `refill` or the zone. Order 0..9, type 0..2. */
  readonly pop: (order: number, type: number) => number;
  /** Like `pop`, for callers that will not ask whether the memory is zero. */
  readonly popUnread: (order: number, type: number) => number;
  /** Fills the empty list of (order, type) and pops; -1 when the zone has nothing. */
  readonly refill: (order: number, type: number, flags: number) => number;
  /** Puts a block that the caller has checked; false when the order or its type is not cached. */
  readonly push: (index: number, order: number) => boolean;
  /** Checks the state byte and pushes; false when either says no. */
  readonly checkedPush: (index: number, order: number) => boolean;
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
  const { state, pageblocks } = parts.columns;
  const { maxOrder, pageblockOrder } = parts.geometry;
  const LISTS = at + Cache.LISTS;
  const RINGS = at + Cache.RINGS;
  const COUNT = at + Cache.COUNT;
  const ATTENTION = at + Cache.ATTENTION;
  /** Entries that a list of each order may hold, and how many come or go at a time (policy own). */
  const limitOf = new Int32Array(ORDERS);
  const batchOf = new Int32Array(ORDERS);
  /** Bit per order that is cached. */
  let cachedMask = 0;
  /** Slow paths in a row of the same kind, by list: > 0 refills, < 0 drains (policy own). */
  const streak = new Int8Array(CACHE_LISTS);
  let batch = 1;
  let high = 0;
  let highMin = 0;
  let highMax = 0;
  let factor = 0;
  let freeCount = 0;

  function retune(): void {
    batch = Math.max(1, w[z + Zone.BATCH]!);
    highMin = Math.min(w[z + Zone.HIGH_MIN]!, MAX_ENTRIES);
    highMax = Math.min(w[z + Zone.HIGH_MAX]!, MAX_ENTRIES);
    high = Math.min(Math.max(high, highMin), highMax);
    const managed = w[z + Zone.MANAGED]!;
    cachedMask = 0;
    for (let o = 0; o < ORDERS; o++) {
      const low = o <= COSTLY_ORDER;
      const few = Math.min(DEEP_ENTRIES, managed >> (o + 7));
      limitOf[o] = low ? Math.max(2, highMin >> o) : few;
      batchOf[o] = low ? Math.max(1, batch >> o) : few >> 1;
      const has = low || (!deep && o === pageblockOrder) ? highMax > 0 : deep && few > 1;
      if (o <= maxOrder && has) cachedMask |= 1 << o;
    }
    publish();
  }

  function publish(): void {
    w[at + Cache.HIGH] = high;
    w[at + Cache.BATCH] = batch;
    for (let list = 0; list < CACHE_LISTS; list++) {
      const o = Math.floor(list / TYPES);
      // A limit of 0 is also what makes an order uncached: its first push takes the slow path.
      w[at + cacheListAt(list) + LIMIT] = deep ? limitOf[o]! : MAX_ENTRIES;
    }
  }

  /** For callers that do not ask whether the memory is zero: writes the state byte without reading it. */
  function popFast(order: number, type: number): number {
    if (order >= ORDERS) return NONE;
    const list = order * TYPES + type;
    const l = LISTS + (list << HEADER_SHIFT);
    const top = w[l]!;
    if (top === w[l + BOTTOM]!) return NONE;
    const index = w[RINGS + list * STRIDE + (top & RING_MASK)]!;
    w[l] = (top - 1) | 0;
    state[index] = ALLOCATED_DIRTY | order;
    return index;
  }

  function popOwn(order: number, type: number): number {
    if (order >= ORDERS) return NONE;
    const list = order * TYPES + type;
    const l = LISTS + (list << HEADER_SHIFT);
    const top = w[l]!;
    if (top === w[l + BOTTOM]!) return NONE;
    const index = w[RINGS + list * STRIDE + (top & RING_MASK)]!;
    w[l] = (top - 1) | 0;
    // Keeps order and dirty bit, turns "cached" into "allocated".
    state[index] = state[index]! ^ CACHED_ALLOCATED;
    return index;
  }

  function popShared(order: number, type: number): number {
    const index = popOwn(order, type);
    if (index === NONE) return NONE;
    w[COUNT] = w[COUNT]! - (1 << order);
    freeCount >>= 1;
    return index;
  }

  function pushOwn(index: number, order: number): boolean {
    const block = pageblocks[index >>> pageblockOrder]! & PAGEBLOCK_MASK;
    if (block >= TYPES || ((cachedMask >>> order) & 1) === 0) {
      return pushOdd(index, order, block);
    }
    pushTo(order * TYPES + block, index, order);
    return true;
  }

  function pushTo(list: number, index: number, order: number): void {
    const l = LISTS + (list << HEADER_SHIFT);
    const top = (w[l]! + 1) | 0;
    w[RINGS + list * STRIDE + (top & RING_MASK)] = index;
    w[l] = top;
    state[index] = CACHED_DIRTY | order;
    if (((top - w[l + BOTTOM]!) | 0) >= w[l + LIMIT]!) full(list, order);
  }

  /** Types that have no list of their own: HighAtomic and CMA go with Movable, Isolate past the cache. */
  function pushOdd(index: number, order: number, block: number): boolean {
    const isolated = (block & PageblockBit.ISOLATED) !== 0;
    if (isolated || ((cachedMask >>> order) & 1) === 0) return false;
    pushTo(order * TYPES + MOVABLE, index, order);
    return true;
  }

  function full(list: number, order: number): void {
    if (w[ATTENTION] !== 0) drain();
    else if (deep) {
      // Several drains in a row: what is freed here was allocated elsewhere and is not needed here.
      streak[list] = Math.max(-MAX_FACTOR, Math.min(0, streak[list]!) - 1);
      giveBack(list, Math.min(batchOf[order]! << (-streak[list] - 1), limitOf[order]!), false);
    } else giveBack(list, batch, true);
  }

  function pushShared(index: number, order: number): boolean {
    if (!pushOwn(index, order)) return false;
    const count = w[COUNT]! + (1 << order);
    w[COUNT] = count;
    factor >>= 1;
    if (freeCount < batch << MAX_FACTOR) freeCount += 1 << order;
    if (count >= high) overflow(index, order, count);
    return true;
  }

  function overflow(index: number, order: number, count: number): void {
    const type = Math.min(area.typeOf(index), TYPES);
    const list = order * TYPES + (type === TYPES ? MOVABLE : type);
    // Blocks of several pages freed in a row: they were allocated elsewhere and are not needed here.
    const inARow = order > 0 && order <= COSTLY_ORDER && freeCount >= batch + count;
    let pages = 1;
    if (inARow) pages = Math.min(count, batch << MAX_FACTOR);
    else if (high >= batch) {
      pages = Math.min(Math.max(freeCount, batch), Math.max(batch, high - batch));
    }
    giveBack(list, pages, true);
  }

  const checkedPush = deep
    ? (index: number, order: number): boolean =>
        (state[index]! & STATE_MASK) === (ALLOCATED | order) &&
        order >>> 0 === order &&
        pushOwn(index, order)
    : (index: number, order: number): boolean =>
        (state[index]! & STATE_MASK) === (ALLOCATED | order) &&
        order >>> 0 === order &&
        pushShared(index, order);

  /** Frees entries from the cold ends, starting with `list`; `amount` in pages or, for one list, entries. */
  function giveBack(list: number, amount: number, shared: boolean): void {
    w[at + Cache.DRAINS] = w[at + Cache.DRAINS]! + 1;
    lock();
    let left = amount;
    let at0 = list;
    do {
      const order = Math.floor(at0 / TYPES);
      if (shared || at0 === list) left = freeFrom(at0, order, left, shared ? 1 << order : 1);
      at0 = at0 + 1 === CACHE_LISTS ? 0 : at0 + 1;
    } while (left > 0 && at0 !== list);
    unlock();
  }

  function freeFrom(list: number, order: number, amount: number, weight: number): number {
    const l = LISTS + (list << HEADER_SHIFT);
    const ring = RINGS + list * STRIDE;
    const top = w[l]!;
    let left = amount;
    for (let bottom = w[l + BOTTOM]!; left > 0 && bottom !== top; left -= weight) {
      bottom = (bottom + 1) | 0;
      const index = w[ring + (bottom & RING_MASK)]!;
      // Journal first: the block must never be in no one's hands.
      area.journal(index, order + 1);
      w[l + BOTTOM] = bottom;
      if (!deep) w[COUNT] = w[COUNT]! - (1 << order);
      area.free(index, order, false, state[index]! & DIRTY);
    }
    return left;
  }

  function batchFor(list: number, order: number): number {
    if (deep) {
      streak[list] = Math.min(MAX_FACTOR, Math.max(0, streak[list]!) + 1);
      const n = batchOf[order]!;
      if (order > 0) return Math.min(n << (streak[list] > 2 ? 1 : 0), limitOf[order]!);
      // Allocating and allocating: larger batches, and room for them.
      const more = n << (streak[list] - 1);
      limitOf[0] = Math.max(limitOf[0]!, Math.min(more + n, highMax));
      return Math.min(more, Math.max(n, limitOf[0] - n));
    }
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
    if (((cachedMask >>> order) & 1) === 0) return NONE;
    const entries = Math.min(batchFor(order * TYPES + type, order), MAX_ENTRIES);
    w[at + Cache.REFILLS] = w[at + Cache.REFILLS]! + 1;
    lock();
    let got = 0;
    // Areas for contiguous memory have a rule of their own about what is taken first.
    const mixed = (flags & TakeFlag.CMA) !== 0 && w[z + Zone.FREE_CMA]! > 0;
    const whole = parts.carving && !mixed;
    while (got < entries) {
      const more = whole ? carve(order, type, entries - got) : 0;
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
    const list = order * TYPES + type;
    const l = LISTS + (list << HEADER_SHIFT);
    const bottom = w[l + BOTTOM]!;
    w[RINGS + list * STRIDE + (bottom & RING_MASK)] = index;
    w[l + BOTTOM] = (bottom - 1) | 0;
    if (!deep) w[COUNT] = w[COUNT]! + (1 << order);
    return true;
  }

  /** Cuts up to `wanted` blocks from the smallest block of the own type; returns how many. */
  function carve(order: number, type: number, wanted: number): number {
    const fitting = (w[z + Zone.MASK + type]! >>> order) << order;
    if (fitting === 0) return 0;
    const found = 31 - Math.clz32(fitting & -fitting);
    const index = area.first(found, type);
    const n = Math.min(wanted, 1 << (found - order));
    const list = order * TYPES + type;
    const l = LISTS + (list << HEADER_SHIFT);
    const ring = RINGS + list * STRIDE;
    const end = index + (1 << found);
    area.journal(index, found + 1);
    const dirty = state[index]! & DIRTY;
    area.remove(index, found, type);
    area.account(-(n << order), type);
    let cold = w[l + BOTTOM]!;
    let p = index;
    for (let i = 0; i < n; i++) {
      state[p] = CACHED | order | dirty;
      w[ring + (cold & RING_MASK)] = p;
      cold = (cold - 1) | 0;
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
    w[l + BOTTOM] = cold;
    if (!deep) w[COUNT] = w[COUNT]! + (n << order);
    return n;
  }

  function drain(): void {
    w[ATTENTION] = 0;
    if (cachePages(w, at) > 0) {
      lock();
      for (let list = 0; list < CACHE_LISTS; list++) {
        freeFrom(list, Math.floor(list / TYPES), Infinity, 1);
      }
      unlock();
    }
    high = Math.max(highMin, Math.min(high, highMax));
    publish();
  }

  const pop = deep ? popOwn : popShared;
  const popUnread = deep ? popFast : popShared;
  retune();
  return {
    pop,
    popUnread,
    push: deep ? pushOwn : pushShared,
    checkedPush,
    refill,
    drain,
    retune,
    holds: (order) => ((cachedMask >>> order) & 1) === 1,
  };
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
    while (w[l] !== w[l + BOTTOM]) {
      w[l + BOTTOM] = (w[l + BOTTOM]! + 1) | 0;
      const index = w[at + ringAt(list) + (w[l + BOTTOM]! & RING_MASK)]!;
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
