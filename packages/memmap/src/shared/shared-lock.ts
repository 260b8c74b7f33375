/**
 * Lock in shared memory that knows its owner; the steps and the words are in lock-protocol.ts.
 *
 * Idea: compare-and-swap the own tag in; spin a bounded number of times; then mark the word contended and sleep on
 * it. Giving it back swaps 0 in and wakes one sleeper only if the word was contended, so an uncontended pair costs two
 * atomic operations and no system call. A sleeper that was not woken for {@link SLICE_MS} looks whether the owner has
 * ended: marked dead by the thread that started it, or, on Linux, gone from the list of threads. Such a lock is
 * taken over and the taker is told (`'recovered'`), because what it guards may be half changed.
 *
 * An owner that lives keeps its lock, however long it has been silent. Who waits for one and the same hold longer than
 * the time limit gets ERR_LOCK_TIMEOUT, may try again, and has changed nothing. Time is counted in slices that
 * were slept, so a process that was stopped as a whole has not waited.
 *
 * Not recursive: a second `lock` by the owner throws instead of hanging. Where a thread must not sleep (the main
 * thread of a browser page) it spins up to the limit.
 */
import { MemmapError } from '../facts/errors.js';
import { CONTENDED, LockWord, Look, makeLockProtocol, TAG_MASK } from './lock-protocol.js';
import { idOfTag } from './thread-protocol.js';
import { maySleep, SLICE_MS, spinSlice } from './slice.js';
import type { ThreadRegistry } from './thread-registry.js';

const SPINS = 200;
const DEFAULT_TIMEOUT_MS = 1000;
const MOST_OWNERS = 32767;

const protocol = makeLockProtocol(Atomics);
const { compareExchange, exchange, load, add, notify, wait } = Atomics;
const lives = (): boolean => false;

/** How a lock was obtained. */
export type LockResult = 'acquired' | 'recovered';

/** What a lock asks beside its words. */
export interface LockOptions {
  /** Answers whether an owner has ended; the owners' ids are its. Without it owners count as alive. */
  readonly registry?: ThreadRegistry | undefined;
  /** How long one hold may keep a caller waiting, ms >= 0 or Infinity; default 1000. */
  readonly timeoutMs?: number | undefined;
}

/** Lock over {@link SharedLock.WORDS} shared words; the object itself keeps no state. */
export class SharedLock {
  /** Shared words that one lock takes. */
  static readonly WORDS = 4;

  readonly #words: Int32Array;
  readonly #at: number;
  /** What the word holds while this thread has the lock. */
  readonly #tag: number;
  readonly #registry: ThreadRegistry | undefined;
  readonly #hasEnded: (tag: number) => boolean;
  readonly #timeoutMs: number;

  /**
   * @param words      shared words, zeroed before first use
   * @param offset     index of the lock's first word
   * @param self       id of the calling thread, 1 .. 32767; registered in `options.registry`
   * @param options    who is alive, how long to wait
   * @throws ERR_MEMMAP_ARGUMENT for an id that nobody can have, or a time that is none
   */
  constructor(words: Int32Array, offset: number, self: number, options: LockOptions = {}) {
    const { registry, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    if (!Number.isInteger(self) || self < 1 || self > MOST_OWNERS) {
      throw new MemmapError('ERR_MEMMAP_ARGUMENT', `owner id is 1..32767, got ${self}`, { self });
    }
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) {
      throw new MemmapError('ERR_MEMMAP_ARGUMENT', 'timeoutMs is a number of 0 or more', {
        timeoutMs,
      });
    }
    this.#words = words;
    this.#at = offset;
    this.#tag = registry?.tagOf(self) ?? self;
    this.#registry = registry;
    this.#hasEnded = registry === undefined ? lives : (tag) => registry.hasEnded(tag);
    this.#timeoutMs = timeoutMs;
  }

  /** Takes the lock if it is free; never waits. */
  tryLock(): boolean {
    // Pairs with `leave`: what the last owner wrote is visible from here on.
    return compareExchange(this.#words, this.#at, 0, this.#tag) === 0;
  }

  /**
   * Takes the lock, waiting for it.
   * @returns `'recovered'` when the former owner died holding it: repair what it guards
   * @throws ERR_LOCK_RECURSIVE when the caller holds it already
   * @throws ERR_LOCK_TIMEOUT when one hold lasted longer than the time limit and its owner is not known to have ended;
   *   details name the owner; nothing has changed and the call may be repeated
   */
  lock(): LockResult {
    return compareExchange(this.#words, this.#at, 0, this.#tag) === 0 ? 'acquired' : this.#slow();
  }

  /** Gives the lock back. @throws ERR_LOCK_NOT_OWNER when the caller does not hold it; its owner keeps it */
  unlock(): void {
    // The first step of `leave`, here so that the uncontended case is one operation: a separate look at the owner costs 8 %.
    const seen = exchange(this.#words, this.#at, 0);
    if (seen !== this.#tag) this.#left(seen);
  }

  /** Runs `body` under the lock. */
  withLock<T>(body: (result: LockResult) => T): T {
    const result = this.lock();
    try {
      return body(result);
    } finally {
      this.unlock();
    }
  }

  /** Id of the thread that holds the lock, 0 when it is free. */
  owner(): number {
    return idOfTag(load(this.#words, this.#at));
  }

  /** How often the lock was taken over from a dead owner. */
  recoveries(): number {
    return load(this.#words, this.#at + LockWord.RECOVERIES);
  }

  /** How often a waiter went to sleep. */
  sleeps(): number {
    return load(this.#words, this.#at + LockWord.SLEEPS);
  }

  /** What is left of `leave` when the word was not just the own tag. */
  #left(seen: number): void {
    const words = this.#words;
    const at = this.#at;
    if (seen === (this.#tag | CONTENDED)) {
      add(words, at + LockWord.TURNS, 1);
      notify(words, at, 1);
      return;
    }
    // Put back what was there; for an instant the lock was open, which only a wrong caller can cause.
    if (seen !== 0) compareExchange(words, at, 0, seen | CONTENDED);
    const owner = idOfTag(seen);
    const self = idOfTag(this.#tag);
    throw new MemmapError('ERR_LOCK_NOT_OWNER', `lock belongs to ${owner}`, { owner, self });
  }

  #slow(): LockResult {
    const words = this.#words;
    const at = this.#at;
    if ((load(words, at) & TAG_MASK) === this.#tag) {
      throw new MemmapError('ERR_LOCK_RECURSIVE', 'the lock is not recursive', {
        self: idOfTag(this.#tag),
      });
    }
    for (let i = 0; i < SPINS; i++) {
      if (load(words, at) === 0 && protocol.enter(words, at, this.#tag)) return 'acquired';
    }
    return this.#wait();
  }

  #wait(): LockResult {
    const words = this.#words;
    const at = this.#at;
    const sleeps = maySleep(words);
    let held = 0;
    let waited = 0;
    let turns = load(words, at + LockWord.TURNS);
    for (;;) {
      const seen = protocol.look(words, at, this.#tag, this.#hasEnded);
      if (seen === Look.ENTERED) return 'acquired';
      if (seen === Look.RECOVERED) return 'recovered';
      if (seen === Look.AGAIN) continue;
      const turn = load(words, at + LockWord.TURNS);
      // Somebody else's turn: the lock goes round, and the wait for this hold begins.
      if (seen !== held || turn !== turns) waited = 0;
      held = seen;
      turns = turn;
      const slice = Math.min(SLICE_MS, this.#timeoutMs - waited);
      if (!(sleeps ? this.#sleep(seen, slice) : spinSlice(words, at, seen, slice))) continue;
      waited += slice;
      if (this.#registry?.proveEnded(seen & TAG_MASK) === true) continue;
      if (waited >= this.#timeoutMs) this.#giveUp(seen, waited);
    }
  }

  /** Sleeps for the lock; false when it was woken or the word had changed. */
  #sleep(seen: number, ms: number): boolean {
    add(this.#words, this.#at + LockWord.SLEEPS, 1);
    // Pairs with the notify in `#left`.
    return wait(this.#words, this.#at, seen, ms) === 'timed-out';
  }

  #giveUp(seen: number, waited: number): never {
    const owner = idOfTag(seen);
    throw new MemmapError(
      'ERR_LOCK_TIMEOUT',
      `lock held by thread ${owner} for ${waited} ms, and not known to have ended`,
      { owner, timeoutMs: this.#timeoutMs },
    );
  }
}
