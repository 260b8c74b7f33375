/**
 * Interfaces of the zoned allocator: zone specifications, options, handle, request options, and the hooks
 * (ports) through which other packages take part. Types only.
 */
import type { MemmapHandle } from '@bootmem/memmap';
import type { ThreadRegistryHandle } from '@bootmem/memmap/shared';

import type { KernelProfile } from '../marks/profile.js';
import type { ZoneName } from '@bootmem/memmap';
import type { BuddyZone } from '../zone/zone.js';

/** A zone to create. */
export interface ZoneSpec {
  readonly nid: number;
  readonly zone: ZoneName;
  /** Span `[startPfn, endPfn)`; may be empty. */
  readonly startPfn: number;
  readonly endPfn: number;
  /** Pages of memory inside the span. */
  readonly presentPages: number;
}

/** What a request may do; the typed form of the kernel's request flags. */
export interface AllocOptions {
  /** 0 unmovable (default), 1 movable, 2 reclaimable. */
  readonly migratetype?: 0 | 1 | 2;
  /** Highest zone that may serve it; default Normal. Lower zones may too. */
  readonly zone?: ZoneName;
  /** Preferred node; default the first. */
  readonly nid?: number;
  /** Only the preferred node. */
  readonly thisNode?: boolean;
  /** May use half of the reserve below MIN. @kernel __GFP_HIGH */
  readonly high?: boolean;
  /** `false`: cannot wait for reclaim; `onPressure` is not called. @kernel __GFP_DIRECT_RECLAIM */
  readonly canReclaim?: boolean;
  /** Ignores the marks. @kernel __GFP_MEMALLOC */
  readonly memalloc?: boolean;
  /** First pass does not break foreign pageblocks. @kernel ALLOC_NOFRAGMENT */
  readonly noFragment?: boolean;
  /** No slow path, no acceptance, no growth. @kernel alloc_pages_nolock */
  readonly tryLock?: boolean;
  /** Never calls `onPressure`. */
  readonly noPressure?: boolean;
}

/** A request that could not be served. */
export interface Pressure {
  readonly order: number;
  readonly migratetype: number;
  /** 0 at the first call for a request. */
  readonly round: number;
}

/** Memory that must be accepted before use; called with no lock held. */
export interface AcceptGate {
  /** At hand-over: true parks the block, false says that it has been accepted. */
  holdBack(pfn: number, order: number): boolean;
  /** In the zone loop; true: something was accepted. */
  condAccept(
    zoneId: number,
    order: number,
    stage: 'before' | 'watermark' | 'empty',
    options?: { tryLock?: boolean },
  ): boolean;
  /** Accepts and frees the parked block that holds `pfn`; false when none does. */
  acceptBlock(pfn: number): boolean;
}

/**
 * Callbacks of one thread; all called without a lock held. What `grow` and `accept` request themselves does with what there is, and
 * is not answered by calling them again.
 */
export interface AllocatorHooks {
  /** Not enough is initialised: make more; true says retry. Said a thousand times in a row in vain, it is not believed any more. */
  readonly grow?: (zoneId: number, order: number) => boolean;
  readonly accept?: AcceptGate;
  /** Free something; true says retry. At most 16 times a request. */
  readonly onPressure?: (pressure: Pressure) => boolean;
  /** Whether an allocated page can be moved; default: pages of Movable pageblocks can. */
  readonly isMovable?: (pfn: number) => boolean;
}

/** Options of `PageAllocator.create`. */
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
  /** How long one hold of a zone's lock may keep a call waiting, ms; default 1000. Then ERR_LOCK_TIMEOUT. */
  readonly lockTimeoutMs?: number | undefined;
  /** For `attach`: id that `reserveThread` gave for this thread; default any free one. */
  readonly thread?: number | undefined;
}

/** What another thread needs; structured-cloneable. */
export interface PageAllocatorHandle {
  readonly type: 'bootmem.page-allocator';
  readonly memmap: MemmapHandle;
  readonly control: Int32Array;
  readonly threads: ThreadRegistryHandle;
  readonly zones: readonly { readonly nid: number; readonly zone: ZoneName }[];
  /** Kernel release whose numbers count. */
  readonly release: string;
  readonly workers: number;
}

/** A zone with its names. */
export interface NamedZone {
  readonly nid: number;
  readonly zone: ZoneName;
  readonly core: BuddyZone;
}
