/**
 * One zone: lists, lock, the calling thread's page cache, counters and marks.
 *
 *     alloc:  cache.pop ──empty──▶ lock ▶ refill from the lists ▶ unlock      (orders the cache holds)
 *                                  lock ▶ rmqueue ▶ unlock                    (other orders)
 *     free:   check ▶ cache.push ──full──▶ lock ▶ give a batch back ▶ unlock
 *
 * The object itself keeps no state that another thread would miss: everything is in the shared words
 * and the memmap's columns. Lock order: a zone's lock is the innermost; two zones' locks are never held
 * together; no callback of the user runs under it.
 */
import { type Memmap, PageState } from '@bootmem/memmap';
import {
  type Columns,
  type LockResult,
  SharedLock,
  type ThreadRegistry,
} from '@bootmem/memmap/shared';

import { Cache, cachePages } from '../base/cache-layout.js';
import { cacheAt, Header, pageOwnersAt, Zone, ZoneFlag } from '../base/control-layout.js';
import type { Ownership } from '../cache/cache-moves.js';
import { createFallback, type Fallback, TakeFlag } from '../lists/fallback.js';
import { createFreeArea } from '../lists/free-area.js';
import type { FreeArea } from '../lists/free-area-types.js';
import { pfnAt } from '../base/handle.js';
import type { LinkedBlocks } from '../lists/moving.js';
import { isMixed } from '../lists/mixed.js';
import { recoverZone } from '../lists/recovery.js';
import { askToDrain, reclaimCache, takeParked } from '../cache/parked-cache.js';
import { closeRun, openRun } from '../lists/run.js';
import { CLOSED_CACHE, refuseClosed } from '../cache/closed-cache.js';
import { createWorkerCache } from '../cache/worker-cache.js';
import type { WorkerCache } from '../cache/worker-cache-types.js';
import { claimBlock } from './claim.js';
import { diagnoseFree } from './diagnose.js';

const { ALLOCATED, DIRTY } = PageState;
const NONE = -1;

/** What {@link BuddyZone} is made of. */
interface BuddyZoneParts {
  readonly memmap: Memmap;
  readonly words: Int32Array;
  /** Offset of the zone's block. */
  readonly at: number;
  /** Position among the zones of the allocator. */
  readonly zone: number;
  /** Threads have page caches. */
  readonly caches: boolean;
  /** Word that counts low-watermark events. */
  readonly eventsAt: number;
  readonly thread: number;
  readonly registry: ThreadRegistry;
  readonly deep: boolean;
  readonly guardMinOrder?: number;
  /** The descriptors have no other zone. */
  readonly alone?: boolean;
  readonly grouping: boolean;
  readonly lockTimeoutMs?: number | undefined;
  readonly isMovable?: ((pfn: number) => boolean) | undefined;
  /** Fills pages that are about to be free again; undefined where freed memory keeps its contents. */
  readonly scrub?: ((index: number, pages: number) => void) | undefined;
  /** A free claims its block with an atomic operation, so that of two only one can succeed. */
  readonly checked?: boolean;
  /** Called when this thread's cache comes into use after it was parked. */
  readonly onCacheUse?: (() => void) | undefined;
}

/** A zone, seen from one thread. */
export class BuddyZone {
  readonly memmap: Memmap;
  readonly columns: Columns;
  readonly words: Int32Array;
  readonly at: number;
  readonly zoneId: number;
  readonly startPfn: number;
  readonly endPfn: number;
  readonly area: FreeArea;
  readonly fallback: Fallback;
  #cache: WorkerCache | undefined;
  /** Offset of this thread's cache; undefined for none. */
  readonly cacheAt: number | undefined;
  readonly #zone: number;
  readonly #thread: number;
  readonly maxOrder: number;
  /** For records in the links of blocks. */
  readonly linked: LinkedBlocks;
  /** Names the calling thread, and no later one with its id. */
  readonly tag: number;
  readonly #scrub: BuddyZoneParts['scrub'];
  /** A free claims its block. */
  readonly checked: boolean;
  /** Offset of the owners of pages; 0 where pages have none. */
  readonly ownersAt: number;
  readonly #ownership: Ownership | undefined;
  readonly #registry: ThreadRegistry;
  readonly #lock: SharedLock;
  #closed = false;
  /** In `locked`: there the lock always goes back. */
  #inside = false;
  readonly #eventsAt: number;
  /** Callbacks of moves that the calling thread is in just now. */
  movesOpen = 0;

  constructor(parts: BuddyZoneParts) {
    const { memmap, words, at } = parts;
    this.memmap = memmap;
    this.columns = memmap.columns();
    this.words = words;
    this.at = at;
    this.#zone = parts.zone;
    this.#thread = parts.thread;
    this.cacheAt = parts.caches ? cacheAt(words, parts.zone, parts.thread) : undefined;
    this.zoneId = words[at + Zone.ID]!;
    this.startPfn = pfnAt(words, at + Zone.START_LOW);
    this.endPfn = pfnAt(words, at + Zone.END_LOW);
    this.maxOrder = memmap.geometry.maxOrder;
    this.linked = { columns: this.columns, geometry: memmap.geometry };
    this.#scrub = parts.scrub;
    this.checked = parts.checked === true;
    this.#registry = parts.registry;
    this.tag = parts.registry.tagOf(parts.thread);
    this.#eventsAt = parts.eventsAt;
    this.ownersAt = pageOwnersAt(words);
    this.#ownership = this.ownersAt === 0 ? undefined : { at: this.ownersAt, owner: 0 };
    this.#lock = new SharedLock(words, at + Zone.LOCK, parts.thread, {
      registry: parts.registry,
      timeoutMs: parts.lockTimeoutMs,
    });
    const shared = {
      columns: this.columns,
      words,
      at,
      zoneId: this.zoneId,
      geometry: memmap.geometry,
    };
    const { guardMinOrder = 0, alone = false } = parts;
    this.area = createFreeArea({ ...shared, guardMinOrder, alone });
    const { isMovable } = parts;
    this.fallback = createFallback({
      ...shared,
      area: this.area,
      grouping: parts.grouping,
      isMovable: isMovable && ((index) => isMovable(memmap.pfnOf(index))),
    });
    // An adopted id: what its former thread has cached goes back before the cache is made anew.
    if (parts.registry.wasAdopted(parts.thread)) this.reclaimCacheOf(parts.thread);
    this.#cache =
      this.cacheAt === undefined
        ? undefined
        : createWorkerCache({
            columns: this.columns,
            words,
            zoneAt: at,
            at: this.cacheAt,
            geometry: memmap.geometry,
            area: this.area,
            fallback: this.fallback,
            deep: parts.deep,
            carving: (parts.guardMinOrder ?? 0) === 0,
            lock: () => {
              this.lock();
            },
            unlock: () => {
              this.unlock();
            },
            onUse: parts.onCacheUse,
            claim: this.checked ? this.#claim : undefined,
            ownership: this.#ownership,
          });
  }

  /** The calling thread's page cache. */
  get cache(): WorkerCache | undefined {
    return this.#cache;
  }

  /**
   * Gives this thread's cache back and takes what others have parked; who has not parked is asked to give back at its
   * next slow path.
   */
  drainCaches(): void {
    const { cacheAt: own, words, columns, area } = this;
    if (own === undefined) return;
    this.#cache?.drain();
    const body = <T>(work: () => T): T => this.locked(work);
    for (let thread = 1; thread <= words[Header.THREADS]!; thread++) {
      if (thread === this.#thread) continue;
      const at = cacheAt(words, this.#zone, thread);
      if (askToDrain(words, at)) takeParked({ columns, words, at, area }, body);
    }
  }

  /** Gives back what the cache of a dead thread holds, and takes its lock over. @returns pages */
  reclaimCacheOf(thread: number): number {
    if (this.cacheAt === undefined) return this.locked(() => 0);
    const { words, columns, area } = this;
    const at = cacheAt(words, this.#zone, thread);
    const pages = this.locked(() => reclaimCache({ columns, words, at, area }));
    words[at + Cache.OWNER] = 0;
    return pages;
  }

  /** True after {@link close}. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Gives the cache back; lock and cache refuse from now on, because the thread's id is not its own any more. */
  close(): void {
    if (this.#closed) return;
    this.#cache?.close();
    this.#cache &&= CLOSED_CACHE;
    this.#closed = true;
  }

  /**
   * Takes the zone's lock; puts the zone in order first when its owner died, or when the calling thread was thrown out
   * of a hold (a full stack): no callback runs under the lock, so it holds it in no other way.
   * @throws ERR_BUDDY_CLOSED
   */
  lock(): void {
    if (this.#closed) refuseClosed();
    let taken: LockResult;
    try {
      taken = this.#lock.lock();
    } catch (error) {
      if (this.#inside || (error as { code?: unknown }).code !== 'ERR_LOCK_RECURSIVE') throw error;
      taken = 'recovered';
    }
    if (taken === 'recovered') recoverZone(this);
  }

  /** Takes the zone's lock if it is free. */
  tryLock(): boolean {
    if (this.#closed) refuseClosed();
    return this.#lock.tryLock();
  }

  /** Gives the lock back, after noting whether the zone ran low or recovered. */
  unlock(): void {
    const w = this.words;
    const z = this.at;
    const low = w[z + Zone.MARK_LOW]!;
    const below = (w[z + Zone.FLAGS]! & ZoneFlag.BELOW_HIGH) !== 0;
    const free = w[z + Zone.FREE]!;
    let event = false;
    if (!below && free < low) {
      w[z + Zone.FLAGS] = w[z + Zone.FLAGS]! | ZoneFlag.BELOW_HIGH;
      w[z + Zone.LOW_EVENTS] = w[z + Zone.LOW_EVENTS]! + 1;
      event = true;
    } else if (below && free > w[z + Zone.MARK_HIGH]! + w[z + Zone.BOOST]!) {
      w[z + Zone.FLAGS] = w[z + Zone.FLAGS]! & ~ZoneFlag.BELOW_HIGH;
    }
    // Counted inside: who ends in between leaves the waking to whoever reclaims it.
    if (event) Atomics.add(w, this.#eventsAt, 1);
    this.#lock.unlock();
    if (event) Atomics.notify(w, this.#eventsAt);
  }

  /** Runs `body` under the zone's lock; puts the zone in order when it throws. */
  locked<T>(body: () => T): T {
    this.lock();
    let whole = false;
    try {
      this.#inside = true;
      const result = body();
      whole = true;
      return result;
    } finally {
      this.#inside = false;
      if (!whole) recoverZone(this);
      this.unlock();
    }
  }

  /** True while a thread is attached and not known to have ended. */
  isAlive(thread: number): boolean {
    return this.#registry.isAlive(thread);
  }

  /** True when the thread of a tag has ended. */
  hasEnded(tag: number): boolean {
    return this.#registry.hasEnded(tag);
  }

  /** Id of the thread that holds the lock, 0 for none. */
  lockOwner(): number {
    return this.#lock.owner();
  }

  /**
   * Takes a block without looking at marks.
   * @param type  0..2
   * @param flags bits of TakeFlag
   * @param owner whose it is, where pages have owners
   * @returns descriptor index, -1 when there is none
   */
  alloc(order: number, type: number, flags: number, owner = 0): number {
    const cache = this.#cache;
    const { words, ownersAt } = this;
    if (this.#ownership !== undefined) this.#ownership.owner = owner;
    if (cache !== undefined && (flags & TakeFlag.HIGHATOMIC) === 0) {
      let index = cache.pop(order, type);
      if (index !== NONE) return index;
      if (cache.holds(order)) {
        index = cache.refill(order, type, flags);
        if (index !== NONE) return index;
      }
    }
    this.lock();
    const index = this.fallback.rmqueue(order, type, flags, ALLOCATED);
    // Straight on from taking it: nothing may come in between.
    if (index !== NONE && ownersAt !== 0) words[ownersAt + index] = owner;
    if (index !== NONE && (flags & TakeFlag.HIGHATOMIC) !== 0)
      this.fallback.reserveHighatomic(index);
    this.unlock();
    return index;
  }

  /**
   * Frees a block.
   * @throws coded errors for everything that is not an allocated block of this order; nothing changed
   */
  free(index: number, order: number): void {
    const sane = order >>> 0 === order && order <= this.maxOrder;
    if (!sane || !this.#isAllocated(index, order)) diagnoseFree(this, index, order);
    if (this.#cache?.push(index, order) === true) return;
    this.lock();
    // Again under the lock: two threads may free the same block at the same time.
    if (!(this.checked ? this.#claimLocked(index, order) : this.#isAllocated(index, order))) {
      this.unlock();
      diagnoseFree(this, index, order);
    }
    // Isolation may have made the pageblocks of a large block differ since it was allocated.
    if (order > this.memmap.geometry.pageblockOrder)
      this.freeBlockLocked(index, order, DIRTY, false);
    else this.area.free(index, order, false, DIRTY);
    this.unlock();
  }

  /** Poisons a block that is about to be free, where that is asked for. */
  scrub(index: number, order: number): void {
    this.#scrub?.(index, 2 ** order);
  }

  /** Frees a block whose pageblocks may differ in type: then pageblock by pageblock. Under the lock. */
  freeBlockLocked(index: number, order: number, dirty: number, tail = true): void {
    const { area, words, at } = this;
    const { pageblockOrder } = this.memmap.geometry;
    if (!isMixed(area, index, order, pageblockOrder)) {
      area.free(index, order, tail, dirty);
      return;
    }
    const step = 1 << pageblockOrder;
    openRun(words, at, this.memmap.pfnOf(index), 1 << order);
    // Each pageblock a block of its own, the lowest last: all of them are free from then on, whoever ends this.
    for (let i = index + (1 << order) - step; i >= index; i -= step) {
      this.columns.state[i] = ALLOCATED | pageblockOrder;
    }
    for (let i = index; i < index + (1 << order); i += step) {
      area.free(i, pageblockOrder, tail, dirty);
    }
    closeRun(words, at);
  }

  /** One of the zone's counters or marks, read without the lock. */
  get(word: number): number {
    return Atomics.load(this.words, this.at + word);
  }

  /** Pages on free lists (not isolated) plus unaccepted ones. */
  get freePages(): number {
    return this.get(Zone.FREE);
  }

  /** Pages handed over to the zone. */
  get managedPages(): number {
    return this.get(Zone.MANAGED);
  }

  /** Free blocks per order, all types. */
  freeBlocks(): number[] {
    return Array.from({ length: this.maxOrder + 1 }, (_, order) => {
      let blocks = 0;
      for (let type = 0; type < 6; type++) blocks += this.area.count(order, type);
      return blocks;
    });
  }

  /** Pages in this thread's cache. */
  cachedPages(): number {
    return this.cacheAt === undefined ? 0 : cachePages(this.words, this.cacheAt);
  }

  #isAllocated(index: number, order: number): boolean {
    const s = this.columns.state[index];
    return s !== undefined && (s & ~DIRTY) === (ALLOCATED | order);
  }

  readonly #claim = (index: number, order: number): void => {
    if (!claimBlock(this.columns.state, index, order)) diagnoseFree(this, index, order);
  };

  /** Claims a block that goes to the lists; it is in the journal before it is no longer its owner's. */
  #claimLocked(index: number, order: number): boolean {
    const { words: w, at } = this;
    if (!claimBlock(this.columns.state, index, order)) return false;
    // Straight on from the claim: a claimed block that no cache holds is in the journal.
    w[at + Zone.JOURNAL_INDEX] = index;
    w[at + Zone.JOURNAL_ORDER] = order + 1;
    return true;
  }
}
