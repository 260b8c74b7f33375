/**
 * Shapes that cross the package's border. Types only.
 */
import type { MemblockProfile } from './profiles.js';

/** Which list: all RAM, what is taken, or what the firmware called RAM before any limit. */
export type RegionType = 'memory' | 'reserved' | 'physmem';

/** One region, `[base, base + size)` in bytes. */
export interface MemRegion {
  /** First byte. */
  readonly base: number;
  /** Bytes, above 0. */
  readonly size: number;
  /** Bits of `MemFlags`. */
  readonly flags: number;
  /** Node, 0 .. maxNodes - 1; NO_NODE (-1) or maxNodes mean "no node" (they do not merge with each other). */
  readonly nid: number;
}

/** A range that a walk yields, `[start, end)` in bytes; may be empty between two touching reservations. */
export interface MemRange {
  readonly start: number;
  readonly end: number;
  /** Node of the memory region that it lies in. */
  readonly nid: number;
}

/** A range of whole pages, `[startPfn, endPfn)`. */
export interface PfnRange {
  readonly startPfn: number;
  readonly endPfn: number;
  readonly nid: number;
}

/** Which end of memory is allocated from first. */
export type Direction = 'top-down' | 'bottom-up';

/** Severity of a printed text. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** A fact that the kernel would complain about with a stack dump, and go on. */
export interface MemblockWarning {
  /**
   * `node-mismatch`, `flags-mismatch`: an addition overlaps a region with another node or other flags;
   * `total-mismatch`: a list became empty, or is filled, while its total is not 0 (after trimming);
   * `no-alignment`: an allocation asked for alignment 0; `late-allocation`: the slab allocator is up.
   */
  readonly kind:
    'node-mismatch' | 'flags-mismatch' | 'total-mismatch' | 'no-alignment' | 'late-allocation';
  readonly message: string;
}

/** The allocator that serves once memblock's own time is over. @kernel slab */
export interface LateAllocator {
  /** An address in bytes, or undefined when there is no memory. */
  readonly allocate: (size: number, align: number, nid: number) => number | undefined;
  /** Takes whole pages `[startPfn, endPfn)` back, where the release gives them (7.1). */
  readonly release?: (startPfn: number, endPfn: number) => void;
}

/** Room of the three arrays, simulating that the kernel keeps them in memory it must find itself. */
export interface ArrayCapacity {
  /** Entries of `memory`; default 128. */
  readonly memory?: number;
  /** Entries of `reserved`; default 128. */
  readonly reserved?: number;
  /** Entries of `physmem`; default 4. */
  readonly physmem?: number;
  /** Whether the arrays may grow yet; default false, see {@link Memblock.allowResize}. */
  readonly resizable?: boolean;
}

/** How a {@link Memblock} is set up. Every field has a default. */
export interface MemblockOptions {
  /** Kernel release to follow, `latest` or as {@link profileForRelease} takes it; default `latest`. */
  readonly profile?: string | MemblockProfile;
  /** Bytes of a page, a power of two; default 4096. */
  readonly pageSize?: number;
  /** Alignment that stands in for 0, bytes, a power of two; default 64. @kernel SMP_CACHE_BYTES */
  readonly cacheLineSize?: number;
  /** Number of node numbers, 1 .. 32767; also the number of a region without a node; default 1024. */
  readonly maxNodes?: number;
  /** False: no region has a node, reading gives 0; default true. @kernel CONFIG_NUMA */
  readonly numa?: boolean;
  /** Simulate the kernel's arrays, which grow by allocating from this very object; absent: unbounded. */
  readonly capacity?: ArrayCapacity;
  /** Default `top-down`. */
  readonly direction?: Direction;
  /** First address that may not be allocated, for calls that do not say otherwise; default ALLOC_ANYWHERE. */
  readonly currentLimit?: number;
  /** Walks skip removable memory that was not asked for; default false. @kernel movable_node */
  readonly movableNode?: boolean;
  /** Whether mirrored memory may be marked at all; default false. @kernel kernelcore=mirror */
  readonly mirroredKernelcore?: boolean;
  /** What to do with an alignment that is no power of two: refuse it (default), or apply it as a mask like the kernel. */
  readonly oddAlignment?: 'refuse' | 'mask';
  /** Print a line for each operation, like `memblock=debug`; default false. */
  readonly debug?: boolean;
  /** Receives printed text, in the kernel's wording; a newline is part of it where the kernel prints one. */
  readonly log?: (text: string, level: LogLevel) => void;
  /** Receives warnings. */
  readonly warn?: (warning: MemblockWarning) => void;
  /** Told about every allocated range before it is used, where memory must be accepted first. @kernel accept_memory */
  readonly accept?: (base: number, size: number) => void;
  /** What the debug lines name as the caller; default `<caller>`. */
  readonly caller?: () => string;
}

/** A whole state as plain data: survives JSON and postMessage. */
export interface MemblockState {
  readonly memory: readonly MemRegion[];
  readonly reserved: readonly MemRegion[];
  readonly physmem?: readonly MemRegion[];
  /** Totals as the kernel keeps them, bytes; absent: the sum of the sizes. Trimming makes them differ. */
  readonly memoryTotal?: number;
  readonly reservedTotal?: number;
  /** Room of the arrays; absent: unbounded, or the default where a capacity is simulated. */
  readonly memoryMax?: number;
  readonly reservedMax?: number;
  readonly direction?: Direction;
  readonly currentLimit?: number;
  /** Whether mirrored memory is known. */
  readonly hasMirror?: boolean;
  readonly resizable?: boolean;
  /** Named reservations, in the order made; size 0 once released. */
  readonly named?: readonly NamedReservation[];
}

/** A reservation made with `reserve_mem=`. */
export interface NamedReservation {
  readonly name: string;
  readonly start: number;
  readonly size: number;
}
