/**
 * Where a machine comes from, and what comes out of reading it. Types only.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import type { ZoneinfoZone } from '@bootmem/firmware-map/types';
import type { MemoryBlocks } from './memory-blocks.js';

/** Where a machine comes from. */
export interface MachineSource {
  /** Which boot of a log with several, 1 = the first; default the last one. */
  readonly boot?: number;
  /** Bytes of a synthetic machine. */
  readonly memory?: number;
  readonly nodes?: number;
  readonly cpus?: number;
  /** Bytes at the top of a synthetic machine that are unaccepted. */
  readonly unaccepted?: number;
  readonly thisMachine?: boolean;
  /** A folder with `proc` and `sys` of a machine, such as an sosreport. */
  readonly sysroot?: string;
  /** Ends the reading, also of a pipe that says nothing; what is read then ends with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A description and how it was come by. */
export interface LoadedMachine {
  readonly description: MachineDescription;
  /** Short name for headings. */
  readonly source: string;
  /** What could not be read or had to be assumed. */
  readonly notes: readonly string[];
  /** Memory blocks when the files beside the log were read. */
  readonly blocks?: MemoryBlocks;
  /** Texts of the log's lines that were understood, by number; absent for a machine without a log. */
  readonly lines?: ReadonlyMap<number, string>;
  /** What was recorded after memory was added or taken away; absent for a plain log. */
  readonly steps?: readonly HotplugStep[];
}

/** The machine after a step of its recording. */
export interface HotplugStep {
  /** Name of the step: `added`, `onlined`, … */
  readonly name: string;
  readonly zoneinfo: readonly ZoneinfoZone[];
  readonly blocks: MemoryBlocks;
}
