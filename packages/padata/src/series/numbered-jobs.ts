/** Jobs of a series by the order of their submission, from 0, whether they wait outside the window or are in the ring. */
import type { RingHub } from '../hub/ring-hub.js';
import type { JobRing } from '../ring/job-ring.js';
import type { Backpressure } from './backpressure.js';

/** Where they are. */
interface Places {
  readonly hub: RingHub;
  readonly ring: JobRing;
  readonly backpressure: Backpressure;
  /** First sequence number, modulo 2^32. */
  readonly firstSequence: number;
  /** Between asking a function to stop and ending its job without it, in milliseconds. */
  readonly graceMs: number;
}

/** The jobs of one series. */
export class NumberedJobs {
  readonly #in: Places;

  constructor(places: Places) {
    this.#in = places;
  }

  /** How many jobs were submitted before the next one. */
  get next(): number {
    const { ring, backpressure } = this.#in;
    return ring.submitted + backpressure.length;
  }

  /** Sequence number of the n-th. */
  seqOf(n: number): number {
    return (this.#in.firstSequence + n) >>> 0;
  }

  /** Tells which jobs have begun and not ended. O(window), and what it gives O(1). */
  begun(): (n: number) => boolean {
    const { ring, firstSequence } = this.#in;
    const numbers = ring.begunNumbers();
    return (n) => n < ring.submitted && numbers.has((firstSequence + n) | 0);
  }

  /** Has the function of the n-th ended, though nobody was told yet? */
  hasEnded(n: number): boolean {
    const { ring } = this.#in;
    return n < ring.submitted && ring.hasEnded(ring.sequenceOf(n));
  }

  /** Cancels the n-th. */
  cancel(n: number, reason: unknown): void {
    const { hub, ring, backpressure, graceMs } = this.#in;
    // Jobs still in the overflow have no slot yet.
    if (n >= ring.submitted) backpressure.fail(n - ring.submitted, reason);
    else hub.cancel(ring, ring.sequenceOf(n), graceMs, reason);
  }
}
