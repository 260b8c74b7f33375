/**
 * A histogram of times since a stamp, where many jobs have the same stamp and end at the same reading of the clock: the
 * bucket is computed once for such a stretch, and the rest of it costs two comparisons and an increment.
 */
import { bucketOf } from '../base/histogram.js';

/** Counts into the histogram that begins at `at`. */
export class StretchCounts {
  readonly #counts: Int32Array;
  readonly #at: number;
  readonly #clockOffset: number;
  #stamp = -1;
  #now = -1;
  #bucket = 0;

  /** @param clockOffset milliseconds to add to this thread's clock to get that of the stamps */
  constructor(counts: Int32Array, at: number, clockOffset: number) {
    this.#counts = counts;
    this.#at = at;
    this.#clockOffset = clockOffset;
  }

  /** One more time from `stamp` to `now`, in milliseconds. */
  add(stamp: number, now: number): void {
    if (stamp !== this.#stamp || now !== this.#now) {
      this.#stamp = stamp;
      this.#now = now;
      this.#bucket = this.#at + bucketOf(now + this.#clockOffset - stamp);
    }
    this.#counts[this.#bucket]! += 1;
  }
}
