/**
 * Boots one machine with several thread counts, interleaved round by round so that a slow moment of the
 * host hits all of them, and sums up: the table that the padata series shows for its machines.
 *
 * Base: deferred, by one thread, as a kernel without the series does each node; with several nodes it is the calling
 * thread that takes part in all of them. `definit` is the part that threads share (deferred initialisation); `boot` is
 * everything from description to last page ready.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { bootMemory } from '../boot/boot-memory.js';
import type { BenchReport, BenchRow } from '../result.js';
import { summarize, threadSteps } from './statistics.js';

/** How to measure. */
export interface BenchBootOptions {
  /** Measured boots a thread count; one more is run first and thrown away. */
  readonly rounds: number;
  /** Most threads. */
  readonly maxThreads: number;
  readonly profile: string;
  readonly source: string;
  readonly signal?: AbortSignal;
  /** Called after each boot. */
  readonly onRound?: (done: number, total: number) => void;
}

/**
 * Measures.
 * @param description  the machine
 * @param options      how often and how wide
 * @returns one row a thread count, the baseline first
 */
export async function benchBoot(
  description: MachineDescription,
  options: BenchBootOptions,
): Promise<BenchReport> {
  const subjects: { threads: number; percent: number }[] = [
    { threads: 0, percent: 0 },
    ...threadSteps(options.maxThreads),
  ];
  const samples = subjects.map(() => ({
    boot: [] as number[],
    definit: [] as number[],
    first: [] as number[],
  }));
  let pages = 0;
  let done = 0;
  const total = subjects.length * (options.rounds + 1);
  for (let round = 0; round <= options.rounds; round++) {
    for (const [index, subject] of subjects.entries()) {
      const machine = await bootMemory(description, {
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        threads: Math.max(1, subject.threads),
        mode: 'deferred',
        profile: options.profile,
        source: options.source,
      });
      const { timing } = machine.report();
      await machine.close();
      pages = timing.initialisedPages;
      done++;
      options.onRound?.(done, total);
      if (round === 0) continue;
      const sample = samples[index]!;
      sample.boot.push(timing.totalMs);
      sample.definit.push(timing.deferredMs);
      sample.first.push(timing.firstAllocationMs);
    }
  }
  return {
    schema: 'bootmem/bench',
    version: 1,
    source: options.source,
    pages,
    rounds: options.rounds,
    node: process.version,
    rows: rowsOf(subjects, samples),
  };
}

function rowsOf(
  subjects: readonly { threads: number; percent: number }[],
  samples: readonly { boot: number[]; definit: number[]; first: number[] }[],
): BenchRow[] {
  const rows: BenchRow[] = [];
  for (const [index, subject] of subjects.entries()) {
    const sample = samples[index]!;
    const bootMs = summarize(sample.boot);
    const definitMs = summarize(sample.definit);
    const base = rows[0];
    rows.push({
      threads: subject.threads,
      percent: subject.percent,
      bootMs,
      definitMs,
      firstAllocationMs: summarize(sample.first),
      bootFraction: bootMs.median === 0 ? 0 : Math.min(1, definitMs.median / bootMs.median),
      ...(base === undefined
        ? {}
        : {
            bootSpeedup: speedup(base.bootMs.median, bootMs.median),
            definitSpeedup: speedup(base.definitMs.median, definitMs.median),
          }),
    });
  }
  return rows;
}

/** Percent saved, as the series prints it: (base − value) / base. */
function speedup(base: number, value: number): number {
  return base === 0 ? 0 : ((base - value) / base) * 100;
}
