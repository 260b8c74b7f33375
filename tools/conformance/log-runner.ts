/**
 * What the runners of recorded boots and of collected logs share: compare each log with itself, print the
 * first difference of each in readable form, then counts by kind of fact.
 */
import { basename } from 'node:path';
import { checkLog, factClassTable, replayLog } from 'bootmem/check';
import type { CheckReport, ReplayReport } from 'bootmem/check';

/** One log's outcome. */
export interface LogOutcome {
  readonly name: string;
  readonly check: CheckReport;
  /** Absent when the log holds nothing to replay. */
  readonly replay?: ReplayReport;
}

/** Compares one log; a crash is an outcome too. */
export async function runLog(path: string, withReplay: boolean): Promise<LogOutcome> {
  try {
    return await compareLog(path, withReplay);
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const nothing = { equal: 0, differs: 0, notDerivable: 0, facts: [], findings: [], notes: [] };
    const head = { schema: 'bootmem/check', version: 1, source: basename(path) } as const;
    return {
      name: basename(path),
      check: { ...head, kernel: 'unknown', rejected: reason, ...nothing },
    };
  }
}

async function compareLog(path: string, withReplay: boolean): Promise<LogOutcome> {
  const check = await checkLog(path);
  if (!withReplay || check.rejected !== undefined) return { name: check.source, check };
  const replay = await replayLog(path);
  return replay.dumps === 0 ? { name: check.source, check } : { name: check.source, check, replay };
}

/** The first difference in words, or `undefined`. */
function firstDifference(outcome: LogOutcome): string | undefined {
  const fact = outcome.check.facts.find((one) => one.verdict === 'differs');
  if (fact !== undefined) {
    const more = outcome.check.differs > 1 ? ` (and ${outcome.check.differs - 1} more)` : '';
    return `${fact.fact} of ${fact.subject}: kernel ${fact.kernel}, ours ${fact.ours}${more}`;
  }
  return outcome.replay?.differences[0];
}

/** Why facts are not derivable, with counts, the most frequent first. */
function openReasons(checks: readonly CheckReport[]): string[] {
  const counts = new Map<string, number>();
  for (const { reason } of checks.flatMap(({ facts }) => facts)) {
    if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .map(([reason, count]) => `not derivable ${String(count).padStart(6)}  ${reason}`);
}

/** Prints all outcomes and the closing line; sets the exit code. */
export function printOutcomes(name: string, outcomes: readonly LogOutcome[]): void {
  let failed = 0;
  for (const outcome of outcomes) {
    const difference = firstDifference(outcome);
    if (outcome.check.rejected !== undefined) {
      failed++;
      console.log(`rejected  ${outcome.name}: ${outcome.check.rejected}`);
    } else if (difference === undefined) {
      const replay =
        outcome.replay === undefined
          ? ''
          : `, replay ${outcome.replay.equalDumps}/${outcome.replay.dumps} dumps`;
      console.log(
        `ok        ${outcome.name}: ${outcome.check.equal} facts equal, ${outcome.check.notDerivable} not derivable${replay}`,
      );
    } else {
      failed++;
      console.log(`DIFFERS   ${outcome.name}: ${difference}`);
    }
  }
  console.log();
  const checks = outcomes.map((outcome) => outcome.check);
  for (const line of [...factClassTable(checks), ...openReasons(checks)]) console.log(line);
  const replays = outcomes.filter((outcome) => outcome.replay !== undefined);
  if (replays.length > 0) {
    const sum = (pick: (report: ReplayReport) => number): number =>
      replays.reduce((total, outcome) => total + pick(outcome.replay!), 0);
    console.log(
      `replay: ${replays.length} logs, ${sum((r) => r.operations)} operations, dumps equal ${sum((r) => r.equalDumps)}/${sum((r) => r.dumps)}, addresses predicted ${sum((r) => r.predicted)}/${sum((r) => r.allocations)}`,
    );
  }
  console.log(`${name}: ${outcomes.length - failed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
