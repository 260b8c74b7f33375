/**
 * A thread's clock for one piece of work after the other. To read it costs as much as some five atomic operations, and where
 * one piece ends the next begins: what begins right behind the last one has its end for a beginning.
 */
import { performance } from './host-time.js';

export class TurnClock {
  #now = 0;
  #isFresh = false;

  /** Milliseconds, at the beginning of some work: read now, or a moment ago at the end of the last. */
  begin(): number {
    return this.#isFresh ? this.#now : performance.now();
  }

  /** Milliseconds, at the end of some work. */
  end(): number {
    const now = performance.now();
    this.#now = now;
    this.#isFresh = true;
    return now;
  }

  /** The thread has done something else since, or nothing. */
  passed(): void {
    this.#isFresh = false;
  }
}
