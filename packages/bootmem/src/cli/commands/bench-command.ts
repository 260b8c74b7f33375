/**
 * `bootmem bench`: boots the same machine again and again with different thread counts and prints the
 * table of the padata series for the machine this runs on: node share of threads, milliseconds, standard
 * deviation, speed-up, for the whole boot and for deferred initialisation alone.
 */
import { benchBoot } from '../../bench/bench-boot.js';
import type { BenchBootOptions } from '../../bench/bench-boot.js';
import { benchModel } from '../../bench/bench-model.js';
import { PUBLISHED_MACHINES, SECOND_REPORT } from '../../bench/published.js';
import { benchCsv, benchTable, publishedTables } from '../../format/bench-text.js';
import { modelText } from '../../format/model-text.js';
import { loadMachine } from '../../input/load-machine.js';
import { bootLimit } from '../budget.js';
import { ExitCode } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import { paperOf } from '../io.js';
import type { CommandIo } from '../io.js';
import { defaultThreads } from '../options.js';
import type { OutputOptions, SourceOptions } from '../options.js';
import { createProgressBar } from '../progress-bar.js';

/** Without a log: large enough that threads matter, as the 192 GiB machine of the series. */
const DEFAULT_BENCH_BYTES = 192 * 2 ** 30;

/** Options of `bench`. */
export interface BenchOptions extends OutputOptions, SourceOptions {
  readonly csv?: boolean;
  readonly model?: boolean;
  readonly rounds: number;
  readonly threads?: number;
}

/**
 * @param file     a boot log, or `undefined` for a synthetic machine of 192 GiB
 * @param options  parsed options
 * @param io       where to write
 * @returns 0
 */
export async function runBench(
  file: string | undefined,
  options: BenchOptions,
  io: CommandIo,
): Promise<ExitCodeValue> {
  const synthetic =
    file === undefined && options.memory === undefined && options.thisMachine !== true;
  const input = await loadMachine(file, {
    ...options,
    ...(synthetic ? { memory: DEFAULT_BENCH_BYTES } : {}),
    signal: io.signal,
  });
  const plain = options.json !== true && options.csv !== true && options.quiet !== true;
  const paper = paperOf(io, options);
  const bar = createProgressBar(io, { label: 'measuring', unit: 'boots', enabled: plain });
  try {
    const settings: BenchBootOptions = {
      rounds: options.rounds,
      maxThreads: options.threads ?? defaultThreads(),
      profile: options.profile,
      source: input.source,
      limitBytes: bootLimit(options.limit),
      signal: io.signal,
      onRound: (done, total) => {
        bar.update(done, total);
      },
    };
    if (options.model === true) {
      const model = await benchModel(input.description, settings);
      bar.stop();
      if (options.quiet === true) return ExitCode.OK;
      if (options.json === true) io.out(`${JSON.stringify(model)}\n`);
      else io.out(modelText(model, paper));
      return ExitCode.OK;
    }
    const result = await benchBoot(input.description, settings);
    bar.stop();
    if (options.quiet === true) return ExitCode.OK;
    if (options.json === true) io.out(`${JSON.stringify(result)}\n`);
    else if (options.csv === true) io.out(benchCsv(result));
    else {
      io.out(benchTable(result, paper));
      io.out(publishedTables(PUBLISHED_MACHINES, SECOND_REPORT, paper));
    }
  } finally {
    bar.stop();
  }
  return ExitCode.OK;
}
