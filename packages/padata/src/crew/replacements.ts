/**
 * When a thread that has ended is replaced: at once, later and later, or not at all.
 *
 * ```
 *   it had work at hand, or lived long, or was to end ─▶ at once
 *   it had none, the first of a row ─▶ at once; those that follow ─▶ after 20 ms, 40 ms … 1 s
 *   three in a row before they said hello, and none is there ─▶ no thread can be started: the calling thread does all
 * ```
 */
import { PadataError } from '../base/errors.js';
import { clearTimeout, setTimeout } from '../base/host-time.js';
import type { Timer } from '../threads/timers.js';

/** Threads that die before they were ready, in a row, before the crew stops replacing them. */
const MAX_START_FAILURES = 3;
/**
 * First and longest delay of a replacement, in milliseconds, where threads die in a row that had nothing to do: while
 * they start, while they import, by a timer that they left behind.
 */
const RESPAWN_MS = 20;
const MAX_RESPAWN_MS = 1000;

/** The replacements of one pool. */
export class Replacements {
  /** Why there are no threads, once it is certain that none can be started. */
  startError: unknown;
  #startFailures = 0;
  #lastError: unknown;
  /** Threads that died in a row without work at hand. */
  #idleDeaths = 0;
  /** By id: it is replaced then. */
  readonly #timers = new Map<number, Timer>();
  readonly #onDue: () => void;

  /** @param onDue a thread is to be started now */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** Why some of the threads that are wanted cannot be started; undefined = nothing is known against it. */
  get trouble(): unknown {
    return this.#startFailures >= MAX_START_FAILURES ? this.#lastError : undefined;
  }

  /** Threads are asked for anew, so they are tried anew. */
  tryAnew(): void {
    if (this.startError === undefined) return;
    this.startError = undefined;
    this.#startFailures = 0;
  }

  /** A thread has said hello. */
  greeted(): void {
    this.#startFailures = 0;
  }

  /**
   * No thread can be started.
   * @param isAlone none is there; those that are go on
   */
  cannotStart(error: unknown, isAlone: boolean): void {
    this.#startFailures = MAX_START_FAILURES;
    this.#lastError = error;
    if (isAlone) this.startError = error;
  }

  /** A thread has ended before it said hello. @returns whether it is tried no more */
  diedUngreeted(error: unknown): boolean {
    this.#startFailures += 1;
    // A coded error says what is wrong with all of them.
    return this.#startFailures >= MAX_START_FAILURES || error instanceof PadataError;
  }

  /** A thread has ended. @param isHarmless it had work at hand, or its end is no sign that the next will end so too */
  died(isHarmless: boolean): void {
    this.#idleDeaths = isHarmless ? 0 : this.#idleDeaths + 1;
  }

  /** Is the one that ended last replaced at once? */
  get isAtOnce(): boolean {
    return this.#idleDeaths < 2;
  }

  /** The thread with this id is started after a while. */
  later(id: number): Timer {
    const ms = Math.min(MAX_RESPAWN_MS, RESPAWN_MS * 2 ** Math.max(0, this.#idleDeaths - 2));
    const timer = setTimeout(() => {
      this.#timers.delete(id);
      this.#onDue();
    }, ms);
    this.#timers.set(id, timer);
    return timer;
  }

  /** The thread with this id is to be started later. */
  isLater(id: number): boolean {
    return this.#timers.has(id);
  }

  timers(): Iterable<Timer> {
    return this.#timers.values();
  }

  /** The thread with this id is not wanted any more. */
  cancel(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  cancelAll(): void {
    for (const id of [...this.#timers.keys()]) this.cancel(id);
  }
}
