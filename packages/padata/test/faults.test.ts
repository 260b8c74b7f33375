// What happens to a thread, in a job of a series and in a chunk of a range: exactly what it ran fails, with a code
// that says what and names it; another takes the thread's place; the order of the rest is kept; nothing hangs.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { PadataError, WorkPool } from '@bootmem/padata';
import { HEAD } from '../dist/protocol/control-layout.js';

const module = new URL('./fixtures/fault-jobs.mjs', import.meta.url);
const fn = (name: string) => ({ module, name });
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
type Plain = (n: number) => number;
type Faulty = (input: { n: number; fault: string }) => number;
let pool: WorkPool;

beforeEach(async () => {
  pool = createWorkPool({ threads: 2, resourceLimits: { maxOldGenerationSizeMb: 48 } });
  await pool.ready();
  await Promise.all(['job', 'plain', 'chunk', 'mark'].map((name) => pool.load(fn(name))));
});
afterEach(() => pool.close());

/** The pool is as good as new: all threads are there, all works are back, jobs and chunks run. */
async function expectWhole(deaths: number): Promise<void> {
  await pool.ready();
  expect(pool.stats()).toMatchObject({ threads: 2, ready: 2, works: 2, freeWorks: 2, deaths });
  const marks = new SharedArrayBuffer(400);
  await pool.runMultithreaded({ threadFn: fn('mark'), arg: { marks }, start: 0, size: 100 });
  expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
  await using series = pool.series<Plain>({ fn: fn('plain') });
  expect(await Promise.all(range(20).map((n) => series.run(n)))).toEqual(
    range(20).map((n) => n + 1),
  );
}

/** Fault, code in a series, code in a range, threads lost. */
const FAULTS = [
  ['throw', 'ERR_PADATA_JOB_FAILED', 'ERR_PADATA_CHUNK_FAILED', 0],
  ['unclonable', 'ERR_PADATA_CLONE', 'ERR_PADATA_CLONE', 0],
  ['exit', 'ERR_PADATA_WORKER_DIED', 'ERR_PADATA_WORKER_DIED', 1],
  ['uncaught', 'ERR_PADATA_WORKER_DIED', 'ERR_PADATA_WORKER_DIED', 1],
  ['rejection', 'ERR_PADATA_WORKER_DIED', 'ERR_PADATA_WORKER_DIED', 1],
  ['memory', 'ERR_PADATA_WORKER_DIED', 'ERR_PADATA_WORKER_DIED', 1],
] as const;

test.each(FAULTS)(
  '%s in a job: that job alone fails; a range job and another series beside it do not notice',
  async (fault, code, _chunkCode, deaths) => {
    await using faulty = pool.series<Faulty>({ fn: fn('job'), window: 8 });
    await using healthy = pool.series<Plain>({ fn: fn('plain'), window: 8 });
    const order: number[] = [];
    const note = (seq: number) => () => order.push(seq);
    const jobs = range(30).map((n) => {
      const job = faulty.run({ n, fault });
      job.then(note(n), note(n));
      return job;
    });
    const others = Promise.all(range(50).map((n) => healthy.run(n)));
    const marks = new SharedArrayBuffer(400);
    const job = { threadFn: fn('mark'), arg: { marks }, start: 0, size: 100 };
    await pool.runMultithreaded(job);
    const outcomes = await Promise.allSettled(jobs);
    expect(outcomes.flatMap((o, n) => (o.status === 'rejected' ? [n] : []))).toEqual([13]);
    expect((outcomes[13] as PromiseRejectedResult).reason).toMatchObject({
      code,
      details: { seq: 13 },
    });
    expect(order).toEqual(range(30));
    expect(await others).toEqual(range(50).map((n) => n + 1));
    expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
    await expectWhole(deaths);
  },
);

test.each(FAULTS)(
  '%s in a chunk: that range job alone fails and names the chunk; a series beside it does not notice',
  async (fault, _jobCode, code, deaths) => {
    await using healthy = pool.series<Plain>({ fn: fn('plain'), window: 8 });
    const others = Promise.all(range(50).map((n) => healthy.run(n)));
    const here = new SharedArrayBuffer(16);
    const failure = (await pool
      .runMultithreaded<unknown, number>({
        threadFn: fn('chunk'),
        arg: { here, fault },
        start: 0,
        size: 1200,
        initial: 0,
        reduce: (sum, n) => sum + (n as number),
      })
      .catch((error: unknown) => error)) as PadataError;
    const [, start, end] = new Int32Array(here);
    expect(failure).toMatchObject({ code, details: { start, end } });
    expect(failure.details['worker']).toBeGreaterThan(0);
    expect(await others).toEqual(range(50).map((n) => n + 1));
    await expectWhole(deaths);
  },
);

test('a thread that ends between claiming a chunk and beginning it: the caller runs that chunk', async () => {
  await using one = createWorkPool({ threads: 1 });
  await one.ready();
  await one.load(fn('claimAndExit'));
  const here = new SharedArrayBuffer(16);
  const series = one.series({ fn: fn('takeControl') });
  // It is never completed, so what tells that it has run is shared memory.
  series.submit({ here }, () => undefined);
  while (Atomics.load(new Int32Array(here), 3) === 0) await new Promise((r) => setImmediate(r));
  const marks = new SharedArrayBuffer(4 * 80);
  // The worker's own chunk may be run again, so it is marked twice; the one it had only claimed, once.
  const result = await one.runMultithreaded({
    threadFn: fn('claimAndExit'),
    arg: { here, marks },
    start: 0,
    size: 80,
    maxThreads: 2,
    idempotent: true,
  });
  const [, claimed, count] = new Int32Array(here);
  expect(result.chunks).toBe(8);
  expect(count).toBe(8);
  expect(claimed).toBeGreaterThan(0);
  const counts = range(8).map((k) => new Int32Array(marks).subarray(10 * k, 10 * k + 10));
  expect(counts.every((units) => units.every((n) => n === units[0] && n >= 1))).toBe(true);
  expect(counts[claimed!]![0]).toBe(1);
  expect(counts.filter((units) => units[0] === 2)).toHaveLength(1);
  series.abort(new Error('done'));
});

test('a thread that ends while it spins leaves the place to others', async () => {
  await using one = createWorkPool({ threads: 1 });
  const series = one.series<(port: unknown) => void>({ fn: fn('exitAsSpinner') });
  const { port1, port2 } = new MessageChannel();
  const gone = new Promise((resolve) => one.on('worker-exit', resolve));
  const words = new Promise<{ control: Int32Array; worker: number }>((resolve) => {
    port1.once('message', resolve);
  });
  // Its completion was handed over before, so the job itself does not fail with its thread.
  series.run(port2, { transfer: [port2] }).catch(() => undefined);
  const { control, worker } = await words;
  await gone;
  expect(worker).toBe(1);
  // Given back; the next thread spins only after its start.
  expect(Atomics.load(control, HEAD.SPINNER)).toBe(0);
  series.abort(new Error('enough'));
  port1.close();
});

test('a module that loads in the caller only: its series fails, its range job runs without helpers', async () => {
  const here = new URL('./fixtures/main-only.mjs', import.meta.url);
  const heard = new SharedArrayBuffer(4);
  const events = new Set<string>();
  pool.on('error', ({ error }) => {
    events.add(error.code);
    Atomics.store(new Int32Array(heard), 0, 1);
  });
  await using series = pool.series<Plain>({ fn: { module: here, name: 'same' } });
  const outcomes = await Promise.allSettled(range(5).map((n) => series.run(n)));
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'ERR_PADATA_MODULE' } });
  }
  const marks = new SharedArrayBuffer(400);
  const threadFn = { module: here, name: 'mark' };
  const arg = { marks, heard };
  const result = await pool.runMultithreaded({ threadFn, arg, start: 0, size: 100 });
  expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
  expect(result.workers.map((w) => w.worker)).toEqual([0]);
  await expect(pool.load(threadFn)).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
  expect([...events]).toEqual(['ERR_PADATA_MODULE']);
  await expectWhole(0);
});

test('a thread that is ended from outside during a chunk: the range job fails and close ends', async () => {
  await pool.load(fn('forever'));
  const here = new SharedArrayBuffer(16);
  const job = pool.runMultithreaded({ threadFn: fn('forever'), arg: { here }, start: 0, size: 12 });
  const failed = expect(job).rejects.toMatchObject({ code: 'ERR_PADATA_WORKER_DIED' });
  while (Atomics.load(new Int32Array(here), 0) === 0) await new Promise((r) => setImmediate(r));
  await pool.close();
  await failed;
});
