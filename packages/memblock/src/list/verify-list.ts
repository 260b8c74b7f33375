/**
 * The invariants of a list, checked from scratch.
 */
import { PHYS_ADDR_MAX } from '../base/constants.js';
import { hexAddress } from '../base/notation.js';
import { attrNid } from './attributes.js';
import type { RegionList } from './region-list.js';
import { CHUNK_SIZE } from './chunk-slots.js';

/**
 * Looks for a broken invariant.
 * @param maxNodes largest node that may be recorded
 * @param minimal whether touching, like neighbours must have been joined
 * @returns what is wrong, or undefined. O(n)
 */
export function verifyList(
  list: RegionList,
  maxNodes: number,
  minimal: boolean,
): string | undefined {
  let lastEnd = -1;
  let lastAttr = 0;
  let count = 0;
  let sum = 0;
  const seen = new Set<number>();
  for (let d = 0; d < list.chunks; d++) {
    const slot = list.order[d]!;
    const filled = list.chunkCount(d);
    if (seen.has(slot)) return `slot ${slot} is in the directory twice`;
    seen.add(slot);
    if (filled < 1 || filled > CHUNK_SIZE) return `chunk ${d} has ${filled} entries`;
    if (list.first[d] !== list.base[slot * CHUNK_SIZE])
      return `chunk ${d} is filed under another base`;
    let gap = 0;
    for (let i = 0; i < filled; i++) {
      const p = slot * CHUNK_SIZE + i;
      const base = list.base[p]!;
      const end = list.end[p]!;
      const nid = attrNid(list.attr[p]!);
      if (!(base < end) || end > PHYS_ADDR_MAX)
        return `region ${count} at ${hexAddress(base)} is empty or too long`;
      if (base < lastEnd)
        return `region ${count} at ${hexAddress(base)} begins before the last one ends`;
      if (minimal && base === lastEnd && list.attr[p] === lastAttr)
        return `regions ${count - 1} and ${count} should be one`;
      if (nid > maxNodes) return `region ${count} has node ${nid}`;
      if (i > 0) gap = Math.max(gap, base - lastEnd);
      lastEnd = end;
      lastAttr = list.attr[p]!;
      sum += end - base;
      count++;
    }
    if (list.gap[slot]! >= 0 && list.gap[slot] !== gap) return `chunk ${d} remembers a wrong gap`;
  }
  if (count !== list.count) return `${list.count} regions are counted, ${count} are there`;
  if (count > list.max) return `${count} regions in an array for ${list.max}`;
  // Sums beyond the safe integers cannot be compared; a list cannot hold that much.
  if (count > 0 && sum + list.drift !== list.total) {
    return `the total is ${hexAddress(list.total)}, the regions sum to ${hexAddress(sum)}, trimming left ${list.drift}`;
  }
  return undefined;
}
