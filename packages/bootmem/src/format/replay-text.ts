/**
 * Replays for people.
 */
import type { ReplayReport } from '../result.js';
import type { Colors } from './colors.js';
import { formatTable } from './table.js';

/**
 * One line a log, then differences, notes, and the final state when it is asked for.
 * @param reports  finished replays
 * @param dump     whether to print the final state
 * @param colors   colours of the marks
 * @returns text with a final newline
 */
export function replayText(
  reports: readonly ReplayReport[],
  dump: boolean,
  colors: Colors,
): string {
  const table = formatTable(
    [
      { title: '' },
      { title: 'log' },
      { title: 'operations', align: 'right' },
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
  );
  const lines = [...table];
  for (const report of reports) {
    for (const difference of report.differences) lines.push(`${report.source}: ${difference}`);
    for (const note of report.notes) lines.push(`${report.source}: note: ${note}`);
    if (dump && report.dumps > 0) lines.push('', report.finalDump.trimEnd());
  }
  return lines.join('\n') + '\n';
}
