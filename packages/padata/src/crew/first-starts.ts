/**
 * Which threads of a new pool start at once. One that boots keeps a processor busy for tens of milliseconds: where there are
 * more of them than processors, the first result waits for all, and for the owner, which has more to load meanwhile.
 *
 * ```
 *   new pool ─▶ as many as there are processors beside the owner's, one at least
 *                 ├ one is there, or has ended ──────────────────────▶ the others, one a turn of the event loop
 *                 └ more is asked for, or ten seconds go by ───────────▶ the others, at once
 * ```
 * After that threads start as they are wanted. Nobody waits for a thread that stands still while it boots.
 */
import { clearTimeout, setTimeout } from '../base/host-time.js';
import { unrefTimer } from '../threads/timers.js';
import type { Timer } from '../threads/timers.js';

/** Threads that boot hold up others for so long, in milliseconds, as the machine may be busy. */
const BOOT_MS = 10_000;

interface StartingCrew {
  /** Lets events be handled, then goes on. */
  yieldToEvents(): Promise<void>;
  /** Starts what is wanted, as far as it may start. */
  start(): void;
}

/** The first starts of one pool. */
export class FirstStarts {
  readonly #crew: StartingCrew;
  /** Threads that may start yet; Infinity = all that are wanted. */
  #left: number;
  #isHolding = false;
  #isOpening = false;
  #timer: Timer | undefined;

  /** @param cpus processors that the process may use */
  constructor(cpus: number, crew: StartingCrew) {
    this.#left = Math.max(1, cpus - 1);
    this.#crew = crew;
  }

  /** Is a thread kept from starting? */
  get isHolding(): boolean {
    return this.#isHolding;
  }

  /** A thread is to be started: may it? */
  mayStart(): boolean {
    if (this.#left > 0) {
      this.#left -= 1;
      return true;
    }
    this.#isHolding = true;
    this.#timer ??= this.#startTimer();
    return false;
  }

  /** A thread of the pool is there, or has ended: the others follow, so that what has arrived is handled in between. */
  async follow(): Promise<void> {
    if (!this.#isHolding) {
      this.open();
      return;
    }
    if (this.#isOpening) return;
    this.#isOpening = true;
    while (this.#isHolding) {
      await this.#crew.yieldToEvents();
      if (this.#left === Infinity) return;
      this.#left = 1;
      this.#isHolding = false;
      this.#crew.start();
    }
    this.open();
  }

  /** All may start from now on. @returns whether one was kept from it */
  open(): boolean {
    const wasHolding = this.#isHolding;
    this.#left = Infinity;
    this.#isHolding = false;
    clearTimeout(this.#timer);
    return wasHolding;
  }

  #startTimer(): Timer {
    const timer = setTimeout(() => {
      if (this.open()) this.#crew.start();
    }, BOOT_MS);
    unrefTimer(timer);
    return timer;
  }
}
