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
import type { Architecture, Located, Problem } from './common.js';
import type { FirmwareMaps } from './firmware.js';
import type { MemblockLog } from './memblock.js';
import type { NumaDescription } from './numa.js';
import type { MemoryOptions } from './options.js';
import type { PrintedTruths } from './printed.js';
import type { ProcFiles } from './proc.js';

/** Version of the JSON form; raised when a reader of the old form could misread the new one. */
export type DescriptionVersion = 1;

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
