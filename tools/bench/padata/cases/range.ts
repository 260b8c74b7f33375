/** Range jobs: the price of an empty one, and a sum over shared doubles against the plain loop and the best peer. */
import { inTurn, type Samples } from '../../../kit/samples.js';
import { median } from '../../../kit/statistics.js';
import { warmUp } from '../../../kit/warm-up.mjs';
import type { BenchOptions } from '../bench-options.js';
import { emptyChunk, sumChunk } from '../threads/jobs.mjs';
import { PEERS } from '../peers.js';
import { jobsModule, openPool } from '../subjects.js';

const SIZES = [1024, 16_384, 262_144, 4_194_304];
const BEST_PEER = PEERS.find((subject) => subject.name === 'piscina, 64 per worker')!;
/** A slice of the warm-up. */
const SLICE_MS = 20;
const MOST_CALLS = 200_000;

/** Times one call again and again for `ms`, ten times at least; microseconds of each. */
async function callTimes(call: () => unknown, ms: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + ms;
  while (times.length < 10 || (performance.now() < until && times.length < MOST_CALLS)) {
    const start = performance.now();
    const result = call();
    if (result instanceof Promise) await result;
    times.push(1000 * (performance.now() - start));
  }
  return times;
}

/** Median microseconds of a call, warmed up before. */
async function time(call: () => unknown, ms: number): Promise<number> {
  await warmUp(async () => 1 / median(await callTimes(call, SLICE_MS)));
  return median(await callTimes(call, ms));
}

interface Subject {
  readonly name: string;
  readonly call: () => unknown;
}

export async function range(samples: Samples, options: BenchOptions): Promise<void> {
  const values = new Float64Array(new SharedArrayBuffer(8 * SIZES.at(-1)!)).fill(1.5);
  const pool = await openPool(Math.max(1, options.threads - 1));
  const peer = await BEST_PEER.open(options.threads);
  const measure = async (testCase: string, subjects: Subject[], round: number): Promise<void> => {
    for (const { name, call } of inTurn(subjects, round))
      samples.add(testCase, name, 'time', 'us', await time(call, options.sampleMs / 3));
  };
  for (let round = 0; round < options.rounds; round += 1) {
    for (const chunks of [1, 8]) {
      const job = await pool.prepareRange({
        threadFn: { module: jobsModule, name: 'emptyChunk' },
        minChunk: 1,
        align: 1,
        maxThreads: chunks === 1 ? 1 : 2,
      });
      const loop = (): void => {
        for (let i = 0; i < chunks; i += 1) emptyChunk();
      };
      const subjects = [
        { name: 'bootmem', call: () => job.runSync(0, chunks) },
        { name: 'plain loop', call: loop },
      ];
      await measure(
        `empty range job of ${chunks} chunk${chunks === 1 ? '' : 's'}`,
        subjects,
        round,
      );
      job.close();
    }
    for (const size of SIZES) {
      const job = await pool.prepareRange({
        threadFn: { module: jobsModule, name: 'sumChunk' },
        arg: { values },
        minChunk: Math.max(1, size >> 3),
        maxThreads: options.threads,
      });
      const eighths = Array.from({ length: 8 }, (_, part) => ({
        kind: 'sum',
        values,
        start: (part * size) / 8,
        end: ((part + 1) * size) / 8,
      }));
      const subjects = [
        { name: 'bootmem', call: () => job.runSync(0, size) },
        { name: 'plain loop', call: () => sumChunk(0, size, { values }) },
        { name: BEST_PEER.name, call: () => Promise.all(eighths.map((part) => peer.run(part))) },
      ];
      await measure(`range job: sum over ${size} shared doubles`, subjects, round);
      job.close();
    }
  }
  await pool.close();
  await peer.close();
}
