/**
 * Histograms of times, cheap enough to stay on: four buckets to a factor of two, from 60 ns to two minutes,
 * one array increment per value. A percentile is exact to about 12 %.
 *
 * The counts may lie in shared memory; each array has one writer, readers may be one value behind.
 */

/** Buckets of one histogram. */
export const HISTOGRAM_BUCKETS = 128;
/** Units of the integer scale per millisecond. */
const SCALE = 16384;

/** One histogram in memory of its own. */
export class Histogram {
  readonly #counts = new Int32Array(HISTOGRAM_BUCKETS);

  /** @param ms a time in milliseconds; negative ones (clock steps) count as zero */
  add(ms: number): void {
    this.#counts[bucketOf(ms)]! += 1;
  }

  /** What was added so far. */
  summary(): TimeSummary {
    return summarize(this.#counts, [0]);
  }
}

/** Summary of times, in microseconds. */
export interface TimeSummary {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Bucket of a time in milliseconds; negative times (clock steps) count as zero. */
export function bucketOf(ms: number): number {
  const value = ms <= 0 ? 0 : ms >= 131071 ? 0x7fffffff : (ms * SCALE) | 0;
  if (value < 4) return value;
  const exponent = 31 - Math.clz32(value);
  return (exponent - 1) * 4 + ((value >>> (exponent - 2)) & 3);
}

/** Middle of a bucket, in microseconds. */
function bucketMicros(bucket: number): number {
  if (bucket < 4) return ((bucket + 0.5) * 1000) / SCALE;
  const exponent = Math.floor(bucket / 4) + 1;
  const low = (4 + (bucket % 4)) * 2 ** (exponent - 2);
  return ((low + 2 ** (exponent - 3)) * 1000) / SCALE;
}

/** Sums histograms that lie at `offsets` in `counts`. */
export function summarize(counts: Int32Array, offsets: readonly number[]): TimeSummary {
  const sums = new Float64Array(HISTOGRAM_BUCKETS);
  let count = 0;
  for (const offset of offsets) {
    for (let b = 0; b < HISTOGRAM_BUCKETS; b += 1) {
      const n = counts[offset + b]! >>> 0;
      sums[b]! += n;
      count += n;
    }
  }
  const at = (share: number): number => {
    let left = Math.ceil(count * share);
    if (left === 0) return 0;
    for (let b = 0; b < HISTOGRAM_BUCKETS; b += 1) {
      left -= sums[b]!;
      if (left <= 0) return bucketMicros(b);
    }
    return bucketMicros(HISTOGRAM_BUCKETS - 1);
  };
  return { count, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}
