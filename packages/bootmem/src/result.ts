/**
 * The stable JSON forms of what the command prints. Each object starts with `schema` and `version`;
 * fields are only ever added within a version. The JSON schema of each is in `schema/`.
 *
 * Units: addresses and sizes in bytes where a name says so, otherwise pages of 4 KiB; times in
 * milliseconds of a monotonic clock, 0 = start of the boot.
 */

/** How pages that need not be ready at once are brought up. */
export type InitMode = 'eager' | 'deferred' | 'on-demand';

/** When unaccepted memory is accepted. */
export type AcceptMode = 'lazy' | 'eager';

/** A stretch of physical memory and what the firmware map or the node table calls it. */
interface RangeReport {
  /** First byte. */
  readonly start: number;
  /** Byte after the last. */
  readonly end: number;
  /** Firmware kind (`usable`, `reserved`, `ACPI data`, …). */
  readonly kind: string;
}

/** A stretch of one node's memory. */
interface NodeRangeReport {
  /** Node. */
  readonly nid: number;
  /** First page frame. */
  readonly startPfn: number;
  /** Page frame after the last. */
  readonly endPfn: number;
}

/** A node after boot. */
export interface NodeReport {
  /** Node number. */
  readonly nid: number;
  /** First page frame of its span. */
  readonly startPfn: number;
  /** Pages from the first to the last, holes included. */
  readonly spannedPages: number;
  /** Pages that exist. */
  readonly presentPages: number;
  /** Where deferred initialisation began; absent when nothing of the node was deferred. */
  readonly firstDeferredPfn?: number;
  /** Time its deferred pages took, if it had any. */
  readonly deferredMs?: number;
}

/** A zone after boot. */
export interface ZoneReport {
  readonly nid: number;
  readonly name: string;
  readonly startPfn: number;
  readonly spannedPages: number;
  readonly presentPages: number;
  /** Pages handed to the buddy allocator. */
  readonly managedPages: number;
  /** Pages in free blocks now (unaccepted ones not counted). */
  readonly freePages: number;
  /** Pages parked until they are accepted. */
  readonly unacceptedPages: number;
  readonly min: number;
  readonly low: number;
  readonly high: number;
  /** Lowmem reserve against requests for each higher zone. */
  readonly protection: readonly number[];
  /** Free blocks by order, 0 first. */
  readonly freeBlocks: readonly number[];
  /** Free blocks by migratetype name, each by order. */
  readonly freeBlocksByType: Readonly<Record<string, readonly number[]>>;
}

/** What one thread did of the deferred work. */
export interface ThreadReport {
  /** 0 is the calling thread. */
  readonly thread: number;
  /** Page frames of the chunks it ran. */
  readonly pages: number;
  readonly chunks: number;
  /** Part of all deferred pages, 0 … 1. */
  readonly share: number;
  /** Time inside chunks. */
  readonly busyMs: number;
  /** Node of this host that the thread belongs to, where threads belong to nodes; the calling thread belongs to none. */
  readonly hostNode?: number;
}

/** One chunk of deferred work, for the timeline. */
export interface ChunkReport {
  readonly thread: number;
  readonly nid: number;
  readonly startPfn: number;
  readonly endPfn: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** A device memory range brought up after boot. */
export interface DeviceReport {
  readonly nid: number;
  readonly startPfn: number;
  readonly endPfn: number;
  readonly ms: number;
}

/** Acceptance of unaccepted memory. */
export interface UnacceptedReport {
  /** Bytes one bit of the table stands for. */
  readonly unitBytes: number;
  /** Units in the table at the start. */
  readonly totalUnits: number;
  /** Units that are accepted now. */
  readonly acceptedUnits: number;
  /** Accepted units over time. */
  readonly timeline: readonly { readonly ms: number; readonly acceptedUnits: number }[];
}

/** Times of one boot. */
interface TimingReport {
  /** Starting the threads and loading their code, before the clock starts. */
  readonly threadStartMs: number;
  /** From the start until the first page could be allocated. */
  readonly firstAllocationMs: number;
  /** Early initialisation on the calling thread. */
  readonly earlyMs: number;
  /** Deferred initialisation, all nodes in parallel. */
  readonly deferredMs: number;
  /** From the start until every page that this mode prepares is ready. */
  readonly totalMs: number;
  /** Page descriptors initialised. */
  readonly initialisedPages: number;
  /** `initialisedPages` over the time spent initialising. */
  readonly pagesPerSecond: number;
}

/** What was left out of a boot, and what it would have taken. */
export interface PredictionReport {
  /** Why it was left out. */
  readonly reason: string;
  /** Pages that were left out. */
  readonly pages: number;
  /** Pages that were timed for it, on one thread. */
  readonly sampledPages: number;
  /** Their rate. */
  readonly pagesPerSecond: number;
  /** What the left out pages take one thread at that rate. */
  readonly ms: number;
}

/** The outcome of one boot: `bootmem boot --json`. */
export interface BootReport {
  readonly schema: 'bootmem/boot';
  readonly version: 1;
  readonly source: string;
  readonly kernel: string;
  readonly options: {
    readonly threads: number;
    readonly mode: InitMode;
    readonly accept: AcceptMode;
    /** Kernel release that was followed: `MAJOR.MINOR`, or `latest`. */
    readonly profile: string;
  };
  readonly machine: {
    readonly memoryBytes: number;
    readonly nodeCount: number;
    readonly cpuCount: number;
    readonly descriptorBytes: number;
    readonly sharedBytes: number;
  };
  readonly firmwareMap: readonly RangeReport[];
  readonly earlyRanges: readonly NodeRangeReport[];
  readonly holes: readonly {
    readonly nid: number;
    readonly zone: string;
    readonly pages: number;
  }[];
  readonly nodes: readonly NodeReport[];
  readonly zones: readonly ZoneReport[];
  /** The text of /proc/buddyinfo after boot. */
  readonly buddyinfo: string;
  readonly timing: TimingReport;
  readonly threads: readonly ThreadReport[];
  readonly chunks: readonly ChunkReport[];
  readonly devices: readonly DeviceReport[];
  readonly unaccepted?: UnacceptedReport;
  /** On-demand mode: sections that allocations had to wait for. */
  readonly growth?: { readonly grows: number; readonly pages: number; readonly leftPages: number };
  /** A machine with more pages than descriptors can number: the rest after the first allocation. */
  readonly predicted?: PredictionReport;
  /** Kernel-like log lines with our own times. */
  readonly log: readonly string[];
  /** What the machine's own kernel complained about, and more of that kind. */
  readonly findings: readonly Finding[];
  /** What in the input could not be used or had to be assumed. */
  readonly notes: readonly string[];
}

/** Something about a boot that a person should know. */
export interface Finding {
  /** Stable name of its kind, such as `crashkernel-failed`. */
  readonly id: string;
  /** `error`: memory or a reservation was lost; `warning`: something is not as it was meant; `note`: worth knowing. */
  readonly severity: 'error' | 'warning' | 'note';
  /** Line of the log; absent where no line says it. */
  readonly line?: number;
  /** That line. */
  readonly text?: string;
  /** What it is, with its amounts. */
  readonly message: string;
  /** What would help. */
  readonly remedy: string;
}

/** Outcome of comparing one fact. */
type Verdict = 'equal' | 'differs' | 'not derivable';

/** One fact of a log: what the kernel printed and what we computed. */
export interface FactReport {
  /** Kind of fact, e.g. `zone range`. */
  readonly fact: string;
  /** What it speaks of, e.g. `node 1 zone Normal`. */
  readonly subject: string;
  readonly kernel: string;
  readonly ours: string;
  readonly verdict: Verdict;
  /** Why it is not derivable or, if known, why it differs. */
  readonly reason?: string;
}

/** Outcome for one log: `bootmem check --json` prints one a file. */
export interface CheckReport {
  readonly schema: 'bootmem/check';
  readonly version: 1;
  readonly source: string;
  readonly kernel: string;
  /** Absent when the log was read; else why it was refused. */
  readonly rejected?: string;
  readonly equal: number;
  readonly differs: number;
  readonly notDerivable: number;
  readonly facts: readonly FactReport[];
  /** What the kernel complained about, and more of that kind. */
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

/** Outcome of a replay: `bootmem replay --json`. */
export interface ReplayReport {
  readonly schema: 'bootmem/replay';
  readonly version: 1;
  readonly source: string;
  /** Printed operations that were applied. */
  readonly operations: number;
  /** Dumps after the first that were compared. */
  readonly dumps: number;
  readonly equalDumps: number;
  /** Allocation requests whose address the log tells. */
  readonly allocations: number;
  /** Those whose address our own search found too. */
  readonly predicted: number;
  readonly differences: readonly string[];
  /** The final state in the kernel's dump format. */
  readonly finalDump: string;
  readonly notes: readonly string[];
}
