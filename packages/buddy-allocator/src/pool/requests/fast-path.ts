/**
 * Allocation and free as they are when the calling thread's cache has what is asked for.
 *
 *     alloc   TOP == BOTTOM ? otherwise : the word at TOP, TOP - 1, state byte "cached, order n" ? state byte : otherwise
 *     free    state byte "allocated, order n" ? type of the pageblock ? TOP + 1 > LIMIT ? otherwise :
 *             the word at TOP + 1, TOP + 1, state byte
 *
 * Two or three words of one cache line, one entry of a stack, one state byte; no lock, no atomic operation.
 * Everything else (an empty or full list, a wrong free, a request with wishes) ends in one call of
 * `otherwise`, so that nothing is computed for it here.
 *
 * Closures over constants rather than methods: a caller that is compiled with these functions inlined gets the
 * addresses of the arrays as immediate operands and the bounds as constants.
 */
import { PageState } from '@bootmem/memmap';
import { PAGEBLOCK_TYPE_MASK, PageblockBit } from '@bootmem/memmap/shared';

import { HEAD_MASK } from '../../cache/cache-moves.js';
import { claimBlock } from '../../zone/claim.js';
import {
  Cache,
  CACHE_ORDERS,
  CACHE_TYPES,
  CacheList,
  LIST_HEADER_SHIFT,
} from '../../base/cache-layout.js';
import { Header } from '../../base/control-layout.js';
import type { BuddyZone } from '../../zone/zone.js';

// Copies of imported values: an import is read through its module's cell each time, a constant of this
// module is folded into the code.
const ORDERS = CACHE_ORDERS;
const TYPES = CACHE_TYPES;
const HEADER_SHIFT = LIST_HEADER_SHIFT;
const STATE_MASK = HEAD_MASK;
const PAGEBLOCK_MASK = PAGEBLOCK_TYPE_MASK | PageblockBit.ISOLATED;
const ALLOCATED = PageState.ALLOCATED;
const CACHED = PageState.CACHED;
const CACHED_DIRTY = PageState.CACHED | PageState.DIRTY;
const ALLOCATED_DIRTY = PageState.ALLOCATED | PageState.DIRTY;
const BOTTOM = CacheList.BOTTOM;
const LIMIT = CacheList.LIMIT;
const { store } = Atomics;

/** What happens when the cache cannot help. */
interface Otherwise<Request> {
  readonly alloc: (order: number, request: Request | undefined) => number | undefined;
  readonly free: (index: number, order: number) => void;
  /** Another thread has freed the block in the same instant. Throws. */
  readonly lost: (index: number, order: number) => void;
}

/** The short ways of one thread into a zone with a cache of limits per list. */
export interface FastPath<Request> {
  readonly alloc: (order: number, request?: Request) => number | undefined;
  readonly free: (index: number, order: number) => void;
  /** Takes the cache away from both, for good: every call ends in `otherwise` from now on. */
  readonly close: () => void;
}

/** What the short ways are for. */
interface FastParts {
  readonly zone: Pick<BuddyZone, 'columns' | 'words' | 'memmap' | 'checked' | 'ownersAt'>;
  /** Offset of the thread's cache. */
  readonly cacheAt: number;
  /** Migratetype of requests that have no wishes. */
  readonly type: number;
  /** Owner of what they get, where pages have owners. */
  readonly owner: number;
}

/** Makes the short ways; those of a zone that is checked, or whose pages have owners, are functions of their own. */
export function createFastPath<Request>(
  { zone, cacheAt, type, owner }: FastParts,
  otherwise: Otherwise<Request>,
): FastPath<Request> {
  const { words: w, ownersAt, checked } = zone;
  const { state, pageblocks } = zone.columns;
  const { pageblockOrder } = zone.memmap.geometry;
  // Changes once, at `close`, to lists that are empty and full for ever: no hit asks whether it is open. A field of
  // an object with a class of its own, because the engine folds a field that was never written again into the code,
  // as it does not with a `let`, and throws that code away at the write.
  const open = new (class {
    lists = cacheAt + Cache.LISTS;
  })();
  const slowAlloc = otherwise.alloc;
  const slowFree = otherwise.free;

  // Each way out is a branch of its own: the way that is taken nearly always then has no jump in it.
  function alloc(order: number, request?: Request): number | undefined {
    if (typeof order !== 'number' || request !== undefined) return slowAlloc(order, request);
    if (order >= ORDERS || order >>> 0 !== order) return slowAlloc(order, request);
    const l = open.lists + ((order * TYPES + type) << HEADER_SHIFT);
    const top = w[l]!;
    if (top === w[l + BOTTOM]!) return slowAlloc(order, request);
    const index = w[top]!;
    w[l] = top - 1;
    // Two threads freed it in the same instant, and the other one's entry has been used: see DESIGN.md.
    if ((state[index]! & STATE_MASK) !== (CACHED | order)) return slowAlloc(order, request);
    state[index] = ALLOCATED_DIRTY | order;
    return index;
  }

  // As `alloc`, with the owner's word before the byte that says "allocated".
  function allocOwned(order: number, request?: Request): number | undefined {
    if (typeof order !== 'number' || request !== undefined) return slowAlloc(order, request);
    if (order >= ORDERS || order >>> 0 !== order) return slowAlloc(order, request);
    const l = open.lists + ((order * TYPES + type) << HEADER_SHIFT);
    const top = w[l]!;
    if (top === w[l + BOTTOM]!) return slowAlloc(order, request);
    const index = w[top]!;
    if ((state[index]! & STATE_MASK) !== (CACHED | order)) return slowAlloc(order, request);
    w[ownersAt + index] = owner;
    // Pairs with the load in `ownedBlocks`. The entry goes last: until then it is one whose block has been used.
    store(state, index, ALLOCATED_DIRTY | order);
    w[l] = top - 1;
    return index;
  }

  function free(index: number, order: number): void {
    if (typeof index !== 'number' || typeof order !== 'number') {
      slowFree(index, order);
      return;
    }
    const head = state[index]! & STATE_MASK;
    if (head !== (ALLOCATED | order) || order >= ORDERS || order >>> 0 !== order) {
      slowFree(index, order);
      return;
    }
    const kind = pageblocks[index >>> pageblockOrder]! & PAGEBLOCK_MASK;
    if (kind >= TYPES) {
      slowFree(index, order);
      return;
    }
    const l = open.lists + ((order * TYPES + kind) << HEADER_SHIFT);
    const top = w[l]! + 1;
    if (top > w[l + LIMIT]!) {
      slowFree(index, order);
      return;
    }
    w[top] = index;
    w[l] = top;
    state[index] = CACHED_DIRTY | order;
  }

  // As `free`, with a claim where nothing can fail any more; a claim that is lost is explained by the caller.
  function freeChecked(index: number, order: number): void {
    if (typeof index !== 'number' || typeof order !== 'number') {
      slowFree(index, order);
      return;
    }
    const head = state[index]! & STATE_MASK;
    const kind = pageblocks[index >>> pageblockOrder]! & PAGEBLOCK_MASK;
    const known = head === (ALLOCATED | order) && order < ORDERS && order >>> 0 === order;
    if (!known || kind >= TYPES) {
      slowFree(index, order);
      return;
    }
    const l = open.lists + ((order * TYPES + kind) << HEADER_SHIFT);
    const top = w[l]! + 1;
    if (top > w[l + LIMIT]!) slowFree(index, order);
    else if (claimBlock(state, index, order)) {
      w[top] = index;
      w[l] = top;
    } else otherwise.lost(index, order);
  }

  function close(): void {
    open.lists = Header.NO_LISTS;
  }

  return { alloc: ownersAt === 0 ? alloc : allocOwned, free: checked ? freeChecked : free, close };
}
