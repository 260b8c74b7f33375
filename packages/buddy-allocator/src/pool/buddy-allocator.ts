/**
 * Page allocator for one memory that many threads share: create once, attach anywhere.
 *
 *     pfn      0    1    2    3    4    5    6    7
 *     data   [    order 1   ][ .. ][    ][      order 2 ...      ]     page size * pfn + offset
 *     control words, page descriptors: beside the data, never in it
 *
 * Handles are page numbers, so there is nothing to serialise, and views are made only on request. An
 * allocation of order 0..9 that hits the thread's own cache takes no lock and no atomic operation.
 * One zone over a memmap with all of the zoned allocator's behaviour: merging, mobility grouping, caches,
 * recovery from dead threads. Works on SharedArrayBuffer, ArrayBuffer, WebAssembly.Memory or no memory.
 *
 * Invariants: those of the zone; page number = descriptor index, because sections start at 0 in order.
 */

import { compactZone, type CompactionResult } from '../zone/compaction.js';
import { Header, Zone } from '../base/control-layout.js';
import {
  checkFunction,
  checkInteger,
  checkObject,
  checkOrder,
  checkOut,
  checkOwner,
  checkPfn,
  checkTimeout,
} from '../base/check.js';
import { BuddyError } from '../base/errors.js';
import { checkAllocatorHandle } from '../base/handle.js';
import { allocContigRange, checkContig } from '../zone/contig.js';
import { unisolatePageblock } from '../zone/isolation.js';
import type { MoveCallback } from '../zone/moves.js';
import type { BuddyZone } from '../zone/zone.js';
import { CacheParking } from './cache-parking.js';
import { freeAllOf, setOwner } from './owners.js';
import { PoolMemory } from './pool-memory.js';
import { makeHandle } from './pool-setup.js';
import { createPoolZone } from './pool-zone.js';
import type {
  AllocRequest,
  AttachOptions,
  BuddyAllocatorOptions,
  BuddyHandle,
  BuddySnapshot,
  BufferOwner,
  FreeStatus,
  RangeRequest,
} from './pool-types.js';
import { checkWait } from './idle.js';
import { allocBulk, freeBulk } from './requests/bulk.js';
import { freeStatusOf } from './requests/free-status.js';
import { checkRequest, type PressureCallback, Requests } from './requests/requests.js';
import { WaitingRequests } from './requests/waiting.js';
import { createWays, type Ways } from './requests/ways.js';
import { restoreFrom } from './snapshot/restore.js';

const NO_REQUEST: AllocRequest = Object.freeze({});

/** Page allocator of one shared memory, seen from one thread. */
export class BuddyAllocator extends PoolMemory {
  /** log2 of the largest block in pages. */
  readonly maxOrder: number;
  readonly zone: BuddyZone;

  /**
   * Allocates `2 ** order` pages, aligned to their size. A function of its own, not a method: it may be
   * taken out of the object, and a call costs less.
   * @returns first page number; undefined when there is none
   * @throws ERR_BUDDY_ARGUMENT for an order outside 0 .. maxOrder, or `zero` without data
   * @remarks a cache hit takes no lock and no atomic operation
   */
  readonly alloc: (order: number, request?: AllocRequest) => number | undefined;

  /**
   * Frees a block from {@link BuddyAllocator.alloc}, from any thread.
   * @throws ERR_BUDDY_DOUBLE_FREE | _NOT_HEAD | _WRONG_ORDER | _OUT_OF_ZONE | _RESERVED …, nothing changed
   */
  readonly free: (pfn: number, order: number) => void;

  /** Owner of what this thread takes when nothing else is said. */
  readonly #owner: number;
  readonly #requests: Requests;
  readonly #ways: Ways;
  readonly #parking: CacheParking;
  #waiting: WaitingRequests | undefined;

  private constructor(handle: BuddyHandle, options: AttachOptions = {}) {
    const { lockTimeoutMs, thread, parkAfterMs, owner = 0 } = options;
    super(handle, thread);
    const words = handle.control;
    const flags = words[Header.FLAGS]!;
    const { memmap, registry, data } = this;
    this.#owner = owner;
    this.maxOrder = memmap.geometry.maxOrder;
    this.#parking = new CacheParking(() => this.zone.cache, parkAfterMs);
    this.zone = createPoolZone({
      memmap,
      words,
      thread: this.thread,
      registry,
      data,
      lockTimeoutMs,
      onCacheUse: this.#parking.used,
    });
    const { zone, usual } = this;
    const drain = (): void => {
      this.drain();
    };
    const checkOpen = (): void => {
      this.checkOpen();
    };
    this.#requests = new Requests({ zone, flags, data, usual, owner, drain });
    const { alloc, free } = (this.#ways = createWays({
      zone,
      requests: this.#requests,
      flags,
      type: usual,
      owner,
      checkOpen,
    }));
    this.alloc = alloc;
    this.free = free;
    this.own();
  }

  /**
   * Creates an allocator; all of its memory is free.
   * @throws ERR_BUDDY_ARGUMENT with the option that does not fit
   * @remarks reserves address space only; the memory is not touched
   */
  static create(options: BuddyAllocatorOptions): BuddyAllocator {
    const { handle, pages } = makeHandle(options);
    const { lockTimeoutMs, parkAfterMs, owner } = options;
    const allocator = new BuddyAllocator(handle, { lockTimeoutMs, parkAfterMs, owner });
    allocator.zone.area.reset();
    allocator.bringOnline(pages);
    return allocator;
  }

  /**
   * The allocator of another thread; registers the calling thread, with the id that was reserved for it or any.
   * @throws ERR_BUDDY_HANDLE for what is no whole handle of this version; MemmapErrors ERR_THREADS_FULL,
   *   ERR_THREADS_RESERVED for a `thread` that is not reserved
   */
  static attach(handle: BuddyHandle, options: AttachOptions = {}): BuddyAllocator {
    checkAllocatorHandle(handle);
    checkObject(options, 'options');
    checkTimeout(options.lockTimeoutMs);
    checkTimeout(options.parkAfterMs, 'parkAfterMs');
    if (options.thread !== undefined) checkInteger(options.thread, 'thread', 1, 2 ** 31 - 1);
    checkOwner(options.owner, handle.control[Header.OWNED] !== 0);
    return new BuddyAllocator(handle, options);
  }

  /** Like {@link BuddyAllocator.alloc}, but throws ERR_BUDDY_EXHAUSTED instead of returning undefined. */
  allocOrThrow(order: number, request?: AllocRequest): number {
    const pfn = this.alloc(order, request);
    if (pfn !== undefined) return pfn;
    throw new BuddyError('ERR_BUDDY_EXHAUSTED', `no free block of order ${order}`, { order });
  }

  /** Like {@link BuddyAllocator.free}, but returns what was wrong instead of throwing. */
  tryFree(pfn: number, order: number): FreeStatus {
    try {
      this.free(pfn, order);
      return 'ok';
    } catch (error) {
      return freeStatusOf(error);
    }
  }

  /**
   * Allocates exactly `pages` pages in a row; what a power of two would waste is given back. More than a
   * largest block is possible. The pages can be freed one by one (order 0) or with {@link freeExact}.
   */
  allocExact(pages: number, request: AllocRequest = NO_REQUEST): number | undefined {
    this.checkOpen();
    checkRequest(request, this.zone.ownersAt !== 0);
    return this.allocRange({ ...request, pages });
  }

  /**
   * Allocates pages by place: limits, alignment, boundary, lowest or highest. O(blocks).
   * @returns first page number; undefined when no place fits
   */
  allocRange(request: RangeRequest): number | undefined {
    this.checkOpen();
    return this.#requests.range(request);
  }

  /** Frees pages from {@link allocExact} or {@link allocRange}. @throws as {@link BuddyAllocator.free}; nothing changed */
  freeExact(pfn: number, pages: number): void {
    this.checkOpen();
    checkPfn(pfn);
    checkInteger(pages, 'pages', 1, 2 ** 31);
    this.#requests.freeExact(pfn, pages);
  }

  /**
   * Order-0 pages into the first places of `out`.
   * @param count  pages wanted
   * @param out    takes their page numbers, from index 0 on; an Int32Array has room for `count`
   * @returns how many were got
   * @throws ERR_BUDDY_ARGUMENT; what a callback throws: then all pages of this call are free again
   */
  allocBulk(count: number, out: Int32Array | number[], request?: AllocRequest): number {
    this.checkOpen();
    checkInteger(count, 'count', 0, 2 ** 31 - 1);
    checkOut(out, count);
    if (request !== undefined) checkRequest(request, this.zone.ownersAt !== 0);
    return allocBulk(this, count, out, request);
  }

  /**
   * Frees the first `count` order-0 pages of `list`.
   * @throws as {@link BuddyAllocator.free} for the first page that is wrong; `details.index` says which: those before
   *   it have been freed
   */
  freeBulk(list: ArrayLike<number>, count?: number): void {
    this.checkOpen();
    freeBulk(this, list, count);
  }

  /**
   * Makes a block larger where it is: its first page, and so its number, stays.
   * @param to  order wanted, from `order` on
   * @returns false when what follows it is not free, or it does not lie at a multiple of the larger size; nothing has changed
   * @throws as {@link BuddyAllocator.free} for what is no allocated block of `order`; as {@link BuddyAllocator.alloc} for the request
   */
  extend(pfn: number, order: number, to: number, request: AllocRequest = NO_REQUEST): boolean {
    this.#checkResize(pfn, order);
    checkInteger(to, 'to', order, this.maxOrder);
    return this.#requests.extend(pfn, order, to, request);
  }

  /**
   * Makes a block smaller where it is: the pages behind it are free.
   * @param to  order wanted, up to `order`
   * @throws as {@link BuddyAllocator.free}; nothing has changed
   */
  shrink(pfn: number, order: number, to: number): void {
    this.#checkResize(pfn, order);
    checkInteger(to, 'to', 0, order);
    this.#requests.shrink(pfn, order, to);
  }

  /**
   * As {@link BuddyAllocator.alloc}, but waits until there is a block, without blocking the thread; for threads that must not
   * sleep, such as a page's main thread. Who waits longest in this thread is served first, whatever the others want.
   * @param options `signal` aborts, `ms` bounds the wait; default: for ever
   * @returns undefined when the time is over
   * @throws what {@link BuddyAllocator.alloc} throws, the signal's reason, ERR_BUDDY_CLOSED when the pool is closed meanwhile
   * @remarks looks again after 1 to 32 ms, and asks the caches of all threads each time
   */
  async allocAsync(
    order: number,
    request: AllocRequest = NO_REQUEST,
    options: { readonly signal?: AbortSignal; readonly ms?: number } = {},
  ): Promise<number | undefined> {
    this.checkOpen();
    this.#requests.check(order, request);
    this.#waiting ??= new WaitingRequests(this);
    return this.#waiting.alloc(order, request, options);
  }

  /**
   * Frees all blocks of an owner, such as a worker that has ended: reclaim it, and settle its moves, first. The owner is at
   * rest, and nobody else frees its blocks meanwhile; others go on.
   * @param owner  1 .. 2^31 - 1
   * @returns pages freed
   * @throws ERR_BUDDY_ARGUMENT without the option `owners`
   * @remarks O(blocks); the lock is held for 2^15 pages at a time. A thread that ends in here has freed some: repeat it
   */
  freeAllOf(owner: number): number {
    this.checkOpen();
    return freeAllOf(this.zone, owner, (pfn, order) => {
      this.#requests.free(pfn, order);
    });
  }

  /**
   * Makes an allocated block another owner's: with whom it goes, its pages go.
   * @throws as {@link BuddyAllocator.free} for what is no allocated block of the order; nothing has changed
   */
  setOwner(pfn: number, order: number, owner: number): void {
    this.checkOpen();
    setOwner(this.zone, pfn, order, owner);
  }

  /**
   * Takes exactly `[startPfn, endPfn)`, moving used blocks away.
   * @returns false when a page cannot be emptied; nothing is held then
   * @throws ERR_BUDDY_ARGUMENT for an empty range; ERR_BUDDY_OUT_OF_ZONE beyond `maxPages`
   */
  allocContigRange(startPfn: number, endPfn: number, move?: MoveCallback): boolean {
    this.checkOpen();
    checkContig(this.zone, startPfn, endPfn, move);
    return allocContigRange(this.zone, startPfn, endPfn, { move, owner: this.#owner });
  }

  /**
   * Rebuilds large free blocks by moving movable ones to the high end.
   * @param move  copies contents and redirects the owner; false refuses
   * @param isMovable  whether the block at a pfn may move; default: those of movable pageblocks
   */
  compact(
    move: MoveCallback,
    isMovable = (pfn: number): boolean => this.memmap.pageblocks.migratetype(pfn) === this.usual,
  ): CompactionResult {
    this.checkOpen();
    checkFunction(move, 'move');
    checkFunction(isMovable, 'isMovable');
    return compactZone(this.zone, move, isMovable);
  }

  /**
   * Lifts the isolation of the pageblock of a page, whoever it belongs to: what is left when a contiguous request could
   * not get the lock back (ERR_LOCK_TIMEOUT). Of ended threads it is lifted by {@link reclaimThread}.
   * @returns false when it was not isolated
   */
  unisolate(pfn: number): boolean {
    this.checkOpen();
    checkInteger(pfn, 'pfn', 0, this.zone.get(Zone.PRESENT) - 1);
    return unisolatePageblock(this.zone, pfn);
  }

  /** Sets this thread's callback for requests that cannot be served. */
  onPressure(callback: PressureCallback | undefined): void {
    this.checkOpen();
    if (callback !== undefined) checkFunction(callback, 'callback');
    this.#requests.onPressure = callback;
  }

  /**
   * Makes the cache this thread's own again; what others have taken meanwhile is gone. Calls do so by themselves.
   * @throws ERR_LOCK_TIMEOUT (MemmapError) while another thread takes from it and does not come to an end
   */
  unpark(): void {
    this.checkOpen();
    this.#parking.unpark();
  }

  /**
   * `Atomics.wait` with the cache parked: for threads that sleep until there is work.
   * @param words  an Int32Array over shared memory
   * @param index  word to wait on
   * @param value  sleep only while the word is this
   * @param ms     at most so long; default: for ever
   * @throws ERR_BUDDY_ARGUMENT also where the thread must not sleep: on a page's main thread
   */
  wait(
    words: Int32Array,
    index: number,
    value: number,
    ms = Infinity,
  ): 'ok' | 'not-equal' | 'timed-out' {
    this.checkOpen();
    checkWait(words, index, value, ms);
    return this.#parking.sleepOn(words, index, value, ms);
  }

  /**
   * A new allocator in the state of a snapshot, with the calling thread as its only one: what the caches of the others
   * held is free, what a thread was in the middle of is put in order; a move is left to {@link settleMoves}.
   * @param options `data`: memory of yours, as that of `create`, that the managed memory is copied to; a WebAssembly.Memory is
   *   grown to what it needs. Of a snapshot without data, what is there counts as the contents. Default: a buffer made here
   * @throws ERR_BUDDY_HANDLE for what is no snapshot of this version, is cut off, or holds what no allocator can;
   *   ERR_BUDDY_ARGUMENT for `data` that it does not fit into; nothing has been written there
   * @remarks checks all of it: O(pages)
   */
  static restore(
    snapshot: BuddySnapshot,
    options: Pick<BuddyAllocatorOptions, 'dataOffset'> & {
      data?: ArrayBufferLike | BufferOwner;
    } = {},
  ): BuddyAllocator {
    checkObject(options, 'options');
    return restoreFrom(snapshot, options, (handle) => new BuddyAllocator(handle));
  }

  protected cores(): readonly BuddyZone[] {
    return [this.zone];
  }

  // The id, and with it the cache, may be another thread's soon: nothing of this object must reach it.
  protected leave(): void {
    this.#ways.close();
    this.#parking.stop();
    this.#waiting?.look();
  }

  #checkResize(pfn: number, order: number): void {
    this.checkOpen();
    checkPfn(pfn);
    checkOrder(order, this.maxOrder);
  }
}
