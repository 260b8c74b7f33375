/**
 * Questions: what is where, how much, and every walk over regions and ranges.
 */
import { attrFlags, attrNid } from './attributes.js';
import { cappedEnd, pageDown, pageUp, wrappingSum } from './arithmetic.js';
import { ADDRESS_SPACE_SIZE, MemFlags, NO_NODE } from './constants.js';
import { MemblockRegions } from './memblock-regions.js';
import { checkBytes, checkFlags, checkWish } from './options.js';
import { memoryFilter, NO_FILTER, RangeCursor } from './range-cursor.js';
import type { MemRange, MemRegion, PfnRange, RegionType } from './types.js';

/** What a walk asks for. */
export interface WalkOptions {
  /** Node wanted; default NO_NODE: all. */
  readonly nid?: number;
  /** MIRROR and KHO_SCRATCH are required, HOTPLUG, NOMAP and DRIVER_MANAGED permitted; default 0. */
  readonly flags?: number;
  /** From the highest address down; default false. */
  readonly reverse?: boolean;
}

/** Node and whole pages of the region that holds a page. */
export interface PfnOwner {
  readonly nid: number;
  readonly startPfn: number;
  readonly endPfn: number;
}

/** Queries and walks; the third layer of {@link Memblock}. */
export class MemblockQueries extends MemblockRegions {
  /** Bytes of RAM as the kernel counts them: too much after {@link Memblock.trimMemory}. @kernel memblock_phys_mem_size */
  get physMemSize(): number {
    return this.memory.total;
  }

  /** Bytes taken; may exceed the RAM, since reserving elsewhere is normal. @kernel memblock_reserved_size */
  get reservedSize(): number {
    return this.reserved.total;
  }

  /** First byte of the first region of RAM; 0 where there is none. @kernel memblock_start_of_DRAM */
  get startOfDram(): number {
    return this.memory.count === 0 ? 0 : this.memory.base[this.memory.slotIndex(0, 0)]!;
  }

  /** End of the last region of RAM, exclusive; 0 where there is none. @kernel memblock_end_of_DRAM */
  get endOfDram(): number {
    const last = this.memory.before(this.memory.chunks, 0);
    return last < 0 ? 0 : this.memory.end[last]!;
  }

  /** Number of regions in a list. */
  regionCount(type: RegionType): number {
    return this.listOf(type).count;
  }

  /** Entries that the simulated array of a list has room for; Infinity where none is simulated. */
  arrayCapacity(type: RegionType): number {
    return this.listOf(type).max;
  }

  /** A copy of a list, in address order. @kernel for_each_mem_region, for_each_reserved_mem_region */
  regions(type: RegionType): MemRegion[] {
    const copy: MemRegion[] = [];
    this.forEachRegion(type, (base, size, flags, nid) => {
      copy.push({ base, size, flags, nid });
    });
    return copy;
  }

  /** Visits every region of a list in address order, without allocating. The list must not change meanwhile. */
  forEachRegion(
    type: RegionType,
    visit: (base: number, size: number, flags: number, nid: number) => void,
  ): void {
    const list = this.listOf(type);
    for (let d = 0; d < list.chunks; d++) {
      for (let i = 0; i < list.chunkCount(d); i++) {
        const p = list.slotIndex(d, i);
        const attr = list.attr[p]!;
        visit(list.base[p]!, list.end[p]! - list.base[p]!, attrFlags(attr), attrNid(attr));
      }
    }
  }

  /**
   * The region that holds an address.
   * @returns undefined where none does
   * @remarks O(log n)
   * @kernel memblock_search
   */
  regionAt(type: RegionType, address: number): MemRegion | undefined {
    checkBytes(address, 'address');
    const list = this.listOf(type);
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

  /** Whether an address is RAM. O(log n). @kernel memblock_is_memory */
  isMemory(address: number): boolean {
    checkBytes(address, 'address');
    return this.memory.covers(address);
  }

  /** Whether an address is taken. O(log n). @kernel memblock_is_reserved */
  isReserved(address: number): boolean {
    checkBytes(address, 'address');
    return this.reserved.covers(address);
  }

  /** Whether an address is RAM in the direct map, that is not NOMAP. O(log n). @kernel memblock_is_map_memory */
  isMapMemory(address: number): boolean {
    checkBytes(address, 'address');
    const p = this.memory.locate(address);
    return (
      p >= 0 &&
      this.memory.base[p]! <= address &&
      (attrFlags(this.memory.attr[p]!) & MemFlags.NOMAP) === 0
    );
  }

  /**
   * Whether the region that holds `base` reaches to the end of the range. Two touching regions with
   * different nodes or flags make this false, as in the kernel. O(log n).
   * @kernel memblock_is_region_memory
   */
  isRegionMemory(base: number, size: number): boolean {
    this.checkEdit(base, size);
    const p = this.memory.locate(base);
    return p >= 0 && this.memory.base[p]! <= base && this.memory.end[p]! >= cappedEnd(base, size);
  }

  /** Whether any byte of a range is taken. O(log n). @kernel memblock_is_region_reserved */
  isRegionReserved(base: number, size: number): boolean {
    return this.overlaps('reserved', base, size);
  }

  /** Whether a range shares a byte with any region of a list. O(log n). @kernel memblock_overlaps_region */
  overlaps(type: RegionType, base: number, size: number): boolean {
    this.checkEdit(base, size);
    const list = this.listOf(type);
    const p = list.locate(base);
    return p >= 0 && list.base[p]! < cappedEnd(base, size);
  }

  /**
   * Node and whole pages of the region of RAM that holds a page.
   * @returns undefined where none does. The pages are rounded down at both ends, as in the kernel.
   * @kernel memblock_search_pfn_nid
   */
  searchPfnNid(pfn: number): PfnOwner | undefined {
    checkBytes(pfn, 'pfn');
    const { pageSize } = this.settings;
    const address = pfn * pageSize;
    if (!Number.isSafeInteger(address)) return undefined;
    const region = this.regionAt('memory', address);
    if (region === undefined) return undefined;
    return {
      nid: region.nid,
      startPfn: pageDown(region.base, pageSize),
      endPfn: pageDown(region.base + region.size, pageSize),
    };
  }

  /**
   * Bytes recorded as taken by the kernel itself.
   * @param limit only what lies below this address
   * @param nid only this node; default all
   * @kernel memblock_reserved_kern_size
   */
  reservedKernSize(limit: number, nid: number = NO_NODE): number {
    checkBytes(limit, 'limit');
    checkWish(nid);
    const all = nid < 0 || nid >= this.settings.maxNodes;
    let bytes = 0;
    this.forEachRegion('reserved', (base, size, flags, regionNid) => {
      if ((flags & MemFlags.RSRV_KERN) === 0 || base >= limit) return;
      if (all || regionNid === nid) bytes += Math.min(size, limit - base);
    });
    return bytes;
  }

  /**
   * Whole pages expected to become free: RAM less what the kernel took for itself (less everything
   * taken, in releases that do not record that).
   * @kernel memblock_estimated_nr_free_pages
   */
  estimatedFreePages(): number {
    const taken =
      this.settings.profile.allocationFlags === MemFlags.NONE
        ? this.reservedSize
        : this.reservedKernSize(Number.MAX_SAFE_INTEGER);
    return pageDown(this.physMemSize - taken, this.settings.pageSize);
  }

  /**
   * Whether enough of the RAM has a node.
   * @param threshold bytes that may lack one
   * @returns false, and a printed complaint, when more whole pages than that have none
   * @kernel memblock_validate_numa_coverage
   */
  validateNumaCoverage(threshold: number): boolean {
    checkBytes(threshold, 'threshold');
    const { maxNodes, pageSize } = this.settings;
    let pages = 0;
    this.forEachRegion('memory', (base, size, _flags, nid) => {
      if (nid >= 0 && nid < maxNodes) return;
      const whole = pageDown(base + size, pageSize) - pageUp(base, pageSize);
      if (whole > 0) pages += whole;
    });
    // The kernel's product wraps: a region in the very last page counts as all pages there are.
    const bytes = (pages * pageSize) % ADDRESS_SPACE_SIZE;
    if (bytes <= threshold) return true;
    const mib = 2 ** 20;
    this.print(
      `NUMA: no nodes coverage for ${Math.floor(bytes / mib)}MB of ${Math.floor(this.physMemSize / mib)}MB RAM\n`,
      'error',
    );
    return false;
  }

  /**
   * A walk over RAM minus what is taken, without allocation: call `next()`, read `start`, `end`, `nid`.
   * @remarks stays defined when the lists change during the walk: it goes on by index, as the kernel's does
   * @kernel for_each_free_mem_range, for_each_free_mem_range_reverse
   */
  freeRangeCursor(options: WalkOptions = {}): RangeCursor {
    return this.rangeCursor('memory', 'reserved', options);
  }

  /**
   * A walk over one list minus another; filters apply to `memory` only.
   * @param type list walked over
   * @param without list whose regions are cut out, or undefined
   * @kernel __for_each_mem_range
   */
  rangeCursor(
    type: RegionType,
    without: RegionType | undefined,
    options: WalkOptions = {},
  ): RangeCursor {
    const { nid = NO_NODE, flags = 0, reverse = false } = options;
    checkWish(nid);
    checkFlags(flags);
    this.checkAlive();
    const { maxNodes, movableNode, numa } = this.settings;
    const filter =
      type === 'memory'
        ? memoryFilter(numa ? nid : NO_NODE, flags, maxNodes, movableNode)
        : NO_FILTER;
    return new RangeCursor(
      this.listOf(type),
      without === undefined ? undefined : this.listOf(without),
      filter,
      reverse,
    );
  }

  /** RAM minus what is taken, one object a range; see {@link freeRangeCursor}. @kernel for_each_free_mem_range */
  *freeRanges(options: WalkOptions = {}): Generator<MemRange, void, undefined> {
    yield* ranges(this.freeRangeCursor(options));
  }

  /** RAM minus what is taken, by callback, without allocation. @kernel for_each_free_mem_range */
  forEachFreeRange(
    visit: (start: number, end: number, nid: number) => void,
    options: WalkOptions = {},
  ): void {
    const cursor = this.freeRangeCursor(options);
    while (cursor.next()) visit(cursor.start, cursor.end, cursor.nid);
  }

  /** RAM that is mapped (not NOMAP), taken or not. @kernel for_each_mem_range, for_each_mem_range_rev */
  *memRanges(options: { readonly reverse?: boolean } = {}): Generator<MemRange, void, undefined> {
    const flags = MemFlags.HOTPLUG | MemFlags.DRIVER_MANAGED;
    yield* ranges(this.rangeCursor('memory', undefined, { ...options, flags }));
  }

  /** What is taken. @kernel for_each_reserved_mem_range */
  *reservedRanges(
    options: { readonly reverse?: boolean } = {},
  ): Generator<MemRange, void, undefined> {
    yield* ranges(this.rangeCursor('reserved', undefined, options));
  }

  /**
   * Whole pages of RAM, region by region, whatever the flags; regions without a whole page are left out.
   * @param options `nid`: only this node; default all
   * @kernel for_each_mem_pfn_range
   */
  *pfnRanges(options: { readonly nid?: number } = {}): Generator<PfnRange, void, undefined> {
    const { nid = NO_NODE } = options;
    checkWish(nid);
    const { maxNodes, pageSize } = this.settings;
    const all = nid < 0 || nid >= maxNodes;
    for (const region of this.regions('memory')) {
      if (!all && region.nid !== nid) continue;
      const startPfn = pageUp(region.base, pageSize);
      const endPfn = pageDown(region.base + region.size, pageSize);
      if (startPfn < endPfn) yield { startPfn, endPfn, nid: region.nid };
    }
  }

  /**
   * Pages of every region of a list: for RAM the whole ones only, for others every page touched.
   * @kernel memblock_region_memory_base_pfn, memblock_region_reserved_base_pfn and the like
   */
  regionPfns(type: RegionType): PfnRange[] {
    const { pageSize } = this.settings;
    const inward = type === 'memory';
    return this.regions(type).map(({ base, size, nid }) => ({
      startPfn: inward ? pageUp(base, pageSize) : pageDown(base, pageSize),
      endPfn: inward ? pageDown(base + size, pageSize) : pageUp(base + size, pageSize),
      nid,
    }));
  }
}

function* ranges(cursor: RangeCursor): Generator<MemRange, void, undefined> {
  while (cursor.next()) yield { start: cursor.start, end: cursor.end, nid: cursor.nid };
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
