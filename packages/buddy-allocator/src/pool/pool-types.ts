/**
 * Options and results of the general-use allocator. Types only.
 */
import type { MemmapHandle } from '@bootmem/memmap';
import type { ThreadRegistryHandle } from '@bootmem/memmap/shared';

import type { BuddyErrorCode } from '../base/errors.js';

/** A WebAssembly memory, a view of which only its own bytes are used, or anything else with a `buffer`. */
export interface BufferOwner {
  readonly buffer: ArrayBufferLike;
}

/** How to create an allocator. Give `bytes` or `pages`. */
export interface BuddyAllocatorOptions {
  /** Size of the managed memory in bytes; a multiple of `pageSize`. */
  readonly bytes?: number;
  /** Size in pages. */
  readonly pages?: number;
  /** Bytes per page, a power of two 1 .. 2**30; default 4096. */
  readonly pageSize?: number;
  /**
   * The memory: `shared` (default) makes a SharedArrayBuffer, `local` an ArrayBuffer, `null` none at all
   * (offsets only: GPU buffers, files); or an existing buffer, WebAssembly.Memory, or view: then the view's bytes
   * are the memory and no others. A WebAssembly.Memory has room for `pages`; `grow` makes it larger, up to `maxPages`.
   * What is not shared can be used by the thread that made it only: `attach` refuses a copy of its handle.
   */
  readonly data?: 'shared' | 'local' | ArrayBufferLike | BufferOwner | null;
  /** First byte of the managed memory, from the start of `data`; default 0; a multiple of `pageSize`. */
  readonly dataOffset?: number;
  /** Memory that was never handed out is zero; default true for buffers made here, else false. */
  readonly zeroed?: boolean;
  /** Pages that `grow` can reach; default `pages`. Buffers made here are reserved that large. */
  readonly maxPages?: number;
  /** log2 of the largest block in pages, 0 .. 15; default 10. */
  readonly maxOrder?: number;
  /** Threads that can be attached at a time; default 16. */
  readonly threads?: number;
  /** Keep long-lived pages together; default true. */
  readonly grouping?: boolean;
  /** Page caches per thread; default true. */
  readonly caches?: boolean;
  /**
   * Most pages that one thread's cache holds; default and upper limit: an eighth of the memory divided by `threads`.
   * Fewer keep more for others, and come to the lock more often.
   */
  readonly cachePages?: number;
  /** As {@link AttachOptions.parkAfterMs}, of the creating thread. */
  readonly parkAfterMs?: number | undefined;
  /** Fill pages at free and verify at allocation; default false. Needs data. */
  readonly poison?: boolean;
  /**
   * Of several threads that free one and the same allocation in the same instant, exactly one succeeds; default false:
   * then each may be told `ok`, see README. Costs an atomic operation a free.
   */
  readonly checked?: boolean;
  /**
   * Blocks have owners: a word a page more, and `alloc` writes it; default false. An owner is a number of yours, such as a
   * worker's or a task's.
   */
  readonly owners?: boolean;
  /** As {@link AttachOptions.owner}, of the creating thread. */
  readonly owner?: number | undefined;
  /** How long one hold of the lock may keep a call waiting, ms; default 1000. Then ERR_LOCK_TIMEOUT. */
  readonly lockTimeoutMs?: number | undefined;
}

/** How a thread attaches. */
export interface AttachOptions {
  /** As {@link BuddyAllocatorOptions.lockTimeoutMs}. */
  readonly lockTimeoutMs?: number | undefined;
  /** Id that `reserveThread` gave for this thread; default any free one. */
  readonly thread?: number | undefined;
  /**
   * So long after its cache came into use, the thread parks it when its event loop comes round, ms; default 100,
   * Infinity: only `park` does.
   */
  readonly parkAfterMs?: number | undefined;
  /** Owner of what this thread allocates when a request names none; 0 .. 2^31 - 1, default 0: nobody. */
  readonly owner?: number | undefined;
}

/** Blocks of one owner. */
export interface OwnedBlocks {
  readonly owner: number;
  readonly blocks: number;
  readonly pages: number;
}

/** What another thread needs; of use there when everything in it is shared memory (or `data` is null). */
export interface BuddyHandle {
  readonly type: 'bootmem.buddy-allocator';
  readonly memmap: MemmapHandle;
  readonly control: Int32Array;
  readonly threads: ThreadRegistryHandle;
  /** A WebAssembly memory stands for itself, as its buffer is another whenever it has grown. */
  readonly data: ArrayBufferLike | BufferOwner | null;
  readonly dataOffset: number;
}

/** Kind of use, which decides where pages go: long-lived pages are kept apart from the others. */
export type Mobility = 'unmovable' | 'movable' | 'reclaimable';

/** One allocation by order. */
export interface AllocRequest {
  /** Default `movable`. Use `unmovable` for what lives long. */
  readonly mobility?: Mobility;
  /** The memory reads zero; filled only where it was used before. Needs data. */
  readonly zero?: boolean;
  /** May use the reserve below the `min` mark. */
  readonly high?: boolean;
  /** Fails at once instead of calling `onPressure`. */
  readonly noPressure?: boolean;
  /** Whose it is, 0 .. 2^31 - 1; default that of the thread. Needs `owners`. */
  readonly owner?: number | undefined;
}

/** Allocation by place. Pfns and pages. */
export interface RangeRequest extends AllocRequest {
  readonly pages: number;
  /** Lowest pfn allowed; default 0. */
  readonly min?: number;
  /** End of the allowed pfns; default the end. */
  readonly max?: number;
  /** Start at a multiple of so many pages; a power of two, default 1. */
  readonly align?: number;
  /** Do not cross a multiple of so many pages; a power of two >= pages. */
  readonly boundary?: number;
  /** The highest place instead of the lowest. */
  readonly topDown?: boolean;
}

/** What a free found: `ok`, or why nothing was freed. */
export type FreeStatus = 'ok' | BuddyErrorCode;

/** Marks in pages. */
export interface PoolWatermarks {
  /** Requests without `high` leave so much free. */
  readonly min: number;
  /** Below it a low-watermark event is raised. */
  readonly low: number;
  /** Above it the next event can be raised. */
  readonly high: number;
}

/** Numbers of an allocator. Pages, except where said. */
export interface AllocatorStats {
  readonly pages: number;
  readonly pageSize: number;
  readonly freePages: number;
  /** Pages in the caches of all threads; free, but held. */
  readonly cachedPages: number;
  readonly allocatedPages: number;
  /** Free blocks by order. */
  readonly freeBlocks: readonly number[];
  readonly largestFreeOrder: number;
  /** Pageblocks converted to another mobility, blocks taken from one. */
  readonly claims: number;
  readonly steals: number;
  readonly lowEvents: number;
  readonly recoveries: number;
}

/** A copy of the whole state. */
export interface BuddySnapshot {
  readonly type: 'bootmem.buddy-snapshot';
  readonly table: ArrayBuffer;
  readonly bytes: ArrayBuffer;
  readonly links: ArrayBuffer;
  readonly refs: ArrayBuffer;
  readonly control: ArrayBuffer;
  readonly threads: ArrayBuffer;
  readonly data: ArrayBuffer | null;
  readonly shared: boolean;
}
