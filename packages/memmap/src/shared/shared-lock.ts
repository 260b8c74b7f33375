/**
 * Lock in shared memory that knows its owner.
 *
 *     word 0   0 free | owner id, plus CONTENDED when somebody sleeps or is about to
 *     word 1   how often the lock was taken over from a dead owner
 *     word 2   how often somebody slept for it
 *     word 3   unused
 *
 * Idea: compare-and-swap the own id in; spin a bounded number of times; then mark the word contended and
 * sleep on it. The unlock swaps 0 in and wakes one sleeper only if the word was contended, so an
 * uncontended pair costs two atomic operations and no system call. A sleeper wakes at intervals and asks
 * the registry whether the owner is still alive; a dead owner's lock is taken over and the taker is told
 * (`'recovered'`), because what the lock guards may be half changed.
 *
 * Invariants: word 0 names the owner while held; whoever sleeps has set CONTENDED first, and whoever
 * slept acquires with CONTENDED set, so no sleeper is forgotten. Not recursive: a second `lock` by the
 * owner throws instead of hanging. Where a thread must not sleep (the main thread of a browser page)
 * it spins. Source: U. Drepper, "Futexes Are Tricky" (2011).
 */
import { MemmapError } from '../facts/errors.js';
import type { ThreadRegistry } from './thread-registry.js';
import { isShared } from './words.js';

const CONTENDED = 0x4000_0000;
const OWNER_MASK = 0x3fff_ffff;
const SPINS = 200;
const SLEEP_MS = 20;

const { compareExchange, exchange, load, add, notify, wait } = Atomics;

/** How a lock was obtained. */
export type LockResult = 'acquired' | 'recovered';

/** What a lock asks beside its words. */
export interface LockOptions {
  /** Answers whether an owner is alive; without it owners count as alive. */
  readonly registry?: ThreadRegistry | undefined;
  /** Gives up after so long; default never. */
  readonly timeoutMs?: number | undefined;
}

let sleepAllowed: boolean | undefined;
/** True where `Atomics.wait` works on this thread and these words. */
function maySleep(words: Int32Array): boolean {
  if (!isShared(words.buffer)) return false;
  if (sleepAllowed === undefined) {
    try {
      // An expected value that is never there: returns at once where waiting is allowed.
      wait(words, 0, ~load(words, 0), 0);
      sleepAllowed = true;
    } catch {
      // TypeError: the main thread of a browser page must not block. It spins.
      sleepAllowed = false;
    }
  }
  return sleepAllowed;
}

/** Lock over {@link SharedLock.WORDS} shared words; the object itself keeps no state. */
export class SharedLock {
  /** Shared words that one lock takes. */
  static readonly WORDS = 4;

  readonly #words: Int32Array;
  readonly #at: number;
  readonly #self: number;
  readonly #registry: ThreadRegistry | undefined;
  readonly #timeoutMs: number;

  /**
   * @param words      shared words, zeroed before first use
   * @param offset     index of the lock's first word
   * @param self       id of the calling thread, 1 .. 2**30 - 1
   * @param options    who is alive, how long to wait
   */
  constructor(words: Int32Array, offset: number, self: number, options: LockOptions = {}) {
    if (!Number.isInteger(self) || self < 1 || self > OWNER_MASK) {
      throw new MemmapError('ERR_MEMMAP_ARGUMENT', `owner id is 1..2^30-1, got ${self}`, { self });
    }
    this.#words = words;
    this.#at = offset;
    this.#self = self;
    this.#registry = options.registry;
    this.#timeoutMs = options.timeoutMs ?? Infinity;
  }

  /** Takes the lock if it is free; never waits. */
  tryLock(): boolean {
    // Pairs with the exchange in `unlock`: what the last owner wrote is visible from here on.
    return compareExchange(this.#words, this.#at, 0, this.#self) === 0;
  }

  /**
   * Takes the lock, waiting for it.
   * @returns `'recovered'` when the former owner died holding it: repair what it guards
   * @throws ERR_LOCK_RECURSIVE when the caller holds it already
   * @throws ERR_LOCK_TIMEOUT when a time limit was set and has passed; details name the owner
   */
  lock(): LockResult {
    return compareExchange(this.#words, this.#at, 0, this.#self) === 0 ? 'acquired' : this.#slow();
  }

  /** Gives the lock back. @throws ERR_LOCK_NOT_OWNER when the caller does not hold it */
  unlock(): void {
    const previous = exchange(this.#words, this.#at, 0);
    if ((previous & OWNER_MASK) !== this.#self) this.#foreign(previous);
    if ((previous & CONTENDED) !== 0) notify(this.#words, this.#at, 1);
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
    return load(this.#words, this.#at) & OWNER_MASK;
  }

  /** How often the lock was taken over from a dead owner. */
  recoveries(): number {
    return load(this.#words, this.#at + 1);
  }

  /** How often a waiter went to sleep. */
  sleeps(): number {
    return load(this.#words, this.#at + 2);
  }

  #foreign(previous: number): never {
    // Put back what was there; for an instant the lock was open, which only a wrong caller can cause.
    exchange(this.#words, this.#at, previous | CONTENDED);
    throw new MemmapError('ERR_LOCK_NOT_OWNER', `lock belongs to ${previous & OWNER_MASK}`, {
      owner: previous & OWNER_MASK,
      self: this.#self,
    });
  }

  #slow(): LockResult {
    const words = this.#words;
    const at = this.#at;
    if (this.owner() === this.#self) {
      throw new MemmapError('ERR_LOCK_RECURSIVE', 'the lock is not recursive', {
        self: this.#self,
      });
    }
    for (let i = 0; i < SPINS; i++) {
      if (load(words, at) === 0 && compareExchange(words, at, 0, this.#self) === 0)
        return 'acquired';
    }
    const started = performance.now();
    const sleeps = maySleep(words);
    for (;;) {
      const seen = load(words, at);
      if (seen === 0) {
        // Others may sleep: acquire as contended so that the unlock wakes one of them.
        if (compareExchange(words, at, 0, this.#self | CONTENDED) === 0) return 'acquired';
        continue;
      }
      const owner = seen & OWNER_MASK;
      if (this.#registry?.isDead(owner) === true) {
        if (compareExchange(words, at, seen, this.#self | CONTENDED) === seen) {
          add(words, at + 1, 1);
          return 'recovered';
        }
        continue;
      }
      if (performance.now() - started > this.#timeoutMs) {
        throw new MemmapError('ERR_LOCK_TIMEOUT', `lock held by thread ${owner}`, {
          owner,
          timeoutMs: this.#timeoutMs,
        });
      }
      const contended = seen | CONTENDED;
      if (seen !== contended && compareExchange(words, at, seen, contended) !== seen) continue;
      if (sleeps) {
        add(words, at + 2, 1);
        // Pairs with the notify in `unlock`; the limit lets a dead owner be noticed.
        wait(words, at, contended, SLEEP_MS);
      }
    }
  }
}
