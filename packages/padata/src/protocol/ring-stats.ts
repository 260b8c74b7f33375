/**
 * Where a ring's figures lie: histograms of times in one shared array, each written by one thread.
 *
 * ```
 *  | owner: wait, run | worker 1: wait, run | ... | latency |
 * ```
 */
import { HISTOGRAM_BUCKETS } from '../base/histogram.js';

/** First count of a worker's two histograms; 0 = the owner. */
export function statOffsets(worker: number): { wait: number; run: number } {
  const wait = worker * 2 * HISTOGRAM_BUCKETS;
  return { wait, run: wait + HISTOGRAM_BUCKETS };
}

/** Jobs of a ring that a worker has run, modulo 2^32. */
export function jobsRun(stats: Int32Array, worker: number): number {
  const { run } = statOffsets(worker);
  let jobs = 0;
  for (let b = 0; b < HISTOGRAM_BUCKETS; b += 1) jobs += stats[run + b]! >>> 0;
  return jobs;
}

/** First count of the histogram of latencies, which the owner writes. */
export function latencyOffset(capacity: number): number {
  return statOffsets(capacity + 1).wait;
}

/** Counts in all. */
export function statsLength(capacity: number): number {
  return latencyOffset(capacity) + HISTOGRAM_BUCKETS;
}
