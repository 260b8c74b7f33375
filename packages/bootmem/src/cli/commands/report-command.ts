/**
 * `bootmem report`: one boot, one comparison and one measurement, written as a single HTML page that needs
 * no network.
 */
import { writeFile } from 'node:fs/promises';
import { explainMachine } from '../../explain/explain-machine.js';
import { benchBoot } from '../../bench/bench-boot.js';
import { predictMachine } from '../../bench/bench-model.js';
import { checkMachine } from '../../check/check-machine.js';
import { BootmemError, messageOf } from '../../errors.js';
import { formatBytes } from '../../format/numbers.js';
import { loadMachine } from '../../input/load-machine.js';
import { renderReport } from '../../report/render-report.js';
import { bootWithProgress } from './boot-with-progress.js';
import type { BootReport } from '../../result.js';
import { strictly } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import type { CommandIo } from '../io.js';
import type { BringUpOptions, OutputOptions, SourceOptions, StrictOption } from '../options.js';
import { bootThreads } from '../options.js';

/** Thread scaling is measured on a machine of this size: a small one is up before threads matter. */
const BENCH_BYTES = 192 * 2 ** 30;

/** Options of `report`. */
export interface ReportOptions extends BringUpOptions, OutputOptions, SourceOptions, StrictOption {
  readonly output: string;
  readonly rounds: number;
}

/**
 * @param file     a boot log, or `undefined` for the sample
 * @param options  parsed options
 * @param io       where to write
 * @returns 0 when the page was written
 * @throws BootmemError ERR_BOOTMEM_WRITE when it could not be
 */
export async function runReport(
  file: string | undefined,
  options: ReportOptions,
  io: CommandIo,
): Promise<ExitCodeValue> {
  const input = await loadMachine(file, options);
  const show = options.quiet !== true && options.json !== true;
  const machine = await bootWithProgress(input, options, io, { progress: show, lines: false });
  let boot: BootReport;
  try {
    await machine.devicesReady();
    boot = machine.report();
  } finally {
    await machine.close();
  }
  const check = checkMachine(input);
  const scaled = await loadMachine(undefined, { memory: BENCH_BYTES });
  const bench = await benchBoot(scaled.description, {
    rounds: options.rounds,
    maxThreads: bootThreads(options.threads).threads,
    profile: options.profile,
    source: `synthetic machine of ${formatBytes(BENCH_BYTES)}`,
    signal: io.signal,
  });
  const model = predictMachine(input.description, options.profile, bench);
  const page = await renderReport({ boot, check, bench, model, explain: explainMachine(input) });
  try {
    await writeFile(options.output, page);
  } catch (error) {
    throw new BootmemError(
      'ERR_BOOTMEM_WRITE',
      `cannot write ${options.output}: ${messageOf(error)}`,
      { path: options.output },
      { cause: error },
    );
  }
  if (options.json === true) {
    io.out(
      `${JSON.stringify({ schema: 'bootmem/report', version: 1, output: options.output, bytes: Buffer.byteLength(page), boot, check, bench, model })}\n`,
    );
  } else if (options.quiet !== true) {
    io.out(`wrote ${options.output} (${Math.round(Buffer.byteLength(page) / 1024)} KiB)\n`);
  }
  return strictly(options.strict, boot.findings);
}
