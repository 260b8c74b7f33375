/**
 * `bootmem explain FILE`: where the memory went, from what is installed to what is free. Two files: what differs.
 */
import { inTurns } from '@bootmem/firmware-map/derive';
import { compareReports } from '../../explain/compare.js';
import { explainSteps } from '../../explain/explain-machine.js';
import type { ExplainReport } from '../../explain-result.js';
import { compareMarkdown, compareText } from '../../format/compare-text.js';
import { explainMarkdown, explainText } from '../../format/explain-text.js';
import { BootmemError } from '../../errors.js';
import { loadMachine } from '../../input/load-machine.js';
import { strictly } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import { paperOf } from '../io.js';
import type { CommandIo } from '../io.js';
import type { OutputOptions, SourceOptions, StrictOption } from '../options.js';
import { printJson, printText } from '../print.js';

/** Options of `explain`. */
export interface ExplainCommandOptions extends OutputOptions, SourceOptions, StrictOption {
  readonly installed?: number;
  readonly markdown?: boolean;
  readonly evidence?: boolean;
}

/**
 * @param files    a boot log, two to compare, or none for the shipped sample (or the source that options name)
 * @param options  parsed options
 * @param io       where to write
 * @returns 0; with `--strict` 1 when a log holds errors or warnings
 * @throws BootmemError when an input is unusable
 */
export async function runExplain(
  files: readonly string[],
  options: ExplainCommandOptions,
  io: CommandIo,
): Promise<ExitCodeValue> {
  if (files.length > 2) {
    throw new BootmemError('ERR_BOOTMEM_USAGE', 'explain takes one log, or two to compare');
  }
  if (files.length === 2 && options.evidence === true) {
    throw new BootmemError('ERR_BOOTMEM_USAGE', '--evidence is of one log, and two are compared');
  }
  const given = options.installed === undefined ? {} : { installed: options.installed };
  const [first, second] = [files[0], files[1]];
  const source = { ...options, signal: io.signal };
  const explained = async (file: string | undefined): Promise<ExplainReport> =>
    await inTurns(explainSteps(await loadMachine(file, source), given), io.signal);
  const report = await explained(first);
  const other = second === undefined ? undefined : await explained(second);
  if (options.quiet !== true) await print(report, other, { options, io });
  return strictly(options.strict, [...report.findings, ...(other?.findings ?? [])]);
}

async function print(
  report: ExplainReport,
  other: ExplainReport | undefined,
  { options, io }: { options: ExplainCommandOptions; io: CommandIo },
): Promise<void> {
  const comparison = other === undefined ? undefined : compareReports(report, other);
  if (options.json === true) await printJson(io, comparison ?? report);
  else if (comparison !== undefined) {
    const text =
      options.markdown === true
        ? compareMarkdown(comparison)
        : compareText(comparison, paperOf(io, options));
    await printText(io, text);
  } else if (options.markdown === true) await printText(io, explainMarkdown(report));
  else {
    const { evidence = false } = options;
    await printText(io, explainText(report, paperOf(io, options), { evidence }));
  }
}
