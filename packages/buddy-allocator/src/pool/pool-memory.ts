/**
 * The managed memory of a pool: how it is seen, how more of it comes online, how all of it is copied. Nothing here takes or frees
 * a block; a pool that manages offsets only has none of the first.
 */
import { Migratetype } from '@bootmem/memmap';

import { checkFlag, checkInteger, checkObject, checkOrder } from '../base/check.js';
import { ControlFlag, Header, Zone } from '../base/control-layout.js';
import { needData, PageData, type ViewConstructor } from '../base/page-data.js';
import { growPool } from './growth.js';
import { ObservedPool } from './observed-pool.js';
import type { BuddyHandle, BuddySnapshot } from './pool-types.js';
import { snapshotBuffers } from './snapshot/snapshot.js';

/** A pool, as its memory is used. */
export abstract class PoolMemory extends ObservedPool {
  /** Bytes per page. */
  readonly pageSize: number;
  readonly #handle: BuddyHandle;
  protected readonly data: PageData | undefined;
  /** Migratetype of new pageblocks, and of requests that name none. */
  protected readonly usual: 0 | 1;

  protected constructor(handle: BuddyHandle, thread: number | undefined) {
    super(handle, thread, handle);
    this.#handle = handle;
    this.pageSize = 2 ** this.memmap.geometry.pageShift;
    this.data =
      handle.data === null
        ? undefined
        : new PageData(handle.data, handle.dataOffset, this.pageSize);
    const grouping = (handle.control[Header.FLAGS]! & ControlFlag.GROUPING) !== 0;
    this.usual = grouping ? Migratetype.MOVABLE : Migratetype.UNMOVABLE;
  }

  /** For `postMessage` and `attach`; also of a closed allocator: others may still attach. */
  toHandle(): BuddyHandle {
    return this.#handle;
  }

  /**
   * Brings up to `pages` more pages online, up to `maxPages`; a WebAssembly.Memory is grown for them. From any thread, while all
   * others go on; what another thread's growth has brought is used without being told of it.
   * @returns pages added: fewer than asked for at `maxPages`, and where the memory has reached its maximum
   * @remarks two bytes a page of metadata are written; the lock is held for 2^15 pages at a time
   */
  grow(pages: number): number {
    this.checkOpen();
    checkInteger(pages, 'pages', 0, 2 ** 31);
    return this.bringOnline(pages);
  }

  /**
   * Typed array over a block: `view(pfn, order, Uint8Array)`.
   * @throws ERR_BUDDY_ARGUMENT without data, and outside it
   */
  view<T>(pfn: number, order: number, type: ViewConstructor<T>): T {
    checkOrder(order, this.maxOrder);
    return this.viewPages(pfn, 2 ** order, type);
  }

  /** Typed array over any number of pages. @throws ERR_BUDDY_ARGUMENT without data, and outside it */
  viewPages<T>(pfn: number, pages: number, type: ViewConstructor<T>): T {
    this.checkOpen();
    checkInteger(pfn, 'pfn', 0, this.zone.endPfn - 1);
    checkInteger(pages, 'pages', 1, this.zone.endPfn - pfn);
    return needData(this.data).view(pfn, pages, type);
  }

  /** Byte offset of a page in {@link BuddyAllocator.buffer}. @throws ERR_BUDDY_ARGUMENT outside the data */
  offset(pfn: number): number {
    this.checkOpen();
    checkInteger(pfn, 'pfn', 0, this.zone.endPfn - 1);
    return this.#handle.dataOffset + pfn * this.pageSize;
  }

  /** The managed memory, null for none. That of a WebAssembly.Memory is another whenever it has grown. */
  get buffer(): ArrayBufferLike | null {
    return this.data?.buffer ?? null;
  }

  /**
   * Copies the whole state, data included; call it while no other thread is at work.
   * @param options `data: false` leaves the managed memory out
   */
  snapshot(options: { data?: boolean } = {}): BuddySnapshot {
    this.refuseClosed();
    checkObject(options, 'options');
    checkFlag(options.data, 'data');
    const { data, zone, pageSize } = this;
    const copied =
      options.data === false ? undefined : data?.read(zone.get(Zone.PRESENT) * pageSize);
    return snapshotBuffers(this.#handle, copied);
  }

  /** As {@link grow}, unchecked. */
  protected bringOnline(pages: number): number {
    const poison = (this.#handle.control[Header.FLAGS]! & ControlFlag.POISON) !== 0;
    const { zone } = this;
    return growPool({ zone, data: this.data, type: this.usual, poison }, pages);
  }
}
