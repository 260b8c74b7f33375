/**
 * The end of memblock's life: what is free goes to the page allocator, what is taken gets its page
 * descriptors marked as reserved.
 *
 * ```
 *   free range   |.......................................|
 *   blocks       |1| 2 |   4   |      8      | ... | 4 |2|1|     naturally aligned, as large as fits
 * ```
 *
 * Each free range, rounded inward to pages, is cut into the greedy cover of naturally aligned blocks:
 * orders go up, stay at the maximum, go down. Memory that cannot be mapped is never handed over.
 *
 * Source: Documentation/core-api/boot-time-mm.rst, Documentation/mm/page_allocation.rst.
 */
import { attrFlags, attrNid } from './attributes.js';
import { pageDown, pageUp } from './arithmetic.js';
import { MAX_PAGE_ORDER, MemFlags, PHYS_ADDR_MAX } from './constants.js';
import { MemblockError } from './errors.js';
import { MemblockLimits } from './memblock-limits.js';
import { checkBytes } from './options.js';
import type { PfnRange } from './types.js';

/** Who takes the pages over. */
export interface PageReceiver {
  /** A free block of 2^order pages that begins at a multiple of 2^order. @kernel memblock_free_pages */
  readonly freePages: (pfn: number, order: number) => void;
  /** A range in bytes whose pages are in use and must be set up as reserved. @kernel reserve_bootmem_region */
  readonly reserveRange?: (start: number, end: number, nid: number) => void;
}

/** Limits of the hand-over. */
export interface ReleaseOptions {
  /** Pages at and above this number are not handed over; default: no limit. */
  readonly maxLowPfn?: number;
  /** Largest order of a block, 0 .. 52; default 10. */
  readonly maxOrder?: number;
  /** Node of a reserved page that no list knows; default: that of the RAM region that holds it, else 0. @kernel early_pfn_to_nid */
  readonly nodeOfPfn?: (pfn: number) => number;
}

/**
 * The naturally aligned blocks, as large as possible, that cover `[startPfn, endPfn)` in order.
 * @param maxOrder largest order allowed
 * @param visit called with each block's first page and order
 * @returns pages covered
 */
export function coverWithBlocks(
  startPfn: number,
  endPfn: number,
  maxOrder: number,
  visit: (pfn: number, order: number) => void,
): number {
  let pfn = startPfn;
  while (pfn < endPfn) {
    const order = largestOrder(pfn, endPfn - pfn, maxOrder);
    visit(pfn, order);
    pfn += 2 ** order;
  }
  return Math.max(0, endPfn - startPfn);
}

function largestOrder(pfn: number, pages: number, maxOrder: number): number {
  let order = 0;
  while (order < maxOrder && pfn % 2 ** (order + 1) === 0 && 2 ** (order + 1) <= pages) order++;
  return order;
}

/** Hand-over; the fifth layer of {@link Memblock}. */
export class MemblockHandover extends MemblockLimits {
  /**
   * Hands everything over: HOTPLUG is cleared everywhere, reservations get the node of the RAM they
   * lie in, then reserved ranges and free blocks are reported in the kernel's order.
   * @returns pages reported as free
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT
   * @kernel memblock_free_all
   */
  releaseFreeRanges(receiver: PageReceiver, options: ReleaseOptions = {}): number {
    const { maxLowPfn = PHYS_ADDR_MAX, maxOrder = MAX_PAGE_ORDER } = options;
    checkBytes(maxLowPfn, 'maxLowPfn');
    if (!Number.isInteger(maxOrder) || maxOrder < 0 || maxOrder > 52) {
      throw new MemblockError(
        'ERR_MEMBLOCK_ARGUMENT',
        `maxOrder must be an integer from 0 to 52, got ${String(maxOrder)}`,
        { maxOrder },
      );
    }
    this.checkAlive();
    this.scratchOnly = false;
    this.clear(0, PHYS_ADDR_MAX, MemFlags.HOTPLUG);
    this.reportReserved(receiver, options.nodeOfPfn ?? ((pfn) => this.nodeOfPfn(pfn)));
    const { pageSize } = this.settings;
    let pages = 0;
    const cursor = this.freeRangeCursor();
    while (cursor.next()) {
      const start = pageUp(cursor.start, pageSize);
      const end = Math.min(pageDown(cursor.end, pageSize), maxLowPfn);
      pages += coverWithBlocks(start, end, maxOrder, receiver.freePages);
    }
    return pages;
  }

  /**
   * Gives back memory that the page allocator never saw, page by page, after the hand-over; the
   * list of reservations stays as it is.
   * @returns pages given back
   * @kernel memblock_free_late (until 7.0)
   */
  freeLate(base: number, size: number, receiver: PageReceiver): number {
    this.checkEdit(base, size);
    this.debugRange('memblock_free_late', base, size);
    const { pageSize } = this.settings;
    const start = pageUp(base, pageSize);
    const end = pageDown(base + size, pageSize);
    for (let pfn = start; pfn < end; pfn++) receiver.freePages(pfn, 0);
    return Math.max(0, end - start);
  }

  /**
   * Pages of the grown arrays, which are given back when the lists are no longer needed; empty where
   * no capacity is simulated. The lists stay readable.
   * @kernel memblock_discard
   */
  discardedArrays(): PfnRange[] {
    const { pageSize } = this.settings;
    const ranges: PfnRange[] = [];
    for (const list of [this.reserved, this.memory]) {
      if (list.grownAt === undefined) continue;
      const { base, size } = list.grownAt;
      const nid = this.nodeOfPfn(base / pageSize);
      ranges.push({ startPfn: base / pageSize, endPfn: (base + size) / pageSize, nid });
    }
    return ranges;
  }

  private nodeOfPfn(pfn: number): number {
    const nid = this.searchPfnNid(pfn)?.nid ?? 0;
    return nid < 0 ? 0 : nid;
  }

  private reportReserved(receiver: PageReceiver, nodeOfPfn: (pfn: number) => number): void {
    const { maxNodes, pageSize } = this.settings;
    // Setting nodes may double the array, whose new home then has no node yet: once more.
    for (let max = -1; max !== this.reserved.max;) {
      max = this.reserved.max;
      for (const { base, size, flags, nid } of this.regions('memory')) {
        if ((flags & MemFlags.NOMAP) !== 0) receiver.reserveRange?.(base, base + size, nid);
        this.setNode(base, size, 'reserved', nid);
      }
    }
    const list = this.reserved;
    for (let d = 0; d < list.chunks; d++) {
      for (let i = 0; i < list.chunkCount(d); i++) {
        const p = list.slotIndex(d, i);
        if ((attrFlags(list.attr[p]!) & MemFlags.RSRV_NOINIT) !== 0) continue;
        const base = list.base[p]!;
        const nid = attrNid(list.attr[p]!);
        const valid = nid >= 0 && nid < maxNodes;
        const node = valid ? nid : nodeOfPfn(pageDown(base, pageSize));
        receiver.reserveRange?.(base, list.end[p]!, node);
      }
    }
  }
}
