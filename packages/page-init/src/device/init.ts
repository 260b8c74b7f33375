/**
 * Initialisation of one device range in shared memory, from any number of threads, in any order.
 *
 *     start                                                            end
 *     |-- unit --|-- unit --|-- unit --|-- unit --|-- ... --|-- unit --|
 *        range job: takes units one after another          ^
 *        sync(pfn, count): takes the units of its request -'  (foreground), waits only for busy ones
 *
 * A unit is at least a section and a compound page, at most about 1/1024 of the range; its ends are at
 * absolute multiples of its size, so no two threads write types of one section, and no compound page is
 * cut. Each unit is done exactly once (claims.ts). A request covers the units from that of its first
 * page to that of its last page; counting `ceil(count / unit)` would miss one when it straddles.
 *
 * Pages before the first device page hold the device's memmap: reserved, in units like all others. A job that takes
 * units in order does them first.
 *
 * Source: reference "Asynchronous + multithreaded design", with its miscount corrected.
 */
import { type DeviceState, type Memmap, PageState, type PfnRange } from '@bootmem/memmap';
import { allocateBuffer, checkHandle } from '@bootmem/memmap/shared';
import { handleError, PageInitError } from '../base/errors.js';
import { type ClaimOwner, ClaimState, ClaimTable } from '../core/claims.js';
import { setMovable } from '../core/fill.js';
import {
  COUNTER_BYTE,
  DEVICE_INIT_FORMAT,
  deviceInitBytes,
  MAGIC,
  VERSION,
  Word,
} from './init-layout.js';

/** Units aimed at per range. */
const UNITS_AIMED_AT = 1024;

/** Who works on a range from this thread. */
export interface DeviceInitAttach {
  readonly memmap: Memmap;
  /** The calling thread, so that others learn when it died over a unit, and it when they did. */
  readonly owner?: ClaimOwner | undefined;
}

/** How to lay a range's initialisation out. */
export interface DeviceInitOptions extends PfnRange, DeviceInitAttach {
  /** First device page; what lies before it in the range holds the memmap. */
  readonly firstPfn: number;
  readonly zoneId: number;
  /** 1 .. 2**31 - 1. */
  readonly pgmapIndex: number;
  /** True: pages start at reference count 0. */
  readonly idle: boolean;
  /** log2 of the pages of a compound page. */
  readonly vmemmapShift: number;
  /** Descriptors initialised per compound page; the others are one shared copy. 0: all. */
  readonly uniquePages: number;
}

/** What another thread needs. */
export interface DeviceInitHandle {
  readonly type: 'bootmem.device-init';
  readonly buffer: ArrayBufferLike;
}

/** Initialisation of one device range; attach from any thread by handle. */
export class DeviceInit {
  /** First page that gets a descriptor. */
  readonly startPfn: number;
  /** First device page: what lies before it holds the memmap. */
  readonly firstPfn: number;
  readonly endPfn: number;
  /** Pages per unit; job alignment. */
  readonly unitPages: number;
  readonly claims: ClaimTable;
  readonly #handle: DeviceInitHandle;
  readonly #words: Int32Array;
  readonly #pages: BigInt64Array;
  readonly #memmap: Memmap;

  private constructor(handle: DeviceInitHandle, { memmap, owner }: DeviceInitAttach) {
    const { buffer } = handle;
    const words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
    const sizes = new Float64Array(buffer, Word.START * 4, 4);
    this.startPfn = sizes[0]!;
    this.endPfn = sizes[1]!;
    this.unitPages = sizes[2]!;
    this.firstPfn = sizes[3]!;
    this.claims = new ClaimTable(words, Word.UNITS_AT, words[Word.UNITS]!, owner);
    this.#handle = handle;
    this.#words = words;
    this.#pages = new BigInt64Array(buffer, COUNTER_BYTE, 1);
    this.#memmap = memmap;
  }

  /** Lays a range's initialisation out; nothing is initialised. An empty range has no units. */
  static create(options: DeviceInitOptions): DeviceInit {
    const { startPfn, firstPfn, endPfn, memmap } = options;
    const grain = Math.max(memmap.pagesPerSection, 2 ** options.vmemmapShift);
    const pages = endPfn - startPfn;
    const unitPages = Math.max(1, Math.ceil(pages / UNITS_AIMED_AT / grain)) * grain;
    const units = unitsOf({ startPfn, endPfn, unitPages });
    const buffer = allocateBuffer(deviceInitBytes(units));
    const words = new Int32Array(buffer);
    words[Word.VERSION] = VERSION;
    words[Word.ZONE_ID] = options.zoneId;
    words[Word.PGMAP] = options.pgmapIndex;
    words[Word.STATE] = options.idle ? PageState.DEVICE_IDLE : PageState.DEVICE;
    words[Word.SHIFT] = options.vmemmapShift;
    words[Word.UNIQUE] = options.uniquePages;
    words[Word.UNITS] = units;
    new Float64Array(buffer, Word.START * 4, 4).set([startPfn, endPfn, unitPages, firstPfn]);
    words[Word.MAGIC] = MAGIC;
    return new DeviceInit({ type: 'bootmem.device-init', buffer }, options);
  }

  /** The range of another thread. @throws ERR_PAGE_INIT_HANDLE also when its units are no whole sections of the memmap */
  static attach(handle: DeviceInitHandle, attach: DeviceInitAttach): DeviceInit {
    checkHandle(handle, DEVICE_INIT_FORMAT, handleError);
    const init = new DeviceInit(handle, attach);
    const { pagesPerSection } = attach.memmap;
    const { startPfn, firstPfn, endPfn, unitPages } = init;
    const whole = unitPages > 0 && unitPages % pagesPerSection === 0;
    const inOrder = startPfn >= 0 && startPfn <= firstPfn && firstPfn <= endPfn;
    if (whole && inOrder && init.claims.count === unitsOf(init)) return init;
    throw handleError('the device range and the memmap do not fit each other', {
      startPfn,
      endPfn,
      unitPages,
      pagesPerSection,
    });
  }

  /** For `postMessage` and `attach`. */
  toHandle(): DeviceInitHandle {
    return this.#handle;
  }

  /** Descriptors initialised so far. */
  get initialisedPages(): number {
    return Number(Atomics.load(this.#pages, 0));
  }

  /** Units that a waiting caller did itself. */
  get foregroundUnits(): number {
    return Atomics.load(this.#words, Word.FOREGROUND);
  }

  /** True when the page's descriptor is ready. */
  isReady(pfn: number): boolean {
    return this.claims.isDone(this.#unitOf(pfn));
  }

  /** True when all units are done. */
  isComplete(): boolean {
    return this.claims.countIn(ClaimState.DONE) === this.claims.count;
  }

  /** Does all units that touch `[startPfn, endPfn)` and that nobody has claimed. Returns how many. */
  initChunk(startPfn: number, endPfn: number): number {
    let done = 0;
    this.#eachUnit(startPfn, endPfn, (unit) => {
      if (this.#initUnit(unit)) done++;
    });
    return done;
  }

  /**
   * Makes `count` pages from `pfn` ready: initialises in the foreground what nobody has begun, waits for
   * the rest of this request only.
   * @throws ERR_PAGE_INIT_CANCELLED when the mapping is being released; ERR_PAGE_INIT_INCOMPLETE when a
   *   page of the request was left half done, by an error or by a thread that died
   */
  async sync(pfn: number, count: number): Promise<void> {
    for (const unit of this.#syncUnits(pfn, count)) await this.claims.whenDone(unit);
  }

  /** As {@link sync}, for every page of the range, those that hold the memmap too. */
  async syncAll(): Promise<void> {
    this.initChunk(this.startPfn, this.endPfn);
    for (let unit = 0; unit < this.claims.count; unit++) await this.claims.whenDone(unit);
  }

  /** As {@link sync}, but blocks the calling thread; not for a browser's main thread. */
  syncBlocking(pfn: number, count: number): void {
    for (const unit of this.#syncUnits(pfn, count)) this.claims.blockUntilDone(unit);
  }

  /** Takes all pending units out, then waits for the busy ones. */
  async cancel(): Promise<void> {
    for (let unit = 0; unit < this.claims.count; unit++) this.claims.cancel(unit);
    for (let unit = 0; unit < this.claims.count; unit++) {
      const state = this.claims.state(unit);
      if (state !== ClaimState.CANCELLED && state !== ClaimState.FAILED) {
        await this.claims.whenDone(unit).catch(() => undefined);
      }
    }
  }

  #syncUnits(pfn: number, count: number): number[] {
    const end = pfn + count;
    if (!(count > 0 && pfn >= this.firstPfn && end <= this.endPfn)) {
      throw new PageInitError('ERR_DEVICE_ARGUMENT', 'the request lies in the device range', {
        pfn,
        count,
        firstPfn: this.firstPfn,
        endPfn: this.endPfn,
      });
    }
    const others: number[] = [];
    this.#eachUnit(pfn, end, (unit) => {
      if (this.#initUnit(unit)) Atomics.add(this.#words, Word.FOREGROUND, 1);
      else others.push(unit);
    });
    return others;
  }

  #unitOf(pfn: number): number {
    return Math.floor(pfn / this.unitPages) - Math.floor(this.startPfn / this.unitPages);
  }

  #eachUnit(startPfn: number, endPfn: number, visit: (unit: number) => void): void {
    const start = Math.max(startPfn, this.startPfn);
    const end = Math.min(endPfn, this.endPfn);
    if (start >= end) return;
    const last = this.#unitOf(end - 1);
    for (let unit = this.#unitOf(start); unit <= last; unit++) visit(unit);
  }

  #initUnit(unit: number): boolean {
    if (!this.claims.tryClaim(unit)) return false;
    try {
      const grid = (Math.floor(this.startPfn / this.unitPages) + unit) * this.unitPages;
      const start = Math.max(this.startPfn, grid);
      const end = Math.min(this.endPfn, grid + this.unitPages);
      Atomics.add(this.#pages, 0, BigInt(this.#initPages(start, end)));
      this.claims.finish(unit);
      return true;
    } catch (error) {
      this.claims.fail(unit);
      throw error;
    }
  }

  #initPages(start: number, end: number): number {
    const first = Math.min(Math.max(start, this.firstPfn), end);
    if (start < first) {
      this.#memmap.initReservedRange(start, first, this.#words[Word.ZONE_ID]!);
      setMovable(this.#memmap, start, first);
    }
    return first - start + (first < end ? this.#initDevicePages(first, end) : 0);
  }

  #initDevicePages(start: number, end: number): number {
    const memmap = this.#memmap;
    const words = this.#words;
    const zoneId = words[Word.ZONE_ID]!;
    const pgmap = words[Word.PGMAP]!;
    const head = words[Word.STATE]! as DeviceState;
    const folio = 2 ** words[Word.SHIFT]!;
    const unique = words[Word.UNIQUE]!;
    memmap.populate(start, end);
    let pages = 0;
    if (folio === 1) {
      memmap.initDeviceRange(start, end, zoneId, pgmap, head);
      pages = end - start;
    } else {
      const step = unique === 0 ? end - start : folio;
      for (let at = start; at < end; at += step) {
        const stop = unique === 0 ? end : at + Math.min(folio, unique);
        memmap.initDeviceRange(at, stop, zoneId, pgmap, PageState.DEVICE_TAIL);
        pages += stop - at;
      }
      const { state } = memmap.columns();
      for (let at = start; at < end; at += folio) state[memmap.indexOf(at)] = head;
    }
    setMovable(memmap, start, end);
    return pages;
  }
}

/** Number of units that a range touches. */
function unitsOf({
  startPfn,
  endPfn,
  unitPages,
}: PfnRange & { readonly unitPages: number }): number {
  if (startPfn === endPfn) return 0;
  return Math.ceil(endPfn / unitPages) - Math.floor(startPfn / unitPages);
}
