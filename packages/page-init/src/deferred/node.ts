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
import { checkHandle, SharedLock } from '@bootmem/memmap/shared';
import { handleError, invariant, PageInitError } from '../base/errors.js';
import type { PageSink } from '../base/types.js';
import { ClaimState, ClaimTable } from '../core/claims.js';
import { checkUntouched, initMemory } from '../core/fill.js';
import { nodeFault } from './check-node.js';
import { eachRange } from './free-ranges.js';
import {
  Counter,
  DEFERRED_FORMAT,
  deferredLayout,
  LOW_PFNS,
  NO_PFN,
  Phase,
  Word,
} from './layout.js';
import { newDeferred } from './new-node.js';
import type {
  DeferredAttach,
  DeferredCounts,
  DeferredNodeHandle,
  DeferredNodeOptions,
} from './types.js';
import { checkFields } from '../base/check.js';

const { load, store, add } = Atomics;
/** Sections done in one step: 512 KiB of descriptors on x86-64, which stay in a core's cache. */
const STEP_SECTIONS = 8;

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
    const { buffer } = handle;
    const words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
    const sections = words[Word.SECTIONS]!;
    const rangeCount = words[Word.RANGES]!;
    const layout = deferredLayout(sections, rangeCount);
    this.#handle = handle;
    this.#words = words;
    this.#counters = new BigInt64Array(buffer, layout.countersAt, Counter.COUNT);
    this.#ranges = new Float64Array(buffer, layout.rangesAt, rangeCount * 2);
    this.claims = new ClaimTable(words, layout.unitsAt / 4, sections, attach);
    this.nid = words[Word.NID]!;
    this.zoneId = words[Word.ZONE_ID]!;
    this.sectionPages = 2 ** words[Word.SECTION_ORDER]!;
    this.#base = words[Word.BASE_SECTION]! * this.sectionPages;
    this.#memmap = attach.memmap;
    this.#sink = attach.sink;
    this.#lock = new SharedLock(words, Word.LOCK, attach.threadId, {
      registry: attach.liveness,
    });
    this.#verify = attach.verify === true;
  }

  /**
   * Lays a node's deferred part out.
   * @throws ERR_PAGE_INIT_ARGUMENT when the first pfn is unaligned or a range is out of place
   * @remarks O(sections + ranges); 4 bytes a section, 16 a range
   */
  static create(options: DeferredNodeOptions): DeferredNode {
    const buffer = newDeferred(options);
    return new DeferredNode({ type: 'bootmem.deferred-node', buffer }, options);
  }

  /** The node of another thread. @throws ERR_PAGE_INIT_HANDLE also when it does not go with the memmap, or is damaged */
  static attach(handle: DeferredNodeHandle, attach: DeferredAttach): DeferredNode {
    const words = checkHandle(handle, DEFERRED_FORMAT, handleError);
    checkFields('attach', attach, { memmap: 'object', sink: 'object' });
    const { sectionOrder } = attach.memmap.geometry;
    if (words[Word.SECTION_ORDER] !== sectionOrder) {
      throw handleError("the deferred node and the memmap differ in their sections' size", {
        sectionOrder: words[Word.SECTION_ORDER],
        expected: sectionOrder,
      });
    }
    const fault = nodeFault(handle.buffer, attach.memmap);
    if (fault !== undefined) throw handleError(`the deferred node is damaged: ${fault}`, { fault });
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
    return high === NO_PFN ? undefined : high * LOW_PFNS + load(this.#words, Word.FIRST_LOW);
  }

  /** One of `Phase`. */
  get phase(): number {
    return load(this.#words, Word.PHASE);
  }

  /** Free ranges of `[startPfn, endPfn)`, clipped, in address order. O(log ranges + result). */
  rangesIn(startPfn: number, endPfn: number): PfnRange[] {
    const out: PfnRange[] = [];
    eachRange(this.#ranges, startPfn, endPfn, (start, end) =>
      out.push({ startPfn: start, endPfn: end }),
    );
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
  async whenDone(): Promise<void> {
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
    store(this.#words, Word.FIRST_LOW, pfn === undefined ? 0 : pfn % LOW_PFNS);
    store(this.#words, Word.FIRST_HIGH, pfn === undefined ? NO_PFN : Math.floor(pfn / LOW_PFNS));
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
    eachRange(this.#ranges, start, end, (from, to) => {
      if (this.#verify) checkUntouched(memmap, from, to);
      initMemory(memmap, from, to, this.zoneId);
      pages += to - from;
    });
    let taken = 0;
    const size = this.sectionPages;
    eachRange(this.#ranges, start, end, (from, to) => {
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

  #sectionAt(pfn: number): number {
    return Math.floor((pfn - this.#base) / this.sectionPages);
  }

  #pfnOf(unit: number): number {
    return this.#base + unit * this.sectionPages;
  }
}
