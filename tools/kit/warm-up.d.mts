/** What a warm-up did. */
export interface WarmUp {
  /** In the order in which they came. */
  readonly rates: readonly number[];
  /** False when it ended because its time was over. */
  readonly steady: boolean;
}

/**
 * Calls `measure` until three rates in a row are at most 5 % above the best one before them, for `leastMs` (300) at
 * least and `mostMs` (3000) at most.
 * @param measure  runs a slice of the work, some tens of milliseconds long; its rate, the more the better
 */
export function warmUp(
  measure: () => number | Promise<number>,
  limits?: { readonly leastMs?: number; readonly mostMs?: number },
): Promise<WarmUp>;
