/**
 * One thread's place among those that share zones: what both allocators are beside their requests.
 *
 *     reserve ─▶ attach ─▶ at work ─▶ close                     ids: memmap's thread registry
 *                              └─▶ ended ─▶ reclaim: all named count as dead ─▶ each: lock taken over, cache
 *                                           given back, isolations lifted ─▶ id free, or reserved again
 *
 * Several that have ended may wait for each other's locks, so none is recovered before all are marked. What needs to
 * be known of a move whose thread ended in the callback is the user's: `settleMoves`.
 */
import { Memmap } from '@bootmem/memmap';
import { ThreadRegistry, type ThreadRegistryHandle } from '@bootmem/memmap/shared';
import type { MemmapHandle } from '@bootmem/memmap';

import { checkArray, checkFlag, checkFunction, checkInteger, checkObject } from '../base/check.js';
import { Cache } from '../base/cache-layout.js';
import { Header } from '../base/control-layout.js';
import { BuddyError } from '../base/errors.js';
import { checkTogether, type HandleData } from '../base/handle.js';
import { liftIsolations } from './isolation.js';
import { type MoveCallback, openMoves, type OpenMove, settleMoves } from './moves.js';
import { returnTaken } from './unaccepted-blocks.js';
import { auditZone, ORPHAN, type Violation } from './verify.js';
import type { BuddyZone } from './zone.js';

/** A worker that was told to end is given so long to do it. */
const END_MS = 1000;

/** What becomes of an ended thread's id. */
export interface ReclaimOptions {
  /** Reserves it at once for the worker that comes instead; default false: it is free. */
  readonly reserve?: boolean;
}

/** The parts that the handles of both allocators have. */
interface SharedParts {
  readonly memmap: MemmapHandle;
  readonly control: Int32Array;
  readonly threads: ThreadRegistryHandle;
}

/** A thread at zones that others use as well. */
export abstract class Attachment {
  /** Descriptors of the pages. */
  readonly memmap: Memmap;
  /** Ids of the threads that share the zones. */
  readonly registry: ThreadRegistry;
  /** Id of the calling thread. */
  readonly thread: number;
  readonly #words: Int32Array;
  #closed = false;
  /** All that `close` does has been done. */
  #left = false;

  protected constructor(handle: SharedParts, thread: number | undefined, data?: HandleData) {
    this.#words = handle.control;
    this.memmap = Memmap.attach(handle.memmap);
    this.registry = ThreadRegistry.attach(handle.threads);
    checkTogether(this.#words, this.memmap, this.registry, data);
    this.thread = this.registry.register(thread);
  }

  /** The zones, in the order of their blocks. */
  protected abstract cores(): readonly BuddyZone[];

  /** What is left to do when the last lock has been given back, before the id goes. */
  protected abstract leave(): void;

  /**
   * Takes a thread id for a worker that is yet to start; pass it on, and attach with `{ thread }`. Whatever happens to the
   * worker, even before its first message, {@link reclaimThread} of this id is right when it has exited; the id stays taken
   * until then, also when the worker closes its allocator itself.
   * @throws ERR_THREADS_FULL (MemmapError) when all ids are taken
   */
  reserveThread(): number {
    this.checkOpen();
    return this.registry.reserve();
  }

  /** Ids that are taken: reserved, attached, or of ended threads that nobody has reclaimed. Ascending. */
  threads(): number[] {
    this.refuseClosed();
    return this.registry.ids();
  }

  /**
   * Recovers what a dead thread held (page caches, isolated pageblocks, blocks to be accepted and, at the next use, locks), and frees its id.
   * Call it when a worker has exited.
   * @returns pages of its caches given back; what it had allocated stays allocated
   * @throws ERR_LOCK_TIMEOUT as {@link reclaimThreads}
   */
  reclaimThread(thread: number, options: ReclaimOptions = {}): number {
    checkInteger(thread, 'thread', 1, this.registry.maxThreads);
    return this.reclaimThreads([thread], options);
  }

  /**
   * As {@link reclaimThread} for several: all count as dead before any lock is waited for, so the order does not
   * matter when one of them holds a lock. Ids that nobody has are skipped.
   * @returns pages given back
   * @throws ERR_BUDDY_ARGUMENT for an id that is none, or the caller's own, or of a thread that runs still, where the system
   *   tells (on Linux; after a second, in which one that was told to end does so); nothing has changed; ERR_LOCK_TIMEOUT (MemmapError) while a living
   *   thread keeps the lock: the call may be repeated
   */
  reclaimThreads(threads: readonly number[], options: ReclaimOptions = {}): number {
    this.checkOpen();
    checkArray(threads, 'threads');
    checkObject(options, 'options');
    checkFlag(options.reserve, 'reserve');
    let pages = 0;
    for (const thread of this.#markAllDead(threads)) pages += this.#reclaim(thread, options);
    return pages;
  }

  /**
   * Reclaims every thread of which the operating system knows that it has ended: on Linux; elsewhere none.
   * @returns pages given back
   * @throws ERR_LOCK_TIMEOUT as {@link reclaimThreads}
   */
  reclaimEnded(): number {
    this.checkOpen();
    return this.reclaimThreads(this.registry.findEnded());
  }

  /**
   * Moves of compaction or contiguous requests whose threads ended in the callback; and the caller's own for which the lock could not
   * be had after it (ERR_LOCK_TIMEOUT). O(blocks).
   */
  openMoves(): OpenMove[] {
    this.checkOpen();
    return this.cores().flatMap(openMoves);
  }

  /**
   * Ends {@link openMoves}: only the owner of a block knows whether it looks at the new place already.
   * @param moved  true: it does, the old place is freed; false: the new one is
   * @returns how many were ended
   */
  settleMoves(moved: MoveCallback): number {
    this.checkOpen();
    checkFunction(moved, 'moved');
    return this.cores().reduce((sum, core) => sum + settleMoves(core, moved), 0);
  }

  /**
   * Checks all invariants; call it while no other thread is at work. A broken one stops the allocator in every thread.
   * What a thread left behind (`I13`: pages in its cache, isolated pageblocks, blocks to be accepted, open moves) is told as well, and stops
   * nothing: reclaim the thread, settle the move.
   * @returns what is broken or left behind
   */
  verify(): Violation[] {
    this.refuseClosed();
    const words = this.#words;
    const cores = this.cores();
    const violations = cores.flatMap((core, zone) => {
      const grid = { threads: words[Header.THREADS]!, zone };
      const found = auditZone(core, core.cacheAt === undefined ? undefined : grid).violations;
      if (cores.length === 1) return found;
      return found.map((violation) => ({ ...violation, text: `zone ${zone}: ${violation.text}` }));
    });
    // See `checkOpen`.
    if (violations.some(({ invariant }) => invariant !== ORPHAN)) words[Header.BROKEN] = 1;
    return violations;
  }

  /** Gives this thread's caches back, and those that are parked; asks the other threads to do so at their next call. */
  drain(): void {
    this.checkOpen();
    for (const core of this.cores()) core.drainCaches();
  }

  /**
   * Lets others have what this thread's caches hold, until it needs them again: say so before doing nothing for long.
   * Any call is still possible; the first that needs a cache makes it the thread's own again.
   * @remarks about a microsecond a zone, no lock
   */
  park(): void {
    this.checkOpen();
    for (const core of this.cores()) core.cache?.park();
  }

  /** Word that counts low-watermark events, for `Atomics.wait` in a reclaiming worker, and for `waitAsync`. */
  lowEvents(): { words: Int32Array; index: number } {
    this.refuseClosed();
    return { words: this.#words, index: Header.EVENTS };
  }

  /**
   * Drains this thread's caches, lifts what it has isolated, parks what it has taken to accept, and gives its id back. Idempotent. Every other function of
   * the object throws ERR_BUDDY_CLOSED afterwards, those that were taken out of it as well; only what reads constants
   * still works, such as `toHandle`.
   */
  close(): void {
    if (this.#left) return;
    for (const core of this.cores()) {
      if (core.isClosed) continue;
      liftIsolations(core, false);
      returnTaken(core, false);
      core.close();
    }
    this.#closed = true;
    this.leave();
    for (const core of this.cores()) {
      if (core.cacheAt !== undefined) this.#words[core.cacheAt + Cache.OWNER] = 0;
    }
    this.registry.unregister(this.thread);
    this.#left = true;
  }

  /** The same as {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Makes the caches the calling thread's, and lifts what one had isolated that had the id before. */
  protected own(): void {
    const adopted = this.registry.wasAdopted(this.thread);
    for (const core of this.cores()) {
      if (adopted) this.#returnOfEnded(core);
      if (core.cacheAt !== undefined) this.#words[core.cacheAt + Cache.OWNER] = this.thread;
    }
  }

  /** @throws ERR_BUDDY_CLOSED */
  protected refuseClosed(): void {
    if (this.#closed) throw new BuddyError('ERR_BUDDY_CLOSED', 'the allocator was closed');
  }

  /** @throws ERR_BUDDY_CLOSED; ERR_BUDDY_CORRUPT */
  protected checkOpen(): void {
    this.refuseClosed();
    if (this.#words[Header.BROKEN] !== 0) {
      throw new BuddyError('ERR_BUDDY_CORRUPT', 'verify() has found broken invariants');
    }
  }

  /**
   * Marks threads dead; those that are dead now, without those whom nobody is.
   * @throws ERR_BUDDY_ARGUMENT, also for one that is known to run still: whatever it is in the middle of would break
   */
  #markAllDead(threads: readonly number[]): number[] {
    const { registry, thread: own } = this;
    const max = registry.maxThreads;
    for (const thread of threads) {
      if (Number.isInteger(thread) && thread >= 1 && thread <= max && thread !== own) continue;
      throw new BuddyError('ERR_BUDDY_ARGUMENT', `threads are ids 1..${max} but the caller's own`, {
        thread,
        own,
      });
    }
    for (const thread of threads) {
      if (registry.awaitEnd(thread, END_MS)) continue;
      throw new BuddyError('ERR_BUDDY_ARGUMENT', `thread ${thread} has not ended`, { thread });
    }
    for (const thread of threads) registry.markDead(thread);
    return threads.filter((thread) => registry.isDead(thread));
  }

  #returnOfEnded(core: BuddyZone): void {
    liftIsolations(core, true);
    returnTaken(core, true);
  }

  #reclaim(thread: number, { reserve = false }: ReclaimOptions): number {
    let pages = 0;
    for (const core of this.cores()) {
      pages += core.reclaimCacheOf(thread);
      this.#returnOfEnded(core);
    }
    // It may have ended between counting an event and waking those who wait for it.
    Atomics.notify(this.#words, Header.EVENTS);
    this.registry.release(thread, reserve);
    return pages;
  }
}
