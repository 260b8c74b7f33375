/**
 * Joins comparisons of one input as different kernel releases.
 *
 * ```
 *               as 3.12   as 4.4    joined
 *  spanned      equal     equal     equal
 *  watermarks   equal     differs   not derivable: depends on the release
 * ```
 */
import type { CheckReport, FactReport } from '../result.js';
import { NO_RELEASE } from './lost/reasons.js';
import { counted } from './fact-list.js';

/** A fact's name, and which of several of that name it is. */
function keyed(facts: readonly FactReport[]): Map<string, FactReport> {
  const result = new Map<string, FactReport>();
  const seen = new Map<string, number>();
  for (const fact of facts) {
    const name = `${fact.fact}\n${fact.subject}\n${fact.kernel}`;
    const nth = seen.get(name) ?? 0;
    seen.set(name, nth + 1);
    result.set(`${name}\n${nth}`, fact);
  }
  return result;
}

/**
 * What all reports agree on; anything else is not derivable.
 * @param reports  of one input, at least one
 * @returns the first report with the joined facts; a rejected one when all are
 */
export function agreed(reports: readonly CheckReport[]): CheckReport {
  const used = reports.filter((report) => report.rejected === undefined);
  const [first, ...others] = used.length > 0 ? used : reports;
  if (first === undefined) throw new RangeError('no report to join');
  if (others.length === 0) return first;
  const maps = others.map((report) => keyed(report.facts));
  const facts: FactReport[] = [];
  for (const [key, fact] of keyed(first.facts)) {
    const same = maps.map((map) => map.get(key)).filter((one) => one !== undefined);
    const isAgreed =
      same.length === maps.length &&
      same.every((one) => one.verdict === fact.verdict && one.ours === fact.ours);
    if (isAgreed) facts.push(fact);
    else if (fact.kernel !== NOT_PRINTED) facts.push(open(fact));
  }
  const notes = first.notes.filter((note) => others.every((report) => report.notes.includes(note)));
  return { ...first, ...counted(facts), notes };
}

/** Stands for the kernel's value where only we have one. */
const NOT_PRINTED = 'not printed';

function open({ fact, subject, kernel }: FactReport): FactReport {
  return { fact, subject, kernel, ours: '–', verdict: 'not derivable', reason: NO_RELEASE };
}
