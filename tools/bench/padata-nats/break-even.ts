/** From which job length something is reached, between measured lengths. */

/** A job length in milliseconds and what was measured at it. */
export interface Point {
  readonly ms: number;
  readonly value: number;
}

/**
 * Smallest length at and above which `value` is at least `limit`, interpolated between the logarithms of lengths.
 * @param points in ascending order of length, lengths above 0
 * @returns milliseconds; the first length when every value suffices; undefined when the last does not
 */
export function reachedFrom(points: readonly Point[], limit: number): number | undefined {
  let at = points.length - 1;
  if (at < 0 || points[at]!.value < limit) return undefined;
  while (at > 0 && points[at - 1]!.value >= limit) at -= 1;
  const above = points[at]!;
  if (at === 0) return above.ms;
  const below = points[at - 1]!;
  const part = (limit - below.value) / (above.value - below.value);
  return Math.exp(Math.log(below.ms) + part * (Math.log(above.ms) - Math.log(below.ms)));
}
