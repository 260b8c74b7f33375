/**
 * `bootmem report`: one boot, one comparison and one measurement, written as a single HTML page that needs
 * no network.
 */
import { inTurns } from '@bootmem/firmware-map/derive';
import { explainSteps } from '../../explain/explain-machine.js';
import { benchBoot } from '../../bench/bench-boot.js';
import { predictMachineSteps } from '../../bench/bench-model.js';
import { checkSteps } from '../../check/check-machine.js';
import { formatBytes } from '../../format/numbers.js';
import { loadMachine } from '../../input/load-machine.js';
import { renderReport } from '../../report/render-report.js';
import { bootWithProgress } from './boot-with-progress.js';
import type { BenchReport, ModelReport } from '../../bench-result.js';
import type { BootReport, CheckReport } from '../../result.js';
import { openOutput } from '../output/output-file.js';
import { bootLimit } from '../budget.js';
import { strictly } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import type { CommandIo } from '../io.js';
import type { BringUpOptions, OutputOptions, SourceOptions, StrictOption } from '../options.js';
import { bootThreads } from '../options.js';
import { printJson, printText } from '../print.js';

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
 * @returns 0 when the page was written; standard output takes the page alone when `-` is its file
 * @throws BootmemError ERR_BOOTMEM_WRITE when it cannot be, ERR_BOOTMEM_USAGE when it would overwrite the log: both before the work
 */
export async function runReport(
  file: string | undefined,
  options: ReportOptions,
  io: CommandIo,
): Promise<ExitCodeValue> {
  const isStdout = options.output === '-';
  const source = { file, sysroot: options.sysroot };
  const target = isStdout
    ? undefined
    : await openOutput(options.output, { source, signal: io.signal });
  const made = await makeReport(file, options, io);
  if (target === undefined) await printText(io, made.page);
  else {
    await target.write(made.page);
    if (options.quiet !== true) await tell(made, options, io);
  }
  return strictly(options.strict, made.boot.findings);
}

/** A page and what is on it. */
interface Made {
  readonly page: string;
  readonly boot: BootReport;
  readonly check: CheckReport;
  readonly bench: BenchReport;
  readonly model: ModelReport | undefined;
}

async function tell(
  { page, boot, check, bench, model }: Made,
  { output, json }: ReportOptions,
  io: CommandIo,
): Promise<void> {
  const bytes = Buffer.byteLength(page);
  if (json !== true) io.out(`wrote ${output} (${Math.round(bytes / 1024)} KiB)\n`);
  else {
    const result = { output, bytes, boot, check, bench, model };
    await printJson(io, { schema: 'bootmem/report', version: 1, ...result });
  }
}

async function makeReport(
  file: string | undefined,
  options: ReportOptions,
  io: CommandIo,
): Promise<Made> {
  const input = await loadMachine(file, { ...options, signal: io.signal });
  const show = options.quiet !== true && options.json !== true && options.output !== '-';
  const machine = await bootWithProgress(input, options, io, { progress: show, lines: false });
  let boot: BootReport;
  try {
    await machine.devicesReady();
    boot = machine.report();
  } finally {
    await machine.close();
  }
  const check = await inTurns(checkSteps(input), io.signal);
  const scaled = await loadMachine(undefined, { memory: BENCH_BYTES });
  const bench = await benchBoot(scaled.description, {
    rounds: options.rounds,
    maxThreads: bootThreads(options.threads).threads,
    profile: options.profile,
    source: `synthetic machine of ${formatBytes(BENCH_BYTES)}`,
    limitBytes: bootLimit(options.limit),
    signal: io.signal,
  });
  const model = await inTurns(
    predictMachineSteps(input.description, options.profile, bench),
    io.signal,
  );
  const explain = await inTurns(explainSteps(input), io.signal);
  const page = await renderReport({ boot, check, bench, model, explain }, io.signal);
  return { page, boot, check, bench, model };
}
