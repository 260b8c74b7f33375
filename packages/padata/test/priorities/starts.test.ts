// Whose job begins when jobs of several series wait: the order of starts that the functions themselves write down.
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool, map, parallelFor, wrap } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';
import type { FunctionRef, SeriesOptions, WorkPool } from '@bootmem/padata';

type Priority = NonNullable<SeriesOptions['priority']>;
type Note = (input: unknown) => void;
const module = new URL('../fixtures/priority-jobs.mjs', import.meta.url);
const fn = (name: string): FunctionRef<Note> => ({ module, name });
const PRIORITIES: readonly Priority[] = ['high', 'normal', 'low'];
const markOf = (priority: Priority): number => PRIORITIES.indexOf(priority) + 1;
let pool: WorkPool;
afterEach(() => pool.close());

/** A pool whose threads are kept until `open`; what is submitted before waits. */
async function setUp(threads: number, kept = threads) {
  pool = createWorkPool({ threads });
  const words = new Int32Array(new SharedArrayBuffer(64));
  const log = new Uint8Array(new SharedArrayBuffer(1 << 16));
  const shared = { words, log };
  const series = (priority: Priority, more: Partial<SeriesOptions> = {}) =>
    pool.series<Note>({ fn: fn('note'), window: 1024, shared, priority, ...more } as never);
  const gates = pool.series<Note>({
    fn: fn('gate'),
    shared,
    priority: 'high',
    pendingPerThread: 1,
  });
  await pool.load(fn('note'));
  const held = Array.from({ length: kept }, () => gates.run(0));
  while (Atomics.load(words, 3) < kept) await new Promise((resolve) => setImmediate(resolve));
  const open = async (): Promise<void> => {
    Atomics.store(words, 0, 1);
    Atomics.notify(words, 0);
    await Promise.all(held);
  };
  /** The marks of all starts, in their order. */
  const starts = (): number[] => [...log.subarray(0, Atomics.load(words, 1))];
  return { words, shared, series, open, starts };
}

/**
 * Most starts in a row without one of this mark, while one of it waits. The last ones, a thread each, may be with threads that
 * have taken them and do not get to write it down.
 */
function longestWithout(starts: readonly number[], mark: number, threads = 1): number {
  let longest = 0;
  let now = 0;
  const places = starts.flatMap((start, at) => (start === mark ? [at] : []));
  for (const start of starts.slice(0, (places.at(-threads) ?? -1) + 1)) {
    now = start === mark ? 0 : now + 1;
    longest = Math.max(longest, now);
  }
  return longest;
}

const values = [
  ['numbers', (mark: number): unknown => mark],
  ['inputs by message', (mark: number): unknown => new Map([['mark', mark]])],
] as const;

test.each(
  values.flatMap(([what, input]) =>
    (['submission', 'none'] as const).map((order) => [what, order, input] as const),
  ),
)(
  'one thread, %s, order %s: high before normal before low, but 1 of 16',
  async (_, order, input) => {
    const { series, open, starts } = await setUp(1);
    const all = [...PRIORITIES].reverse().flatMap((priority) => {
      const jobs = series(priority, { order });
      return Array.from({ length: 64 }, () => jobs.run(input(markOf(priority))));
    });
    await open();
    await Promise.all(all);
    const list = starts();
    expect(list).toHaveLength(3 * 64);
    // Nothing lower begins but in its turn: 14 high ones at least before it, 15 at most.
    const high = list.slice(0, list.lastIndexOf(1));
    expect(longestWithout(high, 3)).toBeLessThanOrEqual(15);
    expect(longestWithout(high, 2)).toBeLessThanOrEqual(16);
    expect(high.filter((mark) => mark === 3).length).toBeLessThanOrEqual(1 + high.length / 16);
    expect(list.slice(0, 14)).toEqual(new Array(14).fill(1));
  },
);

test('of many threads and many series: each level has its share, each series of it too', async () => {
  const { series, open, starts } = await setUp(4);
  const low = Array.from({ length: 3 }, () => series('low', { order: 'none' }));
  const high = Array.from({ length: 3 }, () => series('high'));
  const jobs = [
    ...low.flatMap((one, n) => Array.from({ length: 40 }, () => one.run(10 + n))),
    ...high.flatMap((one) => Array.from({ length: 800 }, () => one.run(1))),
  ];
  await open();
  await Promise.all(jobs);
  const list = starts();
  const marks = list.map((mark) => (mark >= 10 ? 3 : mark));
  // Between the decision and the start of a job other threads begin theirs: a few more or less.
  expect(longestWithout(marks, 3, 1 + 4)).toBeLessThanOrEqual(15 + 15 * 4);
  const busy = marks.slice(0, marks.lastIndexOf(1));
  const lows = busy.filter((mark) => mark === 3).length;
  expect(lows).toBeGreaterThanOrEqual(Math.min(120, Math.floor(busy.length / 16) - 4));
  for (const n of [10, 11, 12]) expect(list.slice(0, 800)).toContain(n);
});

test('threads that die: what was passed over is not forgotten with them', async () => {
  const { words, shared, series, open, starts } = await setUp(2);
  Atomics.store(words, 2, 12);
  const options = { fn: fn('noteOrDie'), shared, retries: 100, idempotent: true };
  const high = series('high', options);
  const low = series('low');
  const jobs = [
    ...Array.from({ length: 60 }, () => low.run(3)),
    ...Array.from({ length: 600 }, () => high.run(1)),
  ];
  await open();
  const ends = await Promise.allSettled(jobs);
  expect(ends.every(({ status }) => status === 'fulfilled')).toBe(true);
  expect(pool.stats().deaths).toBe(12);
  const list = starts();
  const busy = list.slice(0, list.lastIndexOf(1));
  const lows = busy.filter((mark) => mark === 3).length;
  // A death between the turn and the job costs that turn.
  expect(lows).toBeGreaterThanOrEqual(Math.min(60, Math.floor(busy.length / 16) - 2 - 12));
}, 60_000);

test('a series that one thread may serve is not passed by others of its level: that thread counts too', async () => {
  const { shared, series, open, starts } = await setUp(2);
  const who = { fn: fn('noteWho'), shared };
  const one = series('low', { ...who, workers: [1] });
  const two = series('low', { ...who, workers: [2] });
  const high = series('high', who);
  const jobs = [
    ...Array.from({ length: 20 }, () => one.run(11)),
    ...Array.from({ length: 20 }, () => two.run(12)),
    ...Array.from({ length: 1000 }, () => high.run(1)),
  ];
  await open();
  await Promise.all(jobs);
  const list = starts();
  const of = (thread: number) => list.filter((mark) => Math.trunc(mark / 100) === thread);
  expect(longestWithout(of(0), 11)).toBeLessThanOrEqual(61);
  expect(longestWithout(of(1), 112)).toBeLessThanOrEqual(61);
});

test('a job of high priority that comes while others of a low one run begins next', async () => {
  const { words, series, open, starts } = await setUp(1);
  const low = series('low');
  const high = series('high');
  const jobs = Array.from({ length: 1000 }, () => low.run(3));
  await open();
  while (Atomics.load(words, 1) < 20) await new Promise((resolve) => setImmediate(resolve));
  jobs.push(high.run(1));
  const before = Atomics.load(words, 1);
  await Promise.all(jobs);
  // One may have been chosen before it came, and begin after it.
  expect(starts().indexOf(1)).toBeLessThanOrEqual(before + 1);
});

test('an input by message goes to the thread that may run it, whichever that is of many', async () => {
  const { shared, series, open } = await setUp(3, 0);
  await open();
  series('high');
  for (const worker of [3, 1, 2]) {
    const options = { fn: fn('noteWho'), shared, workers: [worker] };
    const one = series('low', options);
    await Promise.all([one.run(new Map() as never), one.run(new Date(0) as never)]);
  }
});

test('promises: a level below waits while a job is left to a thread that has nothing to do', async () => {
  const { shared, series, open, starts } = await setUp(2);
  const later = { fn: fn('noteLater'), shared };
  const low = series('low');
  const high = series('high', later);
  const jobs = [
    ...Array.from({ length: 100 }, () => low.run(3)),
    ...Array.from({ length: 100 }, () => high.run(1)),
  ];
  await open();
  await Promise.all(jobs);
  const list = starts();
  expect(list.filter((mark) => mark === 1)).toHaveLength(100);
  expect(list.slice(0, 8).filter((mark) => mark === 1).length).toBeGreaterThanOrEqual(7);
});

test('without threads the calling thread begins by priority too', async () => {
  pool = createWorkPool({ threads: 0 });
  const shared = {
    words: new Int32Array(new SharedArrayBuffer(64)),
    log: new Uint8Array(new SharedArrayBuffer(1024)),
  };
  const of = (priority: Priority) => pool.series({ fn: fn('note'), shared, priority });
  const [low, high] = [of('low'), of('high')];
  await Promise.all([low.loadHere(), high.loadHere()]);
  const jobs = [
    ...Array.from({ length: 40 }, () => low.run(3)),
    ...Array.from({ length: 80 }, () => high.run(1)),
  ];
  await Promise.all(jobs);
  const list = [...shared.log.subarray(0, 120)];
  expect(list.slice(0, 15)).toEqual(new Array(15).fill(1));
  expect(list[15]).toBe(3);
  expect(list.slice(0, list.lastIndexOf(1)).filter((mark) => mark === 3).length).toBe(5);
});

test('run, map, wrap and shells take a priority; what runs in chunks, and one job of a series, has none of its own', async () => {
  const { shared, open } = await setUp(1, 0);
  await open();
  const twice = { module: new URL('../fixtures/series-jobs.mjs', import.meta.url), name: 'twice' };
  type Twice = (n: number) => number;
  const ref: FunctionRef<Twice> = twice;
  expect(await pool.run(ref, 4, { priority: 'high' })).toBe(8);
  expect(await pool.run(ref, 4, { priority: 'low', timeoutMs: 60_000 })).toBe(8);
  expect(await map(pool, [1, 2], ref, { priority: 'low' })).toEqual([2, 4]);
  const jobs = wrap<{ twice: Twice }>(pool, twice.module, { priority: 'high' });
  expect(await jobs.twice(5)).toBe(10);
  const shell = createPadata(pool).createShell({ parallel: ref, priority: 'low' });
  await new Promise<void>((resolve) => {
    const serial = (_error: unknown, result: unknown): void => {
      expect(result).toBe(12);
      resolve();
    };
    shell.submit({ input: 6, serial });
  });
  const argument = { code: 'ERR_PADATA_ARGUMENT' };
  const bad = expect.objectContaining(argument);
  for (const priority of ['urgent', 3, null]) {
    expect(() => pool.series({ fn: ref, priority } as never)).toThrow(bad);
    await expect(pool.run(ref, 1, { priority } as never)).rejects.toMatchObject(argument);
  }
  const series = pool.series({ fn: ref, shared });
  await expect(series.run(1, { priority: 'high' } as never)).rejects.toMatchObject(argument);
  await expect(
    parallelFor(pool, 0, 10, twice, { priority: 'high' } as never),
  ).rejects.toMatchObject(argument);
});
