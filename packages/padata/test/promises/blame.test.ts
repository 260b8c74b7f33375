// Threads that end while they import a module: the module is to blame only if nothing else can have done it, and an import
// that never ends keeps nobody.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWorkPool } from '@bootmem/padata';
import type { Series, WorkPool } from '@bootmem/padata';

type Any = (input: unknown) => unknown;
const THREADS = 3;
const faults = new URL('../fixtures/fault-jobs.mjs', import.meta.url);
let folder: string;
let pool: WorkPool;
let exits: number[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'padata-'));
  pool = createWorkPool({ threads: THREADS });
  exits = [];
  pool.on('worker-exit', ({ exitCode }) => exits.push(exitCode));
  // Those that are not there end nowhere.
  await pool.ready();
});
afterEach(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

const begun = (name: string): string => join(folder, `${name}.begun`);
const open = (name: string): void => {
  writeFileSync(join(folder, name), '');
};
/** A module whose import goes on when it is opened. */
function waits(name: string, options: Record<string, string> = {}): Series<Any> {
  const module = new URL('../fixtures/waits-at-load.mjs', import.meta.url);
  const parameters = { begun: begun(name), go: join(folder, name), ...options };
  module.search = new URLSearchParams(parameters).toString();
  return pool.series<Any>({ fn: { module, name: 'same' } });
}
/** So many threads are left, and the others have ended. */
async function shrink(threads: number): Promise<void> {
  pool.resize(threads);
  await until(() => exits.length === THREADS - threads);
}
/** The next thread that ends leaves a pool of no threads; then the module may go on. */
function shrinkAtNextExit(name: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = pool.on('worker-exit', () => {
      stop();
      pool.resize(0);
      open(name);
      resolve();
    });
  });
}
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
/** All threads are importing it. */
const isBegun = (name: string) =>
  until(() => existsSync(begun(name)) && statSync(begun(name)).size >= THREADS);

test('jobs that end all threads while these import a module: the module is not to blame', async () => {
  const slow = waits('slow');
  const job = slow.run(7);
  const killers = [1, 2, 3].map((id) =>
    pool.series<Any>({ fn: { module: faults, name: 'job' }, workers: [id] }),
  );
  await isBegun('slow');
  // From within the function, from an event, from a promise.
  const harms = ['exit', 'uncaught', 'rejection'];
  const ends = await Promise.all(
    killers.map((series, i) => series.run({ n: 13, fault: harms[i] }).catch((e: unknown) => e)),
  );
  expect(ends).toEqual(
    [1, 2, 3].map((worker) =>
      expect.objectContaining({
        code: 'ERR_PADATA_WORKER_DIED',
        details: expect.objectContaining({ worker }),
      }),
    ),
  );
  open('slow');
  expect(await job).toBe(7);
  expect(exits).toHaveLength(THREADS);
});

test('of two modules that threads import when they end, only the one that ends them is given up', async () => {
  // Made first: a list of both begins with it.
  const innocent = waits('innocent');
  const guilty = waits('guilty', { exits: '' });
  const jobs = [innocent.run(7), guilty.run(8).catch((error: unknown) => error)] as const;
  await Promise.all([isBegun('innocent'), isBegun('guilty')]);
  open('guilty');
  await until(() => exits.length >= THREADS);
  open('innocent');
  expect(await jobs[0]).toBe(7);
  expect(await jobs[1]).toMatchObject({
    code: 'ERR_PADATA_MODULE',
    details: { exitCode: 9, module: expect.stringContaining('guilty') },
  });
  expect(await innocent.run(9)).toBe(9);
});

test('with no threads left to try on: what one thread finds out decides, the guilty module is loaded nowhere', async () => {
  await shrink(1);
  const innocent = waits('innocent');
  const guilty = waits('guilty', { exits: '' });
  const jobs = [innocent.run(7), guilty.run(8).catch((error: unknown) => error)] as const;
  await until(() => existsSync(begun('innocent')) && existsSync(begun('guilty')));
  const shrunk = shrinkAtNextExit('innocent');
  open('guilty');
  await shrunk;
  expect(await jobs[0]).toBe(7);
  expect(await jobs[1]).toMatchObject({
    code: 'ERR_PADATA_MODULE',
    details: { exitCode: 9, module: expect.stringContaining('guilty') },
  });
  expect(pool.stats()).toMatchObject({ threads: 0, ready: 0 });
});

test('a module that ends threads on which jobs run is given up all the same', async () => {
  const healthy = pool.series<Any>({
    fn: { module: new URL('../fixtures/series-jobs.mjs', import.meta.url), name: 'same' },
  });
  expect(await Promise.all([1, 2, 3, 4].map((n) => healthy.run(n)))).toEqual([1, 2, 3, 4]);
  await pool.load({
    module: new URL('../fixtures/series-jobs.mjs', import.meta.url),
    name: 'same',
  });
  const guilty = waits('guilty', { exits: '' });
  const job = guilty.run(1);
  await isBegun('guilty');
  open('guilty');
  await expect(job).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE', details: { exitCode: 9 } });
  // Once where jobs may have ended the thread, then by itself on three that begin with it, which die at the same time.
  expect(exits.length).toBeLessThanOrEqual(THREADS + 3 + 2);
  expect(await healthy.run(5)).toBe(5);
});

test('a module that was imported after all is as good as any: its jobs run here when threads go', async () => {
  await shrink(1);
  const module = new URL('../fixtures/exits-at-load.mjs', import.meta.url);
  module.search = new URLSearchParams({ times: '1', file: join(folder, 'imports') }).toString();
  const series = pool.series<Any>({ fn: { module, name: 'same' } });
  expect(await series.run(1)).toBe(1);
  expect(exits).toContain(9);
  pool.resize(0);
  expect(await series.run(2)).toBe(2);
});

test('a thread that jobs end while it imports a module that others have: that one stays what it was', async () => {
  await shrink(2);
  // Both threads import it; where the pool has one thread less afterwards, nobody can try again.
  const slow = waits('slow');
  const killer = pool.series<Any>({ fn: { module: faults, name: 'job' }, workers: [1] });
  const module = new URL('../fixtures/series-jobs.mjs', import.meta.url);
  await pool.load({ module, name: 'same' });
  await until(() => existsSync(begun('slow')) && statSync(begun('slow')).size === 2);
  open('slow');
  expect(await slow.run(1)).toBe(1);
  rmSync(join(folder, 'slow'));
  await expect(killer.run({ n: 13, fault: 'exit' })).rejects.toMatchObject({
    code: 'ERR_PADATA_WORKER_DIED',
  });
  await until(() => statSync(begun('slow')).size === 3);
  const shrunk = shrinkAtNextExit('slow');
  await expect(killer.run({ n: 13, fault: 'exit' })).rejects.toMatchObject({
    code: 'ERR_PADATA_WORKER_DIED',
  });
  await shrunk;
  expect(await slow.run(2)).toBe(2);
  // No thread was needed to find out.
  expect(statSync(begun('slow')).size).toBe(4);
});

test('a thread that is to be replaced does not wait for an import that never ends', async () => {
  await shrink(1);
  const words = new Int32Array(new SharedArrayBuffer(64));
  const module = new URL('../fixtures/pending-jobs.mjs', import.meta.url);
  // Its promise is pending until word 0 is not 0; it counts in word 15.
  const fn = { module, name: 'pend' };
  const series = pool.series<Any>({ fn, shared: words, graceMs: 200 });
  waits('never');
  await until(() => existsSync(begun('never')));
  const control = new AbortController();
  const job = series.run(0, { signal: control.signal });
  await until(() => Atomics.load(words, 15) === 1);
  control.abort(new Error('enough'));
  await expect(job).rejects.toThrow('enough');
  Atomics.store(words, 1, 1);
  // Where the old thread did not end, none would come for it.
  await until(() => series.stats().inFlight === 0 && exits.length === THREADS);
  expect(await series.run(1)).toBe(1);
});

test('what waits for an import that never ends is ended by its deadline, a signal, or close', async () => {
  const series = waits('never');
  const late = series.run(1, { deadlineMs: 50 });
  const control = new AbortController();
  const stopped = series.run(2, { signal: control.signal });
  const left = series.run(3).catch((error: unknown) => error);
  await expect(late).rejects.toMatchObject({ code: 'ERR_PADATA_TIMEOUT' });
  control.abort(new Error('enough'));
  await expect(stopped).rejects.toThrow('enough');
  await pool.close();
  expect(await left).toMatchObject({ code: 'ERR_PADATA_CLOSED' });
});
