/**
 * Pages of a zone that the allocator is told of before it owns any: what the first zonelists and the
 * "Total pages" line count. The hand-over of free memory replaces them by what was really freed.
 *
 * Source: recorded kernels (managed at the entry of memblock_free_all)
 */
import { checkPages } from '../base/errors.js';
import type { MemoryPfnRange } from '@bootmem/memmap';
import type { ZoneSpan } from '../layout/layout-types.js';
import type { KernelProfile } from './profile.js';

/** Bytes of one page descriptor of the kernel. */
const KERNEL_PAGE_DESCRIPTOR_BYTES = 64;

/**
 * Pages that the kernel's descriptors of a zone take: of the span, or of the present pages where holes
 * are more than a sixteenth.
 * @kernel calc_memmap_size
 */
export function memmapPages(span: Pick<ZoneSpan, 'spannedPages' | 'presentPages'>): number {
  const { spannedPages, presentPages } = span;
  const sparse = spannedPages > presentPages + Math.floor(presentPages / 16);
  return Math.ceil(((sparse ? presentPages : spannedPages) * KERNEL_PAGE_DESCRIPTOR_BYTES) / 4096);
}

/**
 * Managed pages of a zone before the hand-over.
 * @param dmaReserve pages below the DMA limit that were not free when zones were sized; counts against
 *   the first zone only
 * @kernel free_area_init_core
 */
export function bootManagedPages(span: ZoneSpan, profile: KernelProfile, dmaReserve = 0): number {
  checkPages(dmaReserve, 'dmaReserve');
  let pages = span.presentPages;
  if (profile.managedAtBoot === 'present') return pages;
  const memmap = span.zone === 'HighMem' ? 0 : memmapPages(span);
  if (pages >= memmap) pages -= memmap;
  if (span.zoneIndex === 0 && pages > dmaReserve) pages -= dmaReserve;
  return pages;
}

/**
 * Pages below `limitPfn` that are memory but not free.
 * @param memory whole pages of memory
 * @param free   free ranges in pfns, ascending and disjoint
 * @kernel memblock_find_dma_reserve
 */
export function dmaReserve(
  memory: readonly MemoryPfnRange[],
  free: readonly { readonly startPfn: number; readonly endPfn: number }[],
  limitPfn = 0x1000,
): number {
  const below = (ranges: readonly { startPfn: number; endPfn: number }[]): number =>
    ranges.reduce(
      (sum, { startPfn, endPfn }) =>
        sum + Math.max(0, Math.min(endPfn, limitPfn) - Math.min(startPfn, limitPfn)),
      0,
    );
  return below(memory) - below(free);
}
