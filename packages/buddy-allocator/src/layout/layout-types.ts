/**
 * Plain shapes shared by everything that computes zones. Types only.
 *
 * All numbers are page frames or pages; ranges are half open `[startPfn, endPfn)`. A zone is named as the
 * kernel prints it, and its index is its position in the list of zones a machine has (`ZoneLimits`), as in
 * the kernel, where zones that are not configured have no index.
 */

import type { ZoneName } from '@bootmem/memmap';

/** One zone of a machine and the first pfn above it. */
export interface ZoneLimit {
  readonly zone: ZoneName;
  /** First pfn that can no longer be in the zone; 0 for `Movable` and `Device`, which have no limit of their own. */
  readonly endPfn: number;
}

/** The zones of a machine, lowest index first. */
export type ZoneLimits = readonly ZoneLimit[];

/** An amount of memory, as `kernelcore=` and `movablecore=` take it. */
export type CoreSize = { readonly pages: number } | { readonly percent: number };

/** How much memory goes to the Movable zones, and which. */
export type MovablePolicy =
  | { readonly kind: 'none' }
  /** `kernelcore=` and/or `movablecore=`: the larger demand for kernel memory wins. */
  | { readonly kind: 'size'; readonly kernelcore?: CoreSize; readonly movablecore?: CoreSize }
  /** `movable_node`: hot-pluggable memory is movable, whatever its amount. */
  | { readonly kind: 'node' }
  /**
   * `kernelcore=mirror`: memory from 4 GiB that is not mirrored is movable. `always`: on a machine that mirrors none, too
   * (kernels to 6.5); else the option is ignored there.
   */
  | { readonly kind: 'mirror'; readonly always?: boolean };

/** One zone of one node. An empty zone has `startPfn` 0 and all counts 0. */
export interface ZoneSpan {
  readonly nid: number;
  readonly zone: ZoneName;
  /** Position in `ZoneLimits`. */
  readonly zoneIndex: number;
  readonly startPfn: number;
  readonly endPfn: number;
  /** `endPfn - startPfn`, holes included. */
  readonly spannedPages: number;
  /** Pages of memory of this node inside the span. */
  readonly presentPages: number;
  /** `spannedPages - presentPages`. */
  readonly absentPages: number;
}

/** One node with all zones of the machine, empty ones included, in index order. */
export interface NodeLayout {
  readonly nid: number;
  /** First and one past the last pfn of the node's memory; 0 and 0 for a node without memory. */
  readonly startPfn: number;
  readonly endPfn: number;
  readonly spannedPages: number;
  readonly presentPages: number;
  readonly zones: readonly ZoneSpan[];
}

/** Where the zones of a machine lie. */
export interface ZoneLayout {
  readonly limits: ZoneLimits;
  /** Lowest and one past the highest pfn each zone can have on this machine, by zone index. */
  readonly lowestPfn: readonly number[];
  readonly highestPfn: readonly number[];
  /** Start of the Movable zone per node; nodes without one are missing. */
  readonly movableStart: ReadonlyMap<number, number>;
  /** What the kernel would warn about, one code per line. */
  readonly warnings: readonly ZoneLayoutWarning[];
  /** Ascending node ids. */
  readonly nodes: readonly NodeLayout[];
}

/** Conditions that change what an option does, without being an error. */
export type ZoneLayoutWarning =
  /** `kernelcore=mirror` on a machine without mirrored memory: ignored. */
  | 'NO_MIRRORED_MEMORY'
  /** Memory below 4 GiB is not mirrored, and yet serves as kernel memory. */
  | 'UNMIRRORED_BELOW_4G'
  /** The kernel part covers all memory, so that no Movable zone is made. */
  | 'KERNELCORE_COVERS_ALL';
