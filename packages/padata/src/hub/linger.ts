/**
 * Waiting awake for quick jobs, when a sleep would cost more than they take. It adapts: a success doubles the time
 * that it waits, a failure halves it down to nothing, and then it is tried again once in a while.
 */
import { performance } from '../base/host-time.js';

/** Waits at most so long, in milliseconds. */
const MAX_MS = 0.02;
const MIN_MS = 0.001;
/** Having given up, it tries again once in so many times. */
const RETRY = 64;
/** Looks between two readings of the clock. */
const LOOKS = 16;

/** The owner's patience. */
export class Linger {
  #ms = MIN_MS;
  #misses = 0;

  /** Waits for a moment until the condition holds; false = it did not. */
  until(condition: () => boolean): boolean {
    let limit = this.#ms;
    if (limit === 0) {
      this.#misses += 1;
      if (this.#misses % RETRY !== 0) return false;
      limit = MAX_MS;
    }
    const end = performance.now() + limit;
    do {
      for (let i = 0; i < LOOKS; i += 1) {
        if (!condition()) continue;
        this.#ms = Math.min(MAX_MS, Math.max(MIN_MS, this.#ms * 2));
        return true;
      }
    } while (performance.now() < end);
    this.#ms = this.#ms < 2 * MIN_MS ? 0 : this.#ms / 2;
    return false;
  }
}
