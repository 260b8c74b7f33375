/**
 * Where every byte of a machine went: the table of `bootmem explain`, level by level.
 */
import type { ExplainLevel, ExplainReport } from '../explain-result.js';
import type { LoadedMachine } from '../input/types.js';
import { findingsOf } from '../findings/find.js';
import { planLayout } from '../plan/layout-plan.js';
import { firmwareLevel } from './firmware/firmware-level.js';
import { inUseLevel } from './in-use-level.js';
import { Quotes } from '../accounts/base/quotes.js';
import { reservedLevel } from '../accounts/reserved/level.js';
import type { Subject } from '../accounts/base/subject.js';
import { totalLevel } from './total-level.js';
import { trimmedLevel } from './firmware/trimmed-level.js';

/** What the caller knows beside the log. */
export interface ExplainOptions {
  /** Bytes of installed memory. */
  readonly installed?: number;
}

/**
 * Explains a machine.
 * @param input    the machine
 * @param options  what the caller knows beside the log
 * @throws BootmemError ERR_BOOTMEM_NO_MEMORY_MAP when no memory follows from the description
 * @remarks O(n log n) in the records of the log; allocates nothing proportional to memory
 */
export function explainMachine(input: LoadedMachine, options: ExplainOptions = {}): ExplainReport {
  const { description } = input;
  const plan = planLayout(description);
  const subject: Subject = {
    plan,
    quote: new Quotes(input.lines),
    ...(options.installed === undefined ? {} : { installed: options.installed }),
  };
  const levels = [
    firmwareLevel(subject),
    trimmedLevel(subject),
    reservedLevel(subject),
    totalLevel(subject),
    inUseLevel(subject),
  ].filter((level): level is ExplainLevel => level !== undefined);
  return {
    schema: 'bootmem/explain',
    version: 1,
    source: input.source,
    kernel: description.kernel?.release ?? 'unknown',
    architecture: description.architecture ?? 'unknown',
    levels,
    findings: findingsOf(plan, input.lines),
    notes: [...input.notes, ...plan.derived.problems.map((problem) => problem.message)],
  };
}
