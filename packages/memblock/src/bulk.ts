/**
 * Building a list from many ranges at once: sort the ranges, join those that meet, then fill the
 * gaps of the list with them in one pass. Adding them one by one gives the same list, because what
 * is there always wins and the new regions are all alike.
 */
import { cappedEnd } from './arithmetic.js';
import { EntryBuffer } from './entry-buffer.js';
import { CHUNK_SIZE, type RegionList } from './region-list.js';

/** Ranges `[starts[k], ends[k])`, ascending, disjoint and not touching; only the first `length` count. */
export interface SortedRanges {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly length: number;
}

/** Sorts ranges and joins those that overlap or touch; drops empty ones. */
export function sortedRanges(bases: ArrayLike<number>, sizes: ArrayLike<number>): SortedRanges {
  const count = bases.length;
  const starts = Float64Array.from(bases);
  const ends = new Float64Array(count);
  for (let k = 0; k < count; k++) ends[k] = cappedEnd(starts[k]!, sizes[k]!);
  const order = sortedOrder(starts);
  const outStarts = new Float64Array(count);
  const outEnds = new Float64Array(count);
  let length = 0;
  for (let k = 0; k < count; k++) {
    const at = order === undefined ? k : order[k]!;
    const start = starts[at]!;
    const end = ends[at]!;
    if (start === end) continue;
    if (length > 0 && start <= outEnds[length - 1]!) {
      if (end > outEnds[length - 1]!) outEnds[length - 1] = end;
    } else {
      outStarts[length] = start;
      outEnds[length] = end;
      length++;
    }
  }
  return { starts: outStarts, ends: outEnds, length };
}

/** Indexes in ascending order of value; undefined where they are ascending already. */
function sortedOrder(values: Float64Array): Uint32Array | undefined {
  let ascending = true;
  for (let k = 1; k < values.length && ascending; k++) ascending = values[k]! >= values[k - 1]!;
  if (ascending) return undefined;
  const order = new Uint32Array(values.length);
  for (let k = 0; k < order.length; k++) order[k] = k;
  return order.sort((a, b) => values[a]! - values[b]!);
}

/** The list with the ranges filled into its gaps, touching like neighbours joined. */
export function mergedUnion(
  list: RegionList,
  ranges: SortedRanges,
  attr: number,
): { readonly entries: EntryBuffer; readonly added: number } {
  const entries = new EntryBuffer();
  const { starts, ends, length } = ranges;
  let added = 0;
  let k = 0;
  let cursor = length > 0 ? starts[0]! : 0;
  const fillUpTo = (limit: number): void => {
    while (k < length && cursor < limit) {
      const end = Math.min(ends[k]!, limit);
      if (end > cursor) {
        entries.pushMerged(cursor, end, attr);
        added += end - cursor;
      }
      if (ends[k]! > limit) {
        cursor = limit;
        return;
      }
      k++;
      cursor = k < length ? starts[k]! : 0;
    }
  };
  for (let d = 0; d < list.chunks; d++) {
    const from = list.order[d]! * CHUNK_SIZE;
    for (let p = from; p < from + list.chunkCount(d); p++) {
      fillUpTo(list.base[p]!);
      entries.pushMerged(list.base[p]!, list.end[p]!, list.attr[p]!);
      // Ranges that this region covers are done; one that reaches beyond goes on behind it.
      while (k < length && cursor < list.end[p]!) {
        if (ends[k]! > list.end[p]!) {
          cursor = list.end[p]!;
        } else {
          k++;
          cursor = k < length ? starts[k]! : 0;
        }
      }
    }
  }
  fillUpTo(Infinity);
  return { entries, added };
}
