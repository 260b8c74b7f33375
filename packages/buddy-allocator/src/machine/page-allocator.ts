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
import { type Memmap, PageState, ZONE_NAMES } from '@bootmem/memmap';
import { SharedLock } from '@bootmem/memmap/shared';

import { profileForRelease, type KernelProfile } from '../marks/profile.js';
import type { ZoneName } from '@bootmem/memmap';
import { type MarkOptions, setupCaches, setupMarks } from './allocator-marks.js';
import { makeHandle, openZones } from './allocator-setup.js';
import type {
  AllocatorHooks,
  AllocOptions,
  NamedZone,
  PageAllocatorHandle,
  PageAllocatorOptions,
  ZoneSpec,
} from './allocator-types.js';
import { type CompactionResult, compactZone } from '../zone/compaction.js';
import { ControlFlag, Header, Zone } from '../base/control-layout.js';
import {
  checkFunction,
  checkInteger,
  checkName,
  checkObject,
  checkOrder,
  checkOut,
  checkPfn,
  refuse,
} from '../base/check.js';
import { BuddyError } from '../base/errors.js';
import { closeRun, openRun } from '../lists/run.js';
import { checkMachineHandle } from '../base/handle.js';
import { allocContigRange, checkContig } from '../zone/contig.js';
import { Attachment } from '../zone/attachment.js';
import { handOver } from '../zone/hand-over.js';
import { isolatePageblock, unisolatePageblock } from '../zone/isolation.js';
import type { MoveCallback } from '../zone/moves.js';
import {
  type AcceptState,
  acceptStateOf,
  freeAccepted,
  parkUnaccepted,
  takeUnaccepted,
  takeUnacceptedAt,
  withdrawBlock,
} from '../zone/unaccepted-blocks.js';
import { checkUnits, markShared, unmarkShared } from '../zone/shared-blocks.js';
import type { BuddyZone } from '../zone/zone.js';
import { checkAllocOptions, checkHooks, checkOptions } from './check-options.js';
import { ZoneWalk } from './zone-walk.js';
import { Zonelists } from './zonelists.js';

/** Node ids end here. */
const MAX_NUMBER = 2 ** 31 - 1;
/** Every other node is equally far. */
const ONE_HOP = (from: number, to: number): number => (from === to ? 10 : 20);
/** No geometry has larger blocks. */
const MAX_ORDER = 15;

/** Zoned page allocator over a memmap, seen from one thread. */
export class PageAllocator extends Attachment {
  readonly zones: readonly NamedZone[];
  readonly #handle: PageAllocatorHandle;
  readonly #byId: readonly (BuddyZone | undefined)[];
  readonly #walk: ZoneWalk;
  readonly #profile: KernelProfile;
  readonly #grouping: boolean;
  #hooks: AllocatorHooks;
  #lists: Zonelists;

  private constructor(handle: PageAllocatorHandle, options: PageAllocatorOptions) {
    super(handle, options.thread, undefined);
    const words = handle.control;
    this.#handle = handle;
    this.#hooks = options;
    this.#profile = options.profile ?? profileForRelease(handle.release);
    this.#grouping = (words[Header.FLAGS]! & ControlFlag.GROUPING) !== 0;
    const { memmap, registry, thread } = this;
    this.zones = openZones(handle, { memmap, registry, thread, options });
    const byId: (BuddyZone | undefined)[] = [];
    for (const { core } of this.zones) byId[core.zoneId] = core;
    this.#byId = byId;
    this.#walk = new ZoneWalk({
      memmap,
      zones: this.zones,
      hooks: () => this.#hooks,
      drain: () => {
        this.drain();
      },
    });
    this.#lists = new Zonelists(this.zones, options.distance ?? ONE_HOP);
    this.own();
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
    const allocator = new PageAllocator(makeHandle(memmap, zones, options), options);
    for (const { core } of allocator.zones) core.area.reset();
    return allocator;
  }

  /**
   * The allocator of another thread; registers the calling thread. Hooks are this thread's own.
   * @throws ERR_BUDDY_HANDLE for what is no whole handle of this version
   */
  static attach(handle: PageAllocatorHandle, options: PageAllocatorOptions = {}): PageAllocator {
    checkMachineHandle(handle);
    checkOptions(options, MAX_ORDER);
    return new PageAllocator(handle, options);
  }

  /** For `postMessage` and `attach`. */
  toHandle(): PageAllocatorHandle {
    return this.#handle;
  }

  /** Replaces this thread's hooks. */
  setHooks(hooks: AllocatorHooks): void {
    this.checkOpen();
    checkHooks(hooks);
    this.#hooks = hooks;
  }

  /** A zone by node and name, or undefined. */
  zone(nid: number, zone: ZoneName): NamedZone | undefined {
    checkInteger(nid, 'nid', 0, MAX_NUMBER);
    checkName(zone, 'zone', ZONE_NAMES);
    return this.zones.find((z) => z.nid === nid && z.zone === zone);
  }

  /**
   * Forgets the order of zones; call after hand-over so that nodes without memory drop out.
   * @param distance  between two nodes; called when the list of a node is first needed; default 10 to itself, 20 else
   */
  buildZonelists(distance = ONE_HOP): void {
    this.checkOpen();
    checkFunction(distance, 'distance');
    this.#lists = new Zonelists(this.zones, distance);
  }

  /**
   * Hands over an initialised free range (state body, one zone): maximal aligned blocks, tail insertion,
   * counted into managed. Lock held once. Each block that the accept gate holds back is parked.
   * @returns pages handed over
   * @throws ERR_BUDDY_OUT_OF_ZONE | ERR_BUDDY_UNINITIALISED | ERR_BUDDY_NOT_ALLOCATED, nothing changed
   */
  freeBlocks(startPfn: number, endPfn: number): number {
    this.checkOpen();
    checkPfn(startPfn, 'startPfn');
    checkPfn(endPfn, 'endPfn');
    const zone = this.#zoneOf(startPfn);
    if (zone === undefined) {
      throw new BuddyError('ERR_BUDDY_UNINITIALISED', `pfn ${startPfn} is in no zone`, {
        startPfn,
      });
    }
    const gate = this.#hooks.accept;
    const keep = gate && ((pfn: number, order: number) => gate.holdBack(pfn, order));
    return handOver(zone, startPfn, endPfn, keep);
  }

  /**
   * Allocates `2 ** order` pages.
   * @returns first pfn; undefined when no allowed zone can serve the request
   * @throws ERR_BUDDY_ARGUMENT for an order that does not exist or a node without zonelist
   * @kernel alloc_pages
   */
  allocPages(order: number, options: AllocOptions = {}): number | undefined {
    this.#check(order);
    checkAllocOptions(options);
    const type = this.#grouping ? (options.migratetype ?? 0) : 0;
    const list = this.#lists.of(options.nid ?? this.zones[0]!.nid);
    if (list === undefined) {
      throw new BuddyError('ERR_BUDDY_ARGUMENT', `no node ${options.nid ?? 0}`, {
        nid: options.nid ?? 0,
      });
    }
    return this.#walk.alloc(list, order, type, options);
  }

  /**
   * Frees a block from {@link allocPages}, from any thread.
   * @throws coded errors for everything else; nothing changed
   * @kernel __free_pages
   */
  freePages(pfn: number, order: number): void {
    this.#check(order);
    if (typeof pfn !== 'number') refuse('pfn', 'a page number', pfn);
    this.#zoneAt(pfn).free(this.memmap.indexOf(pfn), order);
  }

  /**
   * Order-0 pages into the first places of `out`, one lock per batch.
   * @param count  pages wanted
   * @param out    takes their pfns, from index 0 on
   * @returns how many were got
   * @throws ERR_BUDDY_ARGUMENT; what a hook throws: then all pages of this call are free again
   */
  allocBulk(count: number, out: number[], options: AllocOptions = {}): number {
    this.checkOpen();
    checkInteger(count, 'count', 0, MAX_NUMBER);
    checkOut(out, count);
    checkAllocOptions(options);
    let got = 0;
    try {
      for (; got < count; got++) {
        const pfn = this.allocPages(0, { ...options, noPressure: true });
        if (pfn === undefined) break;
        out[got] = pfn;
      }
    } catch (error) {
      for (const pfn of out.slice(0, got)) this.freePages(pfn, 0);
      throw error;
    }
    return got;
  }

  /**
   * Allocates exactly `pages` pages in a row from the highest allowed zone that has them; the tail of a
   * power of two is not wasted. The pages can be freed one by one.
   * @kernel alloc_pages_exact
   */
  allocExact(pages: number, options: AllocOptions = {}): number | undefined {
    this.checkOpen();
    checkInteger(pages, 'pages', 1, 2 ** this.memmap.geometry.maxOrder);
    const order = Math.ceil(Math.log2(pages));
    const pfn = this.allocPages(order, options);
    if (pfn === undefined) return undefined;
    const index = this.memmap.indexOf(pfn);
    const { state } = this.memmap.columns();
    const zone = this.#zoneAt(pfn);
    zone.locked(() => {
      const { ALLOCATED, DIRTY } = PageState;
      const dirty = state[index]! & DIRTY;
      // The tail is free from here on, whoever ends this.
      openRun(zone.words, zone.at, pfn + pages, 2 ** order - pages);
      state.fill(ALLOCATED | dirty, index, index + 2 ** order);
      for (let i = index + pages; i < index + 2 ** order; i++) zone.area.free(i, 0, true, dirty);
      closeRun(zone.words, zone.at);
    });
    return pfn;
  }

  /**
   * Takes exactly `[startPfn, endPfn)` of one zone; its pages are allocated one by one afterwards.
   * @param move  moves used blocks away; without it all pages must be free
   * @returns false when a page cannot be emptied; nothing is held then
   * @throws ERR_BUDDY_ARGUMENT | ERR_BUDDY_OUT_OF_ZONE
   * @kernel alloc_contig_range
   */
  allocContigRange(startPfn: number, endPfn: number, move?: MoveCallback): boolean {
    this.checkOpen();
    checkPfn(startPfn, 'startPfn');
    const gate = this.#hooks.accept;
    const zone = this.#zoneAt(startPfn);
    checkContig(zone, startPfn, endPfn, move);
    return allocContigRange(zone, startPfn, endPfn, {
      move,
      accept: gate && ((pfn) => gate.acceptBlock(pfn)),
    });
  }

  /** Isolates the pageblock of a page. @kernel set_migratetype_isolate */
  isolate(pfn: number): boolean {
    this.checkOpen();
    checkPfn(pfn);
    this.#hooks.accept?.acceptBlock(pfn);
    return isolatePageblock(this.#zoneAt(pfn), pfn);
  }

  /** Lifts the isolation of the pageblock of a page; its type counts again. */
  unisolate(pfn: number): boolean {
    this.checkOpen();
    checkPfn(pfn);
    return unisolatePageblock(this.#zoneAt(pfn), pfn);
  }

  /** Moves movable blocks of a zone to its high end. @kernel compact_zone */
  compact(nid: number, zone: ZoneName, move: MoveCallback): CompactionResult {
    this.checkOpen();
    checkFunction(move, 'move');
    const core = this.zone(nid, zone)?.core;
    if (core === undefined) throw new BuddyError('ERR_BUDDY_ARGUMENT', `no zone ${nid}/${zone}`);
    const { isMovable } = this.#hooks;
    const byType = (pfn: number): boolean => this.memmap.pageblocks.migratetype(pfn) === 1;
    return compactZone(core, move, isMovable ?? byType);
  }

  /**
   * Parks a block of the maximum order as unaccepted: FIFO tail, counted free and unaccepted.
   * @throws ERR_BUDDY_ARGUMENT unless it is one of the zone, boot-owned or taken
   */
  parkUnaccepted(zoneId: number, pfn: number): void {
    this.checkOpen();
    checkPfn(pfn);
    parkUnaccepted(this.memmap, this.#zoneById(zoneId), pfn);
  }

  /**
   * Takes the first parked block; undefined when there is none. It is the caller's until it is freed, withdrawn or parked
   * again, which any thread may do; when the taker has ended, {@link reclaimThread} parks it.
   * @param named  told its first page under the lock, before it leaves the list; must not call back
   */
  takeUnaccepted(zoneId: number, named?: (pfn: number) => void): number | undefined {
    this.checkOpen();
    return takeUnaccepted(this.memmap, this.#zoneById(zoneId), named);
  }

  /** Takes the parked block that starts at `pfn`; false when none does. @param named  as for {@link takeUnaccepted} */
  takeUnacceptedAt(pfn: number, named?: (pfn: number) => void): boolean {
    this.checkOpen();
    checkPfn(pfn);
    return takeUnacceptedAt(this.memmap, this.#zoneOf(pfn), pfn, named);
  }

  /**
   * Frees a block that was taken with `takeUnaccepted` and accepted; to the tail, managed unchanged.
   * @returns false when nobody has taken it: it is free already, or parked still
   */
  freeAccepted(pfn: number, order: number): boolean {
    this.#check(order);
    checkPfn(pfn);
    return freeAccepted(this.memmap, this.#zoneOf(pfn), pfn, order);
  }

  /**
   * Withdraws a block that was taken with `takeUnaccepted` and cannot be accepted: it counts as managed and as withdrawn, its
   * pages are bad (`PageState.HWPOISON`).
   * @returns false when nobody has taken it
   */
  withdraw(pfn: number, order: number): boolean {
    this.#check(order);
    checkPfn(pfn);
    return withdrawBlock(this.memmap, this.#zoneOf(pfn), pfn, order);
  }

  /**
   * Marks the allocated blocks that hold `[startPfn, endPfn)` as shared with the host; all or none. Until the mark is taken
   * off, freeing one is `ERR_BUDDY_SHARED`, and it is neither split nor moved.
   * @param unitPages  pages of a unit, a power of two; the range is whole units, and each lies in one block
   * @param holds      whether the caller holds a block, where books are kept of whose it is; asked under the zone's lock, must
   *   not call back. Default: who names an allocated block holds it
   * @returns first page of the first unit that is not so held; undefined when all are marked
   */
  markShared(
    startPfn: number,
    endPfn: number,
    unitPages: number,
    holds?: (pfn: number, order: number) => boolean,
  ): number | undefined {
    this.checkOpen();
    checkUnits(startPfn, endPfn, unitPages);
    if (holds !== undefined) checkFunction(holds, 'holds');
    const range = { startPfn, endPfn };
    return markShared(this.memmap, this.#zoneOf(startPfn), range, { unitPages, holds });
  }

  /**
   * Takes the mark off the marked blocks that touch the range and have no shared part any more.
   * @param isShared  whether a part of a block is shared; asked under the zone's lock, must not call back
   */
  unmarkShared(
    startPfn: number,
    endPfn: number,
    isShared: (startPfn: number, endPfn: number) => boolean,
  ): void {
    this.checkOpen();
    checkUnits(startPfn, endPfn, 1);
    checkFunction(isShared, 'isShared');
    for (const { core } of this.zones) {
      unmarkShared(this.memmap, core, { startPfn, endPfn }, isShared);
    }
  }

  /** Pages parked in a zone. Lock-free. */
  unacceptedPages(zoneId: number): number {
    this.refuseClosed();
    return this.#zoneById(zoneId).get(Zone.UNACCEPTED);
  }

  /** What an accept gate compares. Lock-free. */
  acceptState(zoneId: number, order: number): AcceptState {
    this.refuseClosed();
    checkOrder(order, this.memmap.geometry.maxOrder);
    return acceptStateOf(this.#zoneById(zoneId), order);
  }

  /**
   * Computes marks, reserves and cache limits from what the zones manage now; boosts become 0.
   * @kernel setup_per_zone_wmarks, setup_per_zone_lowmem_reserve, zone_set_pageset_high_and_batch
   */
  setupMarks(options: MarkOptions = {}): void {
    this.checkOpen();
    checkObject(options, 'options');
    const { minFreeKbytes, watermarkScaleFactor } = options;
    if (minFreeKbytes !== undefined) checkInteger(minFreeKbytes, 'minFreeKbytes', 0, MAX_NUMBER);
    if (watermarkScaleFactor !== undefined) {
      checkInteger(watermarkScaleFactor, 'watermarkScaleFactor', 1, 10_000);
    }
    setupMarks(this.zones, this.#profile, options);
    this.setupCaches();
  }

  /** Computes batch and limits of the page caches from what the zones manage now. */
  setupCaches(): void {
    this.checkOpen();
    setupCaches(this.zones, this.#profile, this.#handle.workers);
  }

  /** Watermark lock words of a zone, for tests of dead owners. */
  static readonly LOCK_WORDS = SharedLock.WORDS;

  protected cores(): readonly BuddyZone[] {
    return this.zones.map(({ core }) => core);
  }

  protected leave(): void {
    // Nothing else: every function asks first whether the allocator is open.
  }

  #zoneOf(pfn: number): BuddyZone | undefined {
    const index = this.memmap.indexOf(pfn);
    return index < 0 ? undefined : this.#byId[this.memmap.columns().zone[index]!];
  }

  #zoneAt(pfn: number): BuddyZone {
    const zone = this.#zoneOf(pfn);
    if (zone !== undefined) return zone;
    throw new BuddyError('ERR_BUDDY_OUT_OF_ZONE', `pfn ${pfn} is in no zone`, { pfn });
  }

  #zoneById(zoneId: number): BuddyZone {
    checkInteger(zoneId, 'zoneId', 0, 255);
    const zone = this.#byId[zoneId];
    if (zone !== undefined) return zone;
    throw new BuddyError('ERR_BUDDY_ARGUMENT', `zone id ${zoneId} is not of this allocator`, {
      zoneId,
    });
  }

  #check(order: number): void {
    this.checkOpen();
    checkOrder(order, this.memmap.geometry.maxOrder);
  }
}
