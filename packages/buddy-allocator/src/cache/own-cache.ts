/**
 * Page cache of one thread in which each list has a limit of its own, for blocks of orders 0..9.
 *
 *     first ──▶ 2 * first ──▶ ... ──▶ most        limit of a list, in entries
 *        ▲            while refills follow refills, or refills and drains take turns
 *        └─────────── a drain that others asked for
 *
 * Hits are in fast-path.ts and know no policy: whether a thread allocates, frees or does both is seen from
 * its slow paths only (`streak`). It starts with a batch and a limit of four; both double while it keeps
 * allocating. The limit doubles when a refill follows a drain or the other way round, too: the list was too
 * short for how far this thread goes up and down. A drain goes down to the half, so that neither end is
 * near. A thread that only frees keeps its limit and gives back more at a time.
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
  Zone,
} from '../base/control-layout.js';
import type { WorkerCache } from './worker-cache-types.js';

// Copies for the inner loops, see fast-path.ts.
const ORDERS = CACHE_ORDERS;
const TYPES = CACHE_TYPES;
const HEADER_SHIFT = LIST_HEADER_SHIFT;
const SWAP = CACHED_ALLOCATED;
const CACHED = PageState.CACHED;
const STATE_MASK = HEAD_MASK;
const CACHED_DIRTY = PageState.CACHED | PageState.DIRTY;
const MOVABLE = Migratetype.MOVABLE;
const ISOLATED = PageblockBit.ISOLATED;
const PAGEBLOCK_MASK = PAGEBLOCK_TYPE_MASK | PageblockBit.ISOLATED;
const BOTTOM = CacheList.BOTTOM;
const LIMIT = CacheList.LIMIT;
const NONE = -1;
/** Bound the limits: less than a stack has room for. */
const MAX_PAGES = 4000;
const MAX_BLOCKS = 1000;
/** Bounds how long a thread holds the lock for its cache. */
const MAX_BATCH = 512;
const COSTLY_ORDER = 3;
/** Entries of a list of blocks above the costly order, in a large zone. */
const FEW_ENTRIES = 16;
const MAX_STREAK = 5;

/** Sizes of the lists of one order, in entries. */
interface OrderSizes {
  readonly batch: number;
  readonly first: number;
  readonly most: number;
}

/**
 * Sizes for an order: orders 0..3 share the batch and the first limit in pages; a list may grow to the zone's
 * share for a thread (order 0) or a quarter of it. Larger blocks: 1/128 of the zone, at most 16 blocks.
 */
function ownSizes(
  order: number,
  zone: { batch: number; highMin: number; highMax: number; managed: number },
): OrderSizes {
  if (order > COSTLY_ORDER) {
    const few = Math.min(FEW_ENTRIES, zone.managed >> (order + 7));
    return few > 1 ? { batch: few >> 1, first: few, most: few } : { batch: 0, first: 0, most: 0 };
  }
  if (zone.highMax <= 0) return { batch: 0, first: 0, most: 0 };
  const bound = order === 0 ? MAX_PAGES : MAX_BLOCKS;
  const first = Math.min(bound, Math.max(2, zone.highMin >> order));
  const share = zone.highMax >> (order === 0 ? 0 : order + 2);
  return {
    batch: Math.max(1, zone.batch >> order),
    first,
    most: Math.min(bound, Math.max(first, share)),
  };
}

/** A cache of the policy `own`. */
export function createOwnCache(
  parts: CacheParts & { readonly maxOrder: number; readonly pageblockOrder: number },
  moves: CacheMoves,
): WorkerCache {
  const { words: w, at, zoneAt: z, lock, unlock, maxOrder, pageblockOrder } = parts;
  const { state, pageblocks } = parts.columns;
  const LISTS = at + Cache.LISTS;
  const ATTENTION = at + Cache.ATTENTION;
  const limits = new Int32Array(CACHE_LISTS);
  /** Slow paths in a row of the same kind, by list: > 0 refills, < 0 drains. */
  const streak = new Int8Array(CACHE_LISTS);
  let sizes: OrderSizes[] = [];

  const orderOf = (list: number): number => Math.floor(list / TYPES);

  function retune(): void {
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
    restart();
  }

  /** First limits again. */
  function restart(): void {
    for (let list = 0; list < CACHE_LISTS; list++) {
      limits[list] = sizes[orderOf(list)]!.first;
      streak[list] = 0;
      moves.settle(list, limits[list]!);
    }
  }

  function pop(order: number, type: number): number {
    if (order >= ORDERS) return NONE;
    const l = LISTS + ((order * TYPES + type) << HEADER_SHIFT);
    for (;;) {
      const top = w[l]!;
      if (top === w[l + BOTTOM]!) return NONE;
      const index = w[top]!;
      w[l] = top - 1;
      const head = state[index]!;
      // Else two threads freed it in the same instant, and the other one's entry has been used.
      if ((head & STATE_MASK) !== (CACHED | order)) continue;
      // Keeps order and dirty bit.
      state[index] = head ^ SWAP;
      return index;
    }
  }

  function push(index: number, order: number): boolean {
    if (order >= ORDERS) return false;
    const type = pageblocks[index >>> pageblockOrder]! & PAGEBLOCK_MASK;
    if (type >= TYPES) return pushOdd(index, order, type);
    const l = LISTS + ((order * TYPES + type) << HEADER_SHIFT);
    const top = w[l]! + 1;
    if (top > w[l + LIMIT]!) return pushFull(index, order, type);
    w[top] = index;
    w[l] = top;
    state[index] = CACHED_DIRTY | order;
    return true;
  }

  /** Types that have no list of their own: HighAtomic and CMA go with Movable, Isolate past the cache. */
  function pushOdd(index: number, order: number, type: number): boolean {
    if ((type & ISOLATED) !== 0) return false;
    const l = LISTS + ((order * TYPES + MOVABLE) << HEADER_SHIFT);
    if (w[l]! >= w[l + LIMIT]!) return pushFull(index, order, MOVABLE);
    store(l, index, order);
    return true;
  }

  function store(l: number, index: number, order: number): void {
    const top = w[l]! + 1;
    w[top] = index;
    w[l] = top;
    state[index] = CACHED_DIRTY | order;
  }

  /** The list is full, or somebody asked for a drain, or the order is not cached at all. */
  function pushFull(index: number, order: number, type: number): boolean {
    if (w[ATTENTION] !== 0) {
      drain();
      return false;
    }
    const size = sizes[order]!;
    if (size.most === 0) return false;
    const list = order * TYPES + type;
    const limit = limits[list]!;
    const before = streak[list]!;
    if (before > 0 && limit < size.most) {
      limits[list] = Math.min(2 * limit, size.most);
    } else {
      streak[list] = Math.max(Math.min(0, before) - 1, -MAX_STREAK);
      // Several drains in a row: what is freed here was allocated elsewhere and is not needed here.
      const entries = before < 0 ? limit - size.batch : limit >> 1;
      w[at + Cache.DRAINS] = w[at + Cache.DRAINS]! + 1;
      lock();
      moves.giveBack(list, Math.max(1, Math.min(entries, MAX_BATCH)));
      unlock();
    }
    moves.settle(list, limits[list]!);
    store(LISTS + (list << HEADER_SHIFT), index, order);
    return true;
  }

  function batchFor(list: number, order: number): Batch {
    const size = sizes[order]!;
    const before = streak[list]!;
    if (before !== 0) limits[list] = Math.min(2 * limits[list]!, size.most);
    streak[list] = Math.min(Math.max(0, before) + 1, MAX_STREAK);
    const half = Math.max(1, Math.min(limits[list]! >> 1, MAX_BATCH));
    const wanted = before < 0 ? half : Math.min(half, size.batch << before);
    return { wanted, needed: Math.min(wanted, size.batch) };
  }

  function refill(order: number, type: number, flags: number): number {
    if (w[ATTENTION] !== 0) drain();
    if (sizes[order]!.most === 0) return NONE;
    const list = order * TYPES + type;
    const got = moves.fetch(order, type, batchFor(list, order), flags);
    moves.settle(list, limits[list]!);
    return got === 0 ? NONE : pop(order, type);
  }

  function drain(): void {
    w[ATTENTION] = 0;
    if (cachePages(w, at) > 0) moves.giveAll();
    restart();
  }

  function close(): void {
    drain();
    for (let list = 0; list < CACHE_LISTS; list++) moves.settle(list, 0);
  }

  retune();
  return {
    pop,
    push,
    refill,
    drain,
    close,
    retune,
    holds: (order) => order < ORDERS && sizes[order]!.most > 0,
  };
}
