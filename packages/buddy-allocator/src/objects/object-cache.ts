/**
 * Small objects in the pages of a pool: for what is much smaller than a page, and many threads.
 *
 *     pool      [page][page][ slab of 2 pages ][page] ...
 *                            |o|o|o|o|o|o|o|..
 *     numbers   0 1 2 ...    those of a slab are one block of a second page pool, one "page" an object
 *
 * An object is a number, as a block of pages is. All that a page pool has, objects have, by the same code: a magazine (page
 * cache) for each thread whose hits take no lock, a byte each that tells double frees, frees from any thread, recovery where
 * a thread ends. A slab that is all free is one whole block again, so closing it is taking that block back. What is new are
 * slabs that come and go between the two pools (slabs.ts).
 *
 * Invariants: S1 each slab has pages of its own, allocated in the pool; S2 the numbers handed over are those of the slabs.
 */
import { PageState } from '@bootmem/memmap';
import { SharedLock } from '@bootmem/memmap/shared';

import { cachePages } from '../base/cache-layout.js';
import { cacheAt, Zone } from '../base/control-layout.js';
import { checkFunction, checkInteger, checkObject, checkTimeout, refuse } from '../base/check.js';
import { BuddyAllocator } from '../pool/buddy-allocator.js';
import { PageData, type ViewConstructor } from '../base/page-data.js';
import type { ReclaimOptions } from '../zone/attachment.js';
import type { Violation } from '../zone/verify.js';
import { auditSlabs } from './audit.js';
import { checkCacheHandle, makeCache } from './object-setup.js';
import type {
  AttachObjectsOptions,
  ConstructObject,
  ObjectCacheHandle,
  ObjectCacheOptions,
  ObjectCacheStats,
} from './object-types.js';
import { blocksAt, sizesOf, slabsAt, Table } from './slab-table.js';
import { Slabs } from './slabs.js';

const { FREE } = PageState;

/** Cache of objects of one size, seen from one thread. */
export class ObjectCache {
  /** Bytes of an object. */
  readonly size: number;
  /** Bytes from one object of a slab to the next. */
  readonly stride: number;
  /** Objects in a slab. */
  readonly objectsPerSlab: number;

  /**
   * Takes an object; its contents are what the last user left, or `construct` made. A function of its own, as `alloc` of the pool.
   * @returns its number; undefined when the pool has no pages for a slab, or `maxObjects` are in use
   * @remarks a hit in the thread's magazine takes no lock and no atomic operation
   */
  readonly alloc: () => number | undefined;

  /**
   * Frees an object, from any thread.
   * @throws ERR_BUDDY_DOUBLE_FREE | ERR_BUDDY_NOT_ALLOCATED | ERR_BUDDY_OUT_OF_ZONE, nothing changed
   */
  readonly free: (object: number) => void;

  /**
   * First byte of an object in the pool's buffer. O(1); whether the object is in use is not looked at.
   * @throws ERR_BUDDY_ARGUMENT for what is no object of a slab
   */
  readonly offset: (object: number) => number;

  readonly #pool: BuddyAllocator;
  readonly #ids: BuddyAllocator;
  readonly #handle: ObjectCacheHandle;
  readonly #slabs: Slabs;
  readonly #data: PageData | undefined;
  readonly #construct: ConstructObject | undefined;
  readonly #base: number;
  /** `construct` runs, for pages that the thread's one record has. */
  #making = false;

  private constructor(
    pool: BuddyAllocator,
    handle: ObjectCacheHandle,
    { construct, ...options }: AttachObjectsOptions,
    fresh: boolean,
  ) {
    const { table } = handle;
    const { data, dataOffset } = pool.toHandle();
    this.#pool = pool;
    this.#handle = handle;
    this.#construct = construct;
    this.#base = dataOffset;
    this.size = table[Table.SIZE]!;
    this.stride = table[Table.STRIDE]!;
    this.objectsPerSlab = table[Table.PER_SLAB]!;
    this.#data = data === null ? undefined : new PageData(data, dataOffset, pool.pageSize);
    const ids = BuddyAllocator.attach(handle.ids, options);
    this.#ids = ids;
    if (fresh) ids.zone.area.reset();
    this.#slabs = new Slabs({
      words: table,
      pages: pool.zone,
      ids: ids.zone,
      thread: ids.thread,
      lock: new SharedLock(table, Table.LOCK, ids.thread, {
        registry: ids.registry,
        timeoutMs: options.lockTimeoutMs,
      }),
    });
    try {
      this.#slabs.own();
    } catch (error) {
      // Nobody gets this object: neither the id nor the lock may stay with it.
      ids.close();
      throw error;
    }
    ids.onPressure(() => this.#addSlab());
    const { alloc, free } = ids;
    this.alloc = () => alloc(0);
    this.free = (object) => {
      free(object, 0);
    };
    this.offset = this.#makeOffset();
  }

  /**
   * Creates a cache; it has no slab yet.
   * @param pool  the calling thread's; it has to stay open as long as the cache is used
   * @throws ERR_BUDDY_ARGUMENT with the option that does not fit
   */
  static create(pool: BuddyAllocator, options: ObjectCacheOptions): ObjectCache {
    checkPool(pool);
    checkObject(options, 'options');
    checkAttach(options);
    const { construct, lockTimeoutMs, parkAfterMs } = options;
    return new ObjectCache(
      pool,
      makeCache(pool, options),
      { construct, lockTimeoutMs, parkAfterMs },
      true,
    );
  }

  /**
   * The cache of another thread.
   * @param pool  the same pool, attached in the calling thread
   * @throws ERR_BUDDY_HANDLE for what is no whole handle of a cache of this pool; MemmapErrors as `BuddyAllocator.attach`;
   *   ERR_LOCK_TIMEOUT: an id that was reserved has then to be reclaimed before it can be used again
   */
  static attach(
    pool: BuddyAllocator,
    handle: ObjectCacheHandle,
    options: AttachObjectsOptions = {},
  ): ObjectCache {
    checkPool(pool);
    checkObject(options, 'options');
    checkAttach(options);
    checkCacheHandle(handle, pool);
    const { construct, lockTimeoutMs, parkAfterMs, thread } = options;
    return new ObjectCache(pool, handle, { construct, lockTimeoutMs, parkAfterMs, thread }, false);
  }

  /** For `postMessage` and `attach`. */
  toHandle(): ObjectCacheHandle {
    return this.#handle;
  }

  /** Id of the calling thread in this cache: not that of the pool. */
  get thread(): number {
    return this.#ids.thread;
  }

  /**
   * Typed array over an object.
   * @throws ERR_BUDDY_ARGUMENT without data, for what is no object, and for elements that do not fit its place or size
   */
  view<T>(object: number, type: ViewConstructor<T>): T {
    const start = this.offset(object);
    if (this.#data === undefined) refuse('pool', 'one with data', null);
    return this.#data.viewBytes(start, this.size, type);
  }

  /**
   * The object that has a byte: from a pointer of a program to the number that `free` takes.
   * @returns undefined when the byte is in no slab of this cache, or behind the last object of one
   */
  objectAt(offset: number): number | undefined {
    checkInteger(offset, 'offset', 0, Number.MAX_SAFE_INTEGER);
    const { table } = this.#handle;
    const sizes = sizesOf(table);
    const { pageSize } = this.#pool;
    const page = Math.floor((offset - this.#base) / pageSize);
    if (!(page >= 0 && page < sizes.poolPages)) return undefined;
    const slab = table[blocksAt(sizes) + (page >>> sizes.slabOrder)]! - 1;
    if (slab < 0) return undefined;
    const first = table[slabsAt(sizes.threads) + slab]! - 1;
    const place = Math.floor((offset - this.#base - first * pageSize) / this.stride);
    return place < this.objectsPerSlab ? slab * 2 ** table[Table.ID_SHIFT]! + place : undefined;
  }

  /**
   * Gives slabs without objects in use back to the pool. Magazines of parked threads are emptied for it, the others are asked to
   * give back at their next call. Call it when the pool is short: `pool.onPressure(() => cache.shrink() > 0)`.
   * @returns slabs given back; 0 while `construct` runs in this thread, which may have led here by a request of its own
   */
  shrink(): number {
    this.#ids.drain();
    return this.#making ? 0 : this.#slabs.close();
  }

  /** Numbers of the cache, without a lock: each is exact, together they may be of different moments. O(objects). */
  stats(): ObjectCacheStats {
    const { table, name } = this.#handle;
    const ids = this.#ids.zone;
    let [slabs, activeSlabs, free] = [0, 0, 0];
    const shift = table[Table.ID_SHIFT]!;
    this.#slabs.forEach((slab) => {
      const first = slab * 2 ** shift;
      const freeHere = freeIn(ids, first, first + this.objectsPerSlab);
      slabs++;
      free += freeHere;
      if (freeHere < this.objectsPerSlab) activeSlabs++;
    });
    const objects = slabs * this.objectsPerSlab;
    const cached = this.#cached();
    return {
      name,
      size: this.size,
      stride: this.stride,
      objectsPerSlab: this.objectsPerSlab,
      pagesPerSlab: 2 ** table[Table.SLAB_ORDER]!,
      slabs,
      activeSlabs,
      objects,
      activeObjects: objects - free - cached,
      cachedObjects: cached,
    };
  }

  /** As `verify` of the pool, for this cache; S1 and S2 are its own invariants. Call it while no thread is at work. */
  verify(): Violation[] {
    const found = this.#ids.verify();
    return [
      ...found,
      ...auditSlabs(this.#slabs, this.#handle.table, this.#pool.zone, this.#ids.zone),
    ];
  }

  /** As those of the pool, with ids of this cache. */
  reserveThread(): number {
    return this.#ids.reserveThread();
  }

  /** Ids that are taken. */
  threads(): number[] {
    return this.#ids.threads();
  }

  /** As `reclaimThreads` of the pool: what is in the magazine of an ended thread comes back, and the pages of a slab it was making. */
  reclaimThread(thread: number, options: ReclaimOptions = {}): number {
    const objects = this.#ids.reclaimThread(thread, options);
    this.#slabs.settleEnded();
    return objects;
  }

  /** As {@link reclaimThread} for several. @returns objects given back */
  reclaimThreads(threads: readonly number[], options: ReclaimOptions = {}): number {
    const objects = this.#ids.reclaimThreads(threads, options);
    this.#slabs.settleEnded();
    return objects;
  }

  /** Lets others have what this thread's magazine holds, until it needs it. */
  park(): void {
    this.#ids.park();
  }

  /** Gives this thread's magazine back, and those that are parked. */
  drain(): void {
    this.#ids.drain();
  }

  /** Gives the magazine back, and the thread's id. Idempotent. Slabs stay, for the others; see {@link shrink}. */
  close(): void {
    if (!this.#ids.zone.isClosed && !this.#pool.zone.isClosed) this.#slabs.giveBack();
    this.#ids.close();
  }

  /** The same as {@link close}, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #makeOffset(): (object: number) => number {
    const { table } = this.#handle;
    const { threads, maxSlabs } = sizesOf(table);
    const slabs = slabsAt(threads);
    const shift = table[Table.ID_SHIFT]!;
    const mask = 2 ** shift - 1;
    const base = this.#base;
    const { pageSize } = this.#pool;
    const { stride, objectsPerSlab } = this;
    return (object) => {
      if (typeof object !== 'number') refuse('object', 'the number of an object', object);
      const slab = object >>> shift;
      const place = object & mask;
      const known = object >>> 0 === object && slab < maxSlabs && place < objectsPerSlab;
      const page = known ? table[slabs + slab]! - 1 : -1;
      if (page < 0) refuse('object', 'the number of an object', object);
      return base + page * pageSize + place * stride;
    };
  }

  /** Called where no object is free. True: look again. */
  #addSlab(): boolean {
    const slabs = this.#slabs;
    const page = this.#takePages();
    if (page < 0) return false;
    try {
      this.#making = true;
      this.#constructAll(this.#base + page * this.#pool.pageSize);
    } catch (error) {
      if (!this.#pool.zone.isClosed) slabs.giveBack();
      throw error;
    } finally {
      this.#making = false;
    }
    // Closed by a callback: the pages went back then, and the record may be another thread's.
    if (this.#ids.zone.isClosed) return false;
    if (slabs.open()) return true;
    slabs.giveBack();
    return false;
  }

  #takePages(): number {
    const order = this.#handle.table[Table.SLAB_ORDER]!;
    const { zone } = this.#pool;
    const pages = 2 ** order;
    if (zone.freePages - pages >= zone.get(Zone.MARK_MIN)) {
      const page = this.#slabs.take();
      if (page >= 0) return page;
    }
    // As everybody asks for pages: caches, marks and the pool's callback count. Then it is on the lists.
    const probe = this.#pool.alloc(order, { mobility: 'unmovable' });
    if (probe === undefined) return -1;
    this.#pool.free(probe, order);
    this.#pool.drain();
    return this.#ids.zone.isClosed ? -1 : this.#slabs.take();
  }

  #constructAll(start: number): void {
    const construct = this.#construct;
    if (construct === undefined) return;
    for (let place = 0; place < this.objectsPerSlab && !this.#ids.zone.isClosed; place++)
      construct(start + place * this.stride);
  }

  #cached(): number {
    const { words, cacheAt: own } = this.#ids.zone;
    if (own === undefined) return 0;
    const { threads } = sizesOf(this.#handle.table);
    let objects = 0;
    for (let thread = 1; thread <= threads; thread++) {
      objects += cachePages(words, cacheAt(words, 0, thread));
    }
    return objects;
  }
}

/** Objects of a slab that are on the lists. */
function freeIn(ids: BuddyAllocator['zone'], first: number, end: number): number {
  let free = 0;
  for (let id = first; id < end;) {
    const head = ids.memmap.coveringHead(id);
    const pages = head === undefined ? 1 : 2 ** head.order;
    if (head?.state === FREE) free += pages;
    id += pages;
  }
  return free;
}

function checkPool(pool: unknown): void {
  if (!(pool instanceof BuddyAllocator)) refuse('pool', 'a BuddyAllocator', pool);
}

function checkAttach({
  construct,
  thread,
  lockTimeoutMs,
  parkAfterMs,
}: AttachObjectsOptions): void {
  if (construct !== undefined) checkFunction(construct, 'construct');
  if (thread !== undefined) checkInteger(thread, 'thread', 1, 2 ** 31 - 1);
  checkTimeout(lockTimeoutMs);
  checkTimeout(parkAfterMs, 'parkAfterMs');
}
