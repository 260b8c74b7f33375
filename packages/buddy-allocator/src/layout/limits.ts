/**
 * Zone limits of an architecture, and the turning of byte regions into runs of whole pages.
 *
 * Source: reference of the buddy allocator, section 2; Documentation/mm/physical_memory.rst
 */
import { BuddyError, checkPages } from '../base/errors.js';
import type { MemoryPfnRange } from '@bootmem/memmap';
import type { ZoneLimits } from './layout-types.js';

/** 16 MiB and 4 GiB in pages of 4 KiB. */
const DMA_END = 0x1000;
const DMA32_END = 0x100000;

/**
 * Zone limits of x86-64.
 * @param maxPfn one past the highest pfn of memory
 * @kernel zone_sizes_init
 */
export function x86ZoneLimits(maxPfn: number): ZoneLimits {
  checkPages(maxPfn, 'maxPfn');
  return [
    { zone: 'DMA', endPfn: Math.min(DMA_END, maxPfn) },
    { zone: 'DMA32', endPfn: Math.min(DMA32_END, maxPfn) },
    { zone: 'Normal', endPfn: maxPfn },
    { zone: 'Movable', endPfn: 0 },
    { zone: 'Device', endPfn: 0 },
  ];
}

/**
 * Zone limits of arm64: how far DMA and DMA32 reach depends on the machine's devices.
 * @param options.maxPfn one past the highest pfn of memory
 * @param options.dmaBits address bits of the most limited device; below 32, there is a DMA zone of that size
 * @param options.pageShift 12, 14 or 16
 */
export function arm64ZoneLimits(options: {
  readonly maxPfn: number;
  readonly dmaBits?: number;
  readonly pageShift?: number;
}): ZoneLimits {
  const { maxPfn, dmaBits = 32, pageShift = 12 } = options;
  checkPages(maxPfn, 'maxPfn');
  if (!(dmaBits > pageShift && dmaBits <= 32)) {
    throw new BuddyError('ERR_ZONE_LIMITS', 'dmaBits must be above pageShift and at most 32', {
      dmaBits,
      pageShift,
    });
  }
  return [
    { zone: 'DMA', endPfn: Math.min(2 ** (dmaBits - pageShift), maxPfn) },
    { zone: 'DMA32', endPfn: Math.min(2 ** (32 - pageShift), maxPfn) },
    { zone: 'Normal', endPfn: maxPfn },
    { zone: 'Movable', endPfn: 0 },
    { zone: 'Device', endPfn: 0 },
  ];
}

/** A region of memory in bytes, `[base, base + size)`. */
interface MemoryByteRegion {
  readonly base: number;
  readonly size: number;
  readonly nid: number;
  readonly hotplug?: boolean;
  readonly mirror?: boolean;
}

/**
 * The whole pages of byte regions: starts round up, ends round down; regions without one are left out.
 * @param regions ascending and disjoint
 * @kernel for_each_mem_pfn_range
 */
export function pfnRangesOf(
  regions: readonly MemoryByteRegion[],
  pageShift = 12,
): MemoryPfnRange[] {
  const pageSize = 2 ** pageShift;
  const ranges: MemoryPfnRange[] = [];
  for (const { base, size, ...rest } of regions) {
    const startPfn = Math.ceil(base / pageSize);
    const endPfn = Math.floor((base + size) / pageSize);
    if (endPfn > startPfn) ranges.push({ startPfn, endPfn, ...rest });
  }
  return ranges;
}

/** @throws ERR_ZONE_RANGES unless the ranges are whole, ascending and disjoint */
export function checkRanges(ranges: readonly MemoryPfnRange[]): void {
  let last = 0;
  for (const { startPfn, endPfn, nid } of ranges) {
    const whole = [startPfn, endPfn, nid].every((n) => Number.isSafeInteger(n) && n >= 0);
    if (!whole || startPfn < last || endPfn <= startPfn) {
      throw new BuddyError('ERR_ZONE_RANGES', 'memory ranges must be whole, ascending, disjoint', {
        startPfn,
        endPfn,
        nid,
        previousEnd: last,
      });
    }
    last = endPfn;
  }
}
