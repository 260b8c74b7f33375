/**
 * Caches that their threads have parked, or left behind: what the owner does with its lists when it parks, and how
 * somebody else gives the entries back. The word that says whose they are is in parking.ts.
 *
 *     stow     every list to its floor, then  PARKED_TOP := TOP, TOP := BOTTOM, LIMIT := 0      empty, and full
 *     unstow   TOP := PARKED_TOP, PARKED_TOP := 0
 *
 * Both words of a list change without a call in between, where a thread cannot be ended: at any moment the entries are
 * those up to the higher of the two tops. Others take from the top, an entry at a time, the block in the journal first.
 */
import { PageState } from '@bootmem/memmap';
import type { Columns } from '@bootmem/memmap/shared';

import {
  Cache,
  CACHE_LISTS,
  CacheList,
  cacheListAt,
  cachePages,
  listTop,
  orderOfList,
  stackLayout,
} from '../base/cache-layout.js';
import { Header } from '../base/control-layout.js';
import type { FreeArea } from '../lists/free-area-types.js';
import type { CacheMoves } from './cache-moves.js';
import { makeParkProtocol, Park } from './parking.js';

const { CACHED, DIRTY } = PageState;
const { BOTTOM, LIMIT, PARKED_TOP } = CacheList;
const protocol = makeParkProtocol(Atomics);

/** A cache as its owner parks it. */
interface ParkParts {
  readonly words: Int32Array;
  /** Offset of the cache's block. */
  readonly at: number;
  readonly moves: CacheMoves;
  /** Gives everything back. */
  readonly drain: () => void;
  /** Limit of a list, in entries. */
  readonly limitOf: (list: number) => number;
  readonly lock: () => void;
  readonly unlock: () => void;
  readonly onUse?: (() => void) | undefined;
}

/** Parking of one cache by its owner. */
export interface Parking {
  /** Others may take the entries; the lists look empty and full. */
  readonly park: () => void;
  /** The entries are the owner's again. False when they were so already. @throws ERR_LOCK_TIMEOUT */
  readonly unpark: () => boolean;
}

/** Parking of the cache at `parts.at`. */
export function createParking(parts: ParkParts): Parking {
  const { words: w, at, moves, limitOf, lock, unlock, onUse } = parts;

  function stow(): void {
    for (let list = 0; list < CACHE_LISTS; list++) {
      moves.settle(list, 0);
      const l = at + cacheListAt(list);
      const top = w[l]!;
      w[l + PARKED_TOP] = top;
      w[l] = w[l + BOTTOM]!;
      w[l + LIMIT] = 0;
    }
  }

  function unstow(): void {
    for (let list = 0; list < CACHE_LISTS; list++) {
      const l = at + cacheListAt(list);
      const top = w[l + PARKED_TOP]!;
      if (top !== 0) {
        w[l] = top;
        w[l + PARKED_TOP] = 0;
      }
      moves.settle(list, limitOf(list));
    }
  }

  function park(): void {
    if (w[at + Cache.PARK] !== Park.OWNED) return;
    if (w[at + Cache.ATTENTION] !== 0) parts.drain();
    stow();
    if (!protocol.park(w, at) || cachePages(w, at) === 0) return;
    // Asked for between the two: who asked has seen an owner at work and left it to us.
    unpark();
    parts.drain();
    stow();
    protocol.park(w, at);
  }

  function unpark(): boolean {
    if (w[at + Cache.PARK] === Park.OWNED) return false;
    if (!protocol.unpark(w, at)) {
      lock();
      protocol.resume(w, at);
      unlock();
    }
    unstow();
    onUse?.();
    return true;
  }

  return { park, unpark };
}

/** Where a cache of another thread lies, and the lists that its entries go to. */
export interface OtherCache {
  readonly columns: Columns;
  readonly words: Int32Array;
  /** Offset of the cache's block. */
  readonly at: number;
  readonly area: FreeArea;
}

/** Frees every entry of a cache that nobody else touches. Under the zone's lock. @returns pages given back */
function emptyCache({ columns, words: w, at, area }: OtherCache): number {
  const { state } = columns;
  let pages = 0;
  for (let list = 0; list < CACHE_LISTS; list++) {
    const order = orderOfList(list);
    const l = at + cacheListAt(list);
    for (let top = listTop(w, l); top > w[l + BOTTOM]!; top--) {
      const index = w[top]!;
      const head = state[index]!;
      // Else it was in flight when the owner died, and is free by now; or two threads freed it, see DESIGN.md.
      const cached = (head & ~DIRTY) === (CACHED | order);
      if (cached) area.journal(index, order + 1);
      // No call before both are written: the block is in the journal, or in the cache.
      if (w[l + PARKED_TOP]! >= top) w[l + PARKED_TOP] = top - 1;
      if (w[l]! >= top) w[l] = top - 1;
      if (!cached) continue;
      area.free(index, order, false, head & DIRTY);
      pages += 1 << order;
    }
  }
  w[at + Cache.COUNT] = 0;
  return pages;
}

/**
 * Gives back what a parked cache holds.
 * @param locked  runs its argument under the zone's lock
 * @returns pages given back; 0 when its owner has it
 */
export function takeParked(cache: OtherCache, locked: <T>(body: () => T) => T): number {
  const { words, at } = cache;
  if (cachePages(words, at) === 0) return 0;
  return locked(() => {
    if (!protocol.take(words, at)) return 0;
    const pages = emptyCache(cache);
    protocol.putBack(words, at);
    return pages;
  });
}

/**
 * Asks the owner of a cache for what it holds.
 * @returns true: it is parked, so the caller may take; else the owner drains at its next slow path
 */
export function askToDrain(words: Int32Array, at: number): boolean {
  if (words[at + Cache.OWNER] === 0) return false;
  if (protocol.ask(words, at)) return true;
  // With a limit of 0 the next free of the list comes to the slow path, which looks at ATTENTION.
  for (let list = 0; list < CACHE_LISTS; list++) {
    Atomics.store(words, at + cacheListAt(list) + LIMIT, 0);
  }
  return false;
}

/**
 * Gives back what a dead thread's cache holds. Under the zone's lock.
 * @returns pages given back
 */
export function reclaimCache(cache: OtherCache): number {
  const { words: w, at } = cache;
  const pages = emptyCache(cache);
  const floors = stackLayout(w[Header.CACHE_SHARE]!).floors;
  for (let list = 0; list < CACHE_LISTS; list++) {
    const floor = at + floors[list]!;
    w.set([floor, floor, 0, 0], at + cacheListAt(list));
  }
  w[at + Cache.ATTENTION] = 0;
  protocol.resume(w, at);
  return pages;
}
