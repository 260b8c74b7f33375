/**
 * Early allocations whose size or number follows from the map, the command line or the amount of memory.
 */
import type { ByteSpan } from '../../explain-result.js';

const PAGE = 4096;

/** An entry of the kernel's own copy of the map. */
export interface MapRange extends ByteSpan {
  readonly kind: string;
}

/**
 * Stretches of page frames that hibernation leaves alone: whatever is no memory below the end of memory. Each has a
 * record of its own.
 * @param map     the kernel's map, ascending
 * @param maxPfn  where memory ends
 * @kernel e820__register_nosave_regions
 */
export function nosaveRegions(map: readonly MapRange[], maxPfn: number): number {
  let regions = 0;
  let lastEnd = -1;
  let pfn = 0;
  const register = (start: number, end: number): void => {
    if (start >= end) return;
    if (start !== lastEnd) regions++;
    lastEnd = end;
  };
  for (const { start, end, kind } of map) {
    const first = Math.ceil(start / PAGE);
    if (pfn < first) register(pfn, first);
    pfn = Math.floor(end / PAGE);
    if (kind !== 'usable') register(first, pfn);
    if (pfn >= maxPfn) break;
  }
  return regions;
}

/** Pages up to which a table grows with memory as asked; beyond, it grows half as fast. */
const ADAPT_FROM = 2 ** 24;
const ADAPT_BY = 4;
const PAGES_PER_MIB = 256;

/** Bytes of memory for one bucket, as a power of two: the cache of names, that of files. */
export const NAMES_SCALE = 13;
export const FILES_SCALE = 14;

/**
 * Bytes of a table that grows with memory.
 * @param pages   pages that the kernel counts when it makes the table
 * @param scale   bytes of memory for a bucket, as a power of two
 * @kernel alloc_large_system_hash
 */
export function hashTableBytes(pages: number, scale: number): number {
  const whole = Math.ceil(pages / PAGES_PER_MIB) * PAGES_PER_MIB;
  let shift = scale - 12;
  for (let adapt = ADAPT_FROM; adapt < whole; adapt *= ADAPT_BY) shift++;
  const wanted = Math.max(1, Math.floor(whole / 2 ** shift));
  return 8 * 2 ** Math.ceil(Math.log2(wanted));
}
