/**
 * Which unit of work is done by whom: one shared word a unit, so that each is done exactly once whoever
 * comes first (a range job, an allocator that needs memory now, a page fault), and can be waited for.
 *
 *     PENDING --claim--> BUSY --finish--> DONE
 *        |                 '---fail----> FAILED      (BUSY_WAITED instead of BUSY while somebody waits)
 *        '----cancel----> CANCELLED
 *
 * The bits above the state name the thread that is busy (id and generation of the registry), so that whoever waits
 * notices when it has died: the unit is then FAILED, because nobody knows how far it came.
 *
 * Every word is used with Atomics only. A unit's writes happen before `finish` and are seen by whoever
 * reads DONE. Source: the sub-range scheme of the asynchronous memmap proposal, generalised.
 */
import type { ThreadRegistry } from '@bootmem/memmap/shared';
import { PageInitError } from '../base/errors.js';

/** States of a unit. */
export const ClaimState = {
  PENDING: 0,
  BUSY: 1,
  DONE: 2,
  FAILED: 3,
  CANCELLED: 4,
  BUSY_WAITED: 5,
} as const;

const { load, compareExchange, exchange, notify, wait, waitAsync } = Atomics;
const { PENDING, BUSY, DONE, FAILED, CANCELLED, BUSY_WAITED } = ClaimState;
const STATE_BITS = 3;
const STATE_MASK = (1 << STATE_BITS) - 1;

/** Who claims units through a table, and how it learns of deaths. */
export interface ClaimOwner {
  /** 1..32000, unlike every other thread's; 0 = unknown. */
  readonly threadId: number;
  readonly liveness?: ThreadRegistry | undefined;
}

/** A waiter looks again at least this often, in case the thread that was busy has died. */
const LOOK_AGAIN_MS = 50;

/** Resolves when the word is no longer `waited`, or after a while. */
async function changed(words: Int32Array, at: number, waited: number): Promise<void> {
  // Some browsers cannot wait without blocking: there, look again soon.
  const waiting = (waitAsync as typeof waitAsync | undefined)?.(words, at, waited, LOOK_AGAIN_MS);
  if (waiting?.async === true) await waiting.value;
  else if (waiting === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** View over the state words of `count` units; no state of its own. */
export class ClaimTable {
  readonly count: number;
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #self: number;
  readonly #liveness: ThreadRegistry | undefined;

  /** @param at index of the first word */
  constructor(words: Int32Array, at: number, count: number, owner: ClaimOwner = { threadId: 0 }) {
    this.#words = words;
    this.#at = at;
    this.count = count;
    const { threadId, liveness } = owner;
    // With a registry the id and its generation: a claim is then of one thread, whoever gets the id later.
    this.#self = (threadId === 0 ? 0 : (liveness?.tagOf(threadId) ?? threadId)) << STATE_BITS;
    this.#liveness = liveness;
  }

  /** One of {@link ClaimState}. */
  state(unit: number): number {
    return load(this.#words, this.#at + unit) & STATE_MASK;
  }

  /** True when the unit is done. */
  isDone(unit: number): boolean {
    return this.state(unit) === DONE;
  }

  /** Makes the unit the caller's; false when somebody has it, had it, or it was cancelled. */
  tryClaim(unit: number): boolean {
    return compareExchange(this.#words, this.#at + unit, PENDING, BUSY | this.#self) === PENDING;
  }

  /** Says that the claimed unit is done. Pairs with the loads in `state` and the waits below. */
  finish(unit: number): void {
    this.#leave(unit, DONE);
  }

  /** Says that the claimed unit was left half done; it stays so, and waiters learn it. */
  fail(unit: number): void {
    this.#leave(unit, FAILED);
  }

  /** Takes a pending unit out for good; false when it is claimed or done. */
  cancel(unit: number): boolean {
    return compareExchange(this.#words, this.#at + unit, PENDING, CANCELLED) === PENDING;
  }

  /** First unit at or after `from` that nobody has claimed, or undefined. O(units passed). */
  firstPending(from: number): number | undefined {
    for (let unit = from; unit < this.count; unit++) {
      if (this.state(unit) === PENDING) return unit;
    }
    return undefined;
  }

  /** Number of units in a state; busy with and without waiters is one state. O(units). */
  countIn(state: number): number {
    let count = 0;
    for (let unit = 0; unit < this.count; unit++) {
      const found = this.state(unit);
      if (found === state || (state === BUSY && found === BUSY_WAITED)) count++;
    }
    return count;
  }

  /**
   * Waits until a unit that somebody else claimed is done, without blocking the thread.
   * @throws ERR_PAGE_INIT_INCOMPLETE when it failed or the thread that was busy has died,
   *   ERR_PAGE_INIT_CANCELLED when it was cancelled
   */
  async whenDone(unit: number): Promise<void> {
    while (!this.#settled(unit)) {
      const waited = this.#announce(unit);
      if (waited !== undefined) await changed(this.#words, this.#at + unit, waited);
    }
  }

  /** As {@link whenDone}, but blocks the calling thread; not for a browser's main thread. */
  blockUntilDone(unit: number): void {
    while (!this.#settled(unit)) {
      const waited = this.#announce(unit);
      if (waited !== undefined) wait(this.#words, this.#at + unit, waited, LOOK_AGAIN_MS);
    }
  }

  #leave(unit: number, state: number): void {
    const previous = exchange(this.#words, this.#at + unit, state) & STATE_MASK;
    if (previous === BUSY_WAITED) notify(this.#words, this.#at + unit);
    if (previous !== BUSY && previous !== BUSY_WAITED) {
      throw new PageInitError('ERR_PAGE_INIT_INVARIANT', 'only a claimed unit is finished', {
        unit,
        previous,
      });
    }
  }

  /** Marks a busy unit as waited for; the word to wait on, or undefined when it is to be looked at again. */
  #announce(unit: number): number | undefined {
    const at = this.#at + unit;
    const word = load(this.#words, at);
    const state = word & STATE_MASK;
    if (state !== BUSY && state !== BUSY_WAITED) return undefined;
    const owner = word >>> STATE_BITS;
    if (owner !== 0 && this.#liveness?.proveEnded(owner) === true) {
      // Pairs with the exchange in `#leave`: if the owner finished after all, this changes nothing.
      if (compareExchange(this.#words, at, word, FAILED) === word) notify(this.#words, at);
      return undefined;
    }
    if (state === BUSY_WAITED) return word;
    const waited = BUSY_WAITED | (word & ~STATE_MASK);
    return compareExchange(this.#words, at, word, waited) === word ? waited : undefined;
  }

  #settled(unit: number): boolean {
    const state = this.state(unit);
    if (state === FAILED) {
      throw new PageInitError('ERR_PAGE_INIT_INCOMPLETE', `unit ${unit} was left half done`, {
        unit,
      });
    }
    if (state === CANCELLED) {
      throw new PageInitError('ERR_PAGE_INIT_CANCELLED', `unit ${unit} was cancelled`, { unit });
    }
    return state === DONE;
  }
}
