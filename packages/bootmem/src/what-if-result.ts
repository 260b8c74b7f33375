/** The JSON form of `what-if`: one machine booted as its log shows, and with other options or by another kernel. */
import type { ByteSpan } from './explain-result.js';

/**
 * How sure the second boot's figure is: it follows from the log, it is an estimate (the reason says how far off), or it
 * is unknown (the reason says why).
 */
export type WhatIfCertainty = 'follows' | 'estimate' | 'unknown';

/** What a figure counts. */
export type WhatIfUnit = 'bytes' | 'pages' | 'blocks' | 'kb' | 'ms' | 'range' | 'text';

/** Which part of the table a row stands in. */
export type WhatIfGroup = 'memory' | 'nodes' | 'zones' | 'reserved' | 'pages' | 'time';

/** A figure of both boots. */
export interface WhatIfRow {
  /** Stable name, such as `node 0 DMA32 managed`. */
  readonly id: string;
  readonly group: WhatIfGroup;
  readonly label: string;
  readonly unit: WhatIfUnit;
  /** Today's figure; absent where there is none. */
  readonly before?: number | string;
  /** The other boot's; absent where there is none, or it is unknown. */
  readonly after?: number | string;
  readonly changed: boolean;
  readonly certainty: WhatIfCertainty;
  /** Why it is an estimate or unknown; what else there is to say. */
  readonly reason?: string;
  /** Where it may lie when the kernel chooses its own place at random (KASLR); half open, bytes. */
  readonly places?: readonly ByteSpan[];
}

/** What is said of an option. */
export interface WhatIfOption {
  /** As the command line has it, without its value. */
  readonly name: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** `modelled`: the rows are right about it; `no model`: may change memory in a way that no row shows, or is not known. */
  readonly answer: 'modelled' | 'no model';
  readonly text: string;
}

/** The kernel and the words of one boot. */
export interface WhatIfBoot {
  readonly kernel: string;
  readonly commandLine: string;
}

/** `bootmem what-if --json`. */
export interface WhatIfReport {
  readonly schema: 'bootmem/what-if';
  readonly version: 1;
  readonly source: string;
  readonly architecture: string;
  readonly before: WhatIfBoot;
  readonly after: WhatIfBoot;
  /** Options of memory that are on either command line, and other words that are on one of them alone, or with another value. */
  readonly options: readonly WhatIfOption[];
  /** Words of the new command line that are not known as options of memory, those among `options` too. */
  readonly ignoredWords: number;
  /** Addresses of today's early allocations that the rerun gives too, of how many; absent without memblock=debug. */
  readonly reproduced?: { readonly equal: number; readonly of: number };
  readonly rows: readonly WhatIfRow[];
  readonly notes: readonly string[];
}
