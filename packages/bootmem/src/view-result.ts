/** The JSON forms of the views that kernel people know: `numa`, `lsmem`, `at`, `phases`. */
import type { Evidence } from './explain-result.js';

/** A node as `numactl --hardware` shows it. */
export interface NumaNodeView {
  readonly nid: number;
  /** Processors, as far as the input says which. */
  readonly cpus: readonly number[];
  readonly sizeBytes: number;
  /** Free by /proc/zoneinfo, else what a boot makes free. */
  readonly freeBytes: number;
}

/** `bootmem numa --json`. */
export interface NumaView {
  readonly schema: 'bootmem/numa';
  readonly version: 1;
  readonly source: string;
  readonly nodes: readonly NumaNodeView[];
  /** Row = from, column = to, in the order of `nodes`; absent where the input has no table. */
  readonly distances?: readonly (readonly number[])[];
  /** Where the free amounts are from. */
  readonly free: 'zoneinfo' | 'boot';
}

/** A range of memory blocks of one state. */
export interface BlockRangeView {
  readonly start: number;
  readonly end: number;
  readonly online: boolean;
  readonly nid: number;
  /** First and last block. */
  readonly firstBlock: number;
  readonly lastBlock: number;
  /** Zones that its memory lies in. */
  readonly zones: readonly string[];
}

/** `bootmem lsmem --json`. */
export interface LsmemView {
  readonly schema: 'bootmem/lsmem';
  readonly version: 1;
  readonly source: string;
  readonly blockBytes: number;
  readonly ranges: readonly BlockRangeView[];
  readonly onlineBytes: number;
  readonly offlineBytes: number;
}

/** `bootmem at --json`: what lies at an address. */
export interface AddressView {
  readonly schema: 'bootmem/at';
  readonly version: 1;
  readonly source: string;
  readonly address: number;
  readonly pfn: number;
  /** Index of the section, and of the pageblock. */
  readonly section: number;
  readonly pageblock: number;
  /** Absent where there is no memory. */
  readonly nid?: number;
  readonly zone?: string;
  /** Entry of the firmware's map. */
  readonly map?: { readonly start: number; readonly end: number; readonly kind: string } & {
    readonly evidence: Evidence;
  };
  /** Who has it reserved, as far as the log places reservations. */
  readonly reserved?: {
    readonly start: number;
    readonly end: number;
    readonly label: string;
    readonly evidence: readonly Evidence[];
  };
}

/** A step of the boot, by the log's own time. */
export interface PhaseView {
  readonly phase: string;
  /** Seconds since the kernel began. */
  readonly seconds: number;
  readonly evidence: Evidence;
}

/** `bootmem phases --json`. */
export interface PhasesView {
  readonly schema: 'bootmem/phases';
  readonly version: 1;
  readonly source: string;
  readonly phases: readonly PhaseView[];
}
