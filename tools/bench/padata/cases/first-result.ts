/** From the start of a process to the first result of a fresh pool of two threads; each in a process of its own. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { inTurn, ratios, type Samples } from '../../../kit/samples.js';
import { best, median } from '../../../kit/statistics.js';
import type { Targets } from '../../../kit/targets.js';
import type { BenchOptions } from '../bench-options.js';
import { programOfProject } from '../first-result/project.js';

const CASE = 'first result of a fresh pool of two threads';
export const FRESH_POOLS = ['piscina', 'tinypool', 'workerpool', 'poolifier'] as const;
const LEAST_ROUNDS = 25;
const QUICK_ROUNDS = 5;

const execute = promisify(execFile);

/** Runs that may fail before a subject is given up: Node 20 ends with a fatal error now and then where a CommonJS pool requires a module. */
const TRIES = 3;

/** What a program prints that ends well. */
async function outputOf(args: readonly string[]): Promise<string> {
  for (let tries = 1; ; tries += 1) {
    try {
      return (await execute(process.execPath, args)).stdout;
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

/** Milliseconds of one process. */
export async function firstResultOf(
  subject: string,
): Promise<{ readonly wallMs: number; readonly cpuMs: number }> {
  const stdout = await outputOf([await programOfProject(), subject]);
  const [wallMs = Number.NaN, cpuMs = Number.NaN] = stdout.split(' ').map(Number);
  return { wallMs, cpuMs };
}

export async function firstResult(
  samples: Samples,
  options: BenchOptions,
  targets: Targets,
): Promise<void> {
  const subjects = [
    'bootmem',
    ...FRESH_POOLS,
    'bare worker_threads',
    'bootmem, its import alone',
    'no pool',
  ];
  // What files a process reads is in memory then.
  for (const subject of subjects) await firstResultOf(subject);
  const rounds = options.quick ? QUICK_ROUNDS : Math.max(LEAST_ROUNDS, options.rounds);
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of inTurn(subjects, round)) {
      const { wallMs, cpuMs } = await firstResultOf(subject);
      samples.add(CASE, subject, 'time', 'ms', wallMs);
      samples.add(CASE, subject, 'CPU', 'ms', cpuMs);
    }
  }
  const times = (subject: string): readonly number[] => samples.values(CASE, subject, 'time');
  const pool = best(FRESH_POOLS, (subject) => -median(times(subject)));
  targets.atMost(`first result: of ${pool}`, median(ratios(times('bootmem'), times(pool))), 1, 'x');
}
