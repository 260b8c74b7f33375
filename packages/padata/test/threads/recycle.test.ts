// Threads that are replaced after so many jobs, or when their heap has grown: one at a time, and nothing is lost by it.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { SeriesOptions, WorkPool } from '@bootmem/padata';
import { Recycling } from '../../dist/crew/recycling.js';
import { Wear } from '../../dist/loop/wear.js';

const module = new URL('../fixtures/recycle-jobs.mjs', import.meta.url);
const named = (name: string) => ({ module, name });
type Any = (input: unknown) => unknown;
type Where = [thread: number, nth: number];
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
};

let words: Int32Array;
let pool: WorkPool;
beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(64));
});
afterEach(() => pool.close());

/** Who came and went, and that nobody was missed who had not been asked to leave. */
function watch(made: WorkPool): { ready: number; exits: number; fewest: number } {
  const seen = { ready: 0, exits: 0, fewest: Infinity };
  made.on('worker-ready', () => (seen.ready += 1));
  made.on('worker-exit', ({ expected }) => {
    expect(expected).toBe(true);
    seen.exits += 1;
    seen.fewest = Math.min(seen.fewest, made.stats().ready);
  });
  return seen;
}

test.each([
  ['where', 'submission', {}],
  ['where', 'none', {}],
  ['whereLater', 'submission', { pendingPerThread: 4 }],
  ['whereLater', 'none', {}],
] as const)('a thread is replaced after so many jobs: %s, order %s', async (name, order, more) => {
  pool = createWorkPool({ threads: 3, recycle: { jobs: 50 } });
  const seen = watch(pool);
  await pool.ready();
  const options: Partial<SeriesOptions<Any>> = { order, ...more };
  await using s = pool.series<Any>({ fn: named(name), ...options });
  const told = new Map<number, number>();
  let jobs = 0;
  while (seen.ready < 3 + 4) {
    const inputs = range(200).map((n) => (n % 3 === 0 ? new Map([[n, n]]) : n));
    const all = (await Promise.all(inputs.map((input) => s.run(input)))) as Where[];
    jobs += all.length;
    for (const [thread] of all) told.set(thread, (told.get(thread) ?? 0) + 1);
  }
  expect([...told.values()].reduce((sum, n) => sum + n, 0)).toBe(jobs);
  expect([pool.stats().deaths, s.stats().failed, s.stats().retried]).toEqual([0, 0, 0]);
  // One at a time.
  expect(seen.fewest).toBeGreaterThanOrEqual(2);
  // None before its time: whoever has left has run as many.
  const living = new Set(told.keys());
  expect(living.size).toBeGreaterThan(3);
});

test('results come in order, and what was set up is torn down', async () => {
  pool = createWorkPool({
    threads: 2,
    recycle: { jobs: 20 },
    setup: named('open'),
    teardown: named('close'),
    setupArg: { words },
  });
  const seen = watch(pool);
  await using s = pool.series<Any>({
    fn: { module: new URL('../fixtures/series-jobs.mjs', import.meta.url), name: 'same' },
  });
  let at = 0;
  for await (const n of s.map(range(2000))) expect(n).toBe(at++);
  await until(() => seen.exits > 0);
  await s.close();
  await pool.close();
  expect(words[3]).toBe(words[2]);
  expect(words[2]).toBeGreaterThan(2);
});

test('the only thread is replaced too; jobs that come meanwhile wait', async () => {
  pool = createWorkPool({ threads: 1, recycle: { jobs: 10 } });
  const told = new Map<number, number>();
  for (const n of range(60)) {
    const [thread, nth] = (await pool.run(named('where'), n)) as Where;
    told.set(thread, nth);
  }
  expect(told.size).toBeGreaterThan(2);
  // The last one is still at it.
  for (const nth of [...told.values()].slice(0, -1)) expect(nth).toBeGreaterThanOrEqual(10);
});

test('the only thread is not told to leave while it waits for a promise: others would wait for that', async () => {
  pool = createWorkPool({ threads: 1, recycle: { jobs: 5 } });
  await using s = pool.series<Any>({ fn: named('pend'), shared: words, order: 'none' });
  const long = s.run('long');
  await until(() => words[0] === 1);
  const first = (await pool.run(named('where'), 0)) as Where;
  for (const n of range(20)) {
    const [thread] = (await pool.run(named('where'), n)) as Where;
    expect(thread).toBe(first[0]);
  }
  Atomics.store(words, 1, 1);
  expect(((await long) as unknown[]).slice(0, 2)).toEqual(['long', first[0]]);
  let last: Where;
  do last = (await pool.run(named('where'), 0)) as Where;
  while (last[0] === first[0]);
  expect(last[1]).toBeLessThan(20);
});

test('the only thread stays if it has begun a promise before it hears that it may leave', async () => {
  pool = createWorkPool({ threads: 1, recycle: { jobs: 1 } });
  for (const n of range(40)) {
    const shared = new Int32Array(new SharedArrayBuffer(64));
    await using s = pool.series<Any>({ fn: named('pair'), shared });
    // The first waits for the second, which nobody but its thread can run.
    const both = [s.run('waits')];
    for (let turns = n % 5; turns > 0; turns -= 1) await new Promise((r) => setTimeout(r));
    both.push(s.run('tells'));
    expect(await Promise.all(both)).toEqual(['waits', 'tells']);
  }
});

test('a promise that begins while the word that the only thread may leave is on its way to it', async () => {
  pool = createWorkPool({ threads: 1, recycle: { jobs: 300 } });
  await using s = pool.series<Any>({ fn: named('either'), shared: words });
  await using release = pool.series<Any>({ fn: named('release'), shared: words });
  await Promise.all([s.ready(), release.ready()]);
  const begun = (jobs: number): void => {
    while (Atomics.load(words, 0) < jobs);
  };
  // Quick ones, so that it reserves several at once.
  for (let n = 0; n < 280; n += 1) await s.run(0);
  // The event loop stands still: it is not heard that the thread is worn.
  const quick = range(40).map(() => s.run(0));
  await Promise.resolve();
  begun(320);
  for (const until = performance.now() + 20; performance.now() < until;);
  const blocks = s.run(1);
  const pends = s.run(2);
  const others = [s.run(0), s.run(0)];
  await Promise.resolve();
  begun(321);
  // Now it is. The thread waits for no promise, so it is told that it may leave; then the one behind the gate begins.
  await Promise.all(quick);
  await new Promise((resolve) => setTimeout(resolve, 5));
  Atomics.store(words, 1, 1);
  Atomics.notify(words, 1);
  expect(await blocks).toBe(1);
  expect(await release.run(7)).toBe(7);
  expect(await Promise.all([pends, ...others])).toEqual([2, 0, 0]);
});

test('a promise that begins when the only thread has been told that it may leave', async () => {
  pool = createWorkPool({ threads: 1, recycle: { jobs: 1 } });
  await using s = pool.series<Any>({ fn: named('either'), shared: words });
  await using release = pool.series<Any>({ fn: named('release'), shared: words });
  await Promise.all([s.ready(), release.ready()]);
  // The event loop stands still until the thread is worn and its next job has begun.
  const both = [s.run(0), s.run(3)];
  await Promise.resolve();
  while (Atomics.load(words, 0) < 2);
  await until(() => pool.stats().ready === 0);
  Atomics.store(words, 1, 1);
  Atomics.notify(words, 1);
  expect(await release.run(7)).toBe(7);
  expect(await Promise.all(both)).toEqual([0, 2]);
});

test('promises of a thread that leaves go on while jobs wait that it takes no more', async () => {
  pool = createWorkPool({ threads: 2, recycle: { jobs: 1 }, spin: 1000 });
  const blocked = new Int32Array(new SharedArrayBuffer(64));
  await using pending = pool.series<Any>({ fn: named('pend'), shared: words, workers: [2] });
  await using blocking = pool.series<Any>({ fn: named('block'), shared: blocked, workers: [1] });
  const block = blocking.run(1);
  const pend = pending.run(2);
  await until(() => blocked[0] === 1 && words[0] === 1 && pool.stats().ready === 1);
  const jobs = range(20).map((n) => pool.run(named('where'), n));
  Atomics.store(words, 1, 1);
  expect(((await pend) as unknown[])[0]).toBe(2);
  Atomics.store(blocked, 1, 1);
  Atomics.notify(blocked, 1);
  await Promise.all([block, ...jobs]);
});

test('a thread whose heap has grown is replaced; one that leaves only garbage is not', async () => {
  const heapBytes = 60 * 2 ** 20;
  pool = createWorkPool({ threads: 1, recycle: { heapBytes } });
  const seen = watch(pool);
  const threads = new Set<number>();
  while (threads.size < 2) threads.add(((await pool.run(named('keep'), 20_000)) as Where)[0]);
  expect(seen.exits).toBe(1);
  await pool.close();
  pool = createWorkPool({ threads: 1, recycle: { heapBytes: 200 * 2 ** 20 } });
  const other = watch(pool);
  for (const n of range(100)) await pool.run(named('waste'), 10_000 + n);
  expect(other.exits).toBe(0);
});

test('a heap is too large when it was so in several looks, some time apart', () => {
  pool = createWorkPool({ threads: 0 });
  const at = { jobsRun: 0, heap: 10, told: 0 };
  const host = {
    get jobsRun() {
      return at.jobsRun;
    },
    heapBytes: () => at.heap,
    tell: () => (at.told += 1),
  };
  const wear = new Wear({ jobs: undefined, heapBytes: 100 }, host);
  let now = 1000;
  const look = (times: number, heap: number): number => {
    at.heap = heap;
    for (let i = 0; i < times; i += 1) wear.look((now += 20));
    return at.told;
  };
  expect([look(20, 100), look(4, 101), look(1, 50), look(4, 101)]).toEqual([0, 0, 0, 0]);
  for (let i = 0; i < 100; i += 1) wear.look(now + 1);
  expect(at.told).toBe(0);
  expect([look(1, 101), look(50, 101)]).toEqual([1, 1]);
  const never = new Wear({ jobs: 3, heapBytes: undefined }, host);
  at.jobsRun = 2;
  never.look(0);
  expect(at.told).toBe(1);
  at.jobsRun = 3;
  never.look(0);
  never.look(0);
  expect(at.told).toBe(2);
});

test('one at a time, in the order in which they say so; whoever leaves anyway holds nobody up', () => {
  pool = createWorkPool({ threads: 0 });
  const thread = (id: number) => ({ id, state: 'ready' });
  const [a, b, c] = [thread(1), thread(2), thread(3)] as const;
  const told: number[] = [];
  let may = true;
  const recycling = new Recycling<{ readonly id: number; state: string }>({
    mayLeave: () => may,
    retire: (member) => {
      member.state = 'leaving';
      told.push(member.id);
    },
  });
  recycling.worn(b);
  recycling.worn(a);
  recycling.worn(c);
  expect(told).toEqual([2]);
  recycling.ready(1);
  expect(told).toEqual([2]);
  // a was told to leave by another.
  a.state = 'leaving';
  recycling.ended(b);
  may = false;
  recycling.ready(2);
  expect(told).toEqual([2]);
  may = true;
  const again = thread(2);
  recycling.worn(again);
  expect(told).toEqual([2, 3]);
  // The third is not wanted any more.
  recycling.resized((id) => id <= 2);
  expect(told).toEqual([2, 3, 2]);
  recycling.stop();
});

test('one that was asked and goes on is asked again', async () => {
  pool = createWorkPool({ threads: 0 });
  const told: number[] = [];
  const recycling = new Recycling<{ readonly id: number; state: string }>({
    mayLeave: () => true,
    retire: (member) => {
      member.state = 'leaving';
      told.push(member.id);
    },
  });
  const a = { id: 1, state: 'ready' };
  const b = { id: 2, state: 'leaving' };
  recycling.worn(a);
  // Another has asked this one.
  recycling.worn(b);
  a.state = 'ready';
  recycling.stays(a);
  expect(told).toEqual([1]);
  await until(() => told.length === 2);
  recycling.ended(a);
  recycling.ready(1);
  b.state = 'ready';
  recycling.stays(b);
  await until(() => told.length === 3);
  expect(told).toEqual([1, 1, 2]);
  // One that is not worn.
  recycling.ready(2);
  recycling.stays({ id: 3, state: 'ready' });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(told).toHaveLength(3);
  recycling.stop();
});

test.each([
  [{ recycle: 5 }],
  [{ recycle: { jobs: 0 } }],
  [{ recycle: { heapBytes: -1 } }],
  [{ recycle: { job: 1 } }],
  [{ recycle: null }],
])('%p is a mistake', (options) => {
  pool = createWorkPool({ threads: 0 });
  expect(() => createWorkPool({ threads: 1, ...(options as object) })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
  );
});
