/**
 * The map of page descriptors, in shared memory.
 *
 * One descriptor a page, spread over columns (columns.ts), placed by section (section-table.ts). State 0
 * is "uninitialised", which fresh memory already is, so creating a map of terabytes costs nothing, and
 * whether a page may be looked at is known for every page. Initialising a range is two fills: one byte of
 * state, one byte of zone. All else (links, references) is left untouched until used.
 *
 * Who may write: a page's owner. Before hand-over that is the thread that initialises its section; after
 * it, the holder of the zone's lock, or the owner of an allocated block. Range fills of disjoint ranges
 * may run on any number of threads. References are counted with atomics.
 *
 * Invariants: a page's zone id is exact even when zones meet inside a section; only present, populated
 * pages are ever written; `index` of a pfn never changes; a pageblock or block never crosses a section,
 * so `index` keeps every alignment that pfn has up to the section.
 *
 * Source: Documentation/mm/memory-model.rst, Documentation/mm/physical_memory.rst.
 */
import { checkPresent, isRange } from './check-range.js';
import {
  columnBytesPerPage,
  type Columns,
  type StorageKind,
  viewColumns,
} from '../table/columns.js';
import { type BlockHead, describePage, type PageDescription } from './describe.js';
import { MemmapError, memmapHandleError } from '../facts/errors.js';
import { type FillKernel, zeroWhereUsed } from '../table/fill.js';
import { checkGeometry, type Geometry, X86_64 } from '../facts/geometry.js';
import { type TableLayout, Word } from '../table/layout.js';
import { checkHandle } from '../shared/check-handle.js';
import { geometryOf, layoutOf, MEMMAP_FORMAT } from './handle.js';
import type { MemmapHandle, MemmapOptions } from './memmap-types.js';
import {
  type DeviceState,
  HEAD_KIND_MASK,
  HEAD_ORDER_MASK,
  isDeviceState,
  PageState,
  type PlainState,
  SectionFlag,
} from '../facts/page-state.js';
import { PageblockView } from './pageblocks.js';
import { dropReference, referencesOf, takeReference } from './references.js';
import { reserveMap } from './reserve.js';
import { Access, type Clearer, type RunVisitor, SectionTable } from '../table/section-table.js';
import { countInState, firstInState, forEachPart } from './state-search.js';
import { alignDown, alignUp } from '../facts/units.js';
import { ZoneRegistry } from '../table/zone-registry.js';

/** Page map indices are below this. */
const MAX_PGMAP = 2 ** 31;

/** Page descriptors of a machine, or of one big buffer. Attach from any thread by handle. */
export class Memmap {
  readonly geometry: Geometry;
  /** Pages per section. */
  readonly pagesPerSection: number;
  /** First pfn that can have a descriptor. */
  readonly startPfn: number;
  /** End of the pfns that can have a descriptor. */
  readonly endPfn: number;
  /** Pageblock types and flags. */
  readonly pageblocks: PageblockView;
  /** Names of the zone ids. */
  readonly zones: ZoneRegistry;

  readonly #handle: MemmapHandle;
  readonly #words: Int32Array;
  readonly #layout: TableLayout;
  readonly #sections: SectionTable;
  readonly #columns: Columns;
  readonly #fillState: FillKernel;
  readonly #fillZone: FillKernel;

  private constructor(handle: MemmapHandle) {
    const words = new Int32Array(handle.table);
    this.geometry = geometryOf(words);
    const layout = layoutOf(words);
    this.#handle = handle;
    this.#words = words;
    this.#layout = layout;
    this.pagesPerSection = layout.pagesPerSection;
    this.startPfn = words[Word.FIRST_SECTION]! * layout.pagesPerSection;
    this.endPfn = this.startPfn + layout.sections * layout.pagesPerSection;
    this.#sections = new SectionTable(words, layout, this.geometry);
    const pageblockBytes = new Uint8Array(
      handle.table,
      layout.pageblocksAtByte,
      layout.capacity * layout.pageblocksPerSection,
    );
    const pages = layout.capacity * layout.pagesPerSection;
    const views = viewColumns(handle.columns, pages, this.geometry.maxOrder, pageblockBytes);
    this.#columns = views.columns;
    this.#fillState = views.fillState;
    this.#fillZone = views.fillZone;
    this.pageblocks = new PageblockView(
      pageblockBytes,
      this.#sections,
      this.geometry.pageblockOrder,
    );
    this.zones = new ZoneRegistry(words);
  }

  /**
   * Creates the descriptors of a machine; all uninitialised.
   * @throws ERR_MEMMAP_GEOMETRY | ERR_MEMMAP_ARGUMENT | ERR_MEMMAP_CAPACITY | ERR_MEMMAP_STORAGE
   * @remarks reserves address space only; cost grows with the number of sections, not of pages
   */
  static create(options: MemmapOptions): Memmap {
    const geometry = options.geometry ?? X86_64;
    checkGeometry(geometry);
    const map = new Memmap(reserveMap(geometry, options));
    for (const { startPfn, endPfn } of options.ranges) {
      const start = alignDown(startPfn, geometry.sectionOrder);
      const end = alignUp(endPfn, geometry.sectionOrder);
      map.#sections.createSections(start, end, SectionFlag.EARLY, options.populate !== 'ondemand');
    }
    return map;
  }

  /** The map of another thread. @throws ERR_MEMMAP_HANDLE for what is no whole handle of this version */
  static attach(handle: MemmapHandle): Memmap {
    checkHandle(handle, MEMMAP_FORMAT, memmapHandleError);
    return new Memmap(handle);
  }

  /** For `postMessage` and `attach`. */
  toHandle(): MemmapHandle {
    return this.#handle;
  }

  /** Same as `zones.define`: id 1..255 of the zone (nid, zoneIndex). Idempotent. */
  defineZone(nid: number, zoneIndex: number): number {
    return this.zones.define(nid, zoneIndex);
  }

  /** Section number of a pfn. */
  sectionOf(pfn: number): number {
    return this.#sections.sectionOf(pfn);
  }

  /** True when the page can have a descriptor; exact to a subsection. */
  isPresent(pfn: number): boolean {
    return this.#sections.isPresent(pfn);
  }

  /** True when the page's section has its descriptors. */
  isPopulated(pfn: number): boolean {
    return this.#sections.indexOf(pfn) >= 0;
  }

  /** Flags of a section, see {@link SectionFlag}; 0 for an absent one. */
  sectionFlags(section: number): number {
    return this.#sections.flags(section);
  }

  /** Sets or clears flags of a section. */
  setSectionFlags(section: number, bits: number, on: boolean): void {
    this.#sections.setFlags(section, bits, on);
  }

  /**
   * Adds memory that was absent, in whole subsections. They get descriptors when they are first touched.
   * @throws ERR_MEMMAP_ARGUMENT when not aligned to subsections or outside [startPfn, endPfn)
   * @throws ERR_MEMMAP_PRESENT when a part is present already
   * @remarks a few words a section; from any thread, but one at a time for the same memory
   */
  addMemory(startPfn: number, endPfn: number): void {
    this.#checkSubsections(startPfn, endPfn);
    const pfn = this.#sections.firstPresent(startPfn, endPfn);
    if (pfn !== undefined) {
      throw new MemmapError('ERR_MEMMAP_PRESENT', `pfn ${pfn} is present already`, { pfn });
    }
    this.#sections.addMemory(startPfn, endPfn);
  }

  /**
   * Removes present memory in whole subsections: it reads as absent at once, from every thread.
   * @throws ERR_MEMMAP_ARGUMENT | ERR_MEMMAP_ABSENT; nothing was changed
   * @remarks a few words a section. Descriptors of whole sections are cleared by the next {@link populate} of the memory
   *   (of each part by its next owner, in one thread); those of a section that is removed in part at once
   */
  removeMemory(startPfn: number, endPfn: number): void {
    this.#checkSubsections(startPfn, endPfn);
    checkPresent(this.#sections, startPfn, endPfn);
    this.#sections.removeMemory(startPfn, endPfn, this.#clear);
  }

  /** Gives the sections of a range their descriptors. @throws ERR_MEMMAP_ABSENT | ERR_MEMMAP_CAPACITY */
  populate(startPfn: number, endPfn: number): void {
    checkPresent(this.#sections, startPfn, endPfn);
    this.#sections.populate(startPfn, endPfn, this.#clear);
  }

  /**
   * Initialises pages: body, reference count 1, of the given zone. Pageblock types are not touched.
   * @throws ERR_MEMMAP_ABSENT when a page is not present; nothing was changed
   * @remarks two fills, 2 bytes a page @kernel memmap_init_range
   */
  initRange(startPfn: number, endPfn: number, zoneId: number): void {
    this.#init(startPfn, endPfn, zoneId, PageState.BODY);
  }

  /** Initialises pages as reserved. @kernel __SetPageReserved */
  initReservedRange(startPfn: number, endPfn: number, zoneId: number): void {
    this.#init(startPfn, endPfn, zoneId, PageState.RESERVED);
  }

  /**
   * Initialises device pages and records the page map that they belong to.
   * @param pgmapIndex 1 .. 2**31 - 1; recorded per subsection
   * @param state  DEVICE: reference count 1; DEVICE_IDLE and DEVICE_TAIL: 0
   * @kernel memmap_init_zone_device
   */
  initDeviceRange(
    startPfn: number,
    endPfn: number,
    zoneId: number,
    pgmapIndex: number,
    state: DeviceState = PageState.DEVICE,
  ): void {
    if (!Number.isInteger(pgmapIndex) || pgmapIndex < 1 || pgmapIndex >= MAX_PGMAP) {
      throw new MemmapError('ERR_MEMMAP_ARGUMENT', `pgmapIndex is 1..2^31-1, got ${pgmapIndex}`, {
        pgmapIndex,
      });
    }
    this.#init(startPfn, endPfn, zoneId, state);
    const { subsectionOrder } = this.geometry;
    this.#sections.runs(startPfn, endPfn, (index, pages) => {
      const at = this.#layout.pgmapAt;
      const last = (index + pages - 1) >>> subsectionOrder;
      this.#words.fill(pgmapIndex, at + (index >>> subsectionOrder), at + last + 1);
    });
  }

  /**
   * Changes the state of initialised pages; zones stay.
   * @throws ERR_MEMMAP_UNINITIALISED when a page is not initialised; nothing was changed
   */
  setRange(startPfn: number, endPfn: number, state: PlainState): void {
    checkPresent(this.#sections, startPfn, endPfn);
    const pfn = this.firstUninitialised(startPfn, endPfn);
    if (pfn !== undefined) {
      throw new MemmapError('ERR_MEMMAP_UNINITIALISED', `pfn ${pfn} is not initialised`, { pfn });
    }
    this.#sections.runs(startPfn, endPfn, (index, pages) => {
      this.#fillState(state, index, index + pages);
    });
  }

  /** Makes pages uninitialised again and zeroes all their columns. */
  clearRange(startPfn: number, endPfn: number): void {
    checkPresent(this.#sections, startPfn, endPfn);
    forEachPart(this.#sections, { startPfn, endPfn }, (index, pages, pfn) => {
      if (index >= 0) this.#clear(index, pages, this.#sections.isUsed(pfn));
    });
  }

  /** State byte of a page, 0 while its section is not populated. @throws ERR_MEMMAP_ABSENT */
  state(pfn: number): number {
    const index = this.#sections.access(pfn);
    if (index >= 0) return this.#columns.state[index]!;
    if (index === Access.UNINITIALISED) return PageState.UNINITIALISED;
    throw new MemmapError('ERR_MEMMAP_ABSENT', `pfn ${pfn} is not present`, { pfn });
  }

  /** True when the page may be looked at. */
  isInitialised(pfn: number): boolean {
    return this.state(pfn) !== PageState.UNINITIALISED;
  }

  /** True for a reserved page. */
  isReserved(pfn: number): boolean {
    return this.state(pfn) === PageState.RESERVED;
  }

  /** Zone id of an initialised page, 0 for an uninitialised one. */
  zoneId(pfn: number): number {
    return this.state(pfn) === PageState.UNINITIALISED ? 0 : this.#columns.zone[this.indexOf(pfn)]!;
  }

  /** Node of an initialised page. */
  nid(pfn: number): number | undefined {
    return this.zones.info(this.zoneId(pfn))?.nid;
  }

  /** Block that an initialised page heads or is the tail of; undefined for boot-owned and plain pages. */
  coveringHead(pfn: number): BlockHead | undefined {
    const state = this.state(pfn);
    if (state !== PageState.BODY && state < PageState.FREE) return undefined;
    const index = this.indexOf(pfn);
    for (let order = 0; order <= this.geometry.maxOrder; order++) {
      const head = alignDown(index, order);
      const found = this.#columns.state[head]!;
      const headPfn = pfn - (index - head);
      if (found >= PageState.FREE && (found & HEAD_ORDER_MASK) >= order && this.#isLive(headPfn)) {
        return {
          pfn: headPfn,
          state: found & HEAD_KIND_MASK,
          order: found & HEAD_ORDER_MASK,
        };
      }
    }
    return undefined;
  }

  /**
   * References to a page: what its state implies (1 for boot-owned, reserved, device and the head of an
   * allocated block, else 0) plus those taken with {@link getRef}. @kernel page_ref_count
   */
  refcount(pfn: number): number {
    return referencesOf(this, pfn);
  }

  /** Takes a reference, atomically. @returns the new count @throws ERR_MEMMAP_UNINITIALISED */
  getRef(pfn: number): number {
    if (this.#sections.access(pfn) >= 0) this.#sections.markUsed(pfn, pfn + 1);
    return takeReference(this, pfn);
  }

  /**
   * Drops a reference, atomically. At 0 the caller owns the page's release.
   * @throws ERR_MEMMAP_REFCOUNT when there is none to drop; nothing was changed
   */
  putRef(pfn: number): number {
    if (this.#sections.access(pfn) >= 0) this.#sections.markUsed(pfn, pfn + 1);
    return dropReference(this, pfn);
  }

  /** Page map index of a device page's subsection, 0 for none. */
  pgmapIndex(pfn: number): number {
    if (!isDeviceState(this.state(pfn))) return 0;
    return this.#words[
      this.#layout.pgmapAt + (this.indexOf(pfn) >>> this.geometry.subsectionOrder)
    ]!;
  }

  /** The driver's word of a device page. @throws ERR_MEMMAP_ARGUMENT for another page */
  driverWord(pfn: number): number {
    return this.#columns.links[2 * this.#deviceIndex(pfn)]!;
  }

  /** Sets the driver's word of a device page; an int32. */
  setDriverWord(pfn: number, value: number): void {
    const index = this.#deviceIndex(pfn);
    this.#sections.markUsed(pfn, pfn + 1);
    this.#columns.links[2 * index] = value;
  }

  /** First pfn of `[startPfn, endPfn)` with exactly this state byte, or undefined. */
  firstInState(startPfn: number, endPfn: number, state: number): number | undefined {
    checkPresent(this.#sections, startPfn, endPfn);
    return firstInState(this.#sections, this.#columns.state, { startPfn, endPfn }, state);
  }

  /** Number of pages of `[startPfn, endPfn)` with exactly this state byte. */
  countInState(startPfn: number, endPfn: number, state: number): number {
    checkPresent(this.#sections, startPfn, endPfn);
    return countInState(this.#sections, this.#columns.state, { startPfn, endPfn }, state);
  }

  /** First uninitialised pfn of the range, or undefined. */
  firstUninitialised(startPfn: number, endPfn: number): number | undefined {
    return this.firstInState(startPfn, endPfn, PageState.UNINITIALISED);
  }

  /** True when every page of the range is initialised. */
  isRangeInitialised(startPfn: number, endPfn: number): boolean {
    return this.firstUninitialised(startPfn, endPfn) === undefined;
  }

  /** Everything known about a page, as an object. */
  describe(pfn: number): PageDescription {
    return describePage(this, pfn);
  }

  /** Index of a pfn's descriptor in the columns, -1 when it has none. O(1). */
  indexOf(pfn: number): number {
    return this.#sections.indexOf(pfn);
  }

  /** Pfn of an index. O(1). */
  pfnOf(index: number): number {
    return this.#sections.pfnOf(index);
  }

  /** Calls `visit(index, pages, pfn)` for maximal runs of consecutive indices; populates first. */
  forEachRun(startPfn: number, endPfn: number, visit: RunVisitor): void {
    this.populate(startPfn, endPfn);
    this.#sections.runs(startPfn, endPfn, visit);
  }

  /** The columns themselves, for an allocator's inner loops. */
  columns(): Columns {
    return this.#columns;
  }

  /** Sections that have descriptors, and how many could. */
  usage(): { sections: number; capacitySections: number; storage: StorageKind } {
    return {
      sections: this.#sections.slotsUsed(),
      capacitySections: this.#layout.capacity,
      storage: this.#handle.columns.kind,
    };
  }

  /** Bytes of shared memory per page of a populated section, everything included; at most 16. */
  overheadBytesPerPage(): number {
    const { subsectionsPerSection, pageblocksPerSection, bitmapWords } = this.#layout;
    const words = 3 + 2 / 32 + 2 * bitmapWords + subsectionsPerSection;
    const perSection = 4 * words + pageblocksPerSection;
    return columnBytesPerPage(this.geometry.maxOrder) + perSection / this.pagesPerSection;
  }

  /** Zeroes the columns of `pages` descriptors from `index`, in one section. */
  readonly #clear: Clearer = (index, pages, used) => {
    const end = index + pages;
    this.#fillState(PageState.UNINITIALISED, index, end);
    this.#fillZone(0, index, end);
    if (used) {
      zeroWhereUsed(this.#columns.links, 2 * index, 2 * end);
      zeroWhereUsed(this.#columns.refs, index, end);
    }
    const { pageblockOrder, subsectionOrder, maxOrder } = this.geometry;
    const firstWhole = (bits: number): number => alignUp(index, bits) / 2 ** bits;
    const endWhole = (bits: number): number => Math.floor(end / 2 ** bits);
    const fillWhole = (
      column: Int32Array | Uint8Array,
      at: number,
      step: number,
      bits: number,
    ): void => {
      const [first, last] = [firstWhole(bits), endWhole(bits)];
      if (first < last) column.fill(0, at + step * first, at + step * last);
    };
    fillWhole(this.#columns.topLinks, 0, 2, maxOrder);
    fillWhole(this.#columns.pageblocks, 0, 1, pageblockOrder);
    fillWhole(this.#words, this.#layout.pgmapAt, 1, subsectionOrder);
  };

  #init(startPfn: number, endPfn: number, zoneId: number, state: number): void {
    if (!this.zones.has(zoneId)) {
      throw new MemmapError('ERR_MEMMAP_ZONES', `zone id ${zoneId} is not defined`, { zoneId });
    }
    this.populate(startPfn, endPfn);
    // Pages for an allocator, which links them as it likes; device pages are linked by `setDriverWord` only.
    if (state === PageState.BODY) this.#sections.markUsed(startPfn, endPfn);
    this.#sections.runs(startPfn, endPfn, (index, pages) => {
      // Zone before state: a reader that sees the page initialised finds its zone.
      this.#fillZone(zoneId, index, index + pages);
      this.#fillState(state, index, index + pages);
    });
  }

  /** True when the descriptor is that of memory that is there, not of memory that was removed. */
  #isLive(pfn: number): boolean {
    return this.#sections.access(pfn) >= 0;
  }

  #deviceIndex(pfn: number): number {
    if (isDeviceState(this.state(pfn))) return this.indexOf(pfn);
    throw new MemmapError('ERR_MEMMAP_ARGUMENT', `pfn ${pfn} is not a device page`, { pfn });
  }

  #checkSubsections(startPfn: number, endPfn: number): void {
    const { subsectionOrder } = this.geometry;
    const fits =
      isRange({ startPfn, endPfn }) && startPfn >= this.startPfn && endPfn <= this.endPfn;
    const aligned = alignDown(startPfn, subsectionOrder) === startPfn;
    if (!fits || !aligned || alignDown(endPfn, subsectionOrder) !== endPfn) {
      throw new MemmapError(
        'ERR_MEMMAP_ARGUMENT',
        `memory is added in subsections of 2^${subsectionOrder} pages inside the map`,
        { startPfn, endPfn, mapStart: this.startPfn, mapEnd: this.endPfn },
      );
    }
  }
}
