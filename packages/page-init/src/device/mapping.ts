/**
 * A live device mapping: its ranges, references and pages. Made by {@link DeviceMemory}; belongs to the
 * thread that made it. Page state lives in the memmap and is visible everywhere.
 */
import { type Memmap, PageState, type PfnRange } from '@bootmem/memmap';
import { PageInitError } from '../base/errors.js';
import type { Altmap } from './altmap.js';
import { TYPE_RULES } from './checks.js';
import type { DeviceInit, DeviceInitHandle } from './init.js';
import { MappingReferences } from './references.js';
import type { PagemapRequest } from './types.js';

/** One range of a mapping. */
export interface MappedRange extends PfnRange {
  readonly altmap: Altmap | undefined;
  /** First pfn with a device page: after reserve and memmap storage. */
  readonly firstPfn: number;
  readonly init: DeviceInit;
}

/** What a device page is. */
export interface DevicePageInfo {
  readonly pfn: number;
  readonly mapping: DeviceMapping;
  /** First page of the compound page, or the page itself. */
  readonly headPfn: number;
  readonly tail: boolean;
  readonly refcount: number;
  /** False for a tail whose descriptor is the shared copy. */
  readonly ownDescriptor: boolean;
}

/** Where a mapping's descriptors lie. */
export interface MappingPlace {
  readonly nid: number;
  /** Index recorded in the page descriptors. */
  readonly index: number;
  readonly memmap: Memmap;
  /** Descriptors per compound page that are its own; 0: all. */
  readonly uniquePages: number;
}

/** A mapping made by {@link DeviceMemory}. */
export class DeviceMapping {
  readonly request: PagemapRequest;
  readonly nid: number;
  /** Index recorded in the page descriptors. */
  readonly index: number;
  /** Resolves when every page is initialised; rejects when the background work failed or was cancelled. */
  ready: Promise<void> = Promise.resolve();
  readonly references = new MappingReferences();
  readonly #memmap: Memmap;
  readonly #ranges: MappedRange[] = [];
  readonly #folios = new Map<number, number>();
  readonly #uniquePages: number;

  /** For {@link DeviceMemory}. */
  constructor(request: PagemapRequest, place: MappingPlace) {
    this.request = request;
    this.nid = place.nid;
    this.index = place.index;
    this.#memmap = place.memmap;
    this.#uniquePages = place.uniquePages;
  }

  /** Ranges mapped so far, in request order. */
  get ranges(): readonly MappedRange[] {
    return this.#ranges;
  }

  /** Pages per compound page, as log2. */
  get vmemmapShift(): number {
    return this.request.vmemmapShift ?? 0;
  }

  /** Device pages: without the altmap's part. */
  get pages(): number {
    return this.#ranges.reduce((sum, range) => sum + range.endPfn - range.firstPfn, 0);
  }

  /** Bulk references that the pages hold: one a (compound) page, for types that have them. */
  get bulkReferences(): number {
    return TYPE_RULES[this.request.type].bulk ? this.pages / 2 ** this.vmemmapShift : 0;
  }

  /** Handles for worker threads, one a range. */
  get handles(): readonly DeviceInitHandle[] {
    return this.#ranges.map((range) => range.init.toHandle());
  }

  /** Handle of the range that a job starts in. @throws ERR_DEVICE_ARGUMENT when it is in none */
  handleFor(startPfn: number): DeviceInitHandle {
    return this.#rangeFor(startPfn).init.toHandle();
  }

  /** Adds a range; for {@link DeviceMemory}. */
  addRange(range: MappedRange): void {
    this.#ranges.push(range);
  }

  /** Forgets a range; for {@link DeviceMemory}. */
  removeRange(range: MappedRange): void {
    const at = this.#ranges.indexOf(range);
    if (at >= 0) this.#ranges.splice(at, 1);
  }

  /** True when the page is a device page of this mapping with a ready descriptor. */
  isReady(pfn: number): boolean {
    const range = this.#rangeOf(pfn);
    return range !== undefined && pfn >= range.firstPfn && range.init.isReady(pfn);
  }

  /**
   * Makes pages usable now: initialises in the foreground what nobody has begun, waits for what somebody
   * has, and for nothing else.
   * @throws ERR_DEVICE_ARGUMENT when the pages are not device pages of one range; ERR_PAGE_INIT_CANCELLED
   *   when the mapping is being released; ERR_PAGE_INIT_INCOMPLETE when one was left half done
   */
  async sync(pfn: number, count = 1): Promise<void> {
    await this.#rangeFor(pfn).init.sync(pfn, count);
  }

  /** As {@link sync}, but blocks the calling thread. */
  syncBlocking(pfn: number, count = 1): void {
    this.#rangeFor(pfn).init.syncBlocking(pfn, count);
  }

  /**
   * Page whose descriptor stands for this page: the page itself, or, where a compound page shares its tail
   * descriptors, the tail at the same place in its last own memmap page.
   */
  descriptorPfn(pfn: number): number {
    const unique = this.vmemmapShift > 0 ? this.#uniquePages : 0;
    const [headPfn] = this.#folioOf(pfn);
    if (unique === 0 || pfn - headPfn < unique) return pfn;
    return headPfn + unique / 2 + ((pfn - headPfn) % (unique / 2));
  }

  /** What a ready device page is; undefined while it is not ready. */
  pageInfo(pfn: number): DevicePageInfo | undefined {
    if (!this.isReady(pfn)) return undefined;
    const [headPfn] = this.#folioOf(pfn);
    const tail = headPfn !== pfn;
    const ownDescriptor = this.descriptorPfn(pfn) === pfn;
    const refcount = tail ? 0 : this.#memmap.refcount(pfn);
    return { pfn, mapping: this, headPfn, tail, refcount, ownDescriptor };
  }

  /**
   * Hands a free device page out, for types whose pages start at count 0: count 1, fresh descriptors for
   * all its pages whatever they were part of before, and a reference to the mapping.
   * @returns false when the mapping is dying
   * @throws ERR_DEVICE_STATE when a page is not ready or in use; ERR_DEVICE_ARGUMENT when unaligned
   * @kernel zone_device_folio_init
   */
  initFolio(pfn: number, order = 0): boolean {
    const end = pfn + 2 ** order;
    const { zoneId } = this.#stateOf(pfn);
    if (pfn % 2 ** order !== 0 || this.#rangeOf(end - 1) === undefined) {
      throw new PageInitError('ERR_DEVICE_ARGUMENT', 'a folio is aligned and inside its range', {
        pfn,
        order,
      });
    }
    for (let page = pfn; page < end; page++) {
      const { state } = this.#stateOf(page);
      if (state !== PageState.DEVICE_IDLE) {
        throw new PageInitError('ERR_DEVICE_STATE', `device page ${page} is in use`, {
          page,
          state,
        });
      }
    }
    if (!this.references.tryGet()) return false;
    if (order > 0)
      this.#memmap.initDeviceRange(pfn, end, zoneId, this.index, PageState.DEVICE_TAIL);
    this.#memmap.columns().state[this.#memmap.indexOf(pfn)] = PageState.DEVICE;
    this.#folios.set(pfn, order);
    return true;
  }

  /**
   * Takes a handed-out folio back: all its pages are free again, nothing of the compound stays behind.
   * @throws ERR_DEVICE_STATE when it was not handed out
   * @kernel free_zone_device_folio
   */
  freeFolio(pfn: number): void {
    const order = this.#folios.get(pfn);
    if (order === undefined) {
      throw new PageInitError('ERR_DEVICE_STATE', `no folio was handed out at pfn ${pfn}`, { pfn });
    }
    const { zoneId } = this.#stateOf(pfn);
    const end = pfn + 2 ** order;
    this.#memmap.initDeviceRange(pfn, end, zoneId, this.index, PageState.DEVICE_IDLE);
    this.#folios.delete(pfn);
    this.request.ops?.folioFree?.(pfn, order);
    this.references.put();
  }

  #stateOf(pfn: number): { state: number; zoneId: number } {
    if (!this.isReady(pfn)) {
      throw new PageInitError('ERR_DEVICE_STATE', `device page ${pfn} is not ready`, { pfn });
    }
    return { state: this.#memmap.state(pfn), zoneId: this.#memmap.zoneId(pfn) };
  }

  #folioOf(pfn: number): [head: number, pages: number] {
    const size = 2 ** this.vmemmapShift;
    if (size > 1) return [Math.floor(pfn / size) * size, size];
    for (const [head, order] of this.#folios) {
      if (head <= pfn && pfn < head + 2 ** order) return [head, 2 ** order];
    }
    return [pfn, 1];
  }

  #rangeOf(pfn: number): MappedRange | undefined {
    return this.#ranges.find((range) => range.startPfn <= pfn && pfn < range.endPfn);
  }

  #rangeFor(pfn: number): MappedRange {
    const range = this.#rangeOf(pfn);
    if (range !== undefined) return range;
    throw new PageInitError('ERR_DEVICE_ARGUMENT', `pfn ${pfn} is not in this mapping`, { pfn });
  }
}
