/** Figures of a series, from its ring's counters and the threads' histograms. */
import { summarize } from '../base/histogram.js';
import { latencyOffset, statOffsets } from '../protocol/ring-stats.js';
import type { JobRing } from '../ring/job-ring.js';
import type { SeriesStats } from './series-types.js';

/**
 * Figures since the beginning. O(threads).
 * @param capacity worker threads that the pool may have
 * @param overflow jobs that wait outside the window
 */
export function seriesStats(ring: JobRing, capacity: number, overflow: number): SeriesStats {
  const waits: number[] = [];
  const runs: number[] = [];
  for (let w = 0; w <= capacity; w += 1) {
    const offsets = statOffsets(w);
    waits.push(offsets.wait);
    runs.push(offsets.run);
  }
  return {
    submitted: ring.submitted,
    delivered: ring.delivered,
    failed: ring.failed,
    retried: ring.retried,
    inFlight: ring.outstanding,
    overflow,
    wait: summarize(ring.stats, waits),
    run: summarize(ring.stats, runs),
    latency: summarize(ring.stats, [latencyOffset(capacity)]),
  };
}
