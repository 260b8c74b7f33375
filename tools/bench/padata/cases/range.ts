/** Range jobs: the price of an empty one, and a sum over shared doubles against the plain loop and the best peer. */
import { PEERS } from '../peers.js';
import type { Samples } from '../../kit/rows.js';
import { jobsModule, openPool } from '../subjects.js';
import { emptyChunk, sumChunk } from '../jobs.mjs';
import type { BenchOptions } from '../padata.bench.js';

const SIZES = [1024, 16_384, 262_144, 4_194_304];

/** Median microseconds of a call. */
function time(call: () => unknown, budgetMs: number): number {
  const times: number[] = [];
  const until = performance.now() + budgetMs;
  for (const warm = performance.now() + budgetMs / 10; performance.now() < warm;) call();
  while (times.length < 10 || (performance.now() < until && times.length < 200_000)) {
    const start = performance.now();
    call();
    times.push(1000 * (performance.now() - start));
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1]!;
}

export async function range(samples: Samples, options: BenchOptions): Promise<void> {
  const values = new Float64Array(new SharedArrayBuffer(8 * SIZES.at(-1)!)).fill(1.5);
  const budget = options.sampleMs / 3;
  for (let round = 0; round < options.rounds; round += 1) {
    const pool = await openPool(Math.max(1, options.threads - 1));
    const threadFn = { module: jobsModule, name: 'emptyChunk' };
    for (const chunks of [1, 8]) {
      const job = await pool.prepareRange({
        threadFn,
        minChunk: 1,
        align: 1,
        maxThreads: chunks === 1 ? 1 : 2,
      });
      const testCase = `empty range job of ${chunks} chunk${chunks === 1 ? '' : 's'}`;
      samples.add(
        testCase,
        'bootmem',
        'time',
        'us',
        time(() => job.runSync(0, chunks), budget),
      );
      samples.add(
        testCase,
        'plain loop',
        'time',
        'us',
        time(() => {
          for (let i = 0; i < chunks; i += 1) emptyChunk();
        }, budget),
      );
      job.dispose();
    }
    for (const size of SIZES) {
      const job = await pool.prepareRange({
        threadFn: { module: jobsModule, name: 'sumChunk' },
        arg: { values },
        minChunk: Math.max(1, size >> 3),
        maxThreads: options.threads,
      });
      const testCase = `range job: sum over ${size} shared doubles`;
      samples.add(
        testCase,
        'bootmem',
        'time',
        'us',
        time(() => job.runSync(0, size), budget),
      );
      samples.add(
        testCase,
        'plain loop',
        'time',
        'us',
        time(() => sumChunk(0, size, { values }), budget),
      );
      job.dispose();
    }
    await pool.close();
    const peer = PEERS.find((subject) => subject.name === 'piscina, 64 per worker')!;
    const open = await peer.open(options.threads);
    for (const size of SIZES) {
      const times: number[] = [];
      const until = performance.now() + budget;
      while (performance.now() < until || times.length < 10) {
        const start = performance.now();
        const parts = Array.from({ length: 8 }, (_, part) =>
          open.run({ kind: 'sum', values, start: (part * size) / 8, end: ((part + 1) * size) / 8 }),
        );
        await Promise.all(parts);
        times.push(1000 * (performance.now() - start));
      }
      times.sort((a, b) => a - b);
      samples.add(
        `range job: sum over ${size} shared doubles`,
        peer.name,
        'time',
        'us',
        times[times.length >> 1]!,
      );
    }
    await open.close();
  }
}
