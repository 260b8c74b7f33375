// A pool that was closed: each of its members says something true, or that it was closed.
import { expect, test } from '@jest/globals';
import { createWorkPool, map, parallelFor, wrap } from '@bootmem/padata';
import type { FunctionRef, WorkPool } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';

type Any = (input: unknown) => unknown;
const module = new URL('../fixtures/series-jobs.mjs', import.meta.url);
const fn = { module, name: 'same' } as FunctionRef<Any>;
const range = {
  module: new URL('../fixtures/range-jobs.mjs', import.meta.url),
  name: 'record',
} as FunctionRef;
const log = (): { log: SharedArrayBuffer } => ({ log: new SharedArrayBuffer(4 * 256) });

/** Every call of a pool that begins something. */
const CALLS: Readonly<Record<string, (pool: WorkPool) => unknown>> = {
  ready: (pool) => pool.ready(),
  load: (pool) => pool.load(fn),
  run: (pool) => pool.run(fn, 1),
  series: (pool) => pool.series({ fn }),
  seriesFrom: (pool) => pool.seriesFrom({ fn }, 5),
  resize: (pool) => {
    pool.resize(1);
  },
  runMultithreaded: (pool) =>
    pool.runMultithreaded({ threadFn: range, arg: log(), start: 0, size: 1 }),
  runMultithreadedSync: (pool) =>
    pool.runMultithreadedSync({ threadFn: range, arg: log(), start: 0, size: 1 }),
  parallelFor: (pool) => parallelFor(pool, 0, 1, range, { arg: log() }),
  prepareRange: (pool) => pool.prepareRange({ threadFn: range, arg: log() }),
  map: (pool) => map(pool, [1], fn),
  wrap: (pool) => wrap<{ same: Any }>(pool, module).same(1),
  'a shell': (pool) => createPadata(pool).createShell({ parallel: fn }),
};

test.each([0, 2, { min: 1, max: 2 }, { max: 2 }])(
  'nothing begins in a pool that was closed, and it has no threads (%j)',
  async (threads) => {
    const pool = createWorkPool({ threads });
    await pool.run(fn, 1);
    const { capacity } = pool;
    const closed = pool.close();
    for (const isOver of [false, true]) {
      if (isOver) await closed;
      for (const [name, call] of Object.entries(CALLS)) {
        const outcome = await Promise.resolve(pool)
          .then(call)
          .then(
            () => 'done',
            (error: unknown) => (error as { code?: unknown }).code,
          );
        expect([name, outcome]).toEqual([name, 'ERR_PADATA_CLOSED']);
      }
      expect([pool.threads, pool.maxThreads, pool.capacity]).toEqual([0, 0, capacity]);
      expect(pool.stats()).toMatchObject({
        ...{
          threads: 0,
          minThreads: 0,
          maxThreads: 0,
          ready: 0,
          works: 0,
          freeWorks: 0,
          deaths: 0,
        },
      });
    }
    expect(pool.stats()).toMatchObject({ jobs: 1, workers: [] });
    await pool.close();
    await pool[Symbol.asyncDispose]();
  },
);

test('while it drains it has its threads', async () => {
  const pool = createWorkPool({ threads: 2 });
  const last = pool.run(fn, 1);
  const closed = pool.close({ drain: true });
  expect(pool.threads).toBe(2);
  expect(await last).toBe(1);
  await closed;
  expect(pool.threads).toBe(0);
});
