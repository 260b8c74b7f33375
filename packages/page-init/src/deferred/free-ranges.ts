/**
 * The free ranges of a node's deferred part: sorted pairs of doubles in shared memory, written once.
 */
import type { PfnRange } from '@bootmem/memmap';

/** Writes the ranges; `table` has two numbers for each. */
export function writeRanges(table: Float64Array, ranges: readonly PfnRange[]): void {
  ranges.forEach((range, i) => {
    table[2 * i] = range.startPfn;
    table[2 * i + 1] = range.endPfn;
  });
}

/** Visits the ranges of `[startPfn, endPfn)`, clipped, in address order. O(log ranges + visits). */
export function eachRange(
  table: Float64Array,
  startPfn: number,
  endPfn: number,
  visit: (start: number, end: number) => void,
): void {
  let low = 0;
  let high = table.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (table[2 * middle + 1]! > startPfn) high = middle;
    else low = middle + 1;
  }
  for (let i = 2 * low; i < table.length && table[i]! < endPfn; i += 2) {
    visit(Math.max(table[i]!, startPfn), Math.min(table[i + 1]!, endPfn));
  }
}
