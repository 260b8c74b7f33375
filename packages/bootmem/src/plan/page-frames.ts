/**
 * Where bytes become page frames, once for each range: everything up to memblock's lists is in bytes,
 * everything after them in page frames.
 *
 * ```
 * page     |   0   |   1   |   2   |   3   |
 * bytes        [──────────────────)            a range that begins and ends inside a page
 * inward           [───────)                   memory: a page counts when all of it is there
 * outward  [───────────────────────)           what is in use: a page counts when a byte of it is
 * ```
 */
import type { PfnRange } from '@bootmem/memmap';

/** A half-open range of bytes. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Ranges of bytes as ranges of page frames.
 * @param ranges    half open, bytes; what else a range carries goes along
 * @param pageSize  bytes of a page
 * @param rounding  `inward` for memory, `outward` for what is in use
 * @returns in the same order; ranges without a page are left out
 */
export function toPageFrames<Range extends ByteRange>(
  ranges: readonly Range[],
  pageSize: number,
  rounding: 'inward' | 'outward',
): (Omit<Range, 'start' | 'end'> & PfnRange)[] {
  const [first, last] = rounding === 'inward' ? [Math.ceil, Math.floor] : [Math.floor, Math.ceil];
  const frames: (Omit<Range, 'start' | 'end'> & PfnRange)[] = [];
  for (const { start, end, ...rest } of ranges) {
    const startPfn = first(start / pageSize);
    const endPfn = last(end / pageSize);
    if (start < end && startPfn < endPfn) frames.push({ ...rest, startPfn, endPfn });
  }
  return frames;
}

/**
 * The ranges that share a page with `[startPfn, endPfn)`. O(log n + found).
 * @param ranges  ascending, disjoint
 */
export function* overlapping<Range extends PfnRange>(
  ranges: readonly Range[],
  startPfn: number,
  endPfn: number,
): Generator<Range> {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.endPfn <= startPfn) low = middle + 1;
    else high = middle;
  }
  for (let range = ranges[low]; range !== undefined && range.startPfn < endPfn; low++) {
    yield range;
    range = ranges[low + 1];
  }
}

/** Whether any of them does. */
export function overlaps(ranges: readonly PfnRange[], startPfn: number, endPfn: number): boolean {
  return overlapping(ranges, startPfn, endPfn).next().done !== true;
}
