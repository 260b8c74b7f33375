/**
 * What the jobs of one ring take on one thread: counted for the series' figures, averaged for what goes by it (jobs of a
 * reservation here, threads to wake at the owner's).
 */
import { bucketOf } from '../base/histogram.js';
import { RING } from '../protocol/ring-layout.js';
import { statOffsets } from '../protocol/ring-stats.js';
import type { AsyncShare } from './async-share.js';

/** A reservation should not take longer than this, in milliseconds. */
const BATCH_MS = 0.05;

/**
 * Jobs that are reserved in one step.
 * @param costMs what one takes, in milliseconds; undefined = not known: one shows it
 */
export function jobsPerReservation(costMs: number | undefined, atMost: number): number {
  if (costMs === undefined) return 1;
  return Math.max(1, Math.min(atMost, Math.floor(BATCH_MS / costMs)));
}

/** The times of one ring's jobs on one thread. */
export class JobTimes {
  readonly #words: Int32Array;
  readonly #counts: Int32Array;
  readonly #runAt: number;
  readonly #share: AsyncShare;
  /** Average time of a job, without what follows a promise, in milliseconds; undefined before the first. */
  #averageMs: number | undefined;

  /**
   * @param words  the ring's
   * @param counts its histograms
   * @param worker this thread's, 0 = the owner
   */
  constructor(words: Int32Array, counts: Int32Array, worker: number, share: AsyncShare) {
    this.#words = words;
    this.#counts = counts;
    this.#runAt = statOffsets(worker).run;
    this.#share = share;
  }

  /** What a job costs this thread, in milliseconds; undefined before it is known. */
  get costMs(): number | undefined {
    return this.#share.costMs(this.#averageMs);
  }

  /** So many jobs have been run in this time, in milliseconds. */
  note(jobs: number, ms: number): void {
    const each = ms / jobs;
    this.#counts[this.#runAt + bucketOf(each)]! += jobs;
    const old = this.#averageMs;
    this.#averageMs = old === undefined ? each : old + (each - old) / 8;
    const cost = this.#share.costMs(this.#averageMs) ?? this.#averageMs;
    // Plain: a figure.
    this.#words[RING.RUN_NS] = Math.min(0x7fffffff, cost * 1e6) | 0 || 1;
  }
}
