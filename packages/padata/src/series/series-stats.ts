/** Figures of a series, from its ring's counters and the threads' histograms. */
import { summarize } from '../base/histogram.js';
import { latencyOffset, statOffsets } from '../protocol/ring-stats.js';
import type { JobRing } from '../ring/job-ring.js';
import type { SeriesStats } from './series-types.js';

/** What the ring does not know. */
interface SeriesCounts {
  /** Worker threads that the pool may have. */
  readonly capacity: number;
  readonly submitted: number;
  readonly overflow: number;
}

/** Figures since the beginning. O(threads). */
export function seriesStats(ring: JobRing, counts: SeriesCounts): SeriesStats {
  const { capacity, submitted, overflow } = counts;
  const waits: number[] = [];
  const runs: number[] = [];
  for (let w = 0; w <= capacity; w += 1) {
    const offsets = statOffsets(w);
    waits.push(offsets.wait);
    runs.push(offsets.run);
  }
  return {
    submitted,
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
