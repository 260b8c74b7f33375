/**
 * What the replay of a boot gives.
 */
import type { MemblockState } from '../base/types.js';
import type { Memblock } from '../memblock.js';
import type { RequestEvent } from './debug-log.js';
import type { NumaBlock } from './numa-blocks.js';
import type { MemblockDump } from './read-dump.js';

/** Where in a boot a state is taken. */
export type Checkpoint = 'nodes' | 'zones' | 'hand-over';

/** A printed request and what came of it. */
export interface ReplayedAllocation {
  /** 1-based line of the log. */
  readonly line: number;
  /** What was asked for. */
  readonly request: RequestEvent;
  /** Our address; undefined: ours found none. */
  readonly predicted: number | undefined;
  /** The address that the log names; undefined: the request failed. */
  printed: number | undefined;
}

/** A printed configuration against ours. */
export interface ReplayedDump {
  /** 1-based line of the log where it begins. */
  readonly line: number;
  /** The log's. */
  readonly printed: MemblockDump;
  /** Ours as text. */
  readonly ours: string;
  /** Empty when they are equal. */
  readonly differences: readonly string[];
}

/** A line that ours does not agree with. */
export interface ReplayDifference {
  /** 1-based line of the log. */
  readonly line: number;
  /** What the log shows. */
  readonly expected: string;
  /** What ours gives. */
  readonly got: string;
}

/** What a replay gives. */
export interface BootReplayResult {
  /** The object after the last line. */
  readonly memblock: Memblock;
  /** States at the checkpoints that the log reached. */
  readonly checkpoints: ReadonlyMap<Checkpoint, MemblockState>;
  /** Printed configurations against ours. */
  readonly dumps: readonly ReplayedDump[];
  /** Requests and what came of them. */
  readonly allocations: readonly ReplayedAllocation[];
  /** Debug lines replayed. */
  readonly operations: number;
  /** Lines that ours does not agree with. */
  readonly differences: readonly ReplayDifference[];
  /** Blocks of the nodes that were used. */
  readonly numaBlocks: readonly NumaBlock[];
}
