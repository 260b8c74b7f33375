/**
 * Options and results of caches of small objects. Types only.
 */
import type { BuddyHandle } from '../pool/pool-types.js';

/** Makes an object that nobody has had yet. @param offset  its first byte, in the pool's buffer */
export type ConstructObject = (offset: number) => void;

/** How a thread attaches. */
export interface AttachObjectsOptions {
  /** Id that `reserveThread` of the cache gave for this thread; default any free one. */
  readonly thread?: number | undefined;
  /**
   * Runs for each object of a new slab, before any of them is handed out. An object keeps its contents from a free to the next
   * allocation, so what it makes lasts if users leave it as it was. Each thread has a function of its own, as none can be sent.
   */
  readonly construct?: ConstructObject | undefined;
  /** As that of the pool. */
  readonly lockTimeoutMs?: number | undefined;
  /** As that of the pool. */
  readonly parkAfterMs?: number | undefined;
}

/** How to create a cache. */
export interface ObjectCacheOptions extends AttachObjectsOptions {
  /** Bytes of an object, 1 .. the largest slab. */
  readonly size: number;
  /** Objects begin at multiples of so many bytes, from the first page of the pool on; a power of two, default 8. */
  readonly align?: number;
  /** For reports; default `size-N`. */
  readonly name?: string;
  /** Most objects, rounded up to whole slabs; default what the pool has room for. Address space only. */
  readonly maxObjects?: number;
  /** Threads that can be attached at a time; default that of the pool. */
  readonly threads?: number;
  /** Most free objects that one thread keeps; default and upper limit: an eighth of `maxObjects` divided by `threads`. */
  readonly magazine?: number;
  /** Owner of the slabs, where blocks of the pool have owners; default 0, nobody. */
  readonly owner?: number;
}

/** What another thread needs, beside the pool. */
export interface ObjectCacheHandle {
  readonly type: 'bootmem.object-cache';
  readonly name: string;
  /** Words of slab-table.ts. */
  readonly table: Int32Array;
  /** The numbers of the objects: a page pool without pages. */
  readonly ids: BuddyHandle;
}

/** Numbers of a cache, as the kernel's slabinfo has them. */
export interface ObjectCacheStats {
  readonly name: string;
  /** Bytes of an object, and from one to the next. */
  readonly size: number;
  readonly stride: number;
  readonly objectsPerSlab: number;
  readonly pagesPerSlab: number;
  readonly slabs: number;
  /** Slabs of which an object is in use or in a magazine. */
  readonly activeSlabs: number;
  /** Objects in all slabs, in use, and free in magazines. */
  readonly objects: number;
  readonly activeObjects: number;
  readonly cachedObjects: number;
}
