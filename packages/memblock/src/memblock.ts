/**
 * The front door: every call that users make, each a line that passes the object's core to the part
 * that knows the subject.
 *
 * ```
 *   edits of the lists       parts/regions.ts        limits         parts/limits.ts
 *   questions                parts/queries.ts        hand-over      parts/handover.ts
 *   walks                    parts/walks.ts          reserve_mem=   parts/named.ts
 *   allocation               parts/allocation.ts     state, texts   parts/state.ts, parts/texts.ts
 * ```
 */
import { LOW_ADDRESS_LIMIT, NO_NODE } from './base/constants.js';
import type {
  AlignOptions,
  BoundOptions,
  Direction,
  FindOptions,
  LateAllocator,
  MemblockOptions,
  MemblockState,
  MemRange,
  MemRegion,
  NamedReservation,
  NodePfnRange,
  PageReceiver,
  PayloadRange,
  RangeColumns,
  RangeNodeOptions,
  RangeOptions,
  RegionAttributes,
  RegionType,
  ReleaseOptions,
  WalkOptions,
} from './base/types.js';
import { MemblockCore } from './core/core.js';
import type { Settings } from './core/settings.js';
import type { RangeCursor } from './list/range-cursor.js';
import {
  allocBounded,
  allocOrThrow,
  allocRange,
  allocRangeNid,
  findInRange,
  findPreferMirror,
} from './parts/allocation.js';
import { discardedArrays, freeLate, releaseFreeRanges } from './parts/handover.js';
import {
  capMemoryRange,
  enforceMemoryLimit,
  memLimitRemoveMap,
  trimMemory,
} from './parts/limits.js';
import {
  findReservation,
  namedReservations,
  releaseReservation,
  reserveMem,
} from './parts/named.js';
import {
  endOfDram,
  estimatedFreePages,
  isMapMemory,
  isMemory,
  isRegionMemory,
  isReserved,
  overlaps,
  regionAt,
  reservedKernSize,
  searchPfnNid,
  startOfDram,
  validateNumaCoverage,
} from './parts/queries.js';
import {
  add,
  addMany,
  addPhysmem,
  clear,
  free,
  mark,
  remove,
  reserve,
  reserveMany,
  resetNodes,
  setNode,
} from './parts/regions.js';
import { payloadAt, payloads, setPayload } from './parts/payloads.js';
import { loadState, toState, verify } from './parts/state.js';
import { debugFile, dump } from './parts/texts.js';
import {
  forEachFreeRange,
  forEachRegion,
  MAPPED,
  pfnRanges,
  rangeCursor,
  ranges,
  regionPfns,
  regions,
} from './parts/walks.js';

/**
 * The kernel's early memory allocator: three ordered lists of regions with flags and nodes, and
 * everything that is done with them before there is a page allocator.
 *
 * @example
 * ```ts
 * const memblock = new Memblock();
 * memblock.add(0x1000, 0x9e000);
 * memblock.reserve(0x1000, 0x1000);
 * memblock.alloc(4096); // 0x9e000: the highest page
 * ```
 * @kernel struct memblock
 */
export class Memblock<Payload = unknown> {
  private readonly core: MemblockCore;

  /**
   * @param options see {@link MemblockOptions}; every field has a default
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT or ERR_MEMBLOCK_ALIGNMENT for an option that is not what it must be
   */
  constructor(options: MemblockOptions = {}) {
    this.core = new MemblockCore(options);
  }

  /**
   * An object with a given state.
   * @throws MemblockError ERR_MEMBLOCK_FORMAT when regions overlap, are out of order or empty
   */
  static restore<Payload = unknown>(
    state: MemblockState,
    options: MemblockOptions = {},
  ): Memblock<Payload> {
    const memblock = new Memblock<Payload>(options);
    loadState(memblock.core, state);
    return memblock;
  }

  /** What the object was set up with, defaults filled in. */
  get settings(): Settings {
    return this.core.settings;
  }

  /** Which end of memory is allocated from first. @kernel memblock_set_bottom_up, memblock_bottom_up */
  get direction(): Direction {
    return this.core.direction;
  }

  set direction(direction: Direction) {
    this.core.setDirection(direction);
  }

  /** First address that may not be allocated, for calls that do not say otherwise. @kernel memblock_set_current_limit */
  get currentLimit(): number {
    return this.core.limit;
  }

  set currentLimit(limit: number) {
    this.core.setLimit(limit);
  }

  /** From now on the simulated arrays may grow. @kernel memblock_allow_resize */
  allowResize(): void {
    this.core.resizable = true;
  }

  /** From now on only kexec hand-over scratch memory is allocated from. @kernel memblock_set_kho_scratch_only */
  setScratchOnly(on: boolean): void {
    this.core.scratchOnly = on;
  }

  /**
   * The slab allocator is up: from now on it serves allocations (each warns, since nobody should still
   * come here), grown arrays come from it, and freeing gives pages to it where the release does so.
   * @param allocator who serves from now on; undefined: memblock again
   * @kernel slab_is_available
   */
  setLateAllocator(allocator: LateAllocator | undefined): void {
    this.core.late = allocator;
  }

  /**
   * Registers RAM.
   * @param base first byte
   * @param size bytes; 0 does nothing; a range beyond the top of the space is cut there
   * @returns false when the simulated array was full and could not be doubled; nothing was added then
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT; ERR_MEMBLOCK_RESIZE_FORBIDDEN when a simulated array is full and may not grow yet
   * @remarks O(log n) for a range that meets nothing, else O(regions met)
   * @kernel memblock_add, memblock_add_node
   */
  add(base: number, size: number, attributes?: RegionAttributes<Payload>): boolean {
    return add(this.core, base, size, attributes);
  }

  /** {@link add} for many ranges at once: the result is the same, the cost O(n log n) for all. */
  addMany(columns: RangeColumns, attributes: RegionAttributes<Payload> = {}): boolean {
    return addMany(this.core, columns, attributes);
  }

  /**
   * Marks a range as taken; it need not be RAM.
   * @param base first byte
   * @param size bytes; 0 does nothing
   * @param attributes node and flags to record; default: none
   * @returns false when the simulated array was full and could not be doubled
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT; ERR_MEMBLOCK_RESIZE_FORBIDDEN
   * @remarks O(log n) for a range that meets nothing, else O(regions met)
   * @kernel memblock_reserve, __memblock_reserve
   */
  reserve(base: number, size: number, attributes?: RegionAttributes<Payload>): boolean {
    return reserve(this.core, base, size, attributes);
  }

  /** {@link reserve} for many ranges at once: the result is the same, the cost O(n log n) for all. */
  reserveMany(columns: RangeColumns, attributes: RegionAttributes<Payload> = {}): boolean {
    return reserveMany(this.core, columns, attributes);
  }

  /** Like {@link reserve}, recorded as taken by the kernel itself. @kernel memblock_reserve_kern */
  reserveKern(base: number, size: number): boolean {
    return reserve(this.core, base, size, { flags: this.settings.profile.allocationFlags });
  }

  /** Registers a range in the third list, which limits never touch. @kernel memblock_physmem_add */
  addPhysmem(base: number, size: number): boolean {
    return addPhysmem(this.core, base, size);
  }

  /**
   * Takes a range out of RAM; what is not there is no mistake.
   * @returns false when a region had to be split and the simulated array could not be doubled
   * @kernel memblock_remove
   */
  remove(base: number, size: number): boolean {
    return remove(this.core, base, size);
  }

  /**
   * Gives a taken range back; what was not taken is no mistake.
   * @returns false when a region had to be split and the simulated array could not be doubled
   * @kernel memblock_phys_free, memblock_free
   */
  free(base: number, size: number): boolean {
    return free(this.core, base, size);
  }

  /**
   * Sets a flag on every region in a range, splitting at its ends. Flags of reservations (RSRV_NOINIT,
   * RSRV_KERN) go to `reserved`, the others to `memory`. MIRROR does nothing unless `mirroredKernelcore`.
   * @param flag one bit of MemFlags
   * @returns false when the simulated array could not be doubled
   * @kernel memblock_mark_hotplug, memblock_mark_mirror, memblock_mark_nomap, memblock_reserved_mark_noinit
   */
  mark(base: number, size: number, flag: number): boolean {
    return mark(this.core, base, size, flag);
  }

  /** Clears a flag on every region in a range; see {@link mark}. @kernel memblock_clear_hotplug, memblock_clear_nomap */
  clear(base: number, size: number, flag: number): boolean {
    return clear(this.core, base, size, flag);
  }

  /**
   * Sets the node of every region in a range, splitting at its ends. Does nothing without NUMA.
   * @param type list to change
   * @param nid node to record, -1 .. maxNodes
   * @returns false when the simulated array could not be doubled
   * @kernel memblock_set_node
   */
  setNode(base: number, size: number, type: RegionType, nid: number): boolean {
    return setNode(this.core, base, size, type, nid);
  }

  /**
   * Attaches a payload to what of a range is in a list, instead of what it had. Regions stay as they are.
   * @param payload any value; undefined takes it away
   * @remarks O(log n) and the regions and payloads met
   */
  setPayload(base: number, size: number, type: RegionType, payload: Payload | undefined): void {
    setPayload(this.core, base, size, type, payload);
  }

  /**
   * Who has an address: the widest range around it that has one payload (the same value, as a `Map` compares).
   * @returns undefined where nothing is attached
   * @remarks O(log n)
   */
  payloadAt(type: RegionType, address: number): PayloadRange<Payload> | undefined {
    return payloadAt(this.core, type, address) as PayloadRange<Payload> | undefined;
  }

  /** All ranges of a list that have a payload, ascending; touching ones of the same value are one. O(n) */
  payloads(type: RegionType): PayloadRange<Payload>[] {
    return payloads(this.core, type) as PayloadRange<Payload>[];
  }

  /** Writes "no node" over every region of both lists, as a kernel does before it reads the nodes. */
  resetNodes(): void {
    resetNodes(this.core);
  }

  /**
   * Where `size` bytes would fit, in the current direction; takes nothing.
   * @param size bytes
   * @returns an address, or undefined
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT, ERR_MEMBLOCK_ALIGNMENT
   * @remarks O(log n) and up to the first gap that fits; whole chunks of reservations are stepped over
   * @kernel memblock_find_in_range_node
   */
  findInRange(size: number, options: FindOptions = {}): number | undefined {
    return findInRange(this.core, size, options);
  }

  /** Where `size` bytes would fit, mirrored memory first once there is any. @kernel memblock_find_in_range */
  findPreferMirror(size: number, options: RangeOptions = {}): number | undefined {
    return findPreferMirror(this.core, size, options);
  }

  /**
   * Allocates anywhere below the current limit.
   * @param size bytes; 0 finds an address and takes nothing
   * @returns an address in bytes, or undefined when nothing fits; so do all calls that allocate
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT, ERR_MEMBLOCK_ALIGNMENT; ERR_MEMBLOCK_RESIZE_FORBIDDEN
   * @kernel memblock_alloc
   */
  alloc(size: number, options: AlignOptions = {}): number | undefined {
    return this.allocPreferNid(size, options);
  }

  /** Like {@link alloc}; the debug line says that nobody zeroes it. @kernel memblock_alloc_raw */
  allocRaw(size: number, options: AlignOptions = {}): number | undefined {
    return this.allocPreferNidRaw(size, options);
  }

  /** Allocates at or above `min`, below it when nothing fits there. @kernel memblock_alloc_from */
  allocFrom(size: number, min: number, options: AlignOptions = {}): number | undefined {
    return this.allocPreferNid(size, { ...options, min });
  }

  /** Allocates below 4 GiB. @kernel memblock_alloc_low */
  allocLow(size: number, options: AlignOptions = {}): number | undefined {
    return this.allocPreferNid(size, { ...options, max: LOW_ADDRESS_LIMIT });
  }

  /** Allocates on a node, on any other when that is full. @kernel memblock_alloc_node */
  allocNode(size: number, nid: number, options: AlignOptions = {}): number | undefined {
    return this.allocPreferNid(size, { ...options, nid });
  }

  /** Allocates with a wished node and bounds. @kernel memblock_alloc_try_nid */
  allocPreferNid(size: number, options: BoundOptions = {}): number | undefined {
    return allocBounded(this.core, 'memblock_alloc_try_nid', size, options);
  }

  /** Like {@link allocPreferNid}; the debug line says that nobody zeroes it. @kernel memblock_alloc_try_nid_raw */
  allocPreferNidRaw(size: number, options: BoundOptions = {}): number | undefined {
    return allocBounded(this.core, 'memblock_alloc_try_nid_raw', size, options);
  }

  /** Allocates on this node only; the lower bound is still a wish. @kernel memblock_alloc_exact_nid_raw */
  allocExactNid(size: number, options: BoundOptions = {}): number | undefined {
    return allocBounded(this.core, 'memblock_alloc_exact_nid_raw', size, options);
  }

  /**
   * Like {@link alloc}, but throws when nothing fits; the kernel panics.
   * @throws MemblockError ERR_MEMBLOCK_OUT_OF_MEMORY
   * @kernel memblock_alloc_or_panic
   */
  allocOrThrow(size: number, options: AlignOptions = {}): number {
    return allocOrThrow(this.core, size, options);
  }

  /** Allocates in the range family, from 0 to the current limit. @kernel memblock_phys_alloc */
  physAlloc(size: number, options: AlignOptions = {}): number | undefined {
    return allocRange(this.core, size, options);
  }

  /** Allocates within hard limits. @kernel memblock_phys_alloc_range */
  allocRange(size: number, options: RangeOptions = {}): number | undefined {
    return allocRange(this.core, size, options);
  }

  /** Allocates in the range family, from 0 to the current limit, with a wished node. @kernel memblock_phys_alloc_try_nid */
  physAllocPreferNid(size: number, nid: number, options: AlignOptions = {}): number | undefined {
    return allocRangeNid(this.core, size, { ...options, nid });
  }

  /** Allocates within hard limits with a wished or exact node; prints no request line. @kernel memblock_alloc_range_nid */
  allocRangeNid(size: number, options: RangeNodeOptions = {}): number | undefined {
    return allocRangeNid(this.core, size, options);
  }

  /** Bytes of RAM as the kernel counts them: too much after {@link trimMemory}. @kernel memblock_phys_mem_size */
  get physMemSize(): number {
    return this.core.memory.total;
  }

  /** Bytes taken; may exceed the RAM, since reserving elsewhere is normal. @kernel memblock_reserved_size */
  get reservedSize(): number {
    return this.core.reserved.total;
  }

  /** First byte of the first region of RAM; 0 where there is none. @kernel memblock_start_of_DRAM */
  get startOfDram(): number {
    return startOfDram(this.core);
  }

  /** End of the last region of RAM, exclusive; 0 where there is none. @kernel memblock_end_of_DRAM */
  get endOfDram(): number {
    return endOfDram(this.core);
  }

  /** Whether any memory was marked as mirrored. @kernel memblock_has_mirror */
  get hasMirror(): boolean {
    return this.core.mirrorKnown;
  }

  /** Number of regions in a list. */
  regionCount(type: RegionType): number {
    return this.core.listOf(type).count;
  }

  /** Entries that the simulated array of a list has room for; Infinity where none is simulated. */
  arrayCapacity(type: RegionType): number {
    return this.core.listOf(type).max;
  }

  /**
   * The region that holds an address.
   * @returns undefined where none does
   * @remarks O(log n)
   * @kernel memblock_search
   */
  regionAt(type: RegionType, address: number): MemRegion | undefined {
    return regionAt(this.core, type, address);
  }

  /** Whether an address is RAM. O(log n). @kernel memblock_is_memory */
  isMemory(address: number): boolean {
    return isMemory(this.core, address);
  }

  /** Whether an address is taken. O(log n). @kernel memblock_is_reserved */
  isReserved(address: number): boolean {
    return isReserved(this.core, address);
  }

  /** Whether an address is RAM in the direct map, that is not NOMAP. O(log n). @kernel memblock_is_map_memory */
  isMapMemory(address: number): boolean {
    return isMapMemory(this.core, address);
  }

  /**
   * Whether the region that holds `base` reaches to the end of the range. Two touching regions with
   * different nodes or flags make this false, as in the kernel. O(log n).
   * @kernel memblock_is_region_memory
   */
  isRegionMemory(base: number, size: number): boolean {
    return isRegionMemory(this.core, base, size);
  }

  /** Whether any byte of a range is taken. O(log n). @kernel memblock_is_region_reserved */
  isRegionReserved(base: number, size: number): boolean {
    return overlaps(this.core, 'reserved', base, size);
  }

  /** Whether a range shares a byte with any region of a list. O(log n). @kernel memblock_overlaps_region */
  overlaps(type: RegionType, base: number, size: number): boolean {
    return overlaps(this.core, type, base, size);
  }

  /**
   * Node and whole pages of the region of RAM that holds a page.
   * @returns undefined where none does. The pages are rounded down at both ends, as in the kernel.
   * @kernel memblock_search_pfn_nid
   */
  searchPfnNid(pfn: number): NodePfnRange | undefined {
    return searchPfnNid(this.core, pfn);
  }

  /**
   * Bytes recorded as taken by the kernel itself.
   * @param limit only what lies below this address
   * @param nid only this node; default all
   * @kernel memblock_reserved_kern_size
   */
  reservedKernSize(limit: number, nid: number = NO_NODE): number {
    return reservedKernSize(this.core, limit, nid);
  }

  /**
   * Whole pages expected to become free: RAM less what the kernel took for itself (less everything
   * taken, in releases that do not record that).
   * @kernel memblock_estimated_nr_free_pages
   */
  estimatedFreePages(): number {
    return estimatedFreePages(this.core);
  }

  /**
   * Whether enough of the RAM has a node.
   * @param threshold bytes that may lack one
   * @returns false, and a printed complaint, when more whole pages than that have none
   * @kernel memblock_validate_numa_coverage
   */
  validateNumaCoverage(threshold: number): boolean {
    return validateNumaCoverage(this.core, threshold);
  }

  /** A copy of a list, in address order. @kernel for_each_mem_region, for_each_reserved_mem_region */
  regions(type: RegionType): MemRegion[] {
    return regions(this.core, type);
  }

  /** Visits every region of a list in address order, without allocating. The list must not change meanwhile. */
  forEachRegion(
    type: RegionType,
    visit: (base: number, size: number, flags: number, nid: number) => void,
  ): void {
    forEachRegion(this.core, type, visit);
  }

  /**
   * A walk over RAM minus what is taken, without allocation: call `next()`, read `start`, `end`, `nid`.
   * @remarks stays defined when the lists change during the walk: it goes on by index, as the kernel's does
   * @kernel for_each_free_mem_range, for_each_free_mem_range_reverse
   */
  freeRangeCursor(options: WalkOptions = {}): RangeCursor {
    return rangeCursor(this.core, 'memory', 'reserved', options);
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
    return rangeCursor(this.core, type, without, options);
  }

  /** RAM minus what is taken, one object a range; see {@link freeRangeCursor}. @kernel for_each_free_mem_range */
  freeRanges(options: WalkOptions = {}): Generator<MemRange, void, undefined> {
    return ranges(this.core, 'memory', 'reserved', options);
  }

  /** RAM minus what is taken, by callback, without allocation. @kernel for_each_free_mem_range */
  forEachFreeRange(
    visit: (start: number, end: number, nid: number) => void,
    options: WalkOptions = {},
  ): void {
    forEachFreeRange(this.core, visit, options);
  }

  /** RAM that is mapped (not NOMAP), taken or not. @kernel for_each_mem_range, for_each_mem_range_rev */
  memRanges(options: { readonly reverse?: boolean } = {}): Generator<MemRange, void, undefined> {
    return ranges(this.core, 'memory', undefined, { ...options, flags: MAPPED });
  }

  /** What is taken. @kernel for_each_reserved_mem_range */
  reservedRanges(
    options: { readonly reverse?: boolean } = {},
  ): Generator<MemRange, void, undefined> {
    return ranges(this.core, 'reserved', undefined, options);
  }

  /**
   * Whole pages of RAM, region by region, whatever the flags; regions without a whole page are left out.
   * @param options `nid`: only this node; default all
   * @kernel for_each_mem_pfn_range
   */
  pfnRanges(options: { readonly nid?: number } = {}): Generator<NodePfnRange, void, undefined> {
    return pfnRanges(this.core, options.nid ?? NO_NODE);
  }

  /**
   * Pages of every region of a list: for RAM the whole ones only, for others every page touched.
   * @kernel memblock_region_memory_base_pfn, memblock_region_reserved_base_pfn and the like
   */
  regionPfns(type: RegionType): NodePfnRange[] {
    return regionPfns(this.core, type);
  }

  /**
   * Rounds every region of RAM inward; regions that hold nothing aligned disappear. The total is
   * lowered for those only, as in the kernel.
   * @param align bytes, a power of two
   * @throws MemblockError ERR_MEMBLOCK_ALIGNMENT
   * @kernel memblock_trim_memory
   */
  trimMemory(align: number): void {
    trimMemory(this.core, align);
  }

  /**
   * Keeps the lowest `limit` bytes of RAM and removes what lies above, from both lists.
   * @param limit bytes; 0 or more than there is: nothing happens
   * @kernel memblock_enforce_memory_limit
   */
  enforceMemoryLimit(limit: number): void {
    enforceMemoryLimit(this.core, limit);
  }

  /**
   * Keeps only one range of RAM; NOMAP regions stay wherever they are. What is reserved outside goes.
   * @param base first byte kept
   * @param size bytes; 0: nothing happens
   * @kernel memblock_cap_memory_range
   */
  capMemoryRange(base: number, size: number): void {
    capMemoryRange(this.core, base, size);
  }

  /**
   * Keeps the lowest `limit` bytes of RAM and every NOMAP region.
   * @param limit bytes; 0 or more than there is: nothing happens
   * @kernel memblock_mem_limit_remove_map
   */
  memLimitRemoveMap(limit: number): void {
    memLimitRemoveMap(this.core, limit);
  }

  /**
   * Hands everything over: HOTPLUG is cleared everywhere, reservations get the node of the RAM they
   * lie in, then reserved ranges and free blocks are reported in the kernel's order.
   * @returns pages reported as free
   * @throws MemblockError ERR_MEMBLOCK_ARGUMENT
   * @kernel memblock_free_all
   */
  releaseFreeRanges(receiver: PageReceiver, options: ReleaseOptions = {}): number {
    return releaseFreeRanges(this.core, receiver, options);
  }

  /**
   * Gives back memory that the page allocator never saw, page by page, after the hand-over; the
   * list of reservations stays as it is.
   * @returns pages given back
   * @kernel memblock_free_late (until 7.0)
   */
  freeLate(base: number, size: number, receiver: PageReceiver): number {
    return freeLate(this.core, base, size, receiver);
  }

  /**
   * Pages of the grown arrays, which are given back when the lists are no longer needed; empty where
   * no capacity is simulated. The lists stay readable.
   * @kernel memblock_discard
   */
  discardedArrays(): NodePfnRange[] {
    return discardedArrays(this.core);
  }

  /**
   * Makes the reservation that a `reserve_mem=` parameter asks for.
   * @param parameter `SIZE:ALIGN:NAME`; sizes take K, M, G, T, P, E; an alignment below the cache line is raised to it
   * @param options `revive`: records from the kernel before; one with the same name, size and a start that fits the
   *   alignment is taken over instead of allocating
   * @returns the reservation, or undefined when there is no memory
   * @throws MemblockError ERR_MEMBLOCK_RESERVATION: malformed (`details.errno` -22), name in use or table full (-16)
   * @kernel reserve_mem
   */
  reserveMem(
    parameter: string,
    options: { readonly revive?: readonly NamedReservation[] } = {},
  ): NamedReservation | undefined {
    return reserveMem(this.core, parameter, options.revive ?? []);
  }

  /** The reservation of that name; undefined for none, and for a released one. @kernel reserve_mem_find_by_name */
  findReservation(name: string): NamedReservation | undefined {
    return findReservation(this.core, name);
  }

  /** All reservations made, in order; released ones have size 0. */
  namedReservations(): NamedReservation[] {
    return namedReservations(this.core);
  }

  /**
   * Ends a reservation: its pages may go to the page allocator. The list of reservations stays.
   * @returns the pages to free (one too few before 7.1, as in the kernel), or undefined for an unknown name
   * @kernel reserve_mem_release_by_name
   */
  releaseReservation(name: string): NodePfnRange | undefined {
    return releaseReservation(this.core, name);
  }

  /** The state as plain data, from which {@link restore} makes an equal object. */
  toState(): MemblockState {
    return toState(this.core);
  }

  /** The same as {@link toState}, so that `JSON.stringify` works. */
  toJSON(): MemblockState {
    return toState(this.core);
  }

  /** Checks every invariant. @throws MemblockError ERR_MEMBLOCK_INVARIANT. @remarks O(n) */
  verify(): void {
    verify(this.core);
  }

  /**
   * The configuration as the kernel prints it, ended by a newline.
   * @param physmem whether the third list is built in; default false
   * @kernel memblock_dump_all
   */
  dump(physmem = false): string {
    return dump(this.core, physmem);
  }

  /** Prints the configuration, as a kernel with `memblock=debug` does after its early set-up. */
  printDump(physmem = false): void {
    this.core.print(dump(this.core, physmem), 'info');
  }

  /** One list as the debug file shows it: index, range, node or `x`, flag names. @kernel memblock_debug_show */
  debugFile(type: RegionType): string {
    return debugFile(this.core, type);
  }
}
