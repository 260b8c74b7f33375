/** Waiting awake for quick jobs, while a sleep would cost more than they take: the owner's side. */
import { performance } from '../base/host-time.js';
import { Patience } from '../threads/patience.js';

/** Waits at most so long, in milliseconds. */
const MAX_MS = 0.2;
/** Looks between two readings of the clock. */
const LOOKS = 16;

/** The owner's patience. */
export class Linger {
  readonly #patience = new Patience();

  /** Waits for a moment until the condition holds; false = it did not. */
  until(condition: () => boolean): boolean {
    const limit = this.#patience.limit(MAX_MS);
    if (limit === 0) return false;
    const began = performance.now();
    let now: number;
    let hit = false;
    do {
      for (let i = 0; i < LOOKS && !hit; i += 1) hit = condition();
      now = performance.now();
    } while (!hit && now < began + limit);
    this.#patience.waited(Math.min(now - began, limit), hit);
    return hit;
  }
}
