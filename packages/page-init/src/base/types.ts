/**
 * What goes in and the ports through which pages and work go out. All pfns are page frame numbers, all
 * ranges half open.
 */
import type { Geometry, MemoryPfnRange, PfnRange } from '@bootmem/memmap';
import type { PageInitProfile } from '../profiles.js';

/** A range in use before hand-over, edges rounded outward. */
export interface ReservedPfnRange extends PfnRange {
  /** Its owner initialises the descriptors itself. @kernel MEMBLOCK_RSRV_NOINIT */
  readonly noInit?: boolean;
}

/** Extent of a zone on a node; `zoneIndex` as in memmap's `ZoneIndex`. */
export interface ZonePfnRange extends PfnRange {
  readonly nid: number;
  readonly zoneIndex: number;
}

/** All that decides which page is initialised by whom. */
export interface InitInput {
  /** Memory, disjoint, any order. */
  readonly memory: readonly MemoryPfnRange[];
  /** Reserved ranges; may overlap each other and holes. */
  readonly reserved: readonly ReservedPfnRange[];
  /** Zones with memory; those of a node are disjoint, but for ZONE_MOVABLE over mirrored memory. */
  readonly zones: readonly ZonePfnRange[];
  /** Online nodes without memory, for the log. */
  readonly memorylessNids?: readonly number[];
  /** Default x86-64. */
  readonly geometry?: Geometry;
  /** Default the latest. */
  readonly profile?: PageInitProfile;
  /** False: initialise everything early, as a kernel without the feature (or with early page extensions). */
  readonly defer?: boolean;
}

/**
 * Receives initialised free memory. The buddy allocator fits.
 * Called from any thread, one zone per call, a range never crosses a section.
 */
export interface PageSink {
  /** Takes `[startPfn, endPfn)`: initialised, boot-owned, free. Returns the pages taken. */
  freeBlocks(startPfn: number, endPfn: number): number;
}

/** A range job as the work pool takes it, in pages. */
export interface RangeJob {
  readonly nid: number;
  readonly start: number;
  readonly size: number;
  readonly align: number;
  readonly minChunk: number;
  /** Participants at most, the caller included. */
  readonly maxThreads: number;
}

/** One participant of a finished job. */
export interface WorkerShare {
  /** 0 is the caller. */
  readonly worker: number;
  readonly chunks: number;
  readonly units: number;
  readonly ms: number;
}

/** What a runner reports. */
export interface RangeJobResult {
  readonly got: number;
  readonly chunks: number;
  readonly wallMs: number;
  readonly workers: readonly WorkerShare[];
}

/** Runs a range job to its end; padata's pool fits through {@link createPoolRunner}. */
export interface RangeJobRunner {
  run(job: RangeJob): Promise<RangeJobResult>;
}
