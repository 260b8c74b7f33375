/**
 * Set arithmetic on sorted ranges of pages: merge reserved ranges, cut a range by them. Pure; linear in the number of ranges.
 */
import type { PfnRange } from '@bootmem/memmap';
import type { ReservedPfnRange } from '../base/types.js';

/** How a part of a range is covered by the reserved list. */
export type Cover = 'free' | 'reserved' | 'no-init';

/** A part of a range. */
export interface CutPart extends PfnRange {
  readonly cover: Cover;
}

/**
 * Reserved ranges sorted, disjoint, maximal; where plain and no-init ranges overlap, plain wins.
 */
export function normaliseReserved(reserved: readonly ReservedPfnRange[]): ReservedPfnRange[] {
  const plain = mergeRanges(reserved.filter((r) => r.noInit !== true));
  const rest: ReservedPfnRange[] = [];
  for (const range of mergeRanges(reserved.filter((r) => r.noInit === true))) {
    for (const part of subtract(range, plain)) rest.push({ ...part, noInit: true });
  }
  return [...plain, ...rest].sort((a, b) => a.startPfn - b.startPfn);
}

/** The ranges sorted, disjoint and maximal; empty ones left out. */
export function mergeRanges(ranges: readonly PfnRange[]): PfnRange[] {
  const out: { startPfn: number; endPfn: number }[] = [];
  for (const { startPfn, endPfn } of ranges.toSorted((a, b) => a.startPfn - b.startPfn)) {
    if (startPfn >= endPfn) continue;
    const previous = out.at(-1);
    if (previous !== undefined && startPfn <= previous.endPfn) {
      previous.endPfn = Math.max(previous.endPfn, endPfn);
    } else {
      out.push({ startPfn, endPfn });
    }
  }
  return out;
}

/**
 * Index of the first range that ends after `pfn`; ranges sorted and disjoint.
 * @param near  where it may be: what the same question found for a lower `pfn`
 */
export function firstEndingAfter(ranges: readonly PfnRange[], pfn: number, near = 0): number {
  // Who asks in order finds it at the place found last, or right behind it.
  let low = near > 0 && (ranges[near - 1]?.endPfn ?? Infinity) > pfn ? 0 : near;
  if ((ranges[low]?.endPfn ?? Infinity) > pfn) return Math.min(low, ranges.length);
  low++;
  if ((ranges[low]?.endPfn ?? Infinity) > pfn) return Math.min(low, ranges.length);
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranges[middle]!.endPfn > pfn) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** `range` minus `taken` (sorted, disjoint). */
function* subtract(range: PfnRange, taken: readonly PfnRange[]): Generator<PfnRange> {
  for (const part of cutBy(range, taken)) {
    if (part.cover === 'free') yield { startPfn: part.startPfn, endPfn: part.endPfn };
  }
}

/** Where the last range was found: the next one is near it when ranges come in order of address. */
export interface Place {
  index: number;
}

/** Parts of `range` in address order by how `reserved` (normalised) covers them; nothing is left out, and an empty range has none. */
export function* cutBy(
  range: PfnRange,
  reserved: readonly ReservedPfnRange[],
  place: Place = { index: 0 },
): Generator<CutPart> {
  let at = range.startPfn;
  place.index = firstEndingAfter(reserved, at, place.index);
  for (let i = place.index; at < range.endPfn; i++) {
    const next = reserved[i];
    const start = Math.min(next?.startPfn ?? Infinity, range.endPfn);
    if (at < start) yield { startPfn: at, endPfn: start, cover: 'free' };
    at = Math.max(at, start);
    if (next === undefined || at >= range.endPfn) break;
    const end = Math.min(next.endPfn, range.endPfn);
    if (at < end) {
      yield { startPfn: at, endPfn: end, cover: next.noInit === true ? 'no-init' : 'reserved' };
      at = end;
    }
  }
}
