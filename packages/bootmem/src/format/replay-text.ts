/**
 * Replays for people.
 */
import type { ReplayReport } from '../result.js';
import { inLine } from './safe/escape.js';
import { fitted } from './paper.js';
import type { Paper } from './paper.js';
import { formatTable } from './table.js';

/**
 * One line a log, then differences, notes, and the final state when it is asked for.
 * @param reports  finished replays
 * @param dump     whether to print the final state
 * @param paper    colours of the marks, width
 * @returns text with a final newline
 */
export function replayText(reports: readonly ReplayReport[], dump: boolean, paper: Paper): string {
  const { colors, width } = paper;
  const fit = (text: string): string => fitted(inLine(text), paper);
  const table = formatTable(
    [
      { title: '' },
      { title: 'log' },
      { title: 'operations', align: 'right', drop: 1 },
      { title: 'dumps', align: 'right' },
      { title: 'addresses predicted', align: 'right' },
    ],
    reports.map((report) => [
      report.dumps === 0
        ? colors.yellow('nothing to replay')
        : report.differences.length === 0
          ? colors.green('equal')
          : colors.red('DIFFERS'),
      report.source,
      String(report.operations),
      `${report.equalDumps}/${report.dumps}`,
      `${report.predicted}/${report.allocations}`,
    ]),
    width,
  );
  const lines = [...table];
  for (const report of reports) {
    for (const difference of report.differences) lines.push(fit(`${report.source}: ${difference}`));
    for (const note of report.notes) lines.push(fit(`${report.source}: note: ${note}`));
    if (dump && report.dumps > 0) lines.push('', report.finalDump.trimEnd());
  }
  return lines.join('\n') + '\n';
}
