/**
 * `bootmem check FILE…`: compares every fact that the logs hold with what we compute from their inputs.
 * One file: its table. Many files: one line each, the differing facts, and counts by kind of fact.
 */
import { inTurns } from '@bootmem/firmware-map/derive';
import { checkLog } from '../../check/check-log.js';
import { checkSummary, checkText, totals } from '../../format/check-text.js';
import type { Paper } from '../../format/paper.js';
import type { CheckReport } from '../../result.js';
import { ExitCode, strictly } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import { paperOf } from '../io.js';
import type { CommandIo } from '../io.js';
import type { OutputOptions, StrictOption } from '../options.js';
import { printJson, printText } from '../print.js';

/** Options of `check`. */
export interface CheckOptions extends OutputOptions, StrictOption {
  readonly boot?: number;
  readonly all?: boolean;
}

/**
 * @param files    boot logs; a folder stands for the log inside it
 * @param options  parsed options
 * @param io       where to write
 * @returns 0 when nothing differs, 1 on any difference or with `--strict` on a finding, 2 when a log could not be used at all
 */
export async function runCheck(
  files: readonly string[],
  options: CheckOptions,
  io: CommandIo,
): Promise<ExitCodeValue> {
  const reports: CheckReport[] = [];
  for (const file of files) {
    io.signal.throwIfAborted();
    reports.push(
      await checkLog(file, {
        ...(options.boot === undefined ? {} : { boot: options.boot }),
        signal: io.signal,
      }),
    );
  }
  if (options.quiet !== true) {
    const paper = paperOf(io, options);
    if (options.json === true) {
      for (const report of reports) await printJson(io, report);
    } else if (reports.length === 1 || options.all === true) {
      for (const report of reports) await printCheck(report, { io, paper, after: '\n' });
      if (reports.length > 1) io.out(checkSummary(reports, paper));
    } else {
      io.out(checkSummary(reports, paper));
      for (const report of reports) {
        if (report.differs === 0) continue;
        const differing = report.facts.filter((fact) => fact.verdict === 'differs');
        io.out('\n');
        await printCheck({ ...report, facts: differing }, { io, paper, after: '' });
      }
      io.out(summaryLine(reports));
    }
  }
  if (reports.some((report) => report.differs > 0)) return ExitCode.FAILURE;
  if (reports.some((report) => report.rejected !== undefined)) return ExitCode.USAGE;
  const findings = reports.flatMap((report) => report.findings);
  return strictly(options.strict, findings);
}

/** Where a table goes, and what follows it. */
interface Table {
  readonly io: CommandIo;
  readonly paper: Paper;
  readonly after: string;
}

async function printCheck(report: CheckReport, { io, paper, after }: Table): Promise<void> {
  const text = await inTurns(checkText(report, paper), io.signal);
  await printText(io, text + after);
}

function summaryLine(reports: readonly CheckReport[]): string {
  const sum = (pick: (report: CheckReport) => number): number =>
    reports.reduce((total, report) => total + pick(report), 0);
  const rejected = reports.filter((report) => report.rejected !== undefined).length;
  const all: CheckReport = {
    ...reports[0]!,
    equal: sum((report) => report.equal),
    differs: sum((report) => report.differs),
    notDerivable: sum((report) => report.notDerivable),
  };
  return `\n${reports.length} logs: ${totals(all)}${rejected === 0 ? '' : `, ${rejected} rejected`}\n`;
}
