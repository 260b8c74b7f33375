/** What the kernel printed about the outcome: the truths that a rebuilt machine is compared with. Units and conventions: description.ts. */
import type { ByteRange, Located, LocatedRange, ZoneName } from './common.js';

/** A line of `Zone ranges:`. */
export interface ZoneRange extends Located {
  readonly zone: ZoneName;
  /** Absent when the kernel printed `empty`. */
  readonly range?: ByteRange;
}

/** A line of `Early memory node ranges`. */
export interface EarlyRange extends LocatedRange {
  readonly nid: number;
}

/** `Initmem setup node …`. */
export interface NodeSetup extends Located {
  readonly nid: number;
  /** Absent for a node without memory. */
  readonly range?: ByteRange;
}

/** Pages of holes that were initialised as reserved. */
export interface UnavailablePages extends Located {
  readonly pages: number;
  /** Absent in the forms that count the whole machine. */
  readonly nid?: number;
  readonly zone?: ZoneName;
  /** `zone`: all holes of a zone; `reserved`: reserved pages outside memory. Absent: one hole, or all of the machine. */
  readonly counts?: 'zone' | 'reserved';
}

/** `On node N totalpages: M` and the zone lines below it. */
export interface NodePages extends Located {
  readonly nid: number;
  readonly totalPages: number;
  readonly zones: readonly {
    readonly zone: ZoneName;
    /** `… zone: N pages, LIFO batch:B`. */
    readonly pages?: number;
    readonly lifoBatch?: number;
    readonly memmapPages?: number;
    readonly reservedPages?: number;
  }[];
}

/** `Built N zonelists, mobility grouping on.  Total pages: P`. */
export interface ZonelistsLine extends Located {
  readonly count: number;
  readonly mobility?: boolean;
  readonly totalPages?: number;
  /** `Zone` or `Node` order, of kernels that had the choice. */
  readonly order?: 'zone' | 'node';
}

/** A printed zonelist: `mminit::zonelist general 1:Normal = 1:Normal 0:DMA32 …`. */
export interface PrintedZonelist extends Located {
  readonly list: 'general' | 'thisnode';
  readonly nid: number;
  readonly zone: ZoneName;
  readonly entries: readonly { readonly nid: number; readonly zone: ZoneName }[];
}

/** `Memory: 207548K/1048056K available (…)`. */
export interface MemoryLine extends Located {
  readonly availableKb: number;
  readonly totalKb: number;
  /** Amounts in the brackets by their printed name (`kernel code`, `reserved`, `absent`, …), KiB. */
  readonly partsKb: Readonly<Record<string, number>>;
  /** True when it stands before the first deferred line (kernels to 6.10 with deferred init). */
  readonly beforeDeferred?: boolean;
}

/** A node's deferred initialisation. */
export interface DeferredLine extends Located {
  readonly nid: number;
  /** Printed by kernels to 5.7 only. */
  readonly pages?: number;
  readonly ms: number;
}

/** Memory given back late: `Freeing initrd memory: 1304K`. */
export interface FreeingLine extends Located {
  readonly what: string;
  readonly kb: number;
}

/** `HugeTLB registered 2.00 MiB page size, pre-allocated N pages`. */
export interface HugetlbLine extends Located {
  readonly pageBytes: number;
  readonly preallocated: number;
}

/** An area of the contiguous memory allocator: `cma: Reserved 64 MiB at 0x76a00000`. */
export interface CmaArea extends Located {
  /** Absent where the area may be in several ranges, which are not printed. */
  readonly start?: number;
  /** As printed, whole MiB. */
  readonly bytes: number;
}

/**
 * Memory that a line says is taken, and that no other record describes. Without `bytes` the line tells that there is
 * such a use, and not how much.
 */
export interface MemoryUse extends Located {
  /**
   * `hash-table` of the page cache, processes, the network, …; `per-cpu`: bytes for each processor; `bounce-buffer`:
   * for devices that do not reach all memory (swiotlb), `…-freed` where it turned out to be needless, `…-size` where
   * its size was changed; `graphics`: stolen by the firmware for graphics; `aperture`: for the graphics bus, taken from
   * memory; `interrupt-table`: of message interrupts (GICv3); `kasan`, `kmsan`: the kernel checks its accesses; `page-extension`, `page-cgroup`: beside page descriptors;
   * `radix-mmu`: a POWER machine that translates addresses by trees; `hash-page-table`: by one table, and
   * `hypervisor-page-table`: that the hypervisor keeps it.
   */
  readonly what:
    | 'hash-table'
    | 'per-cpu'
    | 'log-buffer'
    | 'bounce-buffer'
    | 'bounce-buffer-freed'
    | 'bounce-buffer-size'
    | 'graphics'
    | 'aperture'
    | 'kasan'
    | 'kmsan'
    | 'kfence'
    | 'interrupt-table'
    | 'page-extension'
    | 'page-cgroup'
    | 'crashkernel-cma'
    | 'radix-mmu'
    | 'hash-page-table'
    | 'hypervisor-page-table';
  /** Which hash table. */
  readonly name?: string;
  readonly bytes?: number;
  /** Bytes beside them: what describes the log buffer's records. */
  readonly metaBytes?: number;
  /** First byte, where it is printed. */
  readonly start?: number;
  /** From the page allocator, page by page, so no part of what was taken before it. */
  readonly isVirtual?: boolean;
}

/** What the kernel printed about the outcome. */
export interface PrintedTruths {
  readonly zoneRanges: readonly ZoneRange[];
  readonly movableStarts: readonly ({ readonly nid: number; readonly start: number } & Located)[];
  readonly earlyRanges: readonly EarlyRange[];
  readonly nodeSetups: readonly NodeSetup[];
  readonly unavailable: readonly UnavailablePages[];
  readonly nodePages: readonly NodePages[];
  readonly fallbackOrders: readonly ({
    readonly nid: number;
    readonly order: readonly number[];
  } & Located)[];
  readonly policyZone?: { readonly zone: ZoneName } & Located;
  readonly zonelists?: ZonelistsLine;
  readonly zonelistOrders: readonly PrintedZonelist[];
  /** `mminit::memmap_init …`: pages `[startPfn, endPfn)` of a zone (by index) that were initialised. */
  readonly memmapInit: readonly ({
    readonly nid: number;
    readonly zoneIndex: number;
    readonly startPfn: number;
    readonly endPfn: number;
  } & Located)[];
  readonly memory?: MemoryLine;
  readonly deferred: readonly DeferredLine[];
  /** `memmap_init_zone_device initialised N pages in Nms`. */
  readonly deviceInit: readonly ({ readonly pages: number; readonly ms: number } & Located)[];
  readonly freeing: readonly FreeingLine[];
  readonly hugetlb: readonly HugetlbLine[];
  readonly cma?: readonly CmaArea[];
  /** Memory in use that no other list describes, in print order; absent where nothing is printed. */
  readonly uses?: readonly MemoryUse[];
  /** What the kernel complained about or could not do, in its words. */
  readonly failures?: readonly ({ readonly text: string } & Located)[];
  /** Memory block (hot-plug unit), bytes. */
  readonly blockSize?: { readonly bytes: number } & Located;
  /** Where the memory that a 32-bit kernel maps at all times ends, bytes. */
  readonly lowmem?: { readonly end: number } & Located;
  /** `RAMDISK: [mem …]`. */
  readonly ramdisk?: LocatedRange;
  /** Crash kernel reservations. */
  readonly crashkernel: readonly LocatedRange[];
  /** `last_pfn = 0x1c0000 max_arch_pfn = …`, in order. */
  readonly lastPfns: readonly ({ readonly pfn: number; readonly maxArchPfn?: number } & Located)[];
  /** ACPI tables kept out of the allocator. */
  readonly acpiTables: readonly (LocatedRange & { readonly table: string })[];
}
