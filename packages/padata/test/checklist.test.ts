// What the list of behaviours asks for and no other test shows.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import { planRange } from '@bootmem/padata/backend';
import { createPadata } from '@bootmem/padata/kernel';
import type { WorkPool } from '@bootmem/padata';

const nested = new URL('./fixtures/nested-jobs.mjs', import.meta.url);
const faults = new URL('./fixtures/fault-jobs.mjs', import.meta.url);
const jobs = new URL('./fixtures/series-jobs.mjs', import.meta.url);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
type Any = (input: unknown) => unknown;
let pool: WorkPool;

beforeAll(async () => {
  pool = createWorkPool({ threads: 3, nodes: [0, 1, 2] });
  await pool.ready();
});
afterAll(() => pool.close());

test.each([
  { size: 1 },
  { size: 2 },
  { size: 100, maxThreads: 0 },
  { size: 100, maxThreads: -5 },
  { size: 100, maxThreads: 1 },
  { size: 100, maxThreads: 1000 },
  { size: 100, align: 1000 },
  { size: 1000, align: 300, minChunk: 1 },
  { size: 7, minChunk: 0 },
  { size: 1000, minChunk: 0, align: 64 },
  { size: 333, minChunk: 20, align: 7 },
])('a range job of %j: every unit once, no more at a time than have a work', async (shape) => {
  const marks = new SharedArrayBuffer(4 * 1000);
  const words = new SharedArrayBuffer(8);
  const job = {
    threadFn: { module: nested, name: 'crowd' },
    arg: { words, marks },
    start: 0,
    ...shape,
  };
  const result = await pool.runMultithreaded(job);
  const expected = range(1000).map((i) => (i < shape.size ? 1 : 0));
  expect([...new Int32Array(marks)]).toEqual(expected);
  expect(new Int32Array(words)[1]).toBeLessThanOrEqual(result.got);
  const full = {
    start: 0,
    align: 1,
    minChunk: 1,
    maxThreads: pool.threads + 1,
    ...shape,
  };
  const { planned, got, chunkSize } = planRange(full, 3);
  expect(result).toMatchObject({ planned, got, chunkSize });
  expect(pool.stats().freeWorks).toBe(3);
});

test('a range job within a chunk does not deadlock, in the caller with no work left and in a worker', async () => {
  await using small = createWorkPool({ threads: 1, works: 1 });
  await small.ready();
  Object.assign(globalThis, { padataTestPool: small });
  const marks = new SharedArrayBuffer(4 * 800);
  const result = await small.runMultithreaded({
    threadFn: { module: nested, name: 'outer' },
    arg: { marks, base: 100 },
    start: 0,
    size: 8,
    maxThreads: 2,
  });
  expect(result.got).toBe(2);
  expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
  expect(small.stats().freeWorks).toBe(1);
});

test('node-aware helpers: the next job begins with the next node', async () => {
  const helpers: number[] = [];
  for (let i = 0; i < 4; i += 1) {
    const here = new SharedArrayBuffer(16);
    // The caller stays in its first chunk until the one helper has begun.
    const { workers } = await pool.runMultithreaded({
      threadFn: { module: faults, name: 'chunk' },
      arg: { here, fault: 'none' },
      start: 0,
      size: 100,
      maxThreads: 2,
      nodeAware: true,
    });
    helpers.push(...workers.map(({ worker }) => worker).filter((worker) => worker > 0));
  }
  expect(helpers).toEqual([1, 2, 3, 1]);
});

test('only the threads that a range job names help with it; while none of them is there, any does', async () => {
  const helpersOf = async (workers: readonly number[], maxThreads = 4): Promise<number[]> => {
    // The caller stays in its first chunk until a helper has begun.
    const result = await pool.runMultithreaded({
      threadFn: { module: faults, name: 'chunk' },
      arg: { here: new SharedArrayBuffer(16), fault: 'none' },
      start: 0,
      size: 100,
      maxThreads,
      workers,
    });
    expect(result.planned).toBe(
      Math.min(maxThreads, 1 + (workers.includes(9) ? 3 : workers.length)),
    );
    return result.workers.map(({ worker }) => worker).filter((worker) => worker > 0);
  };
  expect(await helpersOf([2])).toEqual([2]);
  expect(await helpersOf([3])).toEqual([3]);
  expect(await helpersOf([1, 3], 2)).toHaveLength(1);
  for (const worker of await helpersOf([1, 3])) expect([1, 3]).toContain(worker);
  expect((await helpersOf([9])).length).toBeGreaterThan(0);
  for (const workers of [[0], [256], [1.5], [Number.NaN]]) {
    await expect(helpersOf(workers)).rejects.toMatchObject({ code: 'ERR_PADATA_ARGUMENT' });
  }
});

test('a prepared job is sent to the threads that it names', async () => {
  using prepared = await pool.prepareRange({
    threadFn: { module: faults, name: 'chunk' },
    arg: { here: new SharedArrayBuffer(16), fault: 'none' },
    workers: [2],
  });
  for (let i = 0; i < 3; i += 1) {
    const { workers, got } = await prepared.run(0, 100);
    expect(got).toBe(2);
    for (const { worker } of workers) expect([0, 2]).toContain(worker);
  }
});

test('a work comes back when the function has returned, delivered or not, to whoever asks', async () => {
  await using small = createWorkPool({ threads: 1, works: 1 });
  await small.ready();
  const instance = createPadata(small);
  const reports: string[] = [];
  // Its only job hands its completion over and is never completed.
  const stuck = instance.createShell<Any>({
    parallel: { module: jobs, name: 'deferred' },
    watchdogMs: 1,
    onStall: ({ state }) => reports.push(state),
  });
  await stuck.ready();
  stuck.submit({ input: 0, serial: () => undefined });
  expect(small.stats().freeWorks).toBe(0);
  while (!reports.includes('deferred')) await new Promise((r) => setImmediate(r));
  const { got } = await small.runMultithreaded({
    threadFn: { module: nested, name: 'inner' },
    arg: { marks: new SharedArrayBuffer(400) },
    start: 0,
    size: 100,
    maxThreads: 2,
  });
  expect(got).toBe(2);
  expect(small.stats().freeWorks).toBe(1);
  instance.close();
});

test('pool events: threads that are ready, that end, a new number of threads', async () => {
  const p = createWorkPool({ threads: 1, capacity: 2 });
  const events: unknown[] = [];
  p.on('worker-ready', ({ worker }) => events.push(['ready', worker]));
  p.on('worker-exit', ({ worker, exitCode }) => events.push(['exit', worker, exitCode]));
  p.on('resize', ({ threads }) => events.push(['resize', threads]));
  await p.ready();
  p.resize(2);
  await p.ready();
  await p.close();
  expect(events).toEqual([
    ['ready', 1],
    ['resize', 2],
    ['ready', 2],
    expect.arrayContaining(['exit']),
    expect.arrayContaining(['exit']),
  ]);
  await p.close();
});

test('a process with an idle pool ends by itself, and not before its jobs are done', () => {
  const text = `
    import { createWorkPool } from '@bootmem/padata';
    const pool = createWorkPool({ threads: 2 });
    const series = pool.series({ fn: { module: ${JSON.stringify(jobs.href)}, name: 'later' } });
    series.submit(30, (error, result) => console.log('late', result));
    console.log('first', await series.run(1));
  `;
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', text], {
    cwd: root,
    encoding: 'utf8',
    timeout: 30_000,
  });
  expect({ status, stdout }).toEqual({
    status: 0,
    stdout: 'late 30\nfirst 1\n',
  });
});

test('figures: every job is in the histograms, percentiles ascend', async () => {
  await using series = pool.series<Any>({
    fn: { module: jobs, name: 'twice' },
  });
  await Promise.all(range(300).map((n) => series.run(n)));
  // A thread counts its times after it has handed over the results of a reservation.
  while (series.stats().run.count < 300) await new Promise((r) => setImmediate(r));
  const stats = series.stats();
  expect(stats).toMatchObject({
    submitted: 300,
    delivered: 300,
    failed: 0,
    inFlight: 0,
  });
  for (const summary of [stats.wait, stats.run, stats.latency]) {
    expect(summary.count).toBe(300);
    expect(summary.p50).toBeLessThanOrEqual(summary.p90);
    expect(summary.p90).toBeLessThanOrEqual(summary.p99);
    expect(summary.p99).toBeLessThanOrEqual(summary.max);
  }
});

test('range jobs before the first thread is there: nobody waits for it', async () => {
  await using fresh = createWorkPool({ threads: 2 });
  const marks = new SharedArrayBuffer(400);
  await fresh.runMultithreaded({
    threadFn: { module: nested, name: 'inner' },
    arg: { marks },
    start: 0,
    size: 100,
  });
  expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
});
