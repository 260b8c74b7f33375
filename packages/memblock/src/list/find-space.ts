/**
 * Finding room: the highest (top-down) or lowest (bottom-up) aligned address at which `size` bytes
 * are in one region of `memory` and in no region of `reserved`.
 *
 * The kernel looks at every free range from one end of memory. Here the walk starts at the limit by
 * binary search, and steps over a whole chunk of reservations when the widest gap in it is too
 * small; both leave the answer the same, because a range shorter than `size` can never be taken.
 *
 * A fit never spans two regions of memory, even if they touch. Size 0 finds an address like any other
 * size and has its own, literal walk.
 */
import { alignDown, alignUp } from '../base/arithmetic.js';
import { ADDRESS_SPACE_SIZE } from '../base/constants.js';
import { isHidden, RangeCursor, type RegionFilter } from './range-cursor.js';
import type { RegionList } from './region-list.js';
import { CHUNK_SIZE } from './chunk-slots.js';

/** What is looked for; all in bytes, `[start, end)` with start <= end. */
interface SpaceQuery {
  readonly size: number;
  readonly align: number;
  readonly start: number;
  readonly end: number;
  readonly filter: RegionFilter;
}

/** Highest fitting address, 0 where there is none. */
export function findTopDown(memory: RegionList, reserved: RegionList, query: SpaceQuery): number {
  const { size, align, start, end, filter } = query;
  if (size === 0) return findLiteral(memory, reserved, query, true);
  if (memory.count === 0 || end <= start) return 0;
  // Last region that begins below the limit.
  memory.locate(end - 1);
  let { d, i } = memory.at;
  if (d === memory.chunks || memory.base[memory.slotIndex(d, i)]! >= end) {
    if (i > 0) i--;
    else if (d > 0) i = memory.chunkCount(--d) - 1;
    else return 0;
  }
  for (;;) {
    const p = memory.slotIndex(d, i);
    const regionEnd = memory.end[p]!;
    if (regionEnd <= start) return 0;
    const low = memory.base[p]! > start ? memory.base[p]! : start;
    const high = regionEnd < end ? regionEnd : end;
    if (high - low >= size && !isHidden(filter, memory.attr[p]!)) {
      const found = highestIn(reserved, low, high, size, align);
      if (found > 0) return found;
    }
    if (i > 0) i--;
    else if (d > 0) i = memory.chunkCount(--d) - 1;
    else return 0;
  }
}

/** Lowest fitting address, 0 where there is none. */
export function findBottomUp(memory: RegionList, reserved: RegionList, query: SpaceQuery): number {
  const { size, align, start, end, filter } = query;
  if (size === 0) return findLiteral(memory, reserved, query, false);
  memory.locate(start);
  let { d, i } = memory.at;
  while (d < memory.chunks) {
    const p = memory.slotIndex(d, i);
    const regionBase = memory.base[p]!;
    if (regionBase >= end) return 0;
    const low = regionBase > start ? regionBase : start;
    const high = memory.end[p]! < end ? memory.end[p]! : end;
    if (high - low >= size && !isHidden(filter, memory.attr[p]!)) {
      const found = lowestIn(reserved, low, high, size, align);
      if (found > 0) return found;
    }
    if (++i === memory.chunkCount(d)) {
      d++;
      i = 0;
    }
  }
  return 0;
}

/** Highest fit in the gaps of `reserved` within [low, high); 0 where there is none. */
function highestIn(
  reserved: RegionList,
  low: number,
  high: number,
  size: number,
  align: number,
): number {
  const { base, end } = reserved;
  let top = high;
  reserved.locate(high - 1);
  let { d, i } = reserved.at;
  // Down to the last reservation that begins below `top`.
  if (d === reserved.chunks || base[reserved.slotIndex(d, i)]! >= top) {
    if (i > 0) i--;
    else if (d > 0) i = reserved.chunkCount(--d) - 1;
    else d = -1;
  }
  while (d >= 0) {
    const from = reserved.order[d]! * CHUNK_SIZE;
    // A chunk seen from its back, without a gap that is wide enough: only the gap above it counts.
    const skip = i + 1 === reserved.chunkCount(d) && reserved.widestGapIn(d) < size;
    for (let p = from + i; p >= from; p--) {
      const floor = end[p]! > low ? end[p]! : low;
      if (top - floor >= size && floor <= top) {
        const candidate = alignDown(top - size, align);
        if (candidate >= floor) return candidate;
      }
      if (skip && p > from) p = from;
      top = base[p]!;
      if (top <= low) return 0;
    }
    d--;
    if (d >= 0) i = reserved.chunkCount(d) - 1;
  }
  if (top - low < size) return 0;
  const candidate = alignDown(top - size, align);
  return candidate >= low ? candidate : 0;
}

/** Lowest fit in the gaps of `reserved` within [low, high); 0 where there is none. */
function lowestIn(
  reserved: RegionList,
  low: number,
  high: number,
  size: number,
  align: number,
): number {
  const { base, end } = reserved;
  let bottom = low;
  reserved.locate(low);
  let { d, i } = reserved.at;
  while (d < reserved.chunks) {
    const from = reserved.order[d]! * CHUNK_SIZE;
    const to = from + reserved.chunkCount(d);
    const skip = i === 0 && reserved.widestGapIn(d) < size;
    for (let p = from + i; p < to; p++) {
      const ceiling = base[p]! < high ? base[p]! : high;
      if (ceiling - bottom >= size) {
        const candidate = alignUp(bottom, align);
        // Rounding up may have wrapped to 0, which is the failure value too.
        if (candidate < ceiling && ceiling - candidate >= size) return candidate;
      }
      if (base[p]! >= high) return 0;
      if (skip) p = to - 1;
      bottom = end[p]!;
      if (bottom >= high) return 0;
    }
    d++;
    i = 0;
  }
  if (high - bottom < size) return 0;
  const candidate = alignUp(bottom, align);
  return candidate < high && high - candidate >= size ? candidate : 0;
}

/** The kernel's walk word by word, every range clamped to the limits; for size 0, where even an empty range fits. */
function findLiteral(
  memory: RegionList,
  reserved: RegionList,
  query: SpaceQuery,
  topDown: boolean,
): number {
  const { size, align, start, end, filter } = query;
  const cursor = new RangeCursor(memory, reserved, filter, topDown);
  while (cursor.next()) {
    const low = Math.min(Math.max(cursor.start, start), end);
    const high = Math.min(Math.max(cursor.end, start), end);
    if (topDown) {
      if (high < size) continue;
      const candidate = alignDown(high - size, align);
      if (candidate >= low) return candidate;
    } else {
      const candidate = alignUp(low, align) % ADDRESS_SPACE_SIZE;
      if (candidate < high && high - candidate >= size) return candidate;
    }
  }
  return 0;
}
