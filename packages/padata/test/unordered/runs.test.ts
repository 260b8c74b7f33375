// pool.run: one job of any function, which waits for a thread and for no other job.
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { FunctionRef, WorkPool } from '@bootmem/padata';

const jobs = new URL('../fixtures/series-jobs.mjs', import.meta.url);
const fn = <F>(name: string, module = jobs): FunctionRef<F> => ({ module, name });
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
let pool: WorkPool;
afterEach(() => pool.close());

test('requests of several functions at once, each with its own outcome', async () => {
  pool = createWorkPool({ threads: 2 });
  const twice = fn<(n: number) => number>('twice');
  const echo = fn<(value: unknown) => { value: unknown }>('echo');
  const [numbers, objects] = await Promise.all([
    Promise.all(range(500).map((n) => pool.run(twice, n))),
    Promise.all(range(500).map((n) => pool.run(echo, { n }))),
  ]);
  expect(numbers).toEqual(range(500).map((n) => 2 * n));
  expect(objects.map(({ value }) => value)).toEqual(range(500).map((n) => ({ n })));
});

test('a signal ends a request at once; errors are coded and say which function', async () => {
  pool = createWorkPool({ threads: 1 });
  const slow = fn<(ms: number) => number>('later');
  const control = new AbortController();
  const run = pool.run(slow, 100_000, { signal: control.signal });
  setTimeout(() => {
    control.abort(new Error('enough'));
  }, 1);
  await expect(run).rejects.toThrow('enough');
  await expect(pool.run(slow, 1, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  });
  await expect(pool.run(fn('failOdd'), 1)).rejects.toMatchObject({
    code: 'ERR_PADATA_JOB_FAILED',
    cause: expect.objectContaining({ name: 'RangeError' }),
  });
  await expect(pool.run(fn('noSuchFunction'), 1)).rejects.toMatchObject({
    code: 'ERR_PADATA_MODULE',
  });
  await expect(pool.run(fn('twice'), 1, { window: 3 } as never)).rejects.toMatchObject({
    code: 'ERR_PADATA_ARGUMENT',
  });
  await expect(pool.run({} as never, 1)).rejects.toMatchObject({ code: 'ERR_PADATA_ARGUMENT' });
  await pool.close();
  await expect(pool.run(fn('twice'), 1)).rejects.toMatchObject({ code: 'ERR_PADATA_CLOSED' });
});

test('a transfer list goes with a request', async () => {
  pool = createWorkPool({ threads: 1 });
  const bytes = new Uint8Array(1000);
  const size = fn<(b: Uint8Array) => Promise<number>>('buffers');
  expect(await pool.run(size, bytes, { transfer: [bytes.buffer] })).toBe(1000);
  expect(bytes.byteLength).toBe(0);
});

test('a hundred modules, one after another, while one keeps a thread: those that are idle are let go of', async () => {
  pool = createWorkPool({ threads: 2 });
  const words = new Int32Array(new SharedArrayBuffer(64));
  const waits = pool.run(fn<(gate: Int32Array) => void>('untilOpen'), words);
  for (const n of range(100)) {
    const module = new URL(`../fixtures/series-jobs.mjs?copy=${n}`, import.meta.url);
    expect(await pool.run(fn<(n: number) => number>('twice', module), n)).toBe(2 * n);
  }
  Atomics.store(words, 0, 1);
  Atomics.notify(words, 0);
  await waits;
});

test('without threads requests run here', async () => {
  pool = createWorkPool({ threads: 0 });
  expect(
    await Promise.all(range(20).map((n) => pool.run(fn<(n: number) => number>('twice'), n))),
  ).toEqual(range(20).map((n) => 2 * n));
});
