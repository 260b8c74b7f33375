/**
 * The JSON form of `bootmem explain`: a table that adds up, level by level, from installed memory to what is free.
 *
 * ```
 * installed ─ what the firmware keeps ─▶ usable ─ trimmed ─▶ present ─ reserved ─▶ handed over
 *                                                     MemTotal ◀─ handed over + given back later
 *                                                     MemTotal ─ in use ─▶ MemFree
 * ```
 * Each level holds `whole = rows + rest + left`: rows are named, by a line or by a formula whose inputs are shown;
 * the rest is what is found by subtraction; `left` is what goes on to the next level.
 */

import type { Finding } from './result.js';

/** Where something is written. */
export interface Evidence {
  /** 1-based line of the input; absent for what no line says. */
  readonly line?: number;
  /** File beside the log, where the line is not in the log itself. */
  readonly file?: string;
  /** The line, or a formula with its inputs. */
  readonly text: string;
}

/** Half-open byte range. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/** Who can change an amount. */
export type Changer = 'firmware setting' | 'option' | 'kernel build' | 'boot loader' | 'nobody';

/** One amount with a name. */
export interface ExplainRow {
  /** Stable: what `explain A B` pairs rows by. */
  readonly id: string;
  readonly label: string;
  readonly bytes: number;
  /** Share of the level's whole, 0 … 1. */
  readonly share: number;
  /** `printed`: a line says the amount; `computed`: it follows from lines by the formula that is shown. */
  readonly how: 'printed' | 'computed';
  /** Where it lies, as far as that is known: sorted, disjoint, also from the ranges of other rows of the level. */
  readonly ranges?: readonly ByteSpan[];
  readonly evidence: readonly Evidence[];
  readonly changer: Changer;
  /** What to change, in a few words. */
  readonly change?: string;
  /** When it is given back, if it is. */
  readonly returned?: string;
  /** Bytes by which a formula gave more than there is, and which were left out. */
  readonly cut?: number;
}

/** One step from installed memory to free memory. */
export interface ExplainLevel {
  readonly id: 'firmware' | 'trimmed' | 'reserved' | 'total' | 'in-use';
  readonly title: string;
  /** What is divided up. */
  readonly whole: {
    readonly label: string;
    readonly bytes: number;
    readonly evidence: readonly Evidence[];
  };
  readonly rows: readonly ExplainRow[];
  /** What no line and no formula names. */
  readonly rest: { readonly bytes: number; readonly share: number };
  /** What goes on; absent at a level that ends there. */
  readonly left?: {
    readonly label: string;
    readonly bytes: number;
    readonly evidence: readonly Evidence[];
  };
}

/** `bootmem explain --json`. */
export interface ExplainReport {
  readonly schema: 'bootmem/explain';
  readonly version: 1;
  readonly source: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly levels: readonly ExplainLevel[];
  /** What the kernel complained about, and more of that kind. */
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

/** A row of two boots. */
export interface ComparedRow {
  readonly level: ExplainLevel['id'];
  readonly id: string;
  readonly label: string;
  /** Bytes in the first and in the second boot; 0 where it has no such row. */
  readonly before: number;
  readonly after: number;
}

/** `bootmem explain A B --json`. */
export interface ExplainComparison {
  readonly schema: 'bootmem/explain-comparison';
  readonly version: 1;
  readonly sources: readonly [string, string];
  readonly kernels: readonly [string, string];
  /** All rows of both, level by level; the whole, the rest and what is left of each level among them. */
  readonly rows: readonly ComparedRow[];
}
