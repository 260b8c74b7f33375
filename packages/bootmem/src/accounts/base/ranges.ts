/**
 * Sets of half-open byte ranges: sorted, disjoint. Pure; O(n log n) for the first sort, linear or by binary search
 * after it, whatever an input holds.
 */
import type { ByteSpan } from '../../explain-result.js';

/** Ranges sorted, touching and overlapping ones joined, empty ones left out. */
export function union(ranges: readonly ByteSpan[]): ByteSpan[] {
  const sorted = ranges.filter(({ start, end }) => start < end).sort((a, b) => a.start - b.start);
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else result.push({ start, end });
  }
  return result;
}

/** Index of the first of sorted, disjoint ranges that ends after an address. */
function firstAfter(ranges: readonly ByteSpan[], address: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.end > address) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Bytes that are in both; `left` may be in any order, `right` is a {@link union}. */
export function common(left: readonly ByteSpan[], right: readonly ByteSpan[]): ByteSpan[] {
  const result: ByteSpan[] = [];
  for (const range of left) {
    for (let index = firstAfter(right, range.start); index < right.length; index++) {
      const other = right[index]!;
      if (other.start >= range.end) break;
      result.push({
        start: Math.max(range.start, other.start),
        end: Math.min(range.end, other.end),
      });
    }
  }
  return union(result);
}

/** Bytes of `left` that are not in `right`; `right` is a {@link union}. */
export function without(left: readonly ByteSpan[], right: readonly ByteSpan[]): ByteSpan[] {
  const result: ByteSpan[] = [];
  for (const range of union(left)) {
    let { start } = range;
    for (let index = firstAfter(right, start); index < right.length; index++) {
      const other = right[index]!;
      if (other.start >= range.end) break;
      if (other.start > start) result.push({ start, end: other.start });
      start = Math.max(start, other.end);
    }
    if (start < range.end) result.push({ start, end: range.end });
  }
  return result;
}

/** Sum of lengths, bytes. */
export function lengthOf(ranges: readonly ByteSpan[]): number {
  return ranges.reduce((sum, { start, end }) => sum + (end - start), 0);
}
