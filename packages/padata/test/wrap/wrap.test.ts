// wrap: a module's functions as members that run in threads. Its types are checked by types.ts.
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool, wrap } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';
import type * as Jobs from '../fixtures/wrapped-jobs.mjs';

const url = new URL('../fixtures/wrapped-jobs.mjs', import.meta.url);
let pool: WorkPool;
afterEach(() => pool.close());

test('members run the functions of their names, with what crosses threads', async () => {
  pool = createWorkPool({ threads: 2 });
  await using jobs = wrap<typeof Jobs>(pool, url, { shared: { base: 100 } });
  expect(await jobs.later(1)).toBe('after 1');
  expect(await jobs.noArgument()).toBe(42);
  expect([await jobs.optional(), await jobs.optional(3)]).toEqual([7, 3]);
  const bytes = await jobs.hash(new Uint8Array([1, 2, 3]));
  expect(bytes).toEqual(new Uint8Array([3, 2, 1]));
  expect(bytes.constructor.name).toBe('Uint8Array');
  expect(await jobs.plus(1)).toBe(101);
  const [[deep, worker]] = [...(await jobs.where({ deep: ['a', 'b'] }))] as [[string, number]];
  expect(deep).toBe('a,b');
  expect([1, 2]).toContain(worker);
  expect(jobs.later).toBe(jobs.later);
});

test('calls are independent, unless an order is asked for', async () => {
  pool = createWorkPool({ threads: 2 });
  for (const order of ['none', 'submission'] as const) {
    const jobs = wrap<Pick<typeof Jobs, 'later'>>(
      pool,
      url,
      order === 'none' ? undefined : { order },
    );
    const told: number[] = [];
    await jobs.later(0);
    await Promise.all(
      [200, 0].map(async (ms) => told.push(Number((await jobs.later(ms)).slice(6)))),
    );
    expect(told).toEqual(order === 'none' ? [0, 200] : [200, 0]);
  }
});

test('a member takes the options of a job; what is no function rejects', async () => {
  pool = createWorkPool({ threads: 1 });
  const jobs = wrap<typeof Jobs>(pool, url, { shared: { base: 1 } });
  await expect(jobs.later(100_000, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  const bytes = new Uint8Array(8);
  await jobs.hash(bytes, { transfer: [bytes.buffer] });
  expect(bytes.byteLength).toBe(0);
  for (const name of ['version', 'nowhere']) {
    const member = (jobs as unknown as Record<string, () => Promise<unknown>>)[name]!;
    await expect(member()).rejects.toMatchObject({ code: 'ERR_PADATA_MODULE' });
  }
  expect(await jobs.noArgument()).toBe(42);
});

test('it is no promise, nothing can be put in, and its mistakes are coded', async () => {
  pool = createWorkPool({ threads: 1 });
  const jobs = wrap<Pick<typeof Jobs, 'later'>>(pool, url);
  expect(await Promise.resolve(jobs)).toBe(jobs);
  expect(Object.keys(jobs)).toEqual([]);
  const argument = expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' });
  expect(() => Object.assign(jobs, { later: 1 })).toThrow(argument);
  expect(() => wrap(pool, './jobs.mjs')).toThrow(argument);
  expect(() => wrap(pool, url, 5 as never)).toThrow(argument);
  await expect(
    wrap<Pick<typeof Jobs, 'later'>>(pool, url, { window: -1 }).later(1),
  ).rejects.toEqual(argument);
});

test('when it is disposed of, what is under way has ended, and later calls are refused', async () => {
  pool = createWorkPool({ threads: 2 });
  const jobs = wrap<Pick<typeof Jobs, 'later' | 'noArgument'>>(pool, url);
  const run = jobs.later(50);
  let ended = false;
  void run.then(() => (ended = true));
  await jobs[Symbol.asyncDispose]();
  expect(ended).toBe(true);
  await expect(jobs.later(1)).rejects.toMatchObject({ code: 'ERR_PADATA_CLOSED' });
  // One that was not called before, too.
  await expect(jobs.noArgument()).rejects.toMatchObject({ code: 'ERR_PADATA_CLOSED' });
});
