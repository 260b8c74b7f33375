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
import {
  checkAbsent,
  checkDevice,
  checkInitialised,
  checkPageMap,
  checkZone,
  checkPresent,
  checkSubsections,
} from './checks.js';
import { findHead } from './covering-head.js';
import {
  columnBytesPerPage,
  type Columns,
  type StorageKind,
  viewColumns,
} from '../table/columns.js';
import { type BlockHead, describePage, type PageDescription } from './describe.js';
import { MemmapError, memmapHandleError } from '../facts/errors.js';
import { Descriptors } from '../table/descriptors.js';
import { checkGeometry, type Geometry, X86_64 } from '../facts/geometry.js';
import { type TableLayout, tableBytesPerSection, Word } from '../table/layout.js';
import { checkHandle } from '../shared/check-handle.js';
import { geometryOf, layoutOf, MEMMAP_FORMAT } from './handle.js';
import type { MemmapHandle, MemmapOptions } from './memmap-types.js';
import {
  type DeviceState,
  isDeviceState,
  PageState,
  type PlainState,
  SectionFlag,
} from '../facts/page-state.js';
import { PageblockView } from './pageblocks.js';
import { dropReference, referencesOf, takeReference } from './references.js';
import { reserveMap } from './reserve.js';
import { Access, type RunVisitor, SectionTable } from '../table/section-table.js';
import { countInState, firstInState, forEachPart } from './state-search.js';
import { alignDown, alignUp } from '../facts/units.js';
import { ZoneRegistry } from '../table/zone-registry.js';

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
  readonly #layout: TableLayout;
  readonly #sections: SectionTable;
  readonly #columns: Columns;
  readonly #descriptors: Descriptors;
  readonly #heads: Parameters<typeof findHead>[0];

  private constructor(handle: MemmapHandle) {
    const words = new Int32Array(handle.table);
    this.geometry = geometryOf(words);
    const layout = layoutOf(words);
    this.#handle = handle;
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
    const { geometry } = this;
    const views = viewColumns(handle.columns, pages, geometry.maxOrder, pageblockBytes);
    this.#columns = views.columns;
    this.#descriptors = new Descriptors({ ...views, words, layout, geometry });
    const { state: states } = views.columns;
    this.#heads = { states, maxOrder: geometry.maxOrder, sections: this.#sections };
    this.pageblocks = new PageblockView(pageblockBytes, this.#sections, geometry.pageblockOrder);
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
    checkSubsections(this, startPfn, endPfn);
    checkAbsent(this.#sections, startPfn, endPfn);
    this.#sections.addMemory(startPfn, endPfn);
  }

  /**
   * Removes present memory in whole subsections: it reads as absent at once, from every thread.
   * @throws ERR_MEMMAP_ARGUMENT | ERR_MEMMAP_ABSENT; nothing was changed
   * @remarks a few words a section. Descriptors of whole sections are cleared by the next {@link populate} of the memory
   *   (of each part by its next owner, in one thread); those of a section that is removed in part at once
   */
  removeMemory(startPfn: number, endPfn: number): void {
    checkSubsections(this, startPfn, endPfn);
    checkPresent(this.#sections, startPfn, endPfn);
    this.#sections.removeMemory(startPfn, endPfn, this.#descriptors.clear);
  }

  /** Gives the sections of a range their descriptors. @throws ERR_MEMMAP_ABSENT | ERR_MEMMAP_CAPACITY */
  populate(startPfn: number, endPfn: number): void {
    checkPresent(this.#sections, startPfn, endPfn);
    this.#sections.populate(startPfn, endPfn, this.#descriptors.clear);
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
    checkPageMap(pgmapIndex);
    this.#init(startPfn, endPfn, zoneId, state);
    this.#sections.runs(startPfn, endPfn, (index, pages) => {
      this.#descriptors.setPageMap(index, pages, pgmapIndex);
    });
  }

  /**
   * Changes the state of initialised pages; zones stay.
   * @throws ERR_MEMMAP_UNINITIALISED when a page is not initialised; nothing was changed
   */
  setRange(startPfn: number, endPfn: number, state: PlainState): void {
    checkInitialised(this, startPfn, endPfn);
    this.#sections.runs(startPfn, endPfn, (index, pages) => {
      this.#descriptors.setState(index, pages, state);
    });
  }

  /** Makes pages uninitialised again and zeroes all their columns. */
  clearRange(startPfn: number, endPfn: number): void {
    checkPresent(this.#sections, startPfn, endPfn);
    forEachPart(this.#sections, { startPfn, endPfn }, (index, pages, pfn) => {
      if (index >= 0) this.#descriptors.clear(index, pages, this.#sections.isUsed(pfn));
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
    if (!this.isInitialised(pfn)) return undefined;
    return findHead(this.#heads, pfn, this.indexOf(pfn));
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
    return this.#descriptors.pageMap(this.indexOf(pfn));
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
    const perSection = tableBytesPerSection(this.#layout);
    return columnBytesPerPage(this.geometry.maxOrder) + perSection / this.pagesPerSection;
  }

  #init(startPfn: number, endPfn: number, zoneId: number, state: number): void {
    checkZone(this.zones, zoneId);
    this.populate(startPfn, endPfn);
    // Pages for an allocator, which links them as it likes; device pages are linked by `setDriverWord` only.
    if (state === PageState.BODY) this.#sections.markUsed(startPfn, endPfn);
    const { initialise } = this.#descriptors;
    this.#sections.runs(startPfn, endPfn, (index, pages) => {
      initialise(index, pages, zoneId, state);
    });
  }

  #deviceIndex(pfn: number): number {
    checkDevice(pfn, this.state(pfn));
    return this.indexOf(pfn);
  }
}
