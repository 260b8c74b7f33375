/**
 * Sets of half-open ranges: sorted, disjoint. Pure functions over plain arrays; costs are O(n log n) for the first
 * sort and linear after it.
 */
import { PHYS_ADDR_MAX } from '../base/constants.js';
import type { ByteRange } from '../types/all.js';

/** Ranges sorted by start, touching and overlapping ones joined. */
export function normalise(ranges: readonly ByteRange[]): ByteRange[] {
  const sorted = ranges.filter(({ start, end }) => start < end).sort((a, b) => a.start - b.start);
  const result: { start: number; end: number }[] = [];
  for (const { start, end } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else result.push({ start, end });
  }
  return result;
}

/** `ranges` without the bytes of `holes`; both may be in any order. Ranges of `ranges` are not joined. */
export function subtract<T extends ByteRange>(
  ranges: readonly T[],
  holes: readonly ByteRange[],
): T[] {
  const cuts = new Cursor(normalise(holes));
  const result: T[] = [];
  for (const range of ranges) {
    let { start } = range;
    for (let index = cuts.firstAfter(start); index < cuts.ranges.length; index++) {
      const cut = cuts.ranges[index]!;
      if (cut.start >= range.end) break;
      if (cut.start > start) result.push({ ...range, start, end: cut.start });
      start = Math.max(start, cut.end);
    }
    if (start < range.end) result.push({ ...range, start });
  }
  return result;
}

/** Bytes that are in both, as {@link normalise} gives them; `left` may be in any order, `right` is sorted and disjoint. */
export function intersect(left: readonly ByteRange[], right: readonly ByteRange[]): ByteRange[] {
  const result: ByteRange[] = [];
  const others = new Cursor(right);
  for (const range of left) {
    for (let index = others.firstAfter(range.start); index < right.length; index++) {
      const other = right[index]!;
      if (other.start >= range.end) break;
      result.push({
        start: Math.max(range.start, other.start),
        end: Math.min(range.end, other.end),
      });
    }
  }
  return normalise(result);
}

/** Parts of `ranges` that lie in `window`. */
export function clip<T extends ByteRange>(ranges: readonly T[], window: ByteRange): T[] {
  const result: T[] = [];
  for (const range of ranges) {
    const start = Math.max(range.start, window.start);
    const end = Math.min(range.end, window.end);
    if (start < end) result.push({ ...range, start, end });
  }
  return result;
}

/** Ranges shrunk to whole pages; what holds no whole page is left out. */
export function trimToPages<T extends ByteRange>(ranges: readonly T[], pageSize: number): T[] {
  const result: T[] = [];
  for (const range of ranges) {
    const start = Math.ceil(range.start / pageSize) * pageSize;
    const end = Math.floor(range.end / pageSize) * pageSize;
    if (start < end) result.push({ ...range, start, end });
  }
  return result;
}

/** Sum of the lengths, bytes. */
export function totalLength(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + (end - start), 0);
}

/** A place in sorted, disjoint ranges that moves on with those who ask in order, and jumps for all others. */
class Cursor {
  readonly ranges: readonly ByteRange[];
  #index = 0;

  constructor(ranges: readonly ByteRange[]) {
    this.ranges = ranges;
  }

  /** Index of the first range that ends after the address. */
  firstAfter(address: number): number {
    const { ranges } = this;
    if (this.#index > 0 && ranges[this.#index - 1]!.end > address) this.#index = 0;
    for (let step = 0; step < NEAR; step++) {
      if (this.#index === ranges.length || ranges[this.#index]!.end > address) return this.#index;
      this.#index++;
    }
    let [low, high] = [this.#index, ranges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ranges[middle]!.end > address) high = middle;
      else low = middle + 1;
    }
    this.#index = low;
    return low;
  }
}

/** Ranges that are passed one by one before halves are. */
const NEAR = 4;

/** Rounded to whole pages that hold all of them, sorted, disjoint. */
export function outward(ranges: readonly ByteRange[], pageSize: number): ByteRange[] {
  const top = Math.floor(PHYS_ADDR_MAX / pageSize) * pageSize;
  return normalise(
    ranges.map(({ start, end }) => ({
      start: Math.floor(start / pageSize) * pageSize,
      end: Math.min(Math.ceil(end / pageSize) * pageSize, top),
    })),
  );
}
