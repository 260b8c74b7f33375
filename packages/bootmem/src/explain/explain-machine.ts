/**
 * Where every byte of a machine went: the table of `bootmem explain`, level by level.
 */
import { atOnce } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import type { ExplainLevel, ExplainReport } from '../explain-result.js';
import type { LoadedMachine } from '../input/types.js';
import { findingsSteps } from '../findings/find.js';
import { planLayoutSteps } from '../plan/layout-plan.js';
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
  return atOnce(explainSteps(input, options));
}

type Level = (subject: Subject) => Steps<ExplainLevel | undefined>;

function oneStep(level: (subject: Subject) => ExplainLevel | undefined): Level {
  // eslint-disable-next-line require-yield -- its end is the only place to interrupt it
  return function* (subject) {
    return level(subject);
  };
}

/** What a level is worked out by, from the outermost in. */
const LEVELS: readonly Level[] = [
  firmwareLevel,
  trimmedLevel,
  oneStep(reservedLevel),
  oneStep(totalLevel),
  oneStep(inUseLevel),
];

/** The same, to be interrupted. */
export function* explainSteps(
  input: LoadedMachine,
  options: ExplainOptions = {},
): Steps<ExplainReport> {
  const { description } = input;
  const plan = yield* planLayoutSteps(description);
  yield;
  const subject: Subject = {
    plan,
    quote: new Quotes(input.lines),
    ...(options.installed === undefined ? {} : { installed: options.installed }),
  };
  const levels: ExplainLevel[] = [];
  for (const level of LEVELS) {
    const found = yield* level(subject);
    if (found !== undefined) levels.push(found);
    yield;
  }
  const findings = yield* findingsSteps(plan, input.lines);
  return {
    schema: 'bootmem/explain',
    version: 1,
    source: input.source,
    kernel: description.kernel?.release ?? 'unknown',
    architecture: description.architecture ?? 'unknown',
    levels,
    findings,
    notes: [...input.notes, ...plan.derived.problems.map((problem) => problem.message)],
  };
}
