/**
 * Uneven jobs without an order: 4 000 of 0.2 ms, one in 50 of 20 ms, at places drawn by chance, all asked for at once. Beside
 * them the same jobs on plain threads that know from the start which are theirs, half of the work each: the work divided
 * by the threads, as this machine does it now.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { inTurn, type Samples } from '../../../kit/samples.js';
import { median } from '../../../kit/statistics.js';
import type { Targets } from '../../../kit/targets.js';
import type { BenchOptions } from '../bench-options.js';
import { warm } from '../measure.js';
import { PEERS, type Subject } from '../peers.js';
import { bootmemRequests } from '../subjects.js';
import { calibrate } from '../threads/tasks.mjs';
import { dealt, overWork, tailOf, unevenJobs, type UnevenRun } from '../uneven.js';

const SHORT_US = 200;
const LONG_US = 20_000;
const COUNT = { count: 4000, every: 50, seed: 1 };
const QUICK_COUNT = { ...COUNT, count: 1000 };
const IN_FLIGHT = 64;
const MOST = 1.05;
const PLAIN = 'plain threads, dealt before';
const OURS = bootmemRequests('burnTimed');
const LEAST_ROUNDS = 5;

/** Runs all jobs on a pool. */
async function onPool(
  subject: Subject,
  jobs: readonly number[],
  short: number,
  threads: number,
): Promise<UnevenRun> {
  const open = await subject.open(threads, 'burnTimed');
  await warm(open, short, IN_FLIGHT);
  const start = performance.now();
  const ends = await Promise.all(jobs.map((steps) => open.run(steps)));
  const wallMs = performance.now() - start;
  await open.close();
  return { wallMs, ends: ends as [number, number][] };
}

/** Runs all jobs on threads that have their lists; twice, as the first time warms up. Milliseconds of the second. */
async function onPlainThreads(jobs: readonly number[], threads: number): Promise<number> {
  const rounds = new Int32Array(new SharedArrayBuffer(4));
  const workers = dealt(jobs, threads).map(
    (list) =>
      new Worker(new URL('../threads/plain-thread.mjs', import.meta.url), {
        workerData: { jobs: list, rounds },
        execArgv: [],
      }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  let wallMs = 0;
  for (const round of [1, 2]) {
    const ends = workers.map((worker) => once(worker, 'message'));
    const start = performance.now();
    Atomics.store(rounds, 0, round);
    Atomics.notify(rounds, 0);
    await Promise.all(ends);
    wallMs = performance.now() - start;
  }
  await Promise.all(workers.map((worker) => worker.terminate()));
  return wallMs;
}

export async function uneven(
  samples: Samples,
  options: BenchOptions,
  targets: Targets,
): Promise<void> {
  const count = options.quick ? QUICK_COUNT : COUNT;
  const rounds = options.quick ? options.rounds : Math.max(LEAST_ROUNDS, options.rounds);
  const testCase = `${count.count} jobs of ${SHORT_US / 1000} ms, 1 in ${count.every} of ${LONG_US / 1000} ms, no order, ${options.threads} threads`;
  for (let round = 0; round < rounds; round += 1) {
    const short = calibrate(SHORT_US);
    const jobs = unevenJobs(count, short, (short * LONG_US) / SHORT_US);
    const whole = await onPlainThreads(jobs, options.threads);
    samples.add(testCase, PLAIN, 'time', 'ms', whole);
    for (const subject of inTurn([OURS, ...PEERS], round)) {
      const run = await onPool(subject, jobs, short, options.threads);
      samples.add(testCase, subject.name, 'time', 'ms', run.wallMs);
      samples.add(testCase, subject.name, 'tail', 'ms', tailOf(run.ends));
      const share = overWork(run, whole, options.threads);
      samples.add(testCase, subject.name, 'without the tail, of the work', '', share);
    }
  }
  const share = median(samples.values(testCase, OURS.name, 'without the tail, of the work'));
  targets.atMost('uneven jobs: time without the tail, of the work by threads', share, MOST, 'x');
}
