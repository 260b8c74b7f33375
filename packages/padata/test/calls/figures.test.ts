// What a pool says of its jobs and threads. Nothing here fails because something took longer than expected.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { Series, SeriesOptions, WorkPool } from '@bootmem/padata';

const module = new URL('../fixtures/limit-jobs.mjs', import.meta.url);
type Any = (input: unknown) => unknown;
let pool: WorkPool;
let words: Int32Array;

beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(64));
});
afterEach(() => pool.close());

function series(name: string, options: Partial<SeriesOptions<Any>> = {}): Series<Any> {
  return pool.series<Any>({ fn: { module, name }, shared: words, ...options });
}
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
const busy = (worker: number) => pool.stats().workers.find((w) => w.worker === worker)!.busy;
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

test('jobs of all series count, of those that were closed too, and by thread', async () => {
  pool = createWorkPool({ threads: 2 });
  await pool.ready();
  const one = series('patient');
  await Promise.all(range(60).map((n) => one.run(n)));
  await one.close();
  // The memory of the first is that of the second.
  await using two = series('patient');
  await Promise.all(range(30).map((n) => two.run(n)));
  await Promise.all(range(10).map((n) => pool.run({ module, name: 'patient' }, n)));
  const { jobs, wait, run, workers } = pool.stats();
  expect([jobs, wait.count, run.count]).toEqual([100, 100, 100]);
  expect(workers.map(({ worker }) => worker)).toEqual([1, 2]);
  expect(workers.reduce((sum, w) => sum + w.jobs, 0)).toBe(100);
  for (const w of workers) expect(w.busy).toBeGreaterThanOrEqual(0);
  expect(two.stats().run.count).toBe(30);
});

test('the calling thread counts, and is no worker', async () => {
  pool = createWorkPool({ threads: 0 });
  await using s = series('patient');
  await Promise.all(range(20).map((n) => s.run(n)));
  expect(pool.stats()).toMatchObject({ jobs: 20, workers: [], run: { count: 20 } });
});

test('a thread that a function keeps is busy while it does, and idle later', async () => {
  pool = createWorkPool({ threads: 2 });
  await using s = series('gated', { workers: [1] });
  const job = s.run(1);
  await until(() => busy(1) > 0.5);
  expect(busy(2)).toBeLessThan(busy(1));
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
  await job;
  await until(() => busy(1) < 0.5);
  expect(busy(1)).toBeGreaterThan(0);
});

test('what promises compute in the event loop counts; a new thread begins at nothing', async () => {
  pool = createWorkPool({ threads: 1, capacity: 1 });
  await using s = series('spinsLater');
  const job = s.run(1);
  await until(() => busy(1) > 0.3);
  Atomics.store(words, 0, 1);
  await job;
  await using dying = series('mortal');
  await expect(dying.run(1)).rejects.toMatchObject({ code: 'ERR_PADATA_WORKER_DIED' });
  await until(() => pool.stats().workers.length === 1);
  expect(busy(1)).toBeLessThanOrEqual(1);
  await until(() => busy(1) < 0.3);
  expect(pool.stats()).toMatchObject({ deaths: 1, workers: [{ worker: 1 }] });
});
