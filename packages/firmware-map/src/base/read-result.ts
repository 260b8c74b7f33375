/** What reading gives: a description, or the reasons why there is none. */
import type { MachineDescription, Problem } from '../types/all.js';

/** A description, or the reasons why there is none (at least one error). */
export type ReadResult =
  | { readonly ok: true; readonly description: MachineDescription }
  | { readonly ok: false; readonly problems: readonly Problem[] };
