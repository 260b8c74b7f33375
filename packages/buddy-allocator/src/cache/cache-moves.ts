/**
 * Moves between the stacks of a thread's page cache and the zone's lists, a batch under one lock.
 *
 *       floor      BOTTOM                 TOP         LIMIT
 *         v          v                     v            v
 *     ....[ . . . . .| oldest ... newest . | . . . . . .| . ]      entries: words BOTTOM + 1 .. TOP
 *                     ^ given back from here      ^ a free pushes here, an allocation pops here
 *
 * A batch comes below what is there, in the order in which it is to be used, and is given back from the
 * same end: what was freed last is used first, and the coldest pages go back. Giving back lifts the list off
 * the floor of its stack; `settle` moves it down again (one `copyWithin`), so a hit never wraps around.
 *
 * A batch is carved from one block in one pass: repeated splitting would hand out the same pages in the
 * same order, because the smallest block that fits is always the rest of the block split last.
 *
 * Locks: everything but `settle` and `reset` needs the zone's lock. Entries are published (TOP, BOTTOM) only when the
 * region in flight is closed, and by statements between which a thread cannot be ended (no call, no
 * loop), so a dying thread loses no page.
 */
import { PageState } from '@bootmem/memmap';
import { type Columns, HEAD_KIND_MASK, HEAD_ORDER_MASK } from '@bootmem/memmap/shared';

import {
  Cache,
  CACHE_LISTS,
  CACHE_TYPES,
  CacheList,
  cacheListAt,
  orderOfList,
  stackLayout,
} from '../base/cache-layout.js';
import { Header, Zone } from '../base/control-layout.js';
import type { FreeArea } from '../lists/free-area-types.js';
import { type Fallback, TakeFlag } from '../lists/fallback.js';

const { CACHED, ALLOCATED, DIRTY } = PageState;
const { BOTTOM, LIMIT } = CacheList;
// Copies of imported values: an import is read through its module's cell each time, a constant of this
// module is folded into the code.
const TYPES = CACHE_TYPES;
const LISTS = CACHE_LISTS;
const NONE = -1;

/** Bits of a state byte that say what block it heads, without the dirty bit. */
export const HEAD_MASK = HEAD_KIND_MASK | HEAD_ORDER_MASK;
/** Turns "cached" into "allocated" and back. */
export const CACHED_ALLOCATED = CACHED ^ ALLOCATED;

/** What a cache works on. */
export interface CacheParts {
  readonly columns: Columns;
  readonly words: Int32Array;
  /** Offset of the zone's block. */
  readonly zoneAt: number;
  /** Offset of the cache's block. */
  readonly at: number;
  readonly area: FreeArea;
  readonly fallback: Fallback;
  /** Batches may be cut from one block in one pass; not with guard blocks. */
  readonly carving: boolean;
  /** The cache counts its pages in one word. */
  readonly counted: boolean;
  readonly lock: () => void;
  readonly unlock: () => void;
  /** Called when the cache comes into use after it was parked. */
  readonly onUse?: (() => void) | undefined;
  /** Makes an allocated block cached, if no other thread has freed it in the same instant, else throws. */
  readonly claim?: ((index: number, order: number) => void) | undefined;
  /** Where pages have owners: what is popped gets this one. */
  readonly ownership?: Ownership | undefined;
}

/** Whose the blocks are that a thread takes. */
export interface Ownership {
  /** Offset of the owners of pages. */
  readonly at: number;
  /** Owner of what is taken next. */
  owner: number;
}

/** How much a refill is to get. */
export interface Batch {
  readonly wanted: number;
  /** So many may be taken from other types' blocks when the own type has none. */
  readonly needed: number;
}

/** Moves of one cache. */
export interface CacheMoves {
  /** Frees up to `entries` of the oldest blocks of a list. Under the lock. @returns how many */
  readonly giveBack: (list: number, entries: number) => number;
  /** Takes the lock and fills an empty list. @returns how many blocks came */
  readonly fetch: (order: number, type: number, batch: Batch, flags: number) => number;
  /** Takes the lock and frees everything. */
  readonly giveAll: () => void;
  /** Moves a list to its floor and sets its limit in entries; what its stack has room for bounds it. */
  readonly settle: (list: number, limit: number) => void;
  /** Makes all lists empty and full, whatever their words are: those of a cache that nobody had. */
  readonly reset: () => void;
}

/** Moves of the cache at `parts.at`. */
export function createCacheMoves(parts: CacheParts): CacheMoves {
  const { words: w, at, zoneAt: z, area, fallback, counted, lock, unlock } = parts;
  const { state } = parts.columns;
  const { free, journal } = area;
  const COUNT = at + Cache.COUNT;
  const layout = stackLayout(w[Header.CACHE_SHARE]!);
  const { capacities } = layout;
  const floors = layout.floors.map((floor) => at + floor);

  function giveBack(list: number, entries: number): number {
    const order = orderOfList(list);
    const l = at + cacheListAt(list);
    const top = w[l]!;
    const start = w[l + BOTTOM]!;
    const end = Math.min(top, start + entries);
    for (let bottom = start + 1; bottom <= end; bottom++) giveEntry(l, bottom, order);
    return end - start;
  }

  // A function of its own, as the engine compiles a loop that it is in the middle of without the constants of this closure.
  function giveEntry(l: number, bottom: number, order: number): void {
    const index = w[bottom]!;
    const head = state[index]!;
    // Two threads freed it in the same instant, and the other one's entry has been used: see DESIGN.md.
    const twice = (head & ~DIRTY) !== (CACHED | order);
    // Journal first: the block must never be in no one's hands.
    if (!twice) journal(index, order + 1);
    w[l + BOTTOM] = bottom;
    if (counted) w[COUNT] = w[COUNT]! - (1 << order);
    if (!twice) free(index, order, false, head & DIRTY);
  }

  function giveAll(): void {
    lock();
    for (let list = 0; list < LISTS; list++) giveBack(list, capacities[list]!);
    unlock();
  }

  function settle(list: number, limit: number): void {
    const l = at + cacheListAt(list);
    const floor = floors[list]!;
    const top = w[l]!;
    const bottom = w[l + BOTTOM]!;
    if (bottom !== floor) {
      if (top !== bottom) w.copyWithin(floor + 1, bottom + 1, top + 1);
      w[l + BOTTOM] = floor;
      w[l] = floor + top - bottom;
    }
    // A request to drain that came meanwhile must not be covered up.
    w[l + LIMIT] = w[at + Cache.ATTENTION] === 0 ? floor + Math.min(limit, capacities[list]!) : 0;
  }

  function reset(): void {
    w[COUNT] = 0;
    w[at + Cache.ATTENTION] = 0;
    for (let list = 0; list < LISTS; list++) {
      const floor = floors[list]!;
      w.set([floor, floor, floor, 0], at + cacheListAt(list));
    }
  }

  function fetch(order: number, type: number, batch: Batch, flags: number): number {
    const list = order * TYPES + type;
    const wanted = Math.min(batch.wanted, capacities[list]!);
    const needed = Math.min(batch.needed, wanted);
    const l = at + cacheListAt(list);
    const cold = floors[list]! + wanted;
    w[l] = cold;
    w[l + BOTTOM] = cold;
    w[at + Cache.REFILLS] = w[at + Cache.REFILLS]! + 1;
    lock();
    // Areas for contiguous memory have a rule of their own about what is taken first.
    const mixed = (flags & TakeFlag.CMA) !== 0 && w[z + Zone.FREE_CMA]! > 0;
    const whole = parts.carving && !mixed;
    let got = 0;
    while (got < wanted) {
      const more = whole ? carve(l, order, type, wanted - got) : 0;
      if (more > 0) got += more;
      else if (got < needed && takeOne(l, order, type, flags)) got++;
      else break;
    }
    unlock();
    return got;
  }

  /** Appends a block obtained with the fallbacks. */
  function takeOne(l: number, order: number, type: number, flags: number): boolean {
    const index = fallback.rmqueue(order, type, flags, CACHED);
    if (index === NONE) return false;
    const bottom = w[l + BOTTOM]!;
    w[bottom] = index;
    w[l + BOTTOM] = bottom - 1;
    if (counted) w[COUNT] = w[COUNT]! + (1 << order);
    return true;
  }

  /** Cuts up to `wanted` blocks from the smallest block of the own type; returns how many. */
  function carve(l: number, order: number, type: number, wanted: number): number {
    const fitting = (w[z + Zone.MASK + type]! >>> order) << order;
    if (fitting === 0) return 0;
    const found = 31 - Math.clz32(fitting & -fitting);
    const index = area.first(found, type);
    const n = Math.min(wanted, 1 << (found - order));
    const end = index + (1 << found);
    area.journal(index, found + 1);
    const dirty = state[index]! & DIRTY;
    area.remove(index, found, type);
    area.account(-(n << order), type);
    let cold = w[l + BOTTOM]!;
    let p = index;
    for (let i = 0; i < n; i++) {
      enter(cold, p, CACHED | order | dirty);
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
    w[l + BOTTOM] = cold;
    if (counted) w[COUNT] = w[COUNT]! + (n << order);
    return n;
  }

  // As giveEntry.
  function enter(word: number, index: number, byte: number): void {
    state[index] = byte;
    w[word] = index | 0;
  }

  return { giveBack, giveAll, settle, reset, fetch };
}
