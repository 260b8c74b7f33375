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
  /** First byte. */
  readonly start: number;
  /** End, exclusive. */
  readonly end: number;
  /** Node of the memory region that it lies in. */
  readonly nid: number;
}

/** Whole pages `[startPfn, endPfn)` and the node they are on. */
export interface NodePfnRange {
  /** First page. */
  readonly startPfn: number;
  /** The page behind the last. */
  readonly endPfn: number;
  /** As in {@link MemRegion}. */
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
  /** What is complained about, in a sentence. */
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
  /** Payloads, where there are any; they survive what their values survive. */
  readonly payloads?: readonly (PayloadRange & { readonly type: RegionType })[];
}

/** A reservation made with `reserve_mem=`. */
export interface NamedReservation {
  /** Up to 15 characters. */
  readonly name: string;
  /** First byte. */
  readonly start: number;
  /** Bytes; 0 once released. */
  readonly size: number;
}

/** A range of addresses with one payload; see `Memblock.payloadAt`. */
export interface PayloadRange<Payload = unknown> {
  /** First byte. */
  readonly base: number;
  /** Bytes, above 0. */
  readonly size: number;
  readonly payload: Payload;
}

/** Node and flags of a region to be added, and what is attached to it. */
export interface RegionAttributes<Payload = unknown> {
  /** Node, -1 .. maxNodes; default: no node. */
  readonly nid?: number;
  /** Bits of MemFlags; default 0. */
  readonly flags?: number;
  /** What the addresses that come to the list have from then on: a name, a device, any value; default none. */
  readonly payload?: Payload;
}

/** Many ranges in columns, `[bases[k], bases[k] + sizes[k])`, in any order. */
export interface RangeColumns {
  /** First bytes. */
  readonly bases: ArrayLike<number>;
  /** Bytes; as many as there are bases. */
  readonly sizes: ArrayLike<number>;
}

/** Alignment of an allocation. */
export interface AlignOptions {
  /** Bytes, a power of two; absent: the cache line; 0 means the same and warns. */
  readonly align?: number;
}

/** Hard limits of an allocation, `[start, end)` in bytes. */
export interface RangeOptions extends AlignOptions {
  /** Default 0. */
  readonly start?: number;
  /** Default ALLOC_ACCESSIBLE: the current limit. ALLOC_ANYWHERE: none. */
  readonly end?: number;
}

/** Range, node, and whether the node may be given up. */
export interface RangeNodeOptions extends RangeOptions {
  /** Node wished for; default NO_NODE: any. */
  readonly nid?: number;
  /** Whether only that node will do; default false. */
  readonly exact?: boolean;
}

/** A wished lower and a hard upper bound in bytes, and a node. */
export interface BoundOptions extends AlignOptions {
  /** Wished, dropped when nothing fits above it; default 0. */
  readonly min?: number;
  /** Hard, and never above the current limit; default ALLOC_ACCESSIBLE. */
  readonly max?: number;
  /** Default NO_NODE: any. */
  readonly nid?: number;
}

/** What to look for, without taking it. */
export interface FindOptions extends RangeOptions {
  /** Default NO_NODE: any. */
  readonly nid?: number;
  /** MIRROR and KHO_SCRATCH are required, HOTPLUG, NOMAP and DRIVER_MANAGED permitted; default 0. */
  readonly flags?: number;
}

/** What a walk asks for. */
export interface WalkOptions {
  /** Node wanted; default NO_NODE: all. */
  readonly nid?: number;
  /** MIRROR and KHO_SCRATCH are required, HOTPLUG, NOMAP and DRIVER_MANAGED permitted; default 0. */
  readonly flags?: number;
  /** From the highest address down; default false. */
  readonly reverse?: boolean;
}

/** Who takes the pages over. */
export interface PageReceiver {
  /** A free block of 2^order pages that begins at a multiple of 2^order. @kernel memblock_free_pages */
  readonly freePages: (pfn: number, order: number) => void;
  /** A range in bytes whose pages are in use and must be set up as reserved. @kernel reserve_bootmem_region */
  readonly reserveRange?: (start: number, end: number, nid: number) => void;
}

/** Limits of the hand-over. */
export interface ReleaseOptions {
  /** Pages at and above this number are not handed over; default: no limit. */
  readonly maxLowPfn?: number;
  /** Largest order of a block, 0 .. 52; default 10. */
  readonly maxOrder?: number;
  /** Node of a reserved page that no list knows; default: that of the RAM region that holds it, else 0. @kernel early_pfn_to_nid */
  readonly nodeOfPfn?: (pfn: number) => number;
}
