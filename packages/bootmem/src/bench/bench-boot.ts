/**
 * Boots one machine with several thread counts, interleaved round by round so that a slow moment of the
 * host hits all of them, and sums up: the table that the padata series shows for its machines.
 *
 * Baseline: `mode: eager` on the calling thread, as a kernel without deferral. `definit` is the part that
 * threads share (deferred initialisation); `boot` is everything from description to last page ready.
 */
import type { MachineDescription } from '@bootmem/firmware-map';
import { bootMemory } from '../boot/boot-memory.js';
import type { Colors } from '../cli/io.js';
import { formatTable } from '../format/table.js';
import type { BootProgressOptions } from '../boot/types.js';
import { summarize, threadSteps } from './statistics.js';
import type { Summary } from './statistics.js';

/** How to measure. */
export interface BenchBootOptions {
  /** Measured boots a thread count; one more is run first and thrown away. */
  readonly rounds: number;
  /** Most threads. */
  readonly maxThreads: number;
  readonly profile: 'auto' | '6.1' | '6.12' | 'latest';
  readonly source: string;
  readonly signal?: AbortSignal;
  /** Called after each boot. */
  readonly onRound?: (done: number, total: number) => void;
}

/** One row: a thread count. */
export interface BenchRow {
  /** 0 is the baseline without deferral. */
  readonly threads: number;
  /** Share of the most threads, percent. */
  readonly percent: number;
  readonly bootMs: Summary;
  readonly definitMs: Summary;
  readonly firstAllocationMs: Summary;
  /** Speed-up against the baseline, percent; absent in the baseline. */
  readonly bootSpeedup?: number;
  readonly definitSpeedup?: number;
  /** Deferred part of the boot, 0 … 1. */
  readonly bootFraction: number;
}

/** `bootmem bench --json`. */
export interface BenchReport {
  readonly schema: 'bootmem/bench';
  readonly version: 1;
  readonly source: string;
  readonly pages: number;
  readonly rounds: number;
  readonly node: string;
  readonly rows: readonly BenchRow[];
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
  const subjects: { threads: number; percent: number; mode: 'eager' | 'deferred' }[] = [
    { threads: 0, percent: 0, mode: 'eager' },
    ...threadSteps(options.maxThreads).map((step) => ({ ...step, mode: 'deferred' as const })),
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
      const progress: BootProgressOptions =
        options.signal === undefined ? {} : { signal: options.signal };
      const machine = await bootMemory(description, {
        ...progress,
        threads: Math.max(1, subject.threads),
        mode: subject.mode,
        profile: options.profile,
        source: options.source,
      });
      const { timing } = machine.report();
      await machine.dispose();
      pages = timing.initialisedPages;
      done++;
      options.onRound?.(done, total);
      if (round === 0) continue;
      const sample = samples[index]!;
      sample.boot.push(timing.totalMs);
      sample.definit.push(subject.mode === 'eager' ? timing.earlyMs : timing.deferredMs);
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

/**
 * The table in the layout of the padata series.
 * @param report  a measurement
 * @param colors  bold heading
 * @returns text with a final newline
 */
export function benchTable(report: BenchReport, colors: Colors): string {
  const rows = report.rows.map((row) => [
    `${row.percent}% (${row.threads})`,
    row.bootSpeedup === undefined ? '--' : `${row.bootSpeedup.toFixed(1)}%`,
    row.bootMs.median.toFixed(1),
    row.bootMs.stdev.toFixed(1),
    row.definitSpeedup === undefined ? '--' : `${row.definitSpeedup.toFixed(1)}%`,
    row.definitMs.median.toFixed(1),
    row.definitMs.stdev.toFixed(1),
    `${(row.bootFraction * 100).toFixed(1)}%`,
    row.firstAllocationMs.median.toFixed(1),
  ]);
  const right = (title: string): { title: string; align: 'right' } => ({ title, align: 'right' });
  const table = formatTable(
    [
      right('node% (thr)'),
      right('boot speedup'),
      right('time_ms'),
      right('stdev'),
      right('definit speedup'),
      right('time_ms'),
      right('stdev'),
      right('of boot'),
      right('first alloc_ms'),
    ],
    rows,
  );
  const head = `${report.source}: ${report.pages} pages, ${report.rounds} rounds, medians, Node ${report.node}`;
  return [colors.bold(head), ...table, ''].join('\n');
}

/**
 * The same as comma separated values, with the column names of the series' published data.
 * @param report  a measurement
 */
export function benchCsv(report: BenchReport): string {
  const number = (value: number | undefined): string => value?.toFixed(3) ?? '';
  const lines = report.rows.map((row) =>
    [
      row.percent,
      row.threads,
      number(row.bootSpeedup),
      number(row.bootMs.median),
      number(row.bootMs.stdev),
      number(row.definitSpeedup),
      number(row.definitMs.median),
      number(row.definitMs.stdev),
      number(row.bootFraction),
      number(row.firstAllocationMs.median),
    ].join(','),
  );
  return `node_pct,threads,boot_speedup_pct,boot_ms,boot_stdev,definit_speedup_pct,definit_ms,definit_stdev,boot_fraction,first_allocation_ms\n${lines.join('\n')}\n`;
}
