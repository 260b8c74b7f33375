/**
 * Questions about what is where, and how much.
 */
import { cappedEnd, pageDown, pageUp, wrappingSum } from '../base/arithmetic.js';
import { checkBytes, checkWish } from '../base/checks.js';
import { ADDRESS_SPACE_SIZE, MemFlags, NO_NODE } from '../base/constants.js';
import type { MemRegion, NodePfnRange, RegionType } from '../base/types.js';
import type { MemblockCore } from '../core/core.js';
import { attrFlags, attrNid } from '../list/attributes.js';
import { forEachRegion } from './walks.js';

/** First byte of the first region of RAM; 0 where there is none. */
export function startOfDram({ memory }: MemblockCore): number {
  return memory.count === 0 ? 0 : memory.base[memory.slotIndex(0, 0)]!;
}

/** End of the last region of RAM, exclusive; 0 where there is none. */
export function endOfDram({ memory }: MemblockCore): number {
  const last = memory.before(memory.chunks, 0);
  return last < 0 ? 0 : memory.end[last]!;
}

/** The region that holds an address. */
export function regionAt(
  core: MemblockCore,
  type: RegionType,
  address: number,
): MemRegion | undefined {
  checkBytes(address, 'address');
  const list = core.listOf(type);
  const p = list.locate(address);
  if (p < 0 || list.base[p]! > address) return undefined;
  const attr = list.attr[p]!;
  return {
    base: list.base[p]!,
    size: list.end[p]! - list.base[p]!,
    flags: attrFlags(attr),
    nid: attrNid(attr),
  };
}

/** Whether an address is RAM. */
export function isMemory(core: MemblockCore, address: number): boolean {
  checkBytes(address, 'address');
  return core.memory.covers(address);
}

/** Whether an address is taken. */
export function isReserved(core: MemblockCore, address: number): boolean {
  checkBytes(address, 'address');
  return core.reserved.covers(address);
}

/** Whether an address is RAM in the direct map. */
export function isMapMemory({ memory }: MemblockCore, address: number): boolean {
  checkBytes(address, 'address');
  const p = memory.locate(address);
  return (
    p >= 0 && memory.base[p]! <= address && (attrFlags(memory.attr[p]!) & MemFlags.NOMAP) === 0
  );
}

/** Whether the region that holds `base` reaches to the end of the range. */
export function isRegionMemory(core: MemblockCore, base: number, size: number): boolean {
  core.checkEdit(base, size);
  const { memory } = core;
  const p = memory.locate(base);
  return p >= 0 && memory.base[p]! <= base && memory.end[p]! >= cappedEnd(base, size);
}

/** Whether a range shares a byte with any region of a list. */
export function overlaps(
  core: MemblockCore,
  type: RegionType,
  base: number,
  size: number,
): boolean {
  core.checkEdit(base, size);
  const list = core.listOf(type);
  const p = list.locate(base);
  return p >= 0 && list.base[p]! < cappedEnd(base, size);
}

/** Node and whole pages of the region of RAM that holds a page. */
export function searchPfnNid(core: MemblockCore, pfn: number): NodePfnRange | undefined {
  checkBytes(pfn, 'pfn');
  const { pageSize } = core.settings;
  const address = pfn * pageSize;
  if (!Number.isSafeInteger(address)) return undefined;
  const region = regionAt(core, 'memory', address);
  if (region === undefined) return undefined;
  return {
    nid: region.nid,
    startPfn: pageDown(region.base, pageSize),
    endPfn: pageDown(region.base + region.size, pageSize),
  };
}

/** Bytes recorded as taken by the kernel itself. */
export function reservedKernSize(core: MemblockCore, limit: number, nid: number): number {
  checkBytes(limit, 'limit');
  checkWish(nid);
  const all = nid < 0 || nid >= core.settings.maxNodes;
  let bytes = 0;
  forEachRegion(core, 'reserved', (base, size, flags, regionNid) => {
    if ((flags & MemFlags.RSRV_KERN) === 0 || base >= limit) return;
    if (all || regionNid === nid) bytes += Math.min(size, limit - base);
  });
  return bytes;
}

/** Whole pages expected to become free. */
export function estimatedFreePages(core: MemblockCore): number {
  const taken =
    core.settings.profile.allocationFlags === MemFlags.NONE
      ? core.reserved.total
      : reservedKernSize(core, Number.MAX_SAFE_INTEGER, NO_NODE);
  return pageDown(core.memory.total - taken, core.settings.pageSize);
}

/** Whether enough of the RAM has a node; complains where not. */
export function validateNumaCoverage(core: MemblockCore, threshold: number): boolean {
  checkBytes(threshold, 'threshold');
  const { maxNodes, pageSize } = core.settings;
  let pages = 0;
  forEachRegion(core, 'memory', (base, size, _flags, nid) => {
    if (nid >= 0 && nid < maxNodes) return;
    const whole = pageDown(base + size, pageSize) - pageUp(base, pageSize);
    if (whole > 0) pages += whole;
  });
  // The kernel's product wraps: a region in the very last page counts as all pages there are.
  const bytes = (pages * pageSize) % ADDRESS_SPACE_SIZE;
  if (bytes <= threshold) return true;
  const mib = 2 ** 20;
  core.print(
    `NUMA: no nodes coverage for ${Math.floor(bytes / mib)}MB of ${Math.floor(core.memory.total / mib)}MB RAM\n`,
    'error',
  );
  return false;
}

/**
 * Whether two ranges share a byte; touching is not sharing.
 * @remarks plain sums that wrap at the top of the space, as in the kernel
 * @kernel memblock_addrs_overlap
 */
export function rangesOverlap(
  a: { readonly base: number; readonly size: number },
  b: { readonly base: number; readonly size: number },
): boolean {
  return a.base < wrappingSum(b.base, b.size) && b.base < wrappingSum(a.base, a.size);
}
