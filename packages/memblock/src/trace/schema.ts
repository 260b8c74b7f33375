/**
 * The trace format: one scenario a line, each a set-up, a sequence of calls, and what a kernel answered.
 *
 * Addresses, sizes, limits and page numbers are strings of hexadecimal digits with `0x`; nodes and
 * flags are numbers. `end` is exclusive. See the README of this package for the whole table.
 */

/** Set-up in which a scenario starts. */
export interface TraceConfig {
  readonly page_size: number;
  readonly smp_cache_bytes: number;
  readonly max_numnodes: number;
  readonly memory_max: number;
  readonly reserved_max: number;
  readonly allow_resize: boolean;
  readonly bottom_up: boolean;
  readonly current_limit: string;
  readonly movable_node: boolean;
  readonly mirrored_kernelcore: boolean;
  readonly debug?: boolean;
}

/** base, size, flags, nid. */
export type TraceRegion = readonly [string, string, number, number];

/** Both lists with their totals and the room of their arrays. */
export interface TraceState {
  readonly memory: readonly TraceRegion[];
  readonly reserved: readonly TraceRegion[];
  readonly memory_total: string;
  readonly reserved_total: string;
  readonly memory_max: number;
  readonly reserved_max: number;
}

/** One call and what came of it. */
export interface TraceOperation {
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly ret?: unknown;
  readonly after?: TraceState;
  readonly same?: boolean;
  readonly n?: readonly [number, string, number, string];
  readonly h?: string;
  readonly log?: string;
  readonly warn?: number;
  readonly crash?: string;
  readonly by?: string;
}

/** One scenario. */
export interface TraceScenario {
  readonly name: string;
  readonly family?: string;
  readonly config: TraceConfig;
  readonly detail?: string;
  readonly initial?: TraceState;
  readonly ops: readonly TraceOperation[];
  readonly final?: TraceState;
  readonly crashed?: boolean;
}
