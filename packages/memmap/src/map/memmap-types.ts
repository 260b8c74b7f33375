/**
 * Options and handle of a map of page descriptors. Types only.
 */
import type { ColumnBuffers, StorageKind } from '../table/columns.js';
import type { Geometry } from '../facts/geometry.js';
import type { PfnRange } from '../facts/units.js';

/** How to create a map. */
export interface MemmapOptions {
  /** Memory that gets descriptors; rounded out to whole sections. May be empty. */
  readonly ranges: readonly PfnRange[];
  /** Default `X86_64`. */
  readonly geometry?: Geometry;
  /** Pfns below this can be added later; default the end of the ranges. */
  readonly maxPfn?: number;
  /** Lowest pfn that can be added later; default the start of the ranges. */
  readonly minPfn?: number;
  /** `full` (default): slots for all sections now; `ondemand`: when first touched. */
  readonly populate?: 'full' | 'ondemand';
  /** Sections that can have descriptors at a time; default all of the span, at most 2**31 pages. */
  readonly capacitySections?: number;
  /** Default `auto`: WebAssembly memory for large maps, else shared, else local. */
  readonly storage?: StorageKind | 'auto';
}

/** What another thread needs to use the same map; structured-cloneable unless the storage is local. */
export interface MemmapHandle {
  readonly type: 'bootmem.memmap';
  readonly table: ArrayBufferLike;
  readonly columns: ColumnBuffers;
}
