// pool.close({ drain: true }): what was accepted ends, nothing more is accepted.
import { expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';

const module = new URL('./fixtures/series-jobs.mjs', import.meta.url);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const later = { module, name: 'later' };

test('series of both orders, requests and shells end well; the threads are gone then', async () => {
  const pool = createWorkPool({ threads: 2 });
  const exits: boolean[] = [];
  pool.on('worker-exit', ({ expected }) => exits.push(expected));
  const ordered = pool.series<(n: number) => number>({ fn: later, window: 4 });
  const unordered = pool.series<(n: number) => number>({ fn: later, window: 4, order: 'none' });
  const shell = createPadata(pool).createShell<(n: number) => number>({ parallel: later });
  await shell.ready();
  const told: unknown[] = [];
  shell.submit({ input: 30, serial: (_error, value) => told.push(value) });
  const runs = range(20).flatMap((n) => [
    ordered.run(n % 5),
    unordered.run(n % 5),
    pool.run<(n: number) => number>(later, n % 5),
  ]);
  const closed = pool.close({ drain: true });
  expect(pool.close({ drain: true })).toBe(closed);
  await expect(pool.run(later, 1)).rejects.toMatchObject({ code: 'ERR_PADATA_CLOSED' });
  await expect(ordered.run(1)).rejects.toMatchObject({ code: 'ERR_PADATA_CLOSED' });
  expect(() => pool.series({ fn: later })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_CLOSED' }),
  );
  await closed;
  expect(await Promise.all(runs)).toEqual(range(20).flatMap((n) => [n % 5, n % 5, n % 5]));
  expect(told).toEqual([30]);
  expect(exits).toEqual([true, true]);
});

test('whoever loses patience closes once more, without draining', async () => {
  const pool = createWorkPool({ threads: 1 });
  const words = new Int32Array(new SharedArrayBuffer(64));
  const wait = { module: new URL('./fixtures/pending-jobs.mjs', import.meta.url), name: 'pend' };
  const s = pool.series<(n: number) => unknown>({ fn: wait, shared: words, graceMs: 1 });
  const run = s.run(0);
  const failed = expect(run).rejects.toMatchObject({ code: 'ERR_PADATA_CLOSED' });
  while (Atomics.load(words, 15) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  let isClosed = false;
  const closed = pool.close({ drain: true }).then(() => (isClosed = true));
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(isClosed).toBe(false);
  await pool.close();
  await failed;
  await closed;
});

test('without draining jobs end with that; other options are mistakes', async () => {
  const pool = createWorkPool({ threads: 1 });
  await expect(pool.close({ wait: true } as never)).rejects.toMatchObject({
    code: 'ERR_PADATA_ARGUMENT',
  });
  const run = pool.run(later, 100_000);
  const failed = expect(run).rejects.toMatchObject({ code: 'ERR_PADATA_CLOSED' });
  await pool.close();
  await failed;
});
