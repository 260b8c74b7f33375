// What a program sets up on each thread: once, before all else, torn down before the thread ends; and set-ups that fail,
// hang or end their threads, which no job waits for without end.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkPool, map, orderedMap, wrap } from '@bootmem/padata';
import type { PadataError, WorkPool, WorkPoolOptions } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';

const module = new URL('../fixtures/setup-jobs.mjs', import.meta.url);
const named = (name: string) => ({ module, name });
const same = { module: new URL('../fixtures/series-jobs.mjs', import.meta.url), name: 'same' };
type Any = (input: unknown) => unknown;
const range = (n: number) => Array.from({ length: n }, (_, i) => i);

let words: Int32Array;
let pool: WorkPool;
let errors: PadataError[];
beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(64));
  errors = [];
});
afterEach(() => pool.close());

/** Begun, ended; teardowns begun, ended. */
const counts = () => [...words.slice(0, 4)];
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
};

function make(how: string, options: WorkPoolOptions = {}, more: object = {}): WorkPool {
  pool = createWorkPool({
    threads: 2,
    setup: named('open'),
    teardown: named('close'),
    setupArg: { how, words, ...more },
    ...options,
  });
  pool.on('error', ({ error }) => errors.push(error));
  return pool;
}

test.each(['well', 'later'])('each thread is set up once, %s, and torn down once', async (how) => {
  make(how, { threads: 3 });
  await pool.ready();
  expect(counts()).toEqual([3, 3, 0, 0]);
  const seen = new Set<number>();
  const note = ([nth, isOwn]: [number, boolean]): void => {
    expect(isOwn).toBe(true);
    seen.add(nth);
  };
  for (const order of ['submission', 'none'] as const) {
    await using s = pool.series<Any>({ fn: named('nth'), order });
    const all = await Promise.all(range(300).map((n) => s.run(n % 2 === 0 ? n : new Map())));
    for (const one of all) note(one as [number, boolean]);
  }
  const jobs = wrap<{ nth: (n: number) => [number, boolean] }>(pool, module);
  note(await jobs.nth(1));
  note((await pool.run(named('nth'), 1)) as [number, boolean]);
  expect(Math.max(...seen)).toBeLessThan(3);
  await pool.close();
  expect(counts()).toEqual([3, 3, 3, 3]);
  expect([words[5], errors]).toEqual([0, []]);
});

test('jobs that come before wait; those by message and those in the slot', async () => {
  make('waits', { threads: 1 });
  const s = pool.series<Any>({ fn: named('later') });
  const jobs = [1, new Map([[1, 2]]), 'three'].map((input) => s.run(input));
  let isReady = false;
  const ready = s.ready().then(() => (isReady = true));
  const all = pool.ready();
  await until(() => words[0] === 1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect([s.stats().delivered, isReady, pool.stats().ready]).toEqual([0, false, 0]);
  Atomics.store(words, 4, 1);
  expect(await Promise.all(jobs)).toEqual([
    [1, true],
    [new Map([[1, 2]]), true],
    ['three', true],
  ]);
  await ready;
  await all;
});

test('a value of any kind is local; without a setup there is only what is torn down', async () => {
  make('', { setup: named('plain'), teardown: named('closesAlone'), setupArg: 5 });
  expect(await pool.run(named('local'), 0)).toBe('plain 5');
  await pool.close();
  pool = createWorkPool({ threads: 1, teardown: named('closesAlone') });
  expect(await pool.run(named('local'), 0)).toBeUndefined();
  await pool.close();
  pool = createWorkPool({ threads: 1 });
  expect(await pool.run(named('local'), 0)).toBeUndefined();
});

test('the calling thread is set up when it runs a function itself, and no sooner', async () => {
  make('later', { threads: 0 });
  expect(counts()).toEqual([0, 0, 0, 0]);
  const jobs = await map(pool, range(20), named('nth'));
  expect(jobs).toEqual(range(20).map(() => [0, true]));
  const marks = new SharedArrayBuffer(4 * 50);
  const job = { threadFn: named('chunk'), arg: { marks } };
  await pool.runMultithreaded({ ...job, start: 0, size: 50 });
  expect([...new Int32Array(marks)]).toEqual(range(50).map(() => 1));
  expect(counts()).toEqual([1, 1, 0, 0]);
  await pool.close();
  expect([counts(), words[5]]).toEqual([[1, 1, 1, 1], 0]);

  make('later', { backend: 'inline' });
  await pool.load(named('nth'));
  expect(await pool.run(named('nth'), 1)).toEqual([1, true]);
  await pool.close();
  expect(counts()).toEqual([2, 2, 2, 2]);
});

test('a program that does nothing itself is not set up there; one that takes part is', async () => {
  make('well');
  await pool.ready();
  const seen = await map(pool, range(50), named('nth'));
  expect(seen).toHaveLength(50);
  expect(counts()[0]).toBe(2);
  const { series } = {
    series: pool.series<Any>({ fn: named('nth'), onFull: 'inline', window: 1 }),
  };
  const all = (await Promise.all(range(40).map((n) => series.run(n)))) as [number, boolean][];
  expect(all.every(([, isOwn]) => isOwn)).toBe(true);
  await until(() => words[1] === 3);
  await pool.close();
  expect(counts()).toEqual([3, 3, 3, 3]);
});

test.each(['chunk', 'chunkLater'])('chunk functions get it last: %s', async (name) => {
  make('later', { threads: 2 });
  const marks = new SharedArrayBuffer(4 * 4000);
  const job = { threadFn: named(name), arg: { marks }, start: 0, size: 4000 };
  const { workers } = await pool.runMultithreaded(job);
  const ran = new Set(workers.map(({ worker }) => 1 + worker));
  expect(new Set(new Int32Array(marks))).toEqual(ran);
  if (name === 'chunkLater') return;
  const prepared = await pool.prepareRange({ threadFn: named(name), arg: { marks } });
  prepared.runSync(0, 4000);
  expect(new Int32Array(marks).every((n) => n > 0)).toBe(true);
  pool.runMultithreadedSync(job);
  prepared.close();
});

test('a range job that goes on while the pool closes keeps what the calling thread has set up', async () => {
  make('later', { threads: 0 });
  const marks = new SharedArrayBuffer(4 * 50);
  const job = { threadFn: named('chunkLater'), arg: { marks }, start: 0, size: 50 };
  const range = pool.runMultithreaded(job);
  await until(() => words[1] === 1);
  await pool.close();
  await range;
  expect(new Int32Array(marks).every((n) => n === 1)).toBe(true);
  expect(counts()).toEqual([1, 1, 1, 1]);
});

test('a synchronous run needs what `load` sets up; undo functions have it too', async () => {
  make('later', { threads: 0 });
  const marks = new SharedArrayBuffer(4 * 100);
  const job = { threadFn: named('chunk'), arg: { marks }, start: 0, size: 100 };
  expect(() => pool.runMultithreadedSync(job)).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_MODULE' }),
  );
  await pool.load(named('chunk'));
  pool.runMultithreadedSync(job);
  expect(new Int32Array(marks)[99]).toBe(1);
  const failing = { ...job, threadFn: named('fails'), undoFn: named('undo'), maxThreads: 3 };
  await expect(pool.runMultithreaded(failing)).rejects.toMatchObject({
    code: expect.stringMatching('ERR_PADATA_CHUNK_FAILED') as unknown,
  });
});

test('shells have it, in threads and where the caller runs the function', async () => {
  make('later', { threads: 1, works: 0 });
  const shell = createPadata(pool).createShell<Any>({ parallel: named('nth') });
  await shell.ready();
  const told: unknown[] = [];
  for (const input of range(5)) {
    shell.submit({ input, serial: (error, value) => told.push(error ?? value) });
  }
  await shell.drain();
  expect((told as [number, boolean][]).map(([, isOwn]) => isOwn)).toEqual(range(5).map(() => true));
});

test('a thread that is not wanted any more is torn down, and one that comes is set up', async () => {
  make('well', { threads: 3 });
  await pool.ready();
  pool.resize(1);
  await until(() => words[3] === 2);
  pool.resize(2);
  await pool.ready();
  expect(counts()).toEqual([4, 4, 2, 2]);
  await pool.close();
  expect(counts()).toEqual([4, 4, 4, 4]);
});

test('one that is told to leave while it is set up is torn down all the same', async () => {
  const ways = [
    () => pool.close(),
    () => {
      pool.resize(0);
      return Promise.resolve();
    },
  ];
  for (const leave of ways) {
    words.fill(0);
    make('waits', { threads: 2 });
    await until(() => words[0] === 2);
    const left = leave();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(counts()).toEqual([2, 0, 0, 0]);
    Atomics.store(words, 4, 1);
    await left;
    await until(() => words[3] === 2);
    await pool.close();
    expect([counts(), words[5], errors]).toEqual([[2, 2, 2, 2], 0, []]);
  }
});

test('a thread that a job ends is replaced by one that is set up; nothing is torn down in it', async () => {
  make('well', { threads: 1 });
  await expect(pool.run(named('dies'), 0)).rejects.toMatchObject({
    code: 'ERR_PADATA_WORKER_DIED',
  });
  expect(await pool.run(named('nth'), 0)).toEqual([1, true]);
  await pool.close();
  expect(counts()).toEqual([2, 2, 1, 1]);
  expect(errors).toEqual([]);
});

test('one that is ended by force is not torn down', async () => {
  make('well', { threads: 1 });
  await using s = pool.series<Any>({ fn: named('stands'), graceMs: 1 });
  const control = new AbortController();
  const job = s.run(0, { signal: control.signal });
  await until(() => pool.stats().ready === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  control.abort();
  await expect(job).rejects.toThrow();
  await until(() => words[1] === 2);
  await pool.close();
  expect(counts()).toEqual([2, 2, 1, 1]);
});

test('what a job waits for has ended, or was given time to, before the teardown', async () => {
  make('well', { threads: 1 });
  const job = pool.run(named('waits'), { words });
  await until(() => words[6] === 1);
  pool.resize(0);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(words[2]).toBe(0);
  Atomics.store(words, 4, 1);
  expect(await job).toBe(true);
  await until(() => words[3] === 1);
});

const SETUP = 'ERR_PADATA_SETUP';

test.each([
  ['throws', 1, { cause: { name: 'RangeError', message: 'no room', code: 'EROOM' } }],
  ['throws', 4, { message: expect.stringMatching(/no room/) }],
  ['throws nothing', 1, {}],
  ['exits', 1, { message: expect.stringMatching(/exit code 7/) }],
  ['exits', 3, {}],
  ['hangs', 1, { message: expect.stringMatching(/150 ms/) }],
  ['stands', 2, { message: expect.stringMatching(/150 ms/) }],
])(
  'a setup that %s (%i threads): every job ends with that, and it is given up',
  async (how, threads, more) => {
    make(how, { threads, setupTimeoutMs: how === 'hangs' || how === 'stands' ? 150 : 30_000 });
    const s = pool.series<Any>({ fn: named('nth') });
    const jobs = [1, new Map(), 3].map((n) => s.run(n));
    const shared = { code: SETUP, details: { module: module.href, name: 'open' }, ...more };
    const all = [...jobs, s.ready(), pool.ready(), pool.run(named('nth'), 1)];
    await Promise.all(all.map((one) => expect(one).rejects.toMatchObject(shared)));
    await expect(s.run(1)).rejects.toMatchObject({ code: SETUP });
    expect(errors.every(({ code }) => code === SETUP)).toBe(true);
    const most = Math.max(3, threads) + threads;
    await pool.close();
    expect(words[0]).toBeLessThanOrEqual(most + threads);
    expect([words[1], words[2]]).toEqual([0, 0]);
  },
);

test('a module that is not there, and an export, fail as set-ups do', async () => {
  for (const setup of [
    named('nobody'),
    { module: new URL('../fixtures/none.mjs', import.meta.url), name: 'x' },
  ]) {
    for (const threads of [1, 0]) {
      make('well', { threads, setup });
      await expect(pool.run(same, 1)).rejects.toMatchObject({
        code: SETUP,
        cause: { code: 'ERR_PADATA_MODULE' },
      });
      await pool.close();
      make('well', { threads, teardown: setup });
      await expect(pool.run(same, 1)).rejects.toMatchObject({ code: SETUP });
      await pool.close();
    }
  }
});

test('what fails at first is tried again: the jobs run', async () => {
  for (const how of ['throws', 'exits']) {
    words.fill(0);
    make(how, { threads: 1 }, { times: 2 });
    expect(await pool.run(named('nth'), 1)).toEqual([2, true]);
    expect(errors.map(({ code }) => code)).toEqual([SETUP, SETUP]);
    await pool.close();
    errors = [];
  }
});

test('one thread that cannot be set up leaves its jobs to the others', async () => {
  make('all but one', { threads: 2 });
  const results = await map(pool, range(50), named('nth'));
  expect(results).toEqual(range(50).map(() => [0, true]));
  await until(() => errors.length > 1);
  expect(new Set(errors.map(({ code }) => code))).toEqual(new Set([SETUP]));
  // It is tried again and again, but nobody waits for ever.
  await expect(pool.ready()).rejects.toMatchObject({ code: SETUP });
  await expect(pool.ready()).rejects.toMatchObject({ code: SETUP });
  // A series that names the one that is not there is no worse off.
  const missing = pool.stats().workers[0]!.worker === 1 ? 2 : 1;
  const s = pool.series<Any>({ fn: named('nth'), workers: [missing] });
  expect(await s.run(1)).toEqual([0, true]);
});

test('once it was given up, whoever asks anew causes one more try', async () => {
  make('throws', { threads: 1 }, { times: 4 });
  const first = pool.series<Any>({ fn: named('nth') });
  await expect(first.run(1)).rejects.toMatchObject({ code: SETUP });
  expect(words[0]).toBe(3);
  await expect(pool.run(named('nth'), 1)).rejects.toMatchObject({ code: SETUP });
  expect(words[0]).toBe(4);
  expect(await pool.run(named('nth'), 1)).toEqual([4, true]);
  await expect(first.run(1)).rejects.toMatchObject({ code: SETUP });
});

test('on the calling thread: an error in time, and one more try the next time', async () => {
  make('throws', { threads: 0 }, { times: 2 });
  const refused = { code: SETUP, details: { worker: 0 }, cause: { code: 'EROOM' } };
  await expect(pool.run(named('nth'), 1)).rejects.toMatchObject(refused);
  const job = {
    threadFn: named('chunk'),
    start: 0,
    size: 9,
    arg: { marks: new SharedArrayBuffer(36) },
  };
  await expect(pool.runMultithreaded(job)).rejects.toMatchObject(refused);
  expect(await pool.run(named('nth'), 1)).toEqual([2, true]);
  await pool.close();

  make('hangs', { threads: 0, setupTimeoutMs: 50 });
  await expect(pool.load(named('nth'))).rejects.toMatchObject({ code: SETUP });
});

test('what cannot be set up on the calling thread is done by the others, though it was to help', async () => {
  make('here', { threads: 1 });
  for (const order of ['submission', 'none'] as const) {
    await using s = pool.series<Any>({ fn: named('nth'), onFull: 'inline', window: 2, order });
    await expect(s.loadHere()).rejects.toMatchObject({ code: SETUP, details: { worker: 0 } });
    const all = await Promise.all(range(40).map((n) => s.run(n)));
    expect(all).toEqual(range(40).map(() => [expect.any(Number), true]));
  }
  // Where nobody else is there, it is what jobs end with.
  const s = pool.series<Any>({ fn: named('nth'), onFull: 'inline' });
  pool.resize(0);
  await expect(s.run(1)).rejects.toMatchObject({ code: SETUP, details: { worker: 0 } });
});

test('what ends threads is not tried on the calling one', async () => {
  make('exits', { threads: 1 });
  await expect(pool.run(named('nth'), 1)).rejects.toMatchObject({ code: SETUP });
  const job = {
    threadFn: named('chunk'),
    start: 0,
    size: 9,
    arg: { marks: new SharedArrayBuffer(36) },
  };
  await expect(pool.runMultithreaded(job)).rejects.toMatchObject({ code: SETUP });
  pool.resize(0);
  const s = pool.series<Any>({ fn: named('nth') });
  await expect(s.run(1)).rejects.toMatchObject({ code: SETUP });
});

test.each([
  ['closesBadly', { cause: { message: 'still in use' } }],
  ['closesNever', { message: expect.stringMatching(/100 ms/) }],
  ['closesStanding', { message: expect.stringMatching(/100 ms/) }],
])('a teardown that %s is told; the pool closes and threads are replaced', async (name, more) => {
  const told = { code: 'ERR_PADATA_TEARDOWN', details: { name }, ...more };
  make('well', { threads: 2, teardown: named(name), teardownTimeoutMs: 100 });
  await pool.ready();
  pool.resize(1);
  await until(() => errors.length === 1);
  pool.resize(2);
  await pool.ready();
  await pool.close();
  expect(errors).toMatchObject([told, told, told]);
  if (name === 'closesStanding') return;
  errors = [];
  make('well', { threads: 0, teardown: named(name), teardownTimeoutMs: 100 });
  await pool.run(named('nth'), 1);
  await pool.close();
  expect(errors).toMatchObject([told]);
});

test('a teardown that ends its thread is told too, and the end is an expected one', async () => {
  const told = {
    code: 'ERR_PADATA_TEARDOWN',
    message: expect.stringMatching(/exit code 4/) as unknown,
  };
  make('well', { threads: 2, teardown: named('closesBy') });
  await pool.ready();
  pool.resize(1);
  await until(() => errors.length === 1);
  await pool.close();
  expect(errors).toMatchObject([told, told]);
  expect([words[2], pool.stats().deaths]).toEqual([2, 0]);
});

test('close with `drain` tears down when all is delivered', async () => {
  make('later');
  const s = pool.series<Any>({ fn: named('later') });
  const jobs = range(100).map((n) => s.run(n));
  await pool.close({ drain: true });
  expect(await Promise.all(jobs)).toEqual(range(100).map((n) => [n, true]));
  expect(counts()).toEqual([2, 2, 2, 2]);
});

test.each([
  [{ setup: 'open' }, 'ERR_PADATA_ARGUMENT'],
  [{ setup: { module: './jobs.js', name: 'open' } }, 'ERR_PADATA_ARGUMENT'],
  [{ teardown: () => undefined }, 'ERR_PADATA_ARGUMENT'],
  [{ setup: null }, 'ERR_PADATA_ARGUMENT'],
  [{ setupTimeoutMs: 0 }, 'ERR_PADATA_ARGUMENT'],
  [{ teardownTimeoutMs: 2 ** 31 }, 'ERR_PADATA_ARGUMENT'],
  [{ setup: named('open'), setupArg: () => undefined }, 'ERR_PADATA_CLONE'],
])('%p is a mistake', (options, code) => {
  pool = createWorkPool({ threads: 0 });
  expect(() => createWorkPool({ threads: 1, ...(options as object) })).toThrow(
    expect.objectContaining({ code }),
  );
});

test('results in order go on while threads come and go', async () => {
  make('later', { threads: 3 });
  let at = 0;
  for await (const [n, isOpen] of orderedMap(pool, range(600), named('later')) as AsyncIterable<
    [number, boolean]
  >) {
    expect([n, isOpen]).toEqual([at++, true]);
    if (at % 60 === 0) pool.resize(1 + ((at / 60) % 3));
  }
  await pool.close();
  expect(words[1]).toBe(words[0]);
  expect([words[2], words[3], words[5]]).toEqual([words[1], words[1], 0]);
});
