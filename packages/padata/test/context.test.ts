// The asynchronous context of a submission (AsyncLocalStorage) comes back with its callback, from whatever thread the
// result is, as it does after `await run()`.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createWorkPool } from '@bootmem/padata';
import type { Series, WorkPool } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';

type Any = (input: unknown) => unknown;
const module = new URL('./fixtures/series-jobs.mjs', import.meta.url);
const fn = (name: string) => ({ module, name });
const storage = new AsyncLocalStorage<number>();
const other = new AsyncLocalStorage<string>();
let pool: WorkPool;

beforeAll(() => {
  pool = createWorkPool({ threads: 2 });
});
afterAll(() => pool.close());

/** Submits in the context of `n`; what the storage has in the callback. */
function seen(series: Series<Any>, n: number, input: unknown = n): Promise<number | undefined> {
  return storage.run(
    n,
    () =>
      new Promise((resolve) => {
        series.submit(input, () => {
          resolve(storage.getStore());
        });
      }),
  );
}

test('a program that comes to use a storage: from then on its callbacks are bound, before they are as they were', () => {
  const program = fileURLToPath(new URL('./fixtures/programs/contexts.mjs', import.meta.url));
  const { stdout } = spawnSync(process.execPath, [program], { encoding: 'utf8', timeout: 120_000 });
  const isAlways = Number.parseInt(process.versions.node, 10) >= 24;
  const found = [null, 1, 2, null, 3];
  expect(JSON.parse(stdout)).toEqual({ before: !isAlways, after: false, found });
});

test('many contexts in one turn: each callback has its own', async () => {
  await using series = pool.series<Any>({ fn: fn('same'), window: 8 });
  const numbers = Array.from({ length: 100 }, (_, n) => n);
  expect(await Promise.all(numbers.map((n) => seen(series, n)))).toEqual(numbers);
});

test('several storages, and none: what was not there is not there in the callback', async () => {
  await using series = pool.series<Any>({ fn: fn('same') });
  const got: unknown[] = [];
  const note = (): void => {
    got.push([storage.getStore(), other.getStore()]);
  };
  series.submit(0, note);
  storage.run(1, () => series.submit(1, note));
  other.run('a', () => {
    series.submit(2, note);
    storage.run(2, () => series.submit(3, note));
  });
  series.submit(4, note);
  await series.drain();
  expect(got).toEqual([
    [undefined, undefined],
    [1, undefined],
    [undefined, 'a'],
    [2, 'a'],
    [undefined, undefined],
  ]);
});

test('what a callback submits keeps the context of the callback', async () => {
  await using series = pool.series<Any>({ fn: fn('same') });
  const got = await storage.run(
    7,
    () =>
      new Promise((resolve) => {
        series.submit(0, () => {
          series.submit(1, () => {
            resolve(storage.getStore());
          });
        });
      }),
  );
  expect(got).toBe(7);
});

test('errors, aborts, a full window, input by message, jobs of the calling thread', async () => {
  await using failing = pool.series<Any>({ fn: fn('failOdd') });
  expect(await seen(failing, 3)).toBe(3);
  await using narrow = pool.series<Any>({ fn: fn('same'), window: 1 });
  expect(await Promise.all([1, 2, 3].map((n) => seen(narrow, n)))).toEqual([1, 2, 3]);
  expect(await seen(narrow, 4, new Map())).toBe(4);
  const aborted = pool.series<Any>({ fn: fn('same'), window: 1 });
  const waiting = [5, 6, 7].map((n) => seen(aborted, n));
  storage.run(99, () => {
    aborted.abort(new Error('over'));
  });
  expect(await Promise.all(waiting)).toEqual([5, 6, 7]);
  await using alone = createWorkPool({ threads: 0 });
  await using here = alone.series<Any>({ fn: fn('same') });
  expect(await Promise.all([8, 9].map((n) => seen(here, n)))).toEqual([8, 9]);
  await using inline = pool.series<Any>({ fn: fn('same'), window: 1, onFull: 'inline' });
  expect(await Promise.all([1, 2, 3].map((n) => seen(inline, n)))).toEqual([1, 2, 3]);
});

test('the serial half of a job of a shell, and one that waits in its queue for another', async () => {
  using padata = createPadata(pool);
  using shell = padata.createShell<Any>({ parallel: fn('same') });
  await shell.ready();
  const got: unknown[] = [];
  let go = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const all = new Promise<void>((resolve) => {
    for (const n of [1, 2, 3]) {
      storage.run(n, () => {
        shell.submit({
          input: n,
          serial: () => {
            got.push(storage.getStore());
            if (n === 3) resolve();
            return n === 1 ? gate : undefined;
          },
        });
      });
    }
  });
  await shell.drain();
  expect(got).toEqual([1]);
  storage.run(99, go);
  await all;
  expect(got).toEqual([1, 2, 3]);
});

test('the result of run: the context of whoever awaits it', async () => {
  await using series = pool.series<Any>({ fn: fn('same') });
  const one = (n: number): Promise<unknown> =>
    storage.run(n, async () => {
      await series.run(n);
      return storage.getStore();
    });
  expect(await Promise.all([1, 2, 3].map(one))).toEqual([1, 2, 3]);
});
