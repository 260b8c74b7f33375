/**
 * Building a list from many ranges at once: sort the ranges, join those that meet, then fill the
 * gaps of the list with them in one pass. Adding them one by one gives the same list, because what
 * is there always wins and the new regions are all alike.
 */
import { cappedEnd } from '../base/arithmetic.js';
import { EntryBuffer } from './entry-buffer.js';
import type { RegionList } from './region-list.js';
import { CHUNK_SIZE } from './chunk-slots.js';

/** Ranges `[starts[k], ends[k])`, ascending, disjoint and not touching; only the first `length` count. */
interface SortedRanges {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly length: number;
}

/** Sorts ranges and joins those that overlap or touch; drops empty ones. O(n log n). */
export function sortedRanges(bases: ArrayLike<number>, sizes: ArrayLike<number>): SortedRanges {
  const count = bases.length;
  const starts = new Float64Array(count);
  const ends = new Float64Array(count);
  const order = ascendingOrder(bases);
  let length = 0;
  for (let k = 0; k < count; k++) {
    const at = order === undefined ? k : indexIn(order.keys[k]!, order.room);
    const start = bases[at]!;
    const end = cappedEnd(start, sizes[at]!);
    if (start === end) continue;
    if (length > 0 && start <= ends[length - 1]!) {
      if (end > ends[length - 1]!) ends[length - 1] = end;
    } else {
      starts[length] = start;
      ends[length] = end;
      length++;
    }
  }
  return { starts, ends, length };
}

/** Sorted keys, from which the index is taken modulo `room`, a power of two. */
interface SortedKeys {
  readonly keys: ArrayLike<number>;
  readonly room: number;
}

/** The index packed into a key. */
function indexIn(key: number, room: number): number {
  return key - Math.floor(key / room) * room;
}

/**
 * Indexes in ascending order of value; undefined where the values are ascending already.
 *
 * Sorting numbers without a comparison function is many times faster than with one. So value and
 * index are packed into one number where 53 bits are enough: the value counted in its own
 * granularity (pages, usually) from the least one, times a power of two above the indexes, plus the index.
 */
function ascendingOrder(values: ArrayLike<number>): SortedKeys | undefined {
  const count = values.length;
  let ascending = true;
  let least = Infinity;
  let greatest = 0;
  let lowBits = 0;
  for (let k = 0; k < count; k++) {
    const value = values[k]!;
    if (k > 0 && value < values[k - 1]!) ascending = false;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
    lowBits |= value;
  }
  if (ascending) return undefined;
  const granule = lowBits === 0 ? 2 ** 32 : (lowBits & -lowBits) >>> 0;
  const room = 2 ** Math.ceil(Math.log2(count));
  if (((greatest - least) / granule + 1) * room <= Number.MAX_SAFE_INTEGER) {
    const keys = new Float64Array(count);
    const scale = room / granule;
    for (let k = 0; k < count; k++) keys[k] = (values[k]! - least) * scale + k;
    return { keys: keys.sort(), room };
  }
  const order = new Uint32Array(count);
  for (let k = 0; k < count; k++) order[k] = k;
  return { keys: order.sort((a, b) => values[a]! - values[b]!), room };
}

/** The list with the ranges filled into its gaps, touching like neighbours joined. */
export function mergedUnion(
  list: RegionList,
  ranges: SortedRanges,
  attr: number,
): { readonly entries: EntryBuffer; readonly added: number } {
  const { starts, ends, length } = ranges;
  if (list.count === 0) return fromScratch(ranges, attr);
  const entries = new EntryBuffer(list.count + length);
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

/** The union with an empty list: the ranges themselves. */
function fromScratch(
  ranges: SortedRanges,
  attr: number,
): { readonly entries: EntryBuffer; readonly added: number } {
  const { starts, ends, length } = ranges;
  let added = 0;
  for (let k = 0; k < length; k++) added += ends[k]! - starts[k]!;
  return { entries: EntryBuffer.of(starts, ends, length, attr), added };
}
