/**
 * The stable JSON forms of measurements and of predictions, and the published tables. Rules as in `result.ts`.
 */

/** Mean, sample standard deviation, median, extremes of a series. */
export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** Sample standard deviation; 0 for a single value. */
  readonly stdev: number;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One row: a thread count. */
export interface BenchRow {
  /** Threads that all nodes share; 0 is the base: one deferred thread a node, as without the series. */
  readonly threads: number;
  /** Share of the most threads, percent. */
  readonly percent: number;
  readonly bootMs: Summary;
  readonly definitMs: Summary;
  readonly firstAllocationMs: Summary;
  /** Speed-up against the base, percent; absent in the base. */
  readonly bootSpeedup?: number;
  readonly definitSpeedup?: number;
  /** Deferred part of the boot, 0 … 1. */
  readonly bootFraction: number;
  /** How much later than the calling thread the helpers began, on average; absent where nobody helped. */
  readonly helperStartMs?: Summary;
  /** Between two chunks of a thread, on average; absent where no thread had two. */
  readonly chunkMs?: Summary;
}

/** `bootmem bench --json`. */
export interface BenchReport {
  readonly schema: 'bootmem/bench';
  readonly version: 1;
  readonly source: string;
  readonly pages: number;
  readonly rounds: number;
  readonly node: string;
  /** Threads of the base: one for each node with a deferred part, as many as may be used. */
  readonly baseThreads: number;
  readonly rows: readonly BenchRow[];
}

/** How far a prediction of a machine is from its rows. */
export interface LeftOut {
  readonly machine: string;
  readonly rows: readonly {
    readonly threads: number;
    readonly ms: number;
    readonly predictedMs: number;
  }[];
  /** Typical factor between predicted and measured, as percent over 1: exp of the mean absolute logarithm. */
  readonly errorPercent: number;
  /** The same when its row of one thread is known and sets the cost of a page. */
  readonly knownBaseErrorPercent: number;
}

/** `bootmem bench --model --json`: what a machine would take by threads a node, and how good such predictions are. */
export interface ModelReport {
  readonly schema: 'bootmem/bench-model';
  readonly version: 1;
  /** Fitted to the six published machines. */
  readonly kernel: ScalingNumbers;
  /** Fitted to what was measured on this host; cost of a thread and of a chunk as measured. */
  readonly here: ScalingNumbers;
  readonly measured: BenchReport;
  /** Each published machine predicted from the others. */
  readonly leftOut: readonly LeftOut[];
  /** The machine asked for. */
  readonly nodes: number;
  /** Threads of its largest node at most. */
  readonly cpusPerNode: number;
  /** Deferred pages of that node: the boot waits for it. */
  readonly pagesPerNode: number;
  readonly rows: readonly {
    readonly percent: number;
    readonly threads: number;
    readonly kernelMs: number;
    readonly hereMs: number;
    /** Where the machine is one of the published. */
    readonly publishedMs?: number;
  }[];
}

/** Numbers of a scaling model, in milliseconds. */
export interface ScalingNumbers {
  /** A page on one thread. */
  readonly perPage: number;
  /** A page in the memory of a node with one processor; a node with more has as much less as the root of their number. */
  readonly bandwidth: number;
  /** Until the helpers are at it, where there are some. */
  readonly startMs: number;
  /** Taking a chunk; 0 where it cannot be told from what a thread does. */
  readonly chunkMs: number;
}

/** One row of a published table; milliseconds. */
export interface PublishedRow {
  /** Share of the node's processors, percent; 0 = without the series, one thread a node. */
  readonly percent: number;
  /** Threads a node; 0 = without the series. */
  readonly threads: number;
  readonly bootMs: number;
  readonly bootStdev: number;
  /** The slowest node: boot waits for it. */
  readonly definitMs: number;
  readonly definitStdev: number;
}

/** One machine of the series. */
export interface PublishedMachine {
  readonly machine: string;
  readonly nodes: number;
  readonly cpusPerNode: number;
  readonly gibPerNode: number;
  readonly rows: readonly PublishedRow[];
}

/** A machine of which log lines were published, before and with the series. */
export interface PublishedLog {
  readonly machine: string;
  /** The first program's start by the log's own time stamps; milliseconds. */
  readonly boot: { readonly beforeMs: number; readonly withMs: number };
  readonly nodes: readonly {
    readonly nid: number;
    readonly pages: number;
    readonly beforeMs: number;
    readonly withMs: number;
    /** The second version of the series, tested again. */
    readonly againMs: number;
  }[];
}
