/**
 * `bootmem replay FILE…`: feeds a log's `memblock=debug` operations to memblock and compares the result
 * with the dumps that the kernel printed, region by region.
 */
import { replayLog } from '../../check/replay-log.js';
import { replayText } from '../../format/replay-text.js';
import type { ReplayReport } from '../../result.js';
import { ExitCode } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import { paperOf } from '../io.js';
import type { CommandIo } from '../io.js';
import type { OutputOptions } from '../options.js';
import { printJson, printText } from '../print.js';

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
    reports.push(
      await replayLog(file, {
        ...(options.boot === undefined ? {} : { boot: options.boot }),
        signal: io.signal,
      }),
    );
  }
  if (options.quiet !== true) {
    if (options.json === true) for (const report of reports) await printJson(io, report);
    else await printText(io, replayText(reports, options.dump === true, paperOf(io, options)));
  }
  if (reports.some((report) => report.differences.length > 0)) return ExitCode.FAILURE;
  return reports.every((report) => report.dumps === 0) ? ExitCode.USAGE : ExitCode.OK;
}
