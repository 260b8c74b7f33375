// Threads that come when work waits and go when they have nothing to do. Nothing here is decided by elapsed time: gates keep
// jobs as long as the test wants, and the number of threads is waited for.
import { spawnSync } from 'node:child_process';
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool, map, parallelFor } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';
import type { FunctionRef, WorkPool, WorkPoolOptions } from '@bootmem/padata';

const module = new URL('../fixtures/limit-jobs.mjs', import.meta.url);
const messages = new URL('../fixtures/message-jobs.mjs', import.meta.url);
const seriesJobs = new URL('../fixtures/series-jobs.mjs', import.meta.url);
const ranges = new URL('../fixtures/range-jobs.mjs', import.meta.url);
const fn = <F>(name: string, of = module): FunctionRef<F> => ({ module: of, name });
const twice = fn<(n: number) => number>('twice', seriesJobs);
const turn = () => new Promise((resolve) => setImmediate(resolve));
let pool: WorkPool;
afterEach(() => pool.close());

function setUp(threads: WorkPoolOptions['threads'], more: Partial<WorkPoolOptions> = {}) {
  pool = createWorkPool({ threads: threads!, ...more });
  const counts: number[] = [];
  pool.on('resize', (event) => counts.push(event.threads));
  const shared = new Int32Array(new SharedArrayBuffer(64));
  const open = (): void => {
    Atomics.store(shared, 0, 1);
    Atomics.notify(shared, 0);
  };
  /** Until so many threads are wanted, and there. */
  const until = async (threads: number): Promise<void> => {
    for (;;) {
      const { threads: wanted, ready } = pool.stats();
      if (wanted === threads && ready === threads) return;
      await turn();
    }
  };
  const untilBegun = async (jobs: number): Promise<void> => {
    while (Atomics.load(shared, 1) < jobs) await turn();
  };
  return { shared, counts, open, until, untilBegun };
}

test('no thread before the first job, one for each job that waits, none when all is done', async () => {
  const { shared, counts, open, until, untilBegun } = setUp({ min: 0, max: 3, idleMs: 20 });
  expect(pool.stats()).toMatchObject({ threads: 0, minThreads: 0, maxThreads: 3, ready: 0 });
  await pool.ready();
  const series = pool.series({ fn: fn<(n: number) => number>('gated'), shared, order: 'none' });
  const jobs = [series.run(1)];
  await untilBegun(1);
  expect(pool.threads).toBe(1);
  jobs.push(series.run(2));
  await untilBegun(2);
  expect(pool.threads).toBe(2);
  // Of ten more one finds a place; the others wait.
  for (let n = 3; n < 13; n += 1) jobs.push(series.run(n));
  await untilBegun(3);
  expect(pool.stats()).toMatchObject({ threads: 3, ready: 3 });
  open();
  expect(await Promise.all(jobs)).toEqual(Array.from({ length: 12 }, (_, i) => i + 1));
  await until(0);
  expect(counts.at(-1)).toBe(0);
  expect(Math.max(...counts)).toBe(3);
  expect(pool.stats()).toMatchObject({ deaths: 0, jobs: 12 });
  // And again.
  expect(await series.run(7)).toBe(7);
});

test('min threads stay, each that goes has had nothing to do', async () => {
  const { shared, open, until, untilBegun } = setUp({ min: 1, max: 4, idleMs: 10 });
  await until(1);
  const series = pool.series({ fn: fn<(n: number) => number>('gated'), shared, order: 'none' });
  const jobs = [1, 2, 3, 4].map((n) => series.run(n));
  await untilBegun(4);
  // One goes on for long: it is no reason for the others to stay.
  const words = new Int32Array(new SharedArrayBuffer(64));
  const long = pool.series({
    fn: fn<(n: number) => number>('gated'),
    shared: words,
    order: 'none',
  });
  const last = long.run(5);
  open();
  await Promise.all(jobs);
  while (Atomics.load(words, 1) === 0) await turn();
  await until(1);
  expect(pool.stats().workers).toHaveLength(1);
  Atomics.store(words, 0, 1);
  expect(await last).toBe(5);
  expect(pool.threads).toBe(1);
});

test('functions that compute after an await get threads of their own too', async () => {
  const { shared, open, until } = setUp({ min: 1, max: 3, idleMs: 10_000 });
  const series = pool.series({ fn: fn<(n: number) => Promise<number>>('spinsLater'), shared });
  const jobs = [1, 2, 3].map((n) => series.run(n));
  await until(3);
  open();
  expect(await Promise.all(jobs)).toEqual([1, 2, 3]);
});

test('inputs by message, handed over or not: one that waits behind a job brings a thread', async () => {
  const { shared, until } = setUp({ min: 0, max: 3, idleMs: 10 });
  const block = fn<(input: unknown) => number>('blockOrNot', messages);
  const series = pool.series({ fn: block, shared, order: 'none' });
  const jobs = [0, 0, 0].map(() => series.run(new Map([['at', 0]])));
  while (Atomics.load(shared, 15) < 3) await turn();
  expect(pool.threads).toBe(3);
  Atomics.store(shared, 0, 1);
  Atomics.notify(shared, 0);
  expect(new Set(await Promise.all(jobs)).size).toBe(3);
  await until(0);
  const sum = pool.series({ fn: fn<(bytes: Uint8Array) => number>('sum', messages) });
  for (let round = 0; round < 20; round += 1) {
    const bytes = [1, 2, 3, 4].map((n) => new Uint8Array(1000).fill(n));
    const sums = bytes.map((each) => sum.run(each, { transfer: [each.buffer] }));
    expect(await Promise.all(sums)).toEqual([1000, 2000, 3000, 4000]);
    // Threads that go meanwhile take no input with them.
    if (round % 3 === 0) await until(0);
  }
  expect(pool.stats().deaths).toBe(0);
});

test('a range is shared by threads that come for it', async () => {
  setUp({ min: 0, max: 3, idleMs: 10_000 });
  const marks = new Int32Array(new SharedArrayBuffer(4 * 4096));
  const gate = new Int32Array(new SharedArrayBuffer(64));
  const waits = { module: ranges, name: 'untilOpen' };
  // All of them have a chunk at the same time.
  const run = parallelFor(pool, 0, 16, waits, { arg: { gate: gate.buffer } });
  while (Atomics.load(gate, 1) < 4) await turn();
  Atomics.store(gate, 0, 1);
  await run;
  expect(pool.threads).toBe(3);
  const arg = { marks: marks.buffer, base: 0 };
  await parallelFor(pool, 0, 4096, { module: ranges, name: 'count' }, { arg });
  expect(marks.every((mark) => mark === 1)).toBe(true);
});

test('resize gives other bounds, or a number that stays', async () => {
  const { shared, open, until, untilBegun } = setUp({ max: 2, idleMs: 10 }, { capacity: 4 });
  expect(pool.capacity).toBe(4);
  const series = pool.series({ fn: fn<(n: number) => number>('gated'), shared, order: 'none' });
  const jobs = [1, 2, 3, 4].map((n) => series.run(n));
  await untilBegun(2);
  pool.resize({ min: 1, max: 4, idleMs: 10 });
  await untilBegun(4);
  open();
  await Promise.all(jobs);
  await until(1);
  pool.resize(3);
  await until(3);
  expect(pool.stats()).toMatchObject({ minThreads: 3, maxThreads: 3 });
  pool.resize({ min: 0, max: 2, idleMs: 0 });
  await until(0);
  expect(await series.run(9)).toBe(9);
  for (const bounds of [
    { min: 3, max: 2 },
    { max: 5 },
    { max: 0 },
    { min: -1 },
    { idle: 3 },
    null,
  ]) {
    expect(() => {
      pool.resize(bounds as never);
    }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }));
  }
  expect(() => createWorkPool({ threads: { min: 2, max: 1 } })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
  );
});

test('workers that a series names are those that are started for it', async () => {
  const { shared, open, untilBegun } = setUp({ max: 4, idleMs: 10_000 });
  const options = { fn: fn<(n: number) => number>('gated'), shared, workers: [3, 4] };
  const series = pool.series({ ...options, order: 'none' });
  const jobs = [1, 2, 3].map((n) => series.run(n));
  await untilBegun(2);
  expect(pool.stats().workers.map(({ worker }) => worker)).toEqual([3, 4]);
  open();
  await Promise.all(jobs);
});

test('shells keep their generations while threads come and go', async () => {
  const { until } = setUp({ max: 2, idleMs: 10 });
  const padata = createPadata(pool, { parallelWorkers: [1, 2] });
  const shell = padata.createShell({ parallel: twice });
  for (const n of [1, 2, 3]) {
    await new Promise<void>((resolve) => {
      shell.submit({
        input: n,
        serial: (_error, result) => {
          expect(result).toBe(2 * n);
          resolve();
        },
      });
    });
    await until(0);
  }
  expect(padata.freedGenerations).toBe(0);
  padata.close();
});

test('a thread that dies in a job is replaced, also where none has to stay', async () => {
  const { shared } = setUp({ max: 1, idleMs: 10_000 });
  const series = pool.series({ fn: fn<(n: number) => number>('mortal'), shared, idempotent: true });
  expect(await series.run(3)).toBe(3);
  expect(pool.stats()).toMatchObject({ deaths: 1, threads: 1 });
});

test('threads that cannot be made: jobs run on the calling thread, and the pool says so', async () => {
  const worker = (): never => {
    throw new Error('no threads here');
  };
  setUp({ max: 2 }, { worker });
  const errors: string[] = [];
  pool.on('error', ({ error }) => errors.push(error.code));
  expect(await pool.run(twice, 4)).toBe(8);
  expect(errors).toHaveLength(1);
});

test('what is shared is looked at when a series is made, though no thread is there', () => {
  setUp({ max: 2 });
  expect(() => pool.series({ fn: twice, shared: () => 1 })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_CLONE' }),
  );
});

test('a module is imported by a thread before it is here', async () => {
  setUp({ max: 2, idleMs: 10_000 });
  await pool.load(twice);
  expect(pool.threads).toBe(1);
  await expect(pool.load(fn('noSuchFunction', seriesJobs))).rejects.toMatchObject({
    code: 'ERR_PADATA_MODULE',
  });
});

test('many rounds of bursts while threads go at once: each job once, in order', async () => {
  setUp({ min: 0, max: 3, idleMs: 0 });
  const ordered = pool.series({ fn: twice });
  for (let round = 0; round < 30; round += 1) {
    const items = Array.from({ length: 1 + (round % 7) }, (_, i) => i);
    expect(await map(pool, items, twice)).toEqual(items.map((n) => 2 * n));
    expect(await ordered.run(round)).toBe(2 * round);
    for (let i = 0; i < round % 5; i += 1) await turn();
  }
  expect(pool.stats().deaths).toBe(0);
});

test('the process ends by itself, with threads that are idle and without any', () => {
  const program = `
    import { createWorkPool } from '@bootmem/padata';
    const pool = createWorkPool({ threads: { min: 0, max: 2, idleMs: 60_000 } });
    const fn = { module: ${JSON.stringify(seriesJobs.href)}, name: 'twice' };
    console.log(await pool.run(fn, 21));
  `;
  const options = { cwd: new URL('.', import.meta.url), input: program, encoding: 'utf8' } as const;
  const { stdout, status, stderr } = spawnSync(process.execPath, ['--input-type=module'], {
    ...options,
    timeout: 60_000,
  });
  expect({ stdout, status, stderr }).toEqual({ stdout: '42\n', status: 0, stderr: '' });
});

test('a thread that is to come again later is waited for as long as it takes, and no timer says so', async () => {
  const warnings: string[] = [];
  const note = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', note);
  const { until } = setUp({ min: 0, max: 1, idleMs: 10 }, { idle: 'loop' });
  let deaths = 0;
  pool.on('worker-exit', ({ expected }) => (deaths += expected ? 0 : 1));
  const mischief = {
    module: new URL('../fixtures/leaving-jobs.mjs', import.meta.url),
    name: 'exitsSoon',
  };
  // Threads that die with nothing at hand come back later and later.
  while (deaths < 4) {
    await pool.run(mischief, 1).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await until(0);
  process.off('warning', note);
  expect(warnings).toEqual([]);
});

test.each([
  ['goes as it has nothing to do', { threads: { min: 0, max: 1, idleMs: 5 } }],
  ['is replaced after so many jobs', { threads: 2, recycle: { jobs: 1 } }],
  ['is the only one, and replaced', { threads: 1, recycle: { jobs: 1 } }],
])('a thread that %s stays for jobs that it has left to its own timers', async (_why, options) => {
  const { shared } = setUp(options.threads, { idle: 'loop', ...options });
  const name = 'leavesToATimer';
  const jobs = { module: new URL('../fixtures/leaving-jobs.mjs', import.meta.url), name };
  await using series = pool.series<(n: number) => unknown>({ fn: jobs, shared, order: 'none' });
  const exits: boolean[] = [];
  pool.on('worker-exit', ({ expected }) => exits.push(expected));
  const all = [0, 1, 2, 3, 4, 5].map((n) => series.run(n));
  while (Atomics.load(shared, 1) < all.length) await turn();
  // Time in which it could have gone; if it is slow nothing is seen, and nothing fails.
  await new Promise((resolve) => setTimeout(resolve, 60));
  Atomics.store(shared, 0, 1);
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4, 5]);
  while (exits.length === 0) await turn();
  expect(exits[0]).toBe(true);
});

test('a thread that is not wanted any more ends when what it has left to its timers is completed', async () => {
  const { shared } = setUp(2, { idle: 'loop' });
  const name = 'leavesToATimer';
  const jobs = { module: new URL('../fixtures/leaving-jobs.mjs', import.meta.url), name };
  await using series = pool.series<(n: number) => unknown>({ fn: jobs, shared, workers: [2] });
  await pool.ready();
  const exits: number[] = [];
  pool.on('worker-exit', ({ worker }) => exits.push(worker));
  // More than it keeps in mind without looking through them.
  const all = Array.from({ length: 100 }, (_, n) => series.run(n));
  while (Atomics.load(shared, 1) < all.length) await turn();
  pool.resize(1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  Atomics.store(shared, 0, 1);
  expect(await Promise.all(all)).toEqual(all.map((_, n) => n));
  while (exits.length === 0) await turn();
  expect(exits).toEqual([2]);
});
