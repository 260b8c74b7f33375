/**
 * `bootmem boot`: brings one machine up and shows what happened. Log lines go out while the work runs; a
 * progress bar is drawn on a terminal; tables and numbers follow. With `--json` there is one object.
 */
import type { Machine } from '../../boot/machine.js';
import { bootText } from '../../format/boot-text.js';
import { BootmemError } from '../../errors.js';
import { formatBytes } from '../../format/numbers.js';
import { openMetrics } from '../../format/exports/open-metrics.js';
import { traceJson } from '../../format/exports/trace-json.js';
import { loadMachine } from '../../input/load-machine.js';
import { bootWithProgress } from './boot-with-progress.js';
import { strictly } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import { paperOf } from '../io.js';
import { openOutput } from '../output/output-file.js';
import type { OutputFile } from '../output/output-file.js';
import type { CommandIo } from '../io.js';
import type { BringUpOptions, OutputOptions, SourceOptions, StrictOption } from '../options.js';

/** Options of `boot`. */
export interface BootCommandOptions
  extends BringUpOptions, SourceOptions, OutputOptions, StrictOption {
  /** A file for the trace of threads and chunks. */
  readonly trace?: string;
  /** A file for zones as OpenMetrics text. */
  readonly metrics?: string;
}

/**
 * Allocates in blocks of the largest order until enough is held or none is left, then frees all.
 * @param machine  a machine that is up
 * @param bytes    how much to hold at a time
 * @returns bytes that were held
 */
function demandMemory(machine: Machine, bytes: number): number {
  const { maxOrder } = machine.memmap.geometry;
  const blockBytes = 2 ** maxOrder * machine.plan.pageSize;
  const blocks: number[] = [];
  while (blocks.length * blockBytes < bytes) {
    const pfn = machine.allocPages(maxOrder, { migratetype: 1 });
    if (pfn === undefined) break;
    blocks.push(pfn);
  }
  for (const pfn of blocks) machine.freePages(pfn, maxOrder);
  return blocks.length * blockBytes;
}

/**
 * @param file     a boot log, or `undefined` for the shipped sample (or the source that options name)
 * @param options  parsed options
 * @param io       where to write; the signal that ends it
 * @returns 0 when the machine came up; with `--strict` 1 when its log holds errors or warnings
 * @throws BootmemError when the input is unusable, or the signal was raised
 */
export async function runBoot(
  file: string | undefined,
  options: BootCommandOptions,
  io: CommandIo,
): Promise<ExitCodeValue> {
  const source = { file, sysroot: options.sysroot };
  const targets = new Map<Export, OutputFile>();
  for (const [name] of EXPORTS) {
    const path = options[name];
    if (path === undefined) continue;
    const target = await openOutput(path, { source, signal: io.signal });
    for (const [other, { place }] of targets) {
      if (place === undefined || place !== target.place) continue;
      const message = `--${other} and --${name} name the same file`;
      throw new BootmemError('ERR_BOOTMEM_USAGE', message, { path });
    }
    targets.set(name, target);
  }
  return await bootAndShow(file, { options, io, targets });
}

/** What a boot is written as beside its text: an option, and its form. */
const EXPORTS = [
  ['trace', traceJson],
  ['metrics', openMetrics],
] as const;

type Export = (typeof EXPORTS)[number][0];

/** How a boot is shown. */
interface Way {
  readonly options: BootCommandOptions;
  readonly io: CommandIo;
  readonly targets: ReadonlyMap<Export, OutputFile>;
}

async function bootAndShow(
  file: string | undefined,
  { options, io, targets }: Way,
): Promise<ExitCodeValue> {
  const quiet = options.quiet === true;
  const text = options.json !== true && !quiet;
  const input = await loadMachine(file, { ...options, signal: io.signal });
  const machine = await bootWithProgress(input, options, io, { progress: text, lines: text });
  try {
    await machine.devicesReady();
    const { machine: figures, predicted } = machine.report();
    const grows = options.mode === 'on-demand' && predicted === undefined;
    const demand = options.demand ?? (grows ? figures.memoryBytes / 4 : 0);
    if (demand > 0) {
      const got = demandMemory(machine, demand);
      const line = `allocated and freed ${formatBytes(got)} in blocks of the largest order`;
      if (text) io.out(`${line}${got < demand ? `; ${formatBytes(demand)} was asked for` : ''}\n`);
    }
    const report = machine.report();
    for (const [name, form] of EXPORTS) await targets.get(name)?.write(form(report));
    if (options.json === true && !quiet) io.out(`${JSON.stringify(report)}\n`);
    else if (text) io.out(bootText(report, paperOf(io, options)));
    return strictly(options.strict, report.findings);
  } finally {
    await machine.close();
  }
}
