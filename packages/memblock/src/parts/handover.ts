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
import { pageDown, pageUp } from '../base/arithmetic.js';
import { checkBytes } from '../base/checks.js';
import { MAX_PAGE_ORDER, MemFlags, PHYS_ADDR_MAX } from '../base/constants.js';
import { MemblockError } from '../base/errors.js';
import type { NodePfnRange, PageReceiver, ReleaseOptions } from '../base/types.js';
import type { MemblockCore } from '../core/core.js';
import { attrFlags, attrNid } from '../list/attributes.js';
import { searchPfnNid } from './queries.js';
import { clear, setNode } from './regions.js';
import { rangeCursor, regions } from './walks.js';

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

/** Hands everything over; gives the number of pages reported as free. */
export function releaseFreeRanges(
  core: MemblockCore,
  receiver: PageReceiver,
  options: ReleaseOptions,
): number {
  const { maxLowPfn = PHYS_ADDR_MAX, maxOrder = MAX_PAGE_ORDER } = options;
  checkBytes(maxLowPfn, 'maxLowPfn');
  if (!Number.isInteger(maxOrder) || maxOrder < 0 || maxOrder > 52) {
    throw new MemblockError(
      'ERR_MEMBLOCK_ARGUMENT',
      `maxOrder must be an integer from 0 to 52, got ${String(maxOrder)}`,
      { maxOrder },
    );
  }
  core.checkAlive();
  core.scratchOnly = false;
  clear(core, 0, PHYS_ADDR_MAX, MemFlags.HOTPLUG);
  reportReserved(core, receiver, options.nodeOfPfn ?? ((pfn) => nodeOfRam(core, pfn)));
  const { pageSize } = core.settings;
  let pages = 0;
  const cursor = rangeCursor(core, 'memory', 'reserved', {});
  while (cursor.next()) {
    const start = pageUp(cursor.start, pageSize);
    const end = Math.min(pageDown(cursor.end, pageSize), maxLowPfn);
    pages += coverWithBlocks(start, end, maxOrder, receiver.freePages);
  }
  return pages;
}

/** Gives back memory that the page allocator never saw, page by page; gives the number of pages. */
export function freeLate(
  core: MemblockCore,
  base: number,
  size: number,
  receiver: PageReceiver,
): number {
  core.checkEdit(base, size);
  core.debugRange('memblock_free_late', base, size);
  const { pageSize } = core.settings;
  const start = pageUp(base, pageSize);
  const end = pageDown(base + size, pageSize);
  for (let pfn = start; pfn < end; pfn++) receiver.freePages(pfn, 0);
  return Math.max(0, end - start);
}

/** Pages of the grown arrays. */
export function discardedArrays(core: MemblockCore): NodePfnRange[] {
  const { pageSize } = core.settings;
  const ranges: NodePfnRange[] = [];
  for (const list of [core.reserved, core.memory]) {
    if (list.grownAt === undefined) continue;
    const { base, size } = list.grownAt;
    const nid = nodeOfRam(core, base / pageSize);
    ranges.push({ startPfn: base / pageSize, endPfn: (base + size) / pageSize, nid });
  }
  return ranges;
}

function nodeOfRam(core: MemblockCore, pfn: number): number {
  const nid = searchPfnNid(core, pfn)?.nid ?? 0;
  return nid < 0 ? 0 : nid;
}

function reportReserved(
  core: MemblockCore,
  receiver: PageReceiver,
  nodeOfPfn: (pfn: number) => number,
): void {
  const { maxNodes, pageSize } = core.settings;
  // Setting nodes may double the array, whose new home then has no node yet: once more.
  for (let max = -1; max !== core.reserved.max;) {
    max = core.reserved.max;
    for (const { base, size, flags, nid } of regions(core, 'memory')) {
      if ((flags & MemFlags.NOMAP) !== 0) receiver.reserveRange?.(base, base + size, nid);
      setNode(core, base, size, 'reserved', nid);
    }
  }
  const list = core.reserved;
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
