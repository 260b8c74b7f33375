/**
 * Figures of a pool's jobs, from the histograms of its rings: of those that there are, and of those that were closed, whose
 * memory is another's by now. Nothing is counted for them while jobs run.
 */
import { HISTOGRAM_BUCKETS, summarize } from '../base/histogram.js';
import type { TimeSummary } from '../base/histogram.js';
import { latencyOffset, statOffsets } from '../protocol/ring-stats.js';

/** What the jobs of a pool took. */
export interface JobFigures {
  /** Jobs that were run, by thread; 0 = the calling one. */
  readonly jobs: readonly number[];
  readonly wait: TimeSummary;
  readonly run: TimeSummary;
}

/** Sums the histograms of one pool's rings. */
export class PoolFigures {
  readonly #capacity: number;
  /** Of rings that were closed. */
  readonly #past: Int32Array;

  /** @param capacity worker threads that the pool may have */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#past = new Int32Array(latencyOffset(capacity));
  }

  /** A ring with these counts is closed. */
  keep(stats: Int32Array): void {
    addCounts(this.#past, stats);
  }

  /** Figures of all rings that were kept, and of these. O(rings * threads). */
  sum(rings: Iterable<Int32Array>): JobFigures {
    const all = this.#past.slice();
    for (const stats of rings) addCounts(all, stats);
    const waits: number[] = [];
    const runs: number[] = [];
    const jobs: number[] = [];
    for (let worker = 0; worker <= this.#capacity; worker += 1) {
      const { wait, run } = statOffsets(worker);
      waits.push(wait);
      runs.push(run);
      let count = 0;
      for (let b = 0; b < HISTOGRAM_BUCKETS; b += 1) count += all[run + b]! >>> 0;
      jobs.push(count);
    }
    return { jobs, wait: summarize(all, waits), run: summarize(all, runs) };
  }
}

function addCounts(to: Int32Array, stats: Int32Array): void {
  for (let i = 0; i < to.length; i += 1) to[i]! += stats[i]!;
}
