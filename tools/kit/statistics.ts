/**
 * Middle values and spreads, defined once for every benchmark.
 *
 * The quantile of share q of n sorted values lies at place q (n - 1), counted from 0; between two places it is
 * interpolated. So the median of an even number of values is the mean of the two middle ones.
 */

const ascending = (values: ArrayLike<number>): Float64Array => Float64Array.from(values).sort();

/**
 * The value below which the share `q` of the values lies.
 * @param values  in any order
 * @param q       0 .. 1: 0 is the least, 1 the greatest
 * @returns NaN without values
 */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = ascending(values);
  const place = q * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below === above ? below : below + (place - Math.floor(place)) * (above - below);
}

/** The middle value; the mean of the two middle ones of an even number. */
export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

/** Median, least and greatest of some values, and how many they are. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

/** Median, least and greatest. */
export function spread(values: readonly number[]): Spread {
  return {
    median: median(values),
    min: quantile(values, 0),
    max: quantile(values, 1),
    n: values.length,
  };
}

/** Mean and sample standard deviation. */
export function meanAndDeviation(values: readonly number[]): { mean: number; stdev: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, stdev: Math.sqrt(squares / Math.max(1, values.length - 1)) };
}

/**
 * The item with the greatest figure; NaN is less than any other.
 * @throws RangeError without items
 */
export function best<T>(items: readonly T[], figure: (item: T) => number): T {
  const value = (item: T): number => {
    const own = figure(item);
    return Number.isNaN(own) ? -Infinity : own;
  };
  const [first, ...rest] = items;
  if (first === undefined) throw new RangeError('the best of no items');
  return rest.reduce((left, right) => (value(right) > value(left) ? right : left), first);
}
