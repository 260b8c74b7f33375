/**
 * A sort that can be interrupted: short runs sorted as usual, then merged in pairs.
 *
 * ```
 * runs      |0 4 9|1 2 7|3 5 8|6|
 * merged    |0 1 2 4 7 9|3 5 6 8|     runs that follow one another as they stand are not merged but passed on
 *           |0 1 2 3 4 5 6 7 8 9|
 * ```
 */
import { STEP_RECORDS } from './steps.js';
import type { Steps } from './steps.js';

/** Records that are merged between two yields. */
const MERGED = 8 * STEP_RECORDS;

/**
 * The items in order; equal ones as they stood.
 * @param items    they stay as they are
 * @param compare  negative when the first comes first
 * @remarks O(n log n); O(n) for items in order
 */
export function* sorted<Item>(
  items: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Steps<Item[]> {
  if (items.length <= STEP_RECORDS) return items.toSorted(compare);
  let runs: Item[][] = [];
  for (let at = 0; at < items.length; at += STEP_RECORDS) {
    runs.push(items.slice(at, at + STEP_RECORDS).sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const merged: Item[][] = [];
    for (let index = 0; index < runs.length; index += 2) {
      const [left, right] = [runs[index]!, runs[index + 1]];
      merged.push(right === undefined ? left : yield* mergedRuns(left, right, compare));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergedRuns<Item>(
  left: readonly Item[],
  right: readonly Item[],
  compare: (a: Item, b: Item) => number,
): Steps<Item[]> {
  yield;
  if (compare(left.at(-1)!, right[0]!) <= 0) return left.concat(right);
  const result: Item[] = [];
  for (let [at, other] = [0, 0]; at < left.length || other < right.length;) {
    const isLeft =
      other === right.length || (at < left.length && compare(left[at]!, right[other]!) <= 0);
    result.push(isLeft ? left[at++]! : right[other++]!);
    if (result.length % MERGED === 0) yield;
  }
  return result;
}
