// Time that a test has taken over (fake timers), in the program or on a thread: threads go on in real time, and so do pools.
import { afterEach, expect, jest, test } from '@jest/globals';
import { createWorkPool, map, orderedMap } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';

const module = new URL('./fixtures/frozen-time.mjs', import.meta.url);
const fn = (name: string) => ({ module, name });
type Any = (input: unknown) => unknown;

afterEach(() => {
  jest.useRealTimers();
});

/** All that a program may do with a pool. */
async function use(pool: WorkPool): Promise<void> {
  await pool.ready();
  expect(await pool.run(fn('same'), 1)).toBe(1);
  const jobs = [1, 2, 3, 4, 5, 6, 7, 8];
  for (const name of ['same', 'later', 'block']) {
    for (const order of ['submission', 'none'] as const) {
      const series = pool.series<Any>({ fn: fn(name), order, window: 4 });
      expect(await Promise.all(jobs.map((n) => series.run(n)))).toEqual(jobs);
      await series.close();
    }
  }
  expect(await map(pool, jobs, fn('later'))).toEqual(jobs);
  // By message, and read ahead.
  const far: unknown[] = [];
  const maps = jobs.map((n) => new Map([[n, n]]));
  for await (const value of orderedMap(pool, maps, fn('same'), { window: 2 })) far.push(value);
  expect(far).toEqual(maps);
}

/** What goes by the clock: ranges, progress, output, limits. */
async function useClock(pool: WorkPool): Promise<void> {
  const words = new Int32Array(new SharedArrayBuffer(4 * 1000));
  await pool.runMultithreaded({ threadFn: fn('count'), start: 0, size: 1000, arg: { words } });
  expect(words.every((word) => word === 1)).toBe(true);
  const progress: unknown[] = [];
  let output = '';
  const onProgress = (value: unknown): unknown => progress.push(value);
  const onOutput = (told: { stdout: string }): void => void (output = told.stdout);
  expect(await pool.run(fn('tell'), 7, { onProgress, onOutput })).toBe(7);
  expect([progress, output]).toEqual([[7], 'told 7\n\n']);
  // Last, as they end their threads.
  const late = pool.run(fn('block'), 100_000, { timeoutMs: 20 });
  await expect(late).rejects.toMatchObject({ code: 'ERR_PADATA_TIMEOUT' });
  const over = pool.run(fn('block'), 100_000, { deadlineMs: 20 });
  await expect(over).rejects.toMatchObject({ code: 'ERR_PADATA_TIMEOUT' });
}

const pools = { fixed: 2, elastic: { min: 0, max: 2, idleMs: 10 } };

test.each(Object.keys(pools))('the program has fake timers, threads: %s', async (kind) => {
  jest.useFakeTimers();
  const pool = createWorkPool({ threads: pools[kind as 'fixed'] });
  await use(pool);
  await useClock(pool);
  if (kind === 'elastic') {
    // Threads go though no timer of the program fires.
    await new Promise<void>((resolve) => {
      pool.on('resize', ({ threads }) => {
        if (threads === 0) resolve();
      });
    });
  } else pool.resize(1);
  expect(await pool.run(fn('same'), 2)).toBe(2);
  await pool.close({ drain: true });
});

test.each(['block', 'loop'] as const)(
  'a job freezes the time of its thread, idle: %s',
  async (idle) => {
    const pool = createWorkPool({ threads: 1, idle });
    expect(await pool.run(fn('freeze'), 1)).toBe(1);
    await use(pool);
    await useClock(pool);
    await pool.close({ drain: true });
  },
);
