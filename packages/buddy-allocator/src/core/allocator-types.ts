/**
 * Interfaces of the zoned allocator: zone specifications, request options, and the hooks (ports) through
 * which other packages take part. Types only.
 */
import type { ZoneName } from '../zones/types.js';

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

/** Callbacks of one thread; all called without a lock held. */
export interface AllocatorHooks {
  /** Not enough is initialised: make more; true says retry. */
  readonly grow?: (zoneId: number, order: number) => boolean;
  readonly accept?: AcceptGate;
  /** Free something; true says retry. At most 16 times a request. */
  readonly onPressure?: (pressure: Pressure) => boolean;
  /** Whether an allocated page can be moved; default: pages of Movable pageblocks can. */
  readonly isMovable?: (pfn: number) => boolean;
}
