/**
 * The one result type of this package and everything it is made of. Types only, no run-time value.
 *
 * A description is plain data: numbers, strings, booleans, arrays and objects, nothing else, so that it survives
 * `JSON.stringify` and `postMessage` unchanged. What an input does not say is absent, never a default.
 *
 *   MachineDescription
 *     ├─ firmware   what the firmware said, and what the user or the kernel made of it
 *     ├─ numa       which node owns what (SRAT, NUMA lines, faked nodes)
 *     ├─ printed    what the kernel printed about the outcome: the truths to compare with
 *     ├─ memblock   dumps and operation lines of `memblock=debug`
 *     ├─ options    memory options of the command line, decoded
 *     ├─ proc       /proc and /sys files, where the input is or holds one
 *     └─ problems   everything that was odd, with line and reason
 *
 * Units: addresses and sizes in bytes; `…Pfn` in pages of `pageSize`; `…Kb` in KiB. Ranges are half open,
 * `[start, end)`, whatever the input's habit. `line` is the 1-based physical line of the input.
 */

/** Version of the JSON form; raised when a reader of the old form could misread the new one. */
export type DescriptionVersion = 1;

/** Processor architectures whose logs are understood. */
export type Architecture = 'x86_64' | 'i386' | 'arm64' | 'arm' | 'ppc64' | 'riscv64' | 's390x';

/** Where something stands in the input. */
export interface Located {
  /** 1-based physical line; 0 in descriptions that were not read from text. */
  readonly line: number;
}

/** Half-open byte range. */
export interface ByteRange {
  readonly start: number;
  /** First byte after the range. */
  readonly end: number;
}

/** A byte range and its place in the input. */
export interface LocatedRange extends ByteRange, Located {}

/** What a stretch of the firmware map is for. */
export type RangeKind =
  | 'usable'
  | 'reserved'
  | 'acpi-data'
  | 'acpi-nvs'
  | 'unusable'
  | 'persistent'
  | 'soft-reserved'
  | 'unaccepted'
  | 'gap'
  | 'other';

/** One stretch of a firmware map. */
export interface MapEntry extends LocatedRange {
  readonly kind: RangeKind;
  /** The number in `type 20` or `persistent (type 12)`, where it is printed. */
  readonly typeNumber?: number;
  /** The kind as the input words it. */
  readonly text: string;
  /** Printed after memblock had taken over the map: without effect on which memory there is. */
  readonly late?: boolean;
  /** Who printed it: `BIOS-e820`, `BIOS-88`, `BIOS-e801`, `Xen`, `user`, … */
  readonly provider: string;
}

/** A change that the kernel made to its copy of the map: `e820: update …`, `e820: remove …`. */
export interface MapEdit extends LocatedRange {
  readonly action: 'update' | 'remove';
  /** The kind that was changed or removed; absent when the line does not say. */
  readonly from?: RangeKind;
  /** The new kind of an update. */
  readonly to?: RangeKind;
  /** What asked for it: the e820 code or the EFI pass over memory-mapped I/O. */
  readonly by: 'e820' | 'efi';
  /** Printed after memblock had taken over the map, so without effect on which memory there is. */
  readonly late?: boolean;
}

/** One descriptor of the EFI memory map. */
export interface EfiEntry extends LocatedRange {
  /** UEFI memory type, 0 … 15; absent for a name this package does not know. */
  readonly type?: number;
  /** Type as printed, or its UEFI name when only the number is printed. */
  readonly name: string;
  /** Attribute bits that were printed, such as `WB`, `UC`, `MR`, `SP`, `RUN`. */
  readonly attributes: readonly string[];
}

/** Maps of the machine, as handed over and as changed. */
export interface FirmwareMaps {
  /** The firmware's own map (BIOS-e820, Xen, …), in file order. */
  readonly map: readonly MapEntry[];
  /** The `user:` map: the final word when `memmap=` or `mem=` is on the command line. */
  readonly user: readonly MapEntry[];
  /** The `modified:` map: printed when the kernel has changed the firmware's map. */
  readonly modified: readonly MapEntry[];
  /** The `reserve setup_data:` map: the whole map again, with the boot loader's data cut out. */
  readonly setupData: readonly MapEntry[];
  /** Changes in the order in which they were printed. */
  readonly edits: readonly MapEdit[];
  /** EFI memory map (`efi=debug`), in file order. */
  readonly efi: readonly EfiEntry[];
  /** Ranges the firmware has not accepted yet (confidential guests), bytes. */
  readonly unaccepted: readonly LocatedRange[];
}

/** A memory affinity entry of the SRAT. */
export interface SratEntry extends LocatedRange {
  readonly nid: number;
  /** Proximity domain, where printed. */
  readonly pxm?: number;
  readonly hotplug: boolean;
  readonly nonVolatile: boolean;
}

/** `NUMA: Node 1 A + B -> C`. */
export interface NumaMerge extends Located {
  readonly nid: number;
  readonly parts: readonly ByteRange[];
  readonly result: ByteRange;
}

/** A node's own data, where it lies. */
export interface NodeData extends LocatedRange {
  readonly nid: number;
  /** The node whose memory holds it, when printed and different. */
  readonly onNode?: number;
}

/** A processor's node, from SRAT lines. */
export interface CpuAffinity extends Located {
  readonly nid: number;
  readonly pxm: number;
  /** APIC id, MPIDR or hart id. */
  readonly id: number;
}

/** Everything said about nodes before zones exist. */
export interface NumaDescription {
  readonly srat: readonly SratEntry[];
  readonly cpus: readonly CpuAffinity[];
  readonly merges: readonly NumaMerge[];
  readonly nodeData: readonly NodeData[];
  /** `Faking node 1 at [mem …] (1024MB)`: nodes of `numa=fake`. */
  readonly faked: readonly (LocatedRange & { readonly nid: number })[];
  /** `Faking a node at [mem …]`: the single node of a machine without NUMA. */
  readonly single?: LocatedRange;
  /** Node blocks that other architectures print (`memory node 1: …`), or a synthetic description gives. */
  readonly blocks: readonly (LocatedRange & { readonly nid: number })[];
  /** Distances, row = from, column = to; from a SLIT, sysfs or a synthetic description. */
  readonly distances?: readonly (readonly number[])[];
  /** The firmware has a distance table (SLIT); its figures are not printed. */
  readonly slit?: boolean;
  /** Rows of the distance table that the kernel set up. */
  readonly distanceCount?: number;
  /** The kernel's reason for not using the NUMA tables. */
  readonly rejected?: { readonly reason: string } & Located;
}

/** Zone names over all architectures. */
export type ZoneName = 'DMA' | 'DMA32' | 'Normal' | 'HighMem' | 'Movable' | 'Device';

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
  /** Absent in the whole-machine form of kernels before 5.10. */
  readonly nid?: number;
  readonly zone?: ZoneName;
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
  /** Memory block (hot-plug unit), bytes. */
  readonly blockSize?: { readonly bytes: number } & Located;
  /** `RAMDISK: [mem …]`. */
  readonly ramdisk?: LocatedRange;
  /** Crash kernel reservations. */
  readonly crashkernel: readonly LocatedRange[];
  /** `last_pfn = 0x1c0000 max_arch_pfn = …`, in order. */
  readonly lastPfns: readonly ({ readonly pfn: number; readonly maxArchPfn?: number } & Located)[];
  /** ACPI tables kept out of the allocator. */
  readonly acpiTables: readonly (LocatedRange & { readonly table: string })[];
}

/** Processors of the machine, from whatever the input prints. */
export interface CpuCounts {
  /** Processors that may ever run: present plus hot-plug. */
  readonly possible?: number;
  readonly present?: number;
  readonly hotplug?: number;
  /** `smp: Brought up 2 nodes, 96 CPUs`. */
  readonly online?: number;
  /** `nr_cpu_ids`: one more than the highest processor number. */
  readonly cpuIds?: number;
  /** `nr_node_ids`. */
  readonly nodeIds?: number;
  readonly nodesOnline?: number;
}

/** Which memblock list a dump line belongs to. */
export type MemblockList = 'memory' | 'reserved' | 'physmem';

/** One region of a dump. */
export interface MemblockRegionLine extends LocatedRange {
  /** Absent: no node. */
  readonly nid?: number;
  readonly flags: number;
}

/** `MEMBLOCK configuration:` and its lines. */
export interface MemblockDump extends Located {
  /** The `memory size =` header, bytes; not always the sum of the regions. */
  readonly memorySize?: number;
  readonly reservedSize?: number;
  readonly memory: readonly MemblockRegionLine[];
  readonly reserved: readonly MemblockRegionLine[];
  readonly physmem: readonly MemblockRegionLine[];
  /** Regions announced by `….cnt = `, per list. */
  readonly counts: Readonly<Partial<Record<MemblockList, number>>>;
  /** True when every announced region was read. */
  readonly complete: boolean;
}

/** A line of `memblock=debug`. */
export type MemblockOperation =
  | (LocatedRange & {
      readonly op: 'add' | 'reserve' | 'remove' | 'free' | 'physmem-add';
      /** `caller+0x1/0x2`, as printed. */
      readonly caller: string;
      readonly nid?: number;
      readonly flags?: number;
    })
  | (Located & {
      readonly op: 'alloc';
      /** The kernel function named, such as `memblock_alloc_try_nid`. */
      readonly kernelName: string;
      readonly size: number;
      readonly align: number;
      /** Absent: any node. */
      readonly nid?: number;
      readonly from: number;
      /** 0: no limit (or "accessible", by the function). */
      readonly maxAddr: number;
      readonly caller: string;
    })
  | (LocatedRange & {
      readonly op: 'grow';
      readonly list: MemblockList;
      readonly regions: number;
    });

/** The memblock part of a log. */
export interface MemblockLog {
  readonly dumps: readonly MemblockDump[];
  readonly operations: readonly MemblockOperation[];
}

/** An amount: bytes, or a share of memory in percent. */
export type MemoryAmount = { readonly bytes: number } | { readonly percent: number };

/** One `memmap=` value. */
export interface MemmapOption {
  readonly text: string;
  readonly form: 'exactmap' | 'limit' | 'usable' | 'acpi' | 'reserved' | 'persistent' | 'change';
  /** `limit`: the new end of usable memory. Others: size of the range, bytes. */
  readonly size?: number;
  readonly start?: number;
  /** `change` (`nn%ss-old+new`): e820 type numbers. */
  readonly oldType?: number;
  readonly newType?: number;
}

/** `numa=` of x86 and the generic code. */
export type NumaOption =
  | { readonly mode: 'off' }
  | { readonly mode: 'noacpi' | 'nohmat' | 'on' }
  | {
      readonly mode: 'fake';
      readonly text: string;
      readonly count: number;
      readonly uniform: boolean;
    }
  | { readonly mode: 'fake'; readonly text: string; readonly size: number };

/** Memory options of the command line, decoded. Absent: not given. */
export interface MemoryOptions {
  /** `mem=`: usable memory ends there, bytes. The smallest when given more than once. */
  readonly mem?: number;
  /** `memmap=` values in order. */
  readonly memmap: readonly MemmapOption[];
  readonly kernelcore?: MemoryAmount | { readonly mirror: true };
  readonly movablecore?: MemoryAmount;
  readonly movableNode: boolean;
  readonly numa: readonly NumaOption[];
  /** `crashkernel=` values as given and decoded. */
  readonly crashkernel: readonly CrashkernelOption[];
  /** Pairs of `hugepagesz=` and `hugepages=` in order; without a size, the default size. */
  readonly hugepages: readonly HugepagesOption[];
  readonly defaultHugepageSize?: number;
  readonly acceptMemory?: 'lazy' | 'eager';
  readonly memblockDebug: boolean;
  /** `log_buf_len=`, bytes, rounded up to a power of two as the kernel does. */
  readonly logBufLen?: number;
  readonly efiDebug: boolean;
  /** `efi=nosoftreserve`. */
  readonly noSoftReserve: boolean;
  /** `efi_fake_mem=` ranges, text as given. */
  readonly efiFakeMem?: string;
  /** `add_efi_memmap`. */
  readonly addEfiMemmap: boolean;
  readonly initOnAlloc?: boolean;
  readonly initOnFree?: boolean;
  /** `page_alloc.shuffle=`. */
  readonly shuffle?: boolean;
  readonly highmem?: number;
  /** `cma=` size, bytes. */
  readonly cma?: number;
  readonly maxCpus?: number;
  readonly nrCpus?: number;
  readonly possibleCpus?: number;
  /** `vmalloc=`, bytes. */
  readonly vmalloc?: number;
  readonly minMemoryBlockSize?: number;
  readonly memmapOnMemory?: string;
  readonly memhpDefaultState?: string;
}

/** A `crashkernel=` value. */
export interface CrashkernelOption {
  readonly text: string;
  /** Fixed size, bytes; absent in the form by memory size. */
  readonly size?: number;
  readonly offset?: number;
  readonly where?: 'high' | 'low' | 'cma';
  /** `512M-2G:64M,2G-:128M`: `end` absent = no upper bound. */
  readonly steps?: readonly {
    readonly start: number;
    readonly end?: number;
    readonly size: number;
  }[];
}

/** `hugepagesz=S hugepages=N`. */
export interface HugepagesOption {
  /** Absent: the default huge page size. */
  readonly pageBytes?: number;
  /** Pages over all nodes. */
  readonly count?: number;
  /** `hugepages=0:2,1:4`: per node. */
  readonly perNode?: readonly { readonly nid: number; readonly count: number }[];
}

/** The kernel command line. */
export interface CommandLine extends Located {
  readonly text: string;
}

/** Kernel identification. */
export interface KernelIdentity extends Located {
  /** `6.12.100+deb12-amd64`. */
  readonly release: string;
  /** `[6, 12, 100]`; shorter when fewer numbers are printed. */
  readonly numbers: readonly number[];
}

/** One entry of /proc/iomem. */
export interface IomemEntry extends LocatedRange {
  readonly name: string;
  /** Nesting, 0 = top. */
  readonly depth: number;
}

/** A zone of /proc/zoneinfo; pages unless said otherwise. */
export interface ZoneinfoZone extends Located {
  readonly nid: number;
  readonly zone: ZoneName;
  readonly free?: number;
  readonly boost?: number;
  readonly min?: number;
  readonly low?: number;
  readonly high?: number;
  readonly promo?: number;
  readonly spanned?: number;
  readonly present?: number;
  readonly managed?: number;
  readonly cma?: number;
  /** `protection:`: the lowmem reserve by zone index. */
  readonly protection?: readonly number[];
  readonly startPfn?: number;
  /** Counters (`nr_free_pages` …) by name. */
  readonly counters: Readonly<Record<string, number>>;
  /** Per-CPU page sets: `high` and `batch` of the first one. */
  readonly pcpHigh?: number;
  readonly pcpBatch?: number;
}

/** A row of /proc/buddyinfo: free blocks by order. */
export interface BuddyinfoRow extends Located {
  readonly nid: number;
  readonly zone: ZoneName;
  readonly counts: readonly number[];
}

/** /proc/pagetypeinfo. */
export interface PagetypeInfo {
  readonly pageblockOrder?: number;
  readonly pagesPerBlock?: number;
  /** Free blocks by order and type; `capped`: some count was printed as `>100000`. */
  readonly free: readonly ({
    readonly nid: number;
    readonly zone: ZoneName;
    readonly type: string;
    readonly counts: readonly number[];
    readonly capped: boolean;
  } & Located)[];
  /** Pageblocks by type. */
  readonly blocks: readonly ({
    readonly nid: number;
    readonly zone: ZoneName;
    readonly counts: Readonly<Record<string, number>>;
  } & Located)[];
}

/** Files of a running machine. */
export interface ProcFiles {
  readonly iomem?: readonly IomemEntry[];
  /** /sys/firmware/memmap: the firmware's map before any edit. */
  readonly firmwareMemmap?: readonly MapEntry[];
  readonly zoneinfo?: readonly ZoneinfoZone[];
  readonly buddyinfo?: readonly BuddyinfoRow[];
  readonly pagetypeinfo?: PagetypeInfo;
  /** /proc/meminfo values, KiB, by name. */
  readonly meminfo?: Readonly<Record<string, number>>;
  /** Nodes of /sys/devices/system/node. */
  readonly nodes?: readonly SysfsNode[];
}

/** A node of /sys/devices/system/node. */
export interface SysfsNode extends Located {
  readonly nid: number;
  readonly cpus: readonly number[];
  readonly distances: readonly number[];
  readonly memTotalKb?: number;
}

/** What was read. */
export interface DescriptionSource {
  readonly format: SourceFormat;
  /** File name or label given by the caller. */
  readonly name?: string;
  /** Physical lines and bytes read. */
  readonly lines: number;
  readonly bytes: number;
  /** Boots found in the input and which of them (0-based) this is. */
  readonly bootCount: number;
  readonly bootIndex: number;
  /** Lines `[firstLine, lastLine]` of this boot. */
  readonly firstLine: number;
  readonly lastLine: number;
}

/** Formats that are told apart. */
export type SourceFormat =
  | 'boot-log'
  | 'iomem'
  | 'firmware-memmap'
  | 'zoneinfo'
  | 'buddyinfo'
  | 'pagetypeinfo'
  | 'meminfo'
  | 'nodes'
  | 'json'
  | 'synthetic';

/** How bad a problem is. An error means: something that the result needs was lost or contradicts itself. */
export type Severity = 'error' | 'warning';

/** Something odd in the input. */
export interface Problem extends Located {
  readonly severity: Severity;
  readonly code: ProblemCode;
  /** What was expected and what came. */
  readonly message: string;
}

/** Every reason for a problem. */
export type ProblemCode =
  | 'EMPTY_INPUT'
  | 'NOT_TEXT'
  | 'NO_MEMORY_MAP'
  | 'NO_SUCH_BOOT'
  | 'LINE_TOO_LONG'
  | 'TOO_MANY_RECORDS'
  | 'BAD_NUMBER'
  | 'BAD_RANGE'
  | 'ADDRESS_TOO_LARGE'
  | 'UNKNOWN_KIND'
  | 'MALFORMED_LINE'
  | 'TRUNCATED'
  | 'WRAPPED_LINE'
  | 'OVERLAP'
  | 'DUPLICATE_LINE'
  | 'BAD_OPTION'
  | 'INCOMPLETE_DUMP'
  | 'HIDDEN_ADDRESSES'
  | 'CONTRADICTION'
  | 'ASSUMED'
  | 'BAD_JSON'
  | 'UNSUPPORTED_VERSION'
  | 'MULTIPLE_BOOTS'
  | 'REPEATED_LOG';

/** Everything known about one boot of one machine. */
export interface MachineDescription {
  readonly schema: 'bootmem/machine-description';
  readonly version: DescriptionVersion;
  readonly source: DescriptionSource;
  readonly architecture?: Architecture;
  /** Bytes a page; absent when the input gives no hint (then 4096 is usual). */
  readonly pageSize?: number;
  readonly kernel?: KernelIdentity;
  readonly commandLine?: CommandLine;
  /** The machine as DMI or the device tree names it. */
  readonly machine?: string;
  readonly options: MemoryOptions;
  readonly cpus: CpuCounts;
  readonly firmware: FirmwareMaps;
  readonly numa: NumaDescription;
  readonly printed: PrintedTruths;
  readonly memblock: MemblockLog;
  readonly proc: ProcFiles;
  readonly problems: readonly Problem[];
}
