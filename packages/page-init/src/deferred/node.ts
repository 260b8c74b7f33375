/**
 * One node's deferred part, in shared memory: its free ranges, which sections are initialised, where
 * growth stands. Range-job chunks and growers work on it from any thread; each section is claimed by
 * exactly one of them, so chunks may come in any order, twice, or never.
 *
 *     firstDeferredPfn
 *          |--section--|--section--|--section--|-- ... --|   unit states: pending, busy, done
 *            free  r  free |  hole |   free    |             ranges: the free ones, sorted
 *
 * Phases: BEFORE (growth only) -> RUNNING (the pass; growth too unless the kernel's rule was chosen)
 * -> DONE (nothing left, growth answers false for ever).
 *
 * Locks: the node's lock serialises growers and phase changes. It is taken before any lock of the sink,
 * never after. Chunks take no lock of their own. Source: reference "On-demand growth".
 */
import type { Memmap, PfnRange } from '@bootmem/memmap';
import { allocateBuffer, SharedLock, type ThreadRegistry } from '@bootmem/memmap/shared';
import { checkUntouched, initMemory } from '../work/fill.js';
import { invariant, PageInitError } from '../base/errors.js';
import type { PageSink } from '../base/types.js';
import { ClaimState, ClaimTable } from '../work/claims.js';
import { Counter, deferredLayout, MAGIC, Phase, VERSION, Word } from './layout.js';

const { load, store, add } = Atomics;
const LOW = 2 ** 20;
/** Sections done in one step: 512 KiB of descriptors on x86-64, which stay in a core's cache. */
const STEP_SECTIONS = 8;
/** No deferred pfn left. */
const NONE = -1;

/** How to create a node's deferred part. */
export interface DeferredNodeOptions {
  readonly nid: number;
  /** memmap's id of the zone that the deferred part lies in. */
  readonly zoneId: number;
  /** Section aligned. */
  readonly firstDeferredPfn: number;
  /** End of the zone. */
  readonly endPfn: number;
  /** Free ranges inside `[firstDeferredPfn, endPfn)`, sorted, disjoint. */
  readonly ranges: readonly PfnRange[];
  readonly sectionOrder: number;
  /** `until-done` (default): growth goes on while the pass runs; `until-pass`: the kernel's rule. */
  readonly growth?: 'until-done' | 'until-pass';
  /** `section` (default, 6.18): stops at section borders; `free-page`: at the next free page (to 6.17). */
  readonly growthStop?: 'section' | 'free-page';
}

/** What another thread needs; survives `postMessage` unless the buffer is local. */
export interface DeferredNodeHandle {
  readonly type: 'bootmem.deferred-node';
  readonly buffer: ArrayBufferLike;
}

/** Who works on the node from this thread. */
export interface DeferredAttach {
  readonly memmap: Memmap;
  readonly sink: PageSink;
  /** Lock identity of this thread, 1..32000, unlike every other thread's. */
  readonly threadId: number;
  /** Lets waiters take the lock over from a thread that died, and learn that its section is half done. */
  readonly liveness?: ThreadRegistry;
  /** Check that ranges are untouched before they are initialised; for tests. Default false. */
  readonly verify?: boolean;
}

/** Counters of a node's deferred part. */
export interface DeferredCounts {
  /** Pages initialised and handed over, growth included. */
  readonly pages: number;
  readonly chunks: number;
  readonly sections: number;
  readonly sectionsDone: number;
  readonly grownPages: number;
  readonly growCalls: number;
  /** Growers that found that somebody else had just grown. */
  readonly growWaits: number;
  /** Descriptor and pageblock bytes written. */
  readonly bytes: number;
}

/** One node's deferred part; attach from any thread by handle. */
export class DeferredNode {
  readonly nid: number;
  readonly zoneId: number;
  readonly sectionPages: number;
  readonly #handle: DeferredNodeHandle;
  readonly #words: Int32Array;
  readonly #counters: BigInt64Array;
  readonly #ranges: Float64Array;
  readonly #base: number;
  readonly #memmap: Memmap;
  readonly #sink: PageSink;
  readonly #lock: SharedLock;
  readonly #verify: boolean;
  /** State of each section. */
  readonly claims: ClaimTable;

  private constructor(handle: DeferredNodeHandle, attach: DeferredAttach) {
    const words = new Int32Array(handle.buffer);
    if (words[Word.MAGIC] !== MAGIC || words[Word.VERSION] !== VERSION) {
      throw new PageInitError('ERR_PAGE_INIT_HANDLE', 'not a deferred node of this version');
    }
    const sections = words[Word.SECTIONS]!;
    const rangeCount = words[Word.RANGES]!;
    const layout = deferredLayout(sections, rangeCount);
    this.#handle = handle;
    this.#words = words;
    this.#counters = new BigInt64Array(handle.buffer, layout.countersAt, Counter.COUNT);
    this.#ranges = new Float64Array(handle.buffer, layout.rangesAt, rangeCount * 2);
    this.claims = new ClaimTable(words, layout.unitsAt / 4, sections, attach);
    this.nid = words[Word.NID]!;
    this.zoneId = words[Word.ZONE_ID]!;
    this.sectionPages = 2 ** words[Word.SECTION_ORDER]!;
    this.#base = words[Word.BASE_SECTION]! * this.sectionPages;
    this.#memmap = attach.memmap;
    this.#sink = attach.sink;
    this.#lock = new SharedLock(words, Word.LOCK, attach.threadId, attach.liveness);
    this.#verify = attach.verify === true;
  }

  /**
   * Lays a node's deferred part out.
   * @throws ERR_PAGE_INIT_ARGUMENT when the first pfn is unaligned or a range is out of place
   * @remarks O(sections + ranges); 4 bytes a section, 16 a range
   */
  static create(options: DeferredNodeOptions, attach: DeferredAttach): DeferredNode {
    const { firstDeferredPfn, endPfn, ranges, sectionOrder } = options;
    const size = 2 ** sectionOrder;
    let at = firstDeferredPfn;
    const inPlace = ranges.every((range) => {
      const fits = range.startPfn >= at && range.startPfn < range.endPfn && range.endPfn <= endPfn;
      at = range.endPfn;
      return fits;
    });
    if (firstDeferredPfn % size !== 0 || firstDeferredPfn >= endPfn || !inPlace) {
      throw new PageInitError(
        'ERR_PAGE_INIT_ARGUMENT',
        'deferred ranges are sorted, disjoint and inside [firstDeferredPfn, endPfn), aligned to sections',
        { firstDeferredPfn, endPfn, nid: options.nid },
      );
    }
    const sections = Math.ceil((endPfn - firstDeferredPfn) / size);
    const layout = deferredLayout(sections, ranges.length);
    const buffer = allocateBuffer(layout.byteLength);
    const words = new Int32Array(buffer);
    words[Word.VERSION] = VERSION;
    words[Word.NID] = options.nid;
    words[Word.ZONE_ID] = options.zoneId;
    words[Word.BASE_SECTION] = firstDeferredPfn / size;
    words[Word.SECTIONS] = sections;
    words[Word.RANGES] = ranges.length;
    words[Word.SECTION_ORDER] = sectionOrder;
    words[Word.GROW_DURING] = options.growth === 'until-pass' ? 0 : 1;
    words[Word.GROW_EXACT] = options.growthStop === 'free-page' ? 1 : 0;
    words[Word.FIRST_HIGH] = Math.floor(firstDeferredPfn / LOW);
    words[Word.FIRST_LOW] = firstDeferredPfn % LOW;
    const table = new Float64Array(buffer, layout.rangesAt, ranges.length * 2);
    ranges.forEach((range, i) => {
      table[2 * i] = range.startPfn;
      table[2 * i + 1] = range.endPfn;
    });
    words[Word.MAGIC] = MAGIC;
    return new DeferredNode({ type: 'bootmem.deferred-node', buffer }, attach);
  }

  /** The node of another thread. @throws ERR_PAGE_INIT_HANDLE */
  static attach(handle: DeferredNodeHandle, attach: DeferredAttach): DeferredNode {
    return new DeferredNode(handle, attach);
  }

  /** For `postMessage` and `attach`. */
  toHandle(): DeferredNodeHandle {
    return this.#handle;
  }

  /** First pfn of the deferred part, whatever has been initialised since. */
  get startPfn(): number {
    return this.#base;
  }

  /** End of the last deferred section. */
  get endPfn(): number {
    return this.#base + this.claims.count * this.sectionPages;
  }

  /**
   * Where growth would go on; undefined once the pass has started or nothing is left. Never decreases.
   * @kernel first_deferred_pfn
   */
  get firstDeferredPfn(): number | undefined {
    const high = load(this.#words, Word.FIRST_HIGH);
    return high === NONE ? undefined : high * LOW + load(this.#words, Word.FIRST_LOW);
  }

  /** One of `Phase`. */
  get phase(): number {
    return load(this.#words, Word.PHASE);
  }

  /** Free ranges of `[startPfn, endPfn)`, clipped, in address order. O(log ranges + result). */
  rangesIn(startPfn: number, endPfn: number): PfnRange[] {
    const out: PfnRange[] = [];
    this.#eachRange(startPfn, endPfn, (start, end) => out.push({ startPfn: start, endPfn: end }));
    return out;
  }

  /**
   * Initialises and hands over every section of `[startPfn, endPfn)` that nobody has claimed: the body of
   * a range job. Both ends must be section aligned or the ends of the deferred part.
   * @returns pages done by this call
   * @throws ERR_PAGE_INIT_ARGUMENT for a chunk that cuts a section; what the sink throws
   * @kernel deferred_init_memmap_chunk
   */
  initChunk(startPfn: number, endPfn: number): number {
    const first = this.#sectionAt(Math.max(startPfn, this.#base));
    const end = Math.min(endPfn, this.endPfn);
    if (end % this.sectionPages !== 0) {
      throw new PageInitError('ERR_PAGE_INIT_ARGUMENT', 'a chunk ends at a section border', {
        startPfn,
        endPfn,
      });
    }
    const last = this.#sectionAt(end);
    let pages = 0;
    for (let unit = first; unit < last;) {
      if (!this.claims.tryClaim(unit)) {
        unit++;
        continue;
      }
      const step = Math.min(last, unit + STEP_SECTIONS);
      let end = unit + 1;
      while (end < step && this.claims.tryClaim(end)) end++;
      pages += this.#initClaimed(unit, end);
      unit = end;
    }
    add(this.#counters, Counter.CHUNKS, 1n);
    return pages;
  }

  /**
   * Initialises more memory on the spot because an allocation of `2 ** order` pages found too little.
   * @returns true when the caller should try again: pages came, or somebody else has just grown; false
   *   when there is nothing left, or growth is over. True does not promise that the allocation fits.
   * @remarks whole sections only; takes the node's lock, never sleeps otherwise
   * @kernel deferred_grow_zone
   */
  grow(order: number): boolean {
    const generation = load(this.#words, Word.GENERATION);
    if (!this.#mayGrow()) return false;
    add(this.#counters, Counter.GROW_CALLS, 1n);
    return this.#lock.withLock(() => {
      // Pairs with the add below: another grower was faster, its pages may be enough.
      if (load(this.#words, Word.GENERATION) !== generation) {
        add(this.#counters, Counter.GROW_WAITS, 1n);
        return true;
      }
      if (!this.#mayGrow()) return false;
      const needed = Math.ceil(2 ** order / this.sectionPages) * this.sectionPages;
      const pages = this.#growLocked(needed);
      add(this.#counters, Counter.GROWN_PAGES, BigInt(pages));
      add(this.#words, Word.GENERATION, 1);
      return pages > 0;
    });
  }

  /**
   * Starts the pass: growth by the kernel's rule ends here.
   * @returns where the pass has to start, or undefined when nothing is left
   */
  begin(): number | undefined {
    return this.#lock.withLock(() => {
      const unit = this.claims.firstPending(0);
      if (this.phase === Phase.DONE) return undefined;
      const start = this.firstDeferredPfn ?? (unit === undefined ? undefined : this.#pfnOf(unit));
      store(this.#words, Word.PHASE, Phase.RUNNING);
      this.#setFirst(undefined);
      return unit === undefined ? undefined : start;
    });
  }

  /** Waits for sections that growers are still at. @throws ERR_PAGE_INIT_INCOMPLETE when one failed */
  async settle(): Promise<void> {
    for (let unit = 0; unit < this.claims.count; unit++) {
      if (!this.claims.isDone(unit)) await this.claims.whenDone(unit);
    }
  }

  /**
   * Ends the pass and growth.
   * @throws ERR_PAGE_INIT_INCOMPLETE when a section is pending, or was left half done
   */
  finish(): void {
    this.#lock.withLock(() => {
      const undone = this.claims.count - this.claims.countIn(ClaimState.DONE);
      if (undone > 0) {
        throw new PageInitError('ERR_PAGE_INIT_INCOMPLETE', `${undone} sections are not done`, {
          nid: this.nid,
          undone,
          failed: this.claims.countIn(ClaimState.FAILED),
          busy: this.claims.countIn(ClaimState.BUSY),
        });
      }
      store(this.#words, Word.PHASE, Phase.DONE);
      add(this.#words, Word.GENERATION, 1);
    });
  }

  /** Counters now. */
  counts(): DeferredCounts {
    const value = (counter: number): number => Number(load(this.#counters, counter));
    return {
      pages: value(Counter.PAGES),
      chunks: value(Counter.CHUNKS),
      sections: this.claims.count,
      sectionsDone: this.claims.countIn(ClaimState.DONE),
      grownPages: value(Counter.GROWN_PAGES),
      growCalls: value(Counter.GROW_CALLS),
      growWaits: value(Counter.GROW_WAITS),
      bytes: value(Counter.BYTES),
    };
  }

  #mayGrow(): boolean {
    const phase = this.phase;
    if (phase === Phase.BEFORE) return true;
    return phase === Phase.RUNNING && this.#words[Word.GROW_DURING] === 1;
  }

  #growLocked(needed: number): number {
    let pages = 0;
    let unit = this.claims.firstPending(0);
    for (; unit !== undefined && pages < needed; unit = this.claims.firstPending(unit + 1)) {
      if (this.claims.tryClaim(unit)) pages += this.#initClaimed(unit, unit + 1);
    }
    if (this.phase === Phase.BEFORE) this.#setFirst(this.#stopAt(unit, pages));
    return pages;
  }

  /** Where growth stops: a section border, or with the older rule the next free page after it. */
  #stopAt(unit: number | undefined, pages: number): number | undefined {
    if (unit === undefined || pages === 0) return undefined;
    const border = this.#pfnOf(unit);
    if (this.#words[Word.GROW_EXACT] === 0) return border;
    return this.rangesIn(border, this.endPfn)[0]?.startPfn;
  }

  #setFirst(pfn: number | undefined): void {
    store(this.#words, Word.FIRST_LOW, pfn === undefined ? 0 : pfn % LOW);
    store(this.#words, Word.FIRST_HIGH, pfn === undefined ? NONE : Math.floor(pfn / LOW));
  }

  /** Does claimed neighbouring sections; on failure those not finished stay marked as failed. */
  #initClaimed(first: number, last: number): number {
    let done = first;
    try {
      const pages = this.#initSpan(this.#pfnOf(first), this.#pfnOf(last));
      for (; done < last; done++) this.claims.finish(done);
      return pages;
    } catch (error) {
      for (; done < last; done++) this.claims.fail(done);
      throw error;
    }
  }

  /**
   * Two passes over whole sections: initialise all their free ranges, then hand them over, section by
   * section. Merging looks at buddies ahead inside a largest block; after the first pass they are ready.
   */
  #initSpan(start: number, end: number): number {
    const memmap = this.#memmap;
    let pages = 0;
    this.#eachRange(start, end, (from, to) => {
      if (this.#verify) checkUntouched(memmap, from, to);
      initMemory(memmap, from, to, this.zoneId);
      pages += to - from;
    });
    let taken = 0;
    const size = this.sectionPages;
    this.#eachRange(start, end, (from, to) => {
      for (let at = from; at < to;) {
        const next = Math.min(to, (Math.floor(at / size) + 1) * size);
        taken += this.#sink.freeBlocks(at, next);
        at = next;
      }
    });
    invariant(taken === pages, 'the sink takes every page', { start, end, pages, taken });
    const pageblocks = pages / 2 ** memmap.geometry.pageblockOrder;
    add(this.#counters, Counter.PAGES, BigInt(pages));
    add(this.#counters, Counter.BYTES, BigInt(Math.ceil(2 * pages + pageblocks)));
    return pages;
  }

  #eachRange(startPfn: number, endPfn: number, visit: (start: number, end: number) => void): void {
    const table = this.#ranges;
    let low = 0;
    let high = table.length / 2;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (table[2 * middle + 1]! > startPfn) high = middle;
      else low = middle + 1;
    }
    for (let i = 2 * low; i < table.length && table[i]! < endPfn; i += 2) {
      visit(Math.max(table[i]!, startPfn), Math.min(table[i + 1]!, endPfn));
    }
  }

  #sectionAt(pfn: number): number {
    return Math.floor((pfn - this.#base) / this.sectionPages);
  }

  #pfnOf(unit: number): number {
    return this.#base + unit * this.sectionPages;
  }
}
