/**
 * The zoned allocator of a machine: zones on a memmap, watermarks, zonelists, hooks.
 *
 *     allocPages ─▶ for each zone of the list:  mark LOW? ─▶ cache / lists
 *                      │ short: accept gate, grow hook
 *                      └─▶ slow path: mark MIN with reserves ─▶ onPressure ─▶ drain caches ─▶ undefined
 *
 * `create` once, `attach(handle)` in every other thread; each attached thread has its own page caches.
 * Hooks are called without any lock held and belong to the thread that passed them.
 *
 * Invariants: I1..I12 of DESIGN.md; `verify()` checks them. Source: Documentation/mm/physical_memory.rst.
 */
import {
  allocateWords,
  Memmap,
  type MemmapHandle,
  PageState,
  SharedLock,
  ThreadRegistry,
  type ThreadRegistryHandle,
} from '@bootmem/memmap';

import { lowmemReserve } from '../marks/lowmem-reserve.js';
import { pcpBatch, pcpHigh } from '../marks/pcp-size.js';
import { kernelProfile, type KernelProfile } from '../marks/profile.js';
import { AllocFlag, watermarkFast, type WatermarkZone } from '../marks/watermark-check.js';
import { lowmemKbytes, minFreeKbytes, zoneWatermarks } from '../marks/watermarks.js';
import type { ZoneName } from '../zones/types.js';
import { nodeOrders } from '../zones/zonelist.js';
import type { AcceptGate, AllocOptions, AllocatorHooks, ZoneSpec } from './allocator-types.js';
import {
  askToDrain,
  Cache,
  cacheAt,
  ControlFlag,
  controlWords,
  Header,
  MAGIC,
  VERSION,
  Zone,
  zoneAt,
  ZoneFlag,
} from './control-layout.js';
import { BuddyError } from './errors.js';
import { TakeFlag } from './fallback.js';
import { auditZone, type Violation } from './verify.js';
import { compactZone, type CompactionResult } from './compaction.js';
import {
  allocContigRange,
  isolatePageblock,
  type MoveCallback,
  unisolatePageblock,
} from './isolation.js';
import { reclaimCache } from './worker-cache.js';
import { BuddyZone, initZoneWords } from './zone.js';

const NONE = -1;
const PRESSURE_ROUNDS = 16;
const ZONE_CLASS: Readonly<Record<ZoneName, number>> = {
  DMA: 0,
  DMA32: 1,
  Normal: 2,
  HighMem: 3,
  Movable: 4,
  Device: 5,
};

/** Options of {@link PageAllocator.create}. */
export interface PageAllocatorOptions extends AllocatorHooks {
  /** Threads that can be attached at a time; default 64. */
  readonly threads?: number;
  /** Mobility grouping; default true. */
  readonly grouping?: boolean;
  /** Page caches per thread; default true. */
  readonly caches?: boolean;
  /** Small caches for orders 4..9 too, which the kernel does not have; default false. */
  readonly deepCaches?: boolean;
  /**
   * Debugging: what is left over from splitting blocks below this order becomes guard blocks, which are
   * not handed out and merge back; default 0, none. @kernel debug_guardpage_minorder
   */
  readonly guardMinOrder?: number;
  /** Release whose numbers (batch, marks) count; default the latest. */
  readonly profile?: KernelProfile;
  /** Threads that share the limit of page caches; default `threads`. */
  readonly workers?: number;
  /** Distance between nodes; default 10 to itself, 20 to others. */
  readonly distance?: (from: number, to: number) => number;
  /** Give up waiting for a zone's lock after so long; default never. */
  readonly lockTimeoutMs?: number;
}

/** What another thread needs; structured-cloneable. */
export interface PageAllocatorHandle {
  readonly type: 'bootmem.page-allocator';
  readonly memmap: MemmapHandle;
  readonly control: Int32Array;
  readonly threads: ThreadRegistryHandle;
  readonly zones: readonly { readonly nid: number; readonly zone: ZoneName }[];
  readonly release: KernelProfile['release'];
  readonly workers: number;
}

/** A zone with its names. */
export interface NamedZone {
  readonly nid: number;
  readonly zone: ZoneName;
  readonly core: BuddyZone;
}

/** Zoned page allocator over a memmap, seen from one thread. */
export class PageAllocator {
  readonly memmap: Memmap;
  /** Id of the calling thread in the registry. */
  readonly thread: number;
  readonly registry: ThreadRegistry;
  readonly zones: readonly NamedZone[];
  readonly #handle: PageAllocatorHandle;
  readonly #words: Int32Array;
  readonly #byId: readonly (BuddyZone | undefined)[];
  readonly #views: readonly WatermarkZone[];
  readonly #profile: KernelProfile;
  readonly #grouping: boolean;
  #hooks: AllocatorHooks;
  #lists = new Map<number, number[]>();
  #closed = false;

  private constructor(handle: PageAllocatorHandle, options: PageAllocatorOptions) {
    const words = handle.control;
    if (words[Header.MAGIC] !== MAGIC || words[Header.VERSION] !== VERSION) {
      throw new BuddyError('ERR_BUDDY_HANDLE', 'not a page allocator of this version');
    }
    this.#handle = handle;
    this.#words = words;
    this.#hooks = options;
    this.#profile = options.profile ?? kernelProfile(handle.release);
    this.memmap = Memmap.attach(handle.memmap);
    this.registry = ThreadRegistry.attach(handle.threads);
    this.thread = this.registry.register();
    const count = words[Header.ZONES]!;
    const flags = words[Header.FLAGS]!;
    const caches = (flags & ControlFlag.NO_CACHE) === 0;
    this.#grouping = (flags & ControlFlag.GROUPING) !== 0;
    this.zones = handle.zones.map(({ nid, zone }, i) => ({
      nid,
      zone,
      core: new BuddyZone({
        memmap: this.memmap,
        words,
        at: zoneAt(i),
        cacheAt: caches ? cacheAt(count, words[Header.THREADS]!, i, this.thread) : undefined,
        eventsAt: Header.EVENTS,
        thread: this.thread,
        registry: this.registry,
        deep: (flags & ControlFlag.DEEP_CACHE) !== 0,
        guardMinOrder: words[Header.GUARD_ORDER]!,
        grouping: this.#grouping,
        lockTimeoutMs: options.lockTimeoutMs,
        isMovable: options.isMovable,
      }),
    }));
    const byId: (BuddyZone | undefined)[] = [];
    for (const { core } of this.zones) byId[core.zoneId] = core;
    this.#byId = byId;
    this.#views = this.zones.map(({ core }) => watermarkView(core));
    this.buildZonelists(options.distance);
    this.#own();
  }

  /**
   * Creates the allocator of a machine; all zones are empty until ranges are handed over.
   * @param memmap descriptors; its zone ids get defined here
   * @throws ERR_BUDDY_ARGUMENT for spans that overlap within a node or lie outside the memmap
   */
  static create(
    memmap: Memmap,
    zones: readonly ZoneSpec[],
    options: PageAllocatorOptions = {},
  ): PageAllocator {
    const threads = options.threads ?? 64;
    checkSpecs(memmap, zones);
    const control = allocateWords(
      controlWords(zones.length, threads),
      memmap.usage().storage !== 'local',
    );
    control[Header.VERSION] = VERSION;
    control[Header.ZONES] = zones.length;
    control[Header.THREADS] = threads;
    control[Header.FLAGS] =
      ((options.grouping ?? true) ? ControlFlag.GROUPING : 0) |
      (options.deepCaches === true ? ControlFlag.DEEP_CACHE : 0) |
      (options.caches === false ? ControlFlag.NO_CACHE : 0);
    zones.forEach((spec, i) => {
      const zoneId = memmap.defineZone(spec.nid, ZONE_CLASS[spec.zone]);
      initZoneWords(control, zoneAt(i), { ...spec, zoneId });
    });
    control[Header.GUARD_ORDER] = options.guardMinOrder ?? 0;
    control[Header.MAGIC] = MAGIC;
    const allocator = new PageAllocator(
      {
        type: 'bootmem.page-allocator',
        memmap: memmap.toHandle(),
        control,
        threads: ThreadRegistry.create(threads).toHandle(),
        zones: zones.map(({ nid, zone }) => ({ nid, zone })),
        release: (options.profile ?? kernelProfile('6.19')).release,
        workers: options.workers ?? threads,
      },
      options,
    );
    for (const { core } of allocator.zones) core.area.reset();
    return allocator;
  }

  /** The allocator of another thread; registers the calling thread. Hooks are this thread's own. */
  static attach(handle: PageAllocatorHandle, options: PageAllocatorOptions = {}): PageAllocator {
    return new PageAllocator(handle, options);
  }

  /** For `postMessage` and `attach`. */
  toHandle(): PageAllocatorHandle {
    return this.#handle;
  }

  /** Replaces this thread's hooks. */
  setHooks(hooks: AllocatorHooks): void {
    this.#hooks = hooks;
  }

  /** A zone by node and name, or undefined. */
  zone(nid: number, zone: ZoneName): NamedZone | undefined {
    return this.zones.find((z) => z.nid === nid && z.zone === zone);
  }

  /** Recomputes the order of zones; call after hand-over so that empty zones drop out. */
  buildZonelists(distance = (a: number, b: number): number => (a === b ? 10 : 20)): void {
    const nids = [...new Set(this.zones.map((z) => z.nid))].sort((a, b) => a - b);
    const orders = nodeOrders({
      nids,
      distance,
      hasMemory: (nid) => this.zones.some((z) => z.nid === nid && z.core.get(Zone.PRESENT) > 0),
      hasCpus: () => true,
    });
    this.#lists = new Map(
      nids.map((nid) => [
        nid,
        (orders.get(nid) ?? []).flatMap((node) =>
          this.zones
            .map((z, i) => ({ ...z, i }))
            .filter((z) => z.nid === node && z.zone !== 'Device')
            .sort((a, b) => ZONE_CLASS[b.zone] - ZONE_CLASS[a.zone])
            .map((z) => z.i),
        ),
      ]),
    );
  }

  /**
   * Hands over an initialised free range (state body, one zone): maximal aligned blocks, tail insertion,
   * counted into managed. Lock held once. Each block that the accept gate holds back is parked.
   * @returns pages handed over
   * @throws ERR_BUDDY_OUT_OF_ZONE | ERR_BUDDY_UNINITIALISED | ERR_BUDDY_NOT_ALLOCATED, nothing changed
   */
  freeBlocks(startPfn: number, endPfn: number): number {
    const index = this.memmap.indexOf(startPfn);
    const zone = index < 0 ? undefined : this.#byId[this.memmap.columns().zone[index]!];
    if (zone === undefined) {
      throw new BuddyError('ERR_BUDDY_UNINITIALISED', `pfn ${startPfn} is in no zone`, {
        startPfn,
      });
    }
    const gate = this.#hooks.accept;
    return zone.handOver(startPfn, endPfn, gate && ((pfn, order) => gate.holdBack(pfn, order)));
  }

  /**
   * Allocates `2 ** order` pages.
   * @returns first pfn; undefined when no allowed zone can serve the request
   * @throws ERR_BUDDY_ARGUMENT for an order that does not exist or a node without zonelist
   * @kernel alloc_pages
   */
  allocPages(order: number, options: AllocOptions = {}): number | undefined {
    this.#check(order);
    const type = this.#grouping ? (options.migratetype ?? 0) : 0;
    // Contiguous-memory areas serve movable requests only: those can be moved out of the way later.
    const cma = type === 1 ? AllocFlag.CMA : 0;
    const list = this.#lists.get(options.nid ?? this.zones[0]!.nid);
    if (list === undefined) {
      throw new BuddyError('ERR_BUDDY_ARGUMENT', `no node ${options.nid ?? 0}`, {
        nid: options.nid ?? 0,
      });
    }
    const usual = AllocFlag.LOW | AllocFlag.KSWAPD | cma;
    const careful = options.noFragment === true ? AllocFlag.NOFRAGMENT : 0;
    let pfn = this.#fromList(list, order, type, usual | careful, options);
    if (pfn === undefined && careful !== 0) {
      pfn = this.#fromList(list, order, type, usual, options);
    }
    return pfn ?? this.#slow(list, order, type, options);
  }

  /**
   * Frees a block from {@link allocPages}, from any thread.
   * @throws coded errors for everything else; nothing changed
   * @kernel __free_pages
   */
  freePages(pfn: number, order: number): void {
    this.#check(order);
    this.#zoneAt(pfn).free(this.memmap.indexOf(pfn), order);
  }

  /** Order-0 pages into `out` from `out.length` on, one lock per batch. @returns how many were got */
  allocBulk(count: number, out: number[], options: AllocOptions = {}): number {
    let got = 0;
    while (got < count) {
      const pfn = this.allocPages(0, { ...options, noPressure: true });
      if (pfn === undefined) break;
      out.push(pfn);
      got++;
    }
    return got;
  }

  /**
   * Allocates exactly `pages` pages in a row from the highest allowed zone that has them; the tail of a
   * power of two is not wasted. The pages can be freed one by one.
   * @kernel alloc_pages_exact
   */
  allocExact(pages: number, options: AllocOptions = {}): number | undefined {
    const { maxOrder } = this.memmap.geometry;
    const order = Math.ceil(Math.log2(pages));
    if (!Number.isInteger(pages) || pages < 1 || order > maxOrder) {
      throw new BuddyError('ERR_BUDDY_ARGUMENT', `pages is 1..2^${maxOrder}, got ${pages}`, {
        pages,
      });
    }
    const pfn = this.allocPages(order, options);
    if (pfn === undefined) return undefined;
    const index = this.memmap.indexOf(pfn);
    const { state } = this.memmap.columns();
    const zone = this.#zoneAt(pfn);
    zone.locked(() => {
      const { ALLOCATED, DIRTY } = PageState;
      const dirty = state[index]! & DIRTY;
      state.fill(ALLOCATED | dirty, index, index + 2 ** order);
      for (let i = index + pages; i < index + 2 ** order; i++) zone.area.free(i, 0, true, dirty);
    });
    return pfn;
  }

  /**
   * Takes exactly `[startPfn, endPfn)` of one zone; its pages are allocated one by one afterwards.
   * @param move  moves used blocks away; without it all pages must be free
   * @returns false when a page cannot be emptied; nothing is held then
   * @kernel alloc_contig_range
   */
  allocContigRange(startPfn: number, endPfn: number, move?: MoveCallback): boolean {
    const gate = this.#hooks.accept;
    const zone = this.#zoneAt(startPfn);
    const inside = startPfn < endPfn && startPfn >= zone.startPfn && endPfn <= zone.endPfn;
    if (!inside) {
      throw new BuddyError('ERR_BUDDY_OUT_OF_ZONE', 'the range lies inside one zone', {
        startPfn,
        endPfn,
      });
    }
    return allocContigRange(zone, startPfn, endPfn, move, gate && ((pfn) => gate.acceptBlock(pfn)));
  }

  /** Isolates the pageblock of a page. @kernel set_migratetype_isolate */
  isolate(pfn: number): boolean {
    this.#hooks.accept?.acceptBlock(pfn);
    return isolatePageblock(this.#zoneAt(pfn), pfn);
  }

  /** Lifts the isolation of the pageblock of a page; its type counts again. */
  unisolate(pfn: number): boolean {
    return unisolatePageblock(this.#zoneAt(pfn), pfn);
  }

  /** Moves movable blocks of a zone to its high end. @kernel compact_zone */
  compact(nid: number, zone: ZoneName, move: MoveCallback): CompactionResult {
    const core = this.zone(nid, zone)?.core;
    if (core === undefined) throw new BuddyError('ERR_BUDDY_ARGUMENT', `no zone ${nid}/${zone}`);
    const { isMovable } = this.#hooks;
    const byType = (pfn: number): boolean => this.memmap.pageblocks.migratetype(pfn) === 1;
    return compactZone(core, move, isMovable ?? byType);
  }

  /** Checks I1..I12 of every zone; call it while no other thread is at work. @returns what is broken */
  verify(): Violation[] {
    const zones = this.#words[Header.ZONES]!;
    const threads = this.#words[Header.THREADS]!;
    const violations = this.zones.flatMap(({ core }, zone) =>
      auditZone(
        core,
        core.cacheAt === undefined ? undefined : { zones, threads, zone },
      ).violations.map((v) => ({ ...v, text: `zone ${zone}: ${v.text}` })),
    );
    // A broken invariant stops the object, in every thread: see `#check`.
    if (violations.length > 0) this.#words[Header.BROKEN] = 1;
    return violations;
  }

  /** Parks a block of the maximum order as unaccepted: FIFO tail, counted free and unaccepted. */
  parkUnaccepted(zoneId: number, pfn: number): void {
    const zone = this.#zoneById(zoneId);
    const index = this.memmap.indexOf(pfn);
    if (index < 0 || this.memmap.columns().state[index] !== PageState.BODY) {
      throw new BuddyError('ERR_BUDDY_ARGUMENT', `pfn ${pfn} is not boot-owned`, { pfn });
    }
    zone.locked(() => {
      zone.parkLocked(index);
    });
  }

  /** Takes the first parked block; its pages become boot-owned. undefined when there is none. */
  takeUnaccepted(zoneId: number): number | undefined {
    const zone = this.#zoneById(zoneId);
    if (zone.get(Zone.UNACCEPTED_COUNT) === 0) return undefined;
    return zone.locked(() => {
      const index = zone.get(Zone.UNACCEPTED_HEAD);
      if (index === NONE) return undefined;
      zone.unparkLocked(index);
      return this.memmap.pfnOf(index);
    });
  }

  /** Takes the parked block that starts at `pfn`; false when none does. */
  takeUnacceptedAt(pfn: number): boolean {
    const index = this.memmap.indexOf(pfn);
    const zone = index < 0 ? undefined : this.#byId[this.memmap.columns().zone[index]!];
    if (zone === undefined) return false;
    return zone.locked(() => {
      const expected = PageState.UNACCEPTED | zone.maxOrder;
      if (this.memmap.columns().state[index] !== expected) return false;
      zone.unparkLocked(index);
      return true;
    });
  }

  /** Frees a block that was taken with `takeUnaccepted` and accepted; to the tail, managed unchanged. */
  freeAccepted(pfn: number, order: number): void {
    const index = this.memmap.indexOf(pfn);
    const { state, zone: zoneOf } = this.memmap.columns();
    const zone = index < 0 ? undefined : this.#byId[zoneOf[index]!];
    if (zone === undefined || state[index] !== PageState.BODY || pfn % 2 ** order !== 0) {
      throw new BuddyError('ERR_BUDDY_ARGUMENT', `pfn ${pfn} is not boot-owned`, { pfn, order });
    }
    zone.locked(() => {
      zone.freeBlockLocked(index, order, 0);
    });
  }

  /** Pages parked in a zone. Lock-free. */
  unacceptedPages(zoneId: number): number {
    return this.#zoneById(zoneId).get(Zone.UNACCEPTED);
  }

  /** What an accept gate compares. Lock-free. */
  acceptState(
    zoneId: number,
    order: number,
  ): { promo: number; acceptedFree: number; unusable: number } {
    const zone = this.#zoneById(zoneId);
    const promo = zone.get(Zone.MARK_PROMO);
    return {
      promo: promo === 0 ? 0 : promo + zone.get(Zone.BOOST),
      acceptedFree: zone.get(Zone.FREE) - zone.get(Zone.UNACCEPTED),
      unusable: 2 ** order - 1 + zone.get(Zone.FREE_HIGHATOMIC) + zone.get(Zone.FREE_CMA),
    };
  }

  /**
   * Computes marks, reserves and cache limits from what the zones manage now; boosts become 0.
   * @kernel setup_per_zone_wmarks, setup_per_zone_lowmem_reserve, zone_set_pageset_high_and_batch
   */
  setupMarks(options: { minFreeKbytes?: number; watermarkScaleFactor?: number } = {}): void {
    const all = this.zones.map(({ zone, core }) => ({ zone, managedPages: core.managedPages }));
    const minFree = options.minFreeKbytes ?? minFreeKbytes({ lowmemKbytes: lowmemKbytes(all) });
    const marks = zoneWatermarks(all, {
      minFreeKbytes: minFree,
      profile: this.#profile,
      ...(options.watermarkScaleFactor === undefined
        ? {}
        : { watermarkScaleFactor: options.watermarkScaleFactor }),
    });
    this.zones.forEach(({ core }, i) => {
      const mark = marks[i]!;
      const w = this.#words;
      core.locked(() => {
        w[core.at + Zone.MARK_MIN] = mark.min;
        w[core.at + Zone.MARK_LOW] = mark.low;
        w[core.at + Zone.MARK_HIGH] = mark.high;
        w[core.at + Zone.MARK_PROMO] = mark.promo;
        w[core.at + Zone.BOOST] = 0;
        w[core.at + Zone.FLAGS] = w[core.at + Zone.FLAGS]! & ~ZoneFlag.BELOW_HIGH;
      });
    });
    this.#setupReserves();
    this.setupCaches();
  }

  /** Computes batch and limits of the page caches from what the zones manage now. */
  setupCaches(): void {
    for (const { core } of this.zones) {
      const managed = core.managedPages;
      const batch = pcpBatch(managed, this.#profile);
      const { highMin, highMax } = pcpHigh({
        managedPages: managed,
        low: core.get(Zone.MARK_LOW),
        workers: this.#handle.workers,
        batch,
        profile: this.#profile,
      });
      core.words[core.at + Zone.BATCH] = batch;
      core.words[core.at + Zone.HIGH_MIN] = managed === 0 ? 0 : highMin;
      core.words[core.at + Zone.HIGH_MAX] = managed === 0 ? 0 : highMax;
      core.cache?.retune();
    }
  }

  /** Gives this thread's caches back, and asks the other threads to do so at their next call. */
  drain(): void {
    for (const { core } of this.zones) core.cache?.drain();
    this.#attention();
  }

  /**
   * Recovers what a dead thread held: its page caches and, at the next use, its locks. Call it when a
   * worker has exited without {@link close}.
   * @returns pages given back to the zones
   */
  reclaimThread(thread: number): number {
    this.registry.markDead(thread);
    if (!this.registry.isDead(thread)) return 0;
    let pages = 0;
    for (const [i, { core }] of this.zones.entries()) {
      if (core.cacheAt === undefined) continue;
      const at = cacheAt(this.#words[Header.ZONES]!, this.#words[Header.THREADS]!, i, thread);
      pages += core.locked(() =>
        reclaimCache({ columns: core.columns, words: this.#words, at, area: core.area }),
      );
      this.#words[at + Cache.OWNER] = 0;
    }
    this.registry.release(thread);
    return pages;
  }

  /** Drains this thread's caches and gives its id back. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { core } of this.zones) {
      core.cache?.close();
      if (core.cacheAt !== undefined) this.#words[core.cacheAt + Cache.OWNER] = 0;
    }
    this.registry.unregister(this.thread);
  }

  /** Word that counts low-watermark events: array and index, for Atomics.wait and waitAsync. */
  lowEvents(): { words: Int32Array; index: number } {
    return { words: this.#words, index: Header.EVENTS };
  }

  /** Watermark lock words of a zone, for tests of dead owners. */
  static readonly LOCK_WORDS = SharedLock.WORDS;

  #own(): void {
    for (const { core } of this.zones) {
      if (core.cacheAt !== undefined) this.#words[core.cacheAt + Cache.OWNER] = this.thread;
    }
  }

  #attention(): void {
    const zones = this.#words[Header.ZONES]!;
    const threads = this.#words[Header.THREADS]!;
    for (let zone = 0; zone < zones; zone++) {
      for (let thread = 1; thread <= threads; thread++) {
        if (thread !== this.thread) askToDrain(this.#words, cacheAt(zones, threads, zone, thread));
      }
    }
  }

  #fromList(
    list: readonly number[],
    order: number,
    type: number,
    flags: number,
    options: AllocOptions,
  ): number | undefined {
    const highest = ZONE_CLASS[options.zone ?? 'Normal'];
    const gate = this.#hooks.accept;
    for (const i of list) {
      const { zone, core, nid } = this.zones[i]!;
      if (ZONE_CLASS[zone] > highest) continue;
      if (options.thisNode === true && nid !== (options.nid ?? this.zones[0]!.nid)) continue;
      if (core.managedPages === 0 && this.#hooks.grow === undefined) continue;
      // Before the test only if something is parked; afterwards also for a block in another's hands.
      const gated = gate !== undefined;
      if (gated && core.get(Zone.UNACCEPTED) > 0)
        this.#accept(gate, core, order, 'before', options);
      if (!this.#passes(i, order, flags, highest)) {
        const helped = gated && this.#accept(gate, core, order, 'watermark', options);
        if (!helped && !this.#grow(core, order, options)) continue;
      }
      const index = this.#takeRetrying(core, order, type, flags, options);
      if (index !== NONE) return this.memmap.pfnOf(index);
    }
    return undefined;
  }

  #takeRetrying(
    core: BuddyZone,
    order: number,
    type: number,
    flags: number,
    options: AllocOptions,
  ): number {
    const take = takeFlags(flags);
    const gate = this.#hooks.accept;
    for (;;) {
      const index = core.alloc(order, type, take);
      if (index !== NONE) return index;
      if (gate !== undefined && this.#accept(gate, core, order, 'empty', options)) continue;
      if (!this.#grow(core, order, options)) return NONE;
    }
  }

  #passes(i: number, order: number, flags: number, highest: number): boolean {
    if ((flags & AllocFlag.NO_WATERMARKS) !== 0) return true;
    const core = this.zones[i]!.core;
    const mark = core.get(Zone.MARK_MIN + (flags & 3)) + core.get(Zone.BOOST);
    return watermarkFast(this.#views[i]!, { order, mark, highestZoneIndex: highest, flags });
  }

  #accept(
    gate: AcceptGate,
    core: BuddyZone,
    order: number,
    stage: 'before' | 'watermark' | 'empty',
    options: AllocOptions,
  ): boolean {
    return gate.condAccept(core.zoneId, order, stage, { tryLock: options.tryLock === true });
  }

  #grow(core: BuddyZone, order: number, options: AllocOptions): boolean {
    if (options.tryLock === true) return false;
    return this.#hooks.grow?.(core.zoneId, order) === true;
  }

  #slow(
    list: readonly number[],
    order: number,
    type: number,
    options: AllocOptions,
  ): number | undefined {
    if (options.tryLock === true) return undefined;
    let flags: number = AllocFlag.MIN | AllocFlag.KSWAPD | (type === 1 ? AllocFlag.CMA : 0);
    if (options.high === true) flags |= AllocFlag.MIN_RESERVE;
    if (options.canReclaim === false) {
      flags |= AllocFlag.NON_BLOCK;
      if (options.high === true && order > 0) flags |= AllocFlag.HIGHATOMIC;
    }
    if (options.memalloc === true) flags |= AllocFlag.NO_WATERMARKS;
    let pfn = this.#fromList(list, order, type, flags, options);
    if (pfn !== undefined) return pfn;
    if (options.noPressure !== true && options.canReclaim !== false) {
      for (let round = 0; round < PRESSURE_ROUNDS && pfn === undefined; round++) {
        const freed = this.#hooks.onPressure?.({ order, migratetype: type, round }) === true;
        if (!freed) break;
        pfn = this.#fromList(list, order, type, flags, options);
      }
    }
    if (pfn !== undefined) return pfn;
    // Last means: pages that lie in caches or in the high-atomic reserve.
    this.drain();
    for (const i of list) {
      const { core } = this.zones[i]!;
      core.locked(() => core.fallback.unreserveHighatomic(type, true));
    }
    return this.#fromList(list, order, type, flags, options);
  }

  #setupReserves(): void {
    const nids = new Set(this.zones.map((z) => z.nid));
    for (const nid of nids) {
      const own = (Object.keys(ZONE_CLASS) as ZoneName[]).map((zone) => ({
        zone,
        managedPages: this.zone(nid, zone)?.core.managedPages ?? 0,
      }));
      const reserve = lowmemReserve(own);
      own.forEach(({ zone }, i) => {
        const core = this.zone(nid, zone)?.core;
        reserve[i]!.forEach((pages, j) => {
          if (core !== undefined) this.#words[core.at + Zone.RESERVE + j] = pages;
        });
      });
    }
  }

  #zoneAt(pfn: number): BuddyZone {
    const index = this.memmap.indexOf(pfn);
    const zone = index < 0 ? undefined : this.#byId[this.memmap.columns().zone[index]!];
    if (zone !== undefined) return zone;
    throw new BuddyError('ERR_BUDDY_OUT_OF_ZONE', `pfn ${pfn} is in no zone`, { pfn });
  }

  #zoneById(zoneId: number): BuddyZone {
    const zone = this.#byId[zoneId];
    if (zone !== undefined) return zone;
    throw new BuddyError('ERR_BUDDY_ARGUMENT', `zone id ${zoneId} is not of this allocator`, {
      zoneId,
    });
  }

  #check(order: number): void {
    if (this.#closed) throw new BuddyError('ERR_BUDDY_CLOSED', 'the allocator was closed');
    if (this.#words[Header.BROKEN] !== 0) {
      throw new BuddyError('ERR_BUDDY_CORRUPT', 'verify() has found broken invariants');
    }
    const { maxOrder } = this.memmap.geometry;
    if (!Number.isInteger(order) || order < 0 || order > maxOrder) {
      throw new BuddyError('ERR_BUDDY_ARGUMENT', `order is 0..${maxOrder}, got ${order}`, {
        order,
      });
    }
  }
}

function takeFlags(flags: number): number {
  let take = 0;
  if ((flags & AllocFlag.NOFRAGMENT) !== 0) take |= TakeFlag.NOFRAGMENT;
  if ((flags & AllocFlag.HIGHATOMIC) !== 0) take |= TakeFlag.HIGHATOMIC;
  if ((flags & (AllocFlag.OOM | AllocFlag.NON_BLOCK)) !== 0) take |= TakeFlag.RESERVES;
  if ((flags & AllocFlag.CMA) !== 0) take |= TakeFlag.CMA;
  if ((flags & AllocFlag.KSWAPD) !== 0) take |= TakeFlag.KSWAPD;
  return take;
}

function watermarkView(core: BuddyZone): WatermarkZone {
  return {
    get freePages() {
      return core.get(Zone.FREE);
    },
    get freeHighatomic() {
      return core.get(Zone.FREE_HIGHATOMIC);
    },
    get freeCma() {
      return core.get(Zone.FREE_CMA);
    },
    // Live words; only ever indexed.
    lowmemReserve: core.words.subarray(
      core.at + Zone.RESERVE,
      core.at + Zone.RESERVE + 8,
    ) as unknown as readonly number[],
    get min() {
      return core.get(Zone.MARK_MIN);
    },
    get boost() {
      return core.get(Zone.BOOST);
    },
    maxOrder: core.maxOrder,
    hasFree: (order, type) => core.area.count(order, type) > 0,
  };
}

function checkSpecs(memmap: Memmap, zones: readonly ZoneSpec[]): void {
  if (zones.length === 0) throw new BuddyError('ERR_BUDDY_ARGUMENT', 'at least one zone');
  const seen = new Set<string>();
  for (const { nid, zone, startPfn, endPfn, presentPages } of zones) {
    const name = `${nid}/${zone}`;
    const spanned = endPfn - startPfn;
    const ok =
      Number.isSafeInteger(startPfn) &&
      spanned >= 0 &&
      presentPages >= 0 &&
      presentPages <= spanned &&
      !seen.has(name) &&
      (spanned === 0 || (startPfn >= memmap.startPfn && endPfn <= memmap.endPfn));
    if (!ok) {
      throw new BuddyError('ERR_BUDDY_ARGUMENT', `zone ${name} is not a span inside the memmap`, {
        nid,
        zone,
        startPfn,
        endPfn,
        presentPages,
      });
    }
    seen.add(name);
  }
}
