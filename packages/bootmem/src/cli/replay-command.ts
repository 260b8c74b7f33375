/**
 * `bootmem replay FILE…`: feeds a log's `memblock=debug` operations to memblock and compares the result
 * with the dumps that the kernel printed, region by region.
 */
import { replayLog } from '../check/replay-log.js';
import type { ReplayReport } from '../check/replay-machine.js';
import { formatTable } from '../format/table.js';
import { ExitCode } from './exit-codes.js';
import type { ExitCodeValue } from './exit-codes.js';
import type { CommandIo } from './io.js';
import type { OutputOptions } from './options.js';

/** Options of `replay`. */
export interface ReplayOptions extends OutputOptions {
  readonly boot?: number;
  readonly dump?: boolean;
}

/**
 * @param files    boot logs; a folder stands for the log inside it
 * @param options  parsed options
 * @param io       where to write
 * @returns 0 when every dump is equal, 1 on a difference, 2 when no log held anything to replay
 */
export async function runReplay(
  files: readonly string[],
  options: ReplayOptions,
  io: CommandIo,
): Promise<ExitCodeValue> {
  const reports: ReplayReport[] = [];
  for (const file of files) {
    io.signal.throwIfAborted();
    reports.push(await replayLog(file, options.boot === undefined ? {} : { boot: options.boot }));
  }
  if (options.quiet !== true) {
    if (options.json === true) for (const report of reports) io.out(`${JSON.stringify(report)}\n`);
    else io.out(replayText(reports, options.dump === true, io));
  }
  if (reports.some((report) => report.differences.length > 0)) return ExitCode.FAILURE;
  return reports.every((report) => report.dumps === 0) ? ExitCode.USAGE : ExitCode.OK;
}

function replayText(reports: readonly ReplayReport[], dump: boolean, io: CommandIo): string {
  const { colors } = io;
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
