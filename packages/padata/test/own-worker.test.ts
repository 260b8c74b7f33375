// Threads that a program makes from a file of its own, and what is said where the file is missing.
import { Worker } from 'node:worker_threads';
import { expect, jest, test } from '@jest/globals';
import { createWorkPool, orderedMap, provideModule } from '@bootmem/padata';
import type { WorkPoolOptions } from '@bootmem/padata';
import { startWorker } from '@bootmem/padata/worker';

const file = new URL('./fixtures/own.worker.mjs', import.meta.url);
const fn = (name: string) => ({ module: 'own:jobs', name });
type Settings = Parameters<NonNullable<WorkPoolOptions['worker']>>[0];

test('jobs run in threads from a file of the program, which has them in it', async () => {
  await using pool = createWorkPool({ threads: 2, worker: () => new Worker(file) });
  await pool.ready();
  const results: unknown[] = [];
  for await (const n of orderedMap(pool, [1, 2, 3], fn('twice'))) results.push(n);
  expect(results).toEqual([2, 4, 6]);
});

test('what the pool says of its threads is handed to the function that makes them', async () => {
  const given: Settings[] = [];
  await using pool = createWorkPool({
    threads: 1,
    name: 'mine',
    env: { ...process.env, OWN: 'yes' },
    execArgv: ['--no-warnings'],
    resourceLimits: { maxOldGenerationSizeMb: 64 },
    worker: (settings) => {
      given.push(settings);
      return new Worker(file, settings);
    },
  });
  expect(await pool.run(fn('where'), 0)).toEqual([1, 'yes', '--no-warnings']);
  expect(given).toHaveLength(1);
  expect(given[0]).toMatchObject({
    name: 'mine-1',
    execArgv: ['--no-warnings'],
    env: { OWN: 'yes' },
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  });
});

test('the program may talk to its threads, and a thread that dies is made again the same way', async () => {
  const made: Worker[] = [];
  await using pool = createWorkPool({
    threads: 1,
    worker: () => {
      const worker = new Worker(file);
      worker.postMessage('hello?');
      made.push(worker);
      return worker;
    },
  });
  // A program's message may come before the pool's own; the thread's event loop hands it over while it sleeps in it.
  expect(await pool.run(fn('twice'), 4)).toBe(8);
  await made[0]!.terminate();
  expect(await pool.run(fn('twice'), 5)).toBe(10);
  expect(made).toHaveLength(2);
});

test.each([
  ['no worker', () => ({}), /must return a Worker, got object/],
  ['nothing', () => undefined, /must return a Worker, got undefined/],
])('a function that returns %s is refused before anything runs', (_name, worker, message) => {
  const make = () => createWorkPool({ threads: 1, worker });
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }));
  expect(make).toThrow(message);
});

test('one thread cannot be two workers: the pool goes on with what it has', async () => {
  const one = new Worker(file);
  await using pool = createWorkPool({ threads: 2, worker: () => one });
  await expect(pool.ready()).rejects.toMatchObject({
    code: 'ERR_PADATA_ARGUMENT',
    message: expect.stringMatching(/a new Worker each time/) as unknown,
  });
  expect(await pool.run(fn('twice'), 4)).toBe(8);
  await one.terminate();
  provideModule('own:jobs', { twice: (n: number) => 2 * n });
  expect(await pool.run(fn('twice'), 5)).toBe(10);
});

test('a worker file that is not there is named with the page that helps; jobs run here', async () => {
  const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
  const missing = new URL('./fixtures/nobody.worker.mjs', import.meta.url);
  await using pool = createWorkPool({ threads: 3, worker: () => new Worker(missing) });
  provideModule('here:jobs', { same: (n: unknown) => n });
  const errors: unknown[] = [];
  pool.on('error', ({ error }) => errors.push(error));
  const message = expect.stringMatching(/nobody\.worker\.mjs.*docs\/bundles\.md/) as unknown;
  const wanted = { code: 'ERR_PADATA_MODULE', message };
  await expect(pool.ready()).rejects.toMatchObject(wanted);
  expect(await pool.run({ module: 'here:jobs', name: 'same' }, 7)).toBe(7);
  expect(errors).toMatchObject([wanted]);
  expect(warn.mock.calls.flat().join()).toMatch(/docs\/bundles\.md/);
  warn.mockRestore();
});

test('a job module that is not there says what a bundled program does', async () => {
  await using pool = createWorkPool({ threads: 1 });
  const module = new URL('./fixtures/nobody.mjs', import.meta.url);
  await expect(pool.run({ module, name: 'x' }, 0)).rejects.toMatchObject({
    code: 'ERR_PADATA_MODULE',
    message: expect.stringMatching(/docs\/bundles\.md/) as unknown,
  });
});

test('startWorker is for worker threads', () => {
  expect(() => {
    startWorker();
  }).toThrow(expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }));
});
