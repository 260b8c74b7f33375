// Threads that leave, that may not run a job any more, or that cannot be started at all: accepted jobs run all the same,
// on other threads and at last in the caller.
import { expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';
import type { Padata, PadataShell } from '@bootmem/padata/kernel';

type Any = (input: unknown) => unknown;
const module = new URL('../fixtures/series-jobs.mjs', import.meta.url);
const fn = (name: string) => ({ module, name });
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const marks = { module: new URL('../fixtures/range-jobs.mjs', import.meta.url), name: 'record' };

const submit = (shell: PadataShell<Any>, input: unknown) =>
  new Promise((resolve) => {
    shell.submit({
      input,
      serial: (error, value) => {
        resolve(error ?? value);
      },
    });
  });
/** A resize replaces the masks: until the next turn of the event loop new jobs of a shell are refused as BUSY. */
async function replaced(instance: Padata): Promise<void> {
  while (instance.state.resetting) await new Promise((resolve) => setImmediate(resolve));
}
/** A range job runs completely. */
async function expectRange(pool: WorkPool): Promise<void> {
  const log = new SharedArrayBuffer(4 * 256);
  const result = await pool.runMultithreaded({
    threadFn: marks,
    arg: { log },
    start: 0,
    size: 100,
  });
  expect(result.workers.reduce((sum, w) => sum + w.units, 0)).toBe(100);
}
/** Values of all ways of travelling. */
const inputs = (): unknown[] => [1, 'text', { a: [1] }, new Map([[1, 2]]), new Uint8Array(100_000)];

test.each([true, false])(
  'a pool resized to no threads runs all in the caller (loaded before: %s)',
  async (warm) => {
    await using pool = createWorkPool({ threads: 2 });
    await pool.ready();
    const series = pool.series<Any>({ fn: fn('same') });
    const instance = createPadata(pool);
    const shell = instance.createShell<Any>({ parallel: fn('same') });
    const late = pool.series<Any>({ fn: fn('later') });
    if (warm) {
      await series.ready();
      await shell.ready();
      expect(await series.run(0)).toBe(0);
    }
    const before = [...inputs(), 2].map((input) => series.run(input));
    const waiting = range(100).map((n) => late.run(n % 3));
    pool.resize(0);
    const after = inputs().map((input) => series.run(input));
    expect(await Promise.all(before)).toEqual([...inputs(), 2]);
    expect(await Promise.all(after)).toEqual(inputs());
    expect(await Promise.all(waiting)).toEqual(range(100).map((n) => n % 3));
    await series.ready();
    await replaced(instance);
    expect(await Promise.all(inputs().map((input) => submit(shell, input)))).toEqual(inputs());
    await expectRange(pool);
    expect(await pool.series<Any>({ fn: fn('same') }).run(5)).toBe(5);
    // And back.
    pool.resize(1);
    await pool.ready();
    expect(await Promise.all(inputs().map((input) => series.run(input)))).toEqual(inputs());
    await replaced(instance);
    expect(await Promise.all(inputs().map((input) => submit(shell, input)))).toEqual(inputs());
    expect(pool.stats()).toMatchObject({ threads: 1, ready: 1, deaths: 0 });
  },
);

/** Jobs that say who ran them, of a ring whose worker is held until the gate is opened. */
async function held(pool: WorkPool, worker: number) {
  const gate = new Int32Array(new SharedArrayBuffer(16));
  const block = pool.series<Any>({ fn: fn('untilShared'), shared: gate, workers: [worker] });
  const blocked = block.run(0);
  while (Atomics.load(gate, 1) === 0) await new Promise((resolve) => setImmediate(resolve));
  return async () => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    await blocked;
  };
}

test('a series whose worker leaves goes on with any thread, and without threads in the caller', async () => {
  await using pool = createWorkPool({ threads: 3 });
  await pool.ready();
  const release = await held(pool, 3);
  const series = pool.series<Any>({ fn: fn('slow'), workers: [3] });
  const small = range(20).map(() => series.run(0));
  const sent = pool.series<Any>({ fn: fn('same'), workers: [3] });
  const maps = range(5).map((n) => sent.run(new Map([[n, n]])));
  pool.resize(1);
  expect(await Promise.all(small)).toEqual(range(20));
  await release();
  expect(await Promise.all(maps)).toEqual(range(5).map((n) => new Map([[n, n]])));
  series.setWorkers([2, 3]);
  expect(await series.run(0)).toBe(20);
  pool.resize(0);
  expect(await series.run(0)).toBe(21);
  pool.resize(3);
  await pool.ready();
  expect(await series.run(0)).toBe(22);
});

test('jobs of a shell run though all workers of their generation have left; new ones are refused', async () => {
  await using pool = createWorkPool({ threads: 3, works: 100 });
  await pool.ready();
  const instance = createPadata(pool, { parallelWorkers: [3] });
  const shell = instance.createShell<Any>({ parallel: fn('slow') });
  await shell.ready();
  const release = await held(pool, 3);
  const jobs = range(20).map(() => submit(shell, 0));
  pool.resize(2);
  expect(() => {
    shell.submit({ input: 0, serial: () => undefined });
  }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_INVALID' }));
  expect(await Promise.all(jobs)).toEqual(range(20));
  await release();
  instance.close();
});

test('so they do when the mask was changed before their worker left: drain ends', async () => {
  await using pool = createWorkPool({ threads: 3, works: 100 });
  await pool.ready();
  const instance = createPadata(pool, { parallelWorkers: [3] });
  const shell = instance.createShell<Any>({ parallel: fn('slow') });
  await shell.ready();
  const release = await held(pool, 3);
  const jobs = range(20).map(() => submit(shell, 0));
  await instance.setWorkers('parallel', [1]);
  pool.resize(2);
  await shell.drain();
  expect(await Promise.all(jobs)).toEqual(range(20));
  await release();
  await replaced(instance);
  expect(await submit(shell, 0)).toBe(0);
  expect(shell.generations).toBe(1);
  instance.close();
});

test('threads that cannot be started: everything runs in the caller', async () => {
  const execArgv = ['--import', 'data:text/javascript,throw 1'];
  await using pool = createWorkPool({ threads: 2, execArgv });
  const errors: string[] = [];
  pool.on('error', ({ error }) => errors.push(error.code));
  const series = pool.series<Any>({ fn: fn('same') });
  const early = inputs().map((input) => series.run(input));
  await expect(pool.ready()).rejects.toMatchObject({ code: 'ERR_PADATA_WORKER_DIED' });
  expect(await Promise.all(early)).toEqual(inputs());
  await expectRange(pool);
  await using later = pool.series<Any>({ fn: fn('same') });
  await later.ready();
  expect(await Promise.all(inputs().map((input) => later.run(input)))).toEqual(inputs());
  const shell = createPadata(pool).createShell<Any>({ parallel: fn('same') });
  expect(await Promise.all(inputs().map((input) => submit(shell, input)))).toEqual(inputs());
  expect(errors).toEqual(['ERR_PADATA_WORKER_DIED']);
});

test("options that no thread can start with are the caller's mistake", () => {
  expect(() => createWorkPool({ threads: 1, execArgv: ['--title=x'] })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
  );
});

test('two changes of masks at a time: busy until both are done', async () => {
  await using pool = createWorkPool({ threads: 2 });
  const instance = createPadata(pool);
  const shell = instance.createShell<Any>({ parallel: fn('same') });
  let second: Promise<void> | undefined;
  // In the turn in which the first one ends.
  setImmediate(() => {
    second = instance.setWorkers('parallel', [2]);
  });
  await instance.setWorkers('parallel', [1]);
  expect(second).toBeDefined();
  expect(instance.state.resetting).toBe(true);
  expect(() => {
    shell.submit({ input: 0, serial: () => undefined });
  }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_BUSY' }));
  await second;
  expect(instance.state.resetting).toBe(false);
  instance.close();
});
