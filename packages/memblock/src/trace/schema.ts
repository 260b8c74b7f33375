/**
 * The trace format: one scenario a line, each a set-up, a sequence of calls, and what a kernel answered.
 *
 * Addresses, sizes, limits and page numbers are strings of hexadecimal digits with `0x`; nodes and
 * flags are numbers. `end` is exclusive. What an operation does is in operations.ts.
 */

/** Set-up in which a scenario starts. */
interface TraceConfig {
  /** Bytes. */
  readonly page_size: number;
  /** Alignment that stands in for 0, bytes. */
  readonly smp_cache_bytes: number;
  /** Number of node numbers. */
  readonly max_numnodes: number;
  /** Entries that the array of `memory` has room for. */
  readonly memory_max: number;
  /** Entries that the array of `reserved` has room for. */
  readonly reserved_max: number;
  /** Whether the arrays may grow yet. */
  readonly allow_resize: boolean;
  /** Whether memory is allocated from its low end first. */
  readonly bottom_up: boolean;
  /** First address that may not be allocated. */
  readonly current_limit: string;
  /** As on the kernel's command line. */
  readonly movable_node: boolean;
  /** Whether mirrored memory may be marked. */
  readonly mirrored_kernelcore: boolean;
  /** Whether debug lines are printed. */
  readonly debug?: boolean;
}

/** base, size, flags, nid. */
export type TraceRegion = readonly [string, string, number, number];

/** Both lists with their totals and the room of their arrays. */
export interface TraceState {
  /** Regions of RAM, ascending. */
  readonly memory: readonly TraceRegion[];
  /** Regions taken, ascending. */
  readonly reserved: readonly TraceRegion[];
  /** Bytes, as the kernel keeps them. */
  readonly memory_total: string;
  /** Bytes, as the kernel keeps them. */
  readonly reserved_total: string;
  /** Entries that the array has room for. */
  readonly memory_max: number;
  /** Entries that the array has room for. */
  readonly reserved_max: number;
}

/** One call and what came of it. */
export interface TraceOperation {
  /** Name, see operations.ts. */
  readonly op: string;
  /** Arguments by name. */
  readonly args: Readonly<Record<string, unknown>>;
  /** What it answered; none for a call that ended in a crash. */
  readonly ret?: unknown;
  /** The state behind it. */
  readonly after?: TraceState;
  /** The state behind it is the last one given. */
  readonly same?: boolean;
  /** In short: regions and bytes of `memory`, regions and bytes of `reserved`. */
  readonly n?: readonly [number, string, number, string];
  /** In short: FNV-1a over both lists. */
  readonly h?: string;
  /** What it printed. */
  readonly log?: string;
  /** How often it complained. */
  readonly warn?: number;
  /** How the kernel stopped in it: `panic` or `BUG`. */
  readonly crash?: string;
  /** Who made the call, as a symbol, where it comes from a boot. */
  readonly by?: string;
}

/** One scenario. */
export interface TraceScenario {
  /** Unique in its file. */
  readonly name: string;
  /** What kind of scenario it is. */
  readonly family?: string;
  /** Set-up in which it starts. */
  readonly config: TraceConfig;
  /** How states are given: `full`, or in short. */
  readonly detail?: string;
  /** State it starts from; absent: empty lists. */
  readonly initial?: TraceState;
  /** Calls, in order. */
  readonly ops: readonly TraceOperation[];
  /** State behind the last call. */
  readonly final?: TraceState;
  /** Whether the last call stopped the kernel. */
  readonly crashed?: boolean;
}
