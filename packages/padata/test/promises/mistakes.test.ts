// Slips of the caller: each is a coded error before anything has happened, and says what to write instead. And what is
// no slip, though it looks like one.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createWorkPool, map, parallelFor } from '@bootmem/padata';
import { createPadata } from '@bootmem/padata/kernel';
import type { StallReport, WorkPool } from '@bootmem/padata';
import { moduleHref } from '../../dist/base/function-ref.js';

type Any = (input: unknown) => unknown;
const module = new URL('../fixtures/series-jobs.mjs', import.meta.url);
const fn = (name: string) => ({ module, name });
const isMistake = expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }) as unknown as Error;
let pool: WorkPool;
let folder: string;

beforeAll(() => {
  pool = createWorkPool({ threads: 1 });
  folder = mkdtempSync(join(tmpdir(), 'padata-'));
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

test('options that there are not, and values that they have not', async () => {
  for (const options of [{ thread: 1 }, { idle: 'spin' }, { backend: 'none' }]) {
    expect(() => createWorkPool(options as object)).toThrow(isMistake);
  }
  for (const options of [
    { onFull: 'drop' },
    { bytes: 'move' },
    { windows: 4 },
    { graceMs: 2 ** 31 },
    { watchdogMs: 2 ** 31 },
    { watchdogMs: NaN },
    { workers: [1, -1] },
    { workers: [0.5] },
  ]) {
    expect(() => pool.series({ fn: fn('same'), ...(options as object) })).toThrow(isMistake);
  }
  const wrong = { errors: 'ignore' } as object;
  await expect(map(pool, [1], fn('same'), wrong)).rejects.toEqual(isMistake);
  for (const options of [{ priority: 'high' }, { chunk: 5 }]) {
    const job = { threadFn: fn('same'), start: 0, size: 1, ...(options as object) };
    await expect(pool.runMultithreaded(job)).rejects.toEqual(isMistake);
    expect(() => pool.runMultithreadedSync(job)).toThrow(isMistake);
  }
  const prepared = { threadFn: fn('same'), start: 0 };
  await expect(pool.prepareRange(prepared)).rejects.toEqual(isMistake);
});

// What each entry is given, and a call that would take it; in the types of a program without types.
type Untyped = (...args: unknown[]) => unknown;
type Loose = Record<string, Untyped>;
const make = createWorkPool as Untyped;
const all = map as Untyped;
const over = parallelFor as Untyped;
const instance = createPadata as unknown as (...args: unknown[]) => Loose;
const on = (): Loose => pool as unknown as Loose;
const series = (options?: object): Loose =>
  on()['series']!({ fn: fn('same'), ...options }) as Loose;
const shell = (options?: object): Loose =>
  instance(pool)['createShell']!({ parallel: fn('same'), ...options }) as Loose;
const bad = (values: object, call: (options: object) => unknown): [string, () => unknown][] =>
  Object.entries(values).map(([name, value]) => [
    `${name}: ${JSON.stringify(value)}`,
    () => call({ [name]: value as unknown }),
  ]);
const KINDS: [string, () => unknown][] = [
  ['no pool', () => make(null)],
  ...bad({ name: 5, nodes: [-1], execArgv: '--x', env: 5, resourceLimits: 5 }, (options) =>
    make({ threads: 0, ...options }),
  ),
  ['nodes as a text', () => make({ threads: 0, nodes: 'ab' })],
  ['an event that there is not', () => on()['on']!('exit', () => undefined)],
  ['no listener', () => on()['on']!('resize', 5)],
  ...bad(
    { outputBytes: 5, idempotent: 'no', signal: {}, onStall: 5, halt: 5, workers: 5, window: null },
    series,
  ),
  ['no series', () => on()['series']!(null)],
  ['setWorkers 5', () => series()['setWorkers']!(5)],
  ...bad({ sginal: 1, signal: {}, transfer: 5 }, (options) => series()['run']!(1, options)),
  ['run null', () => series()['run']!(1, null)],
  ['submit without a callback', () => series()['submit']!(1)],
  ['submit with no list', () => series()['submit']!(1, () => undefined, 5)],
  ['map of a number', () => all(pool, 5, fn('same'))],
  ['map of nothing', () => all(pool, undefined, fn('same'))],
  ['map null', () => all(pool, [1], fn('same'), null)],
  ...bad({ onProgress: 5, signal: 5 }, (options) => all(pool, [1], fn('same'), options)),
  ['map of a series', () => series()['map']!([1], { error: 1 })],
  ...bad({ reduce: 5, signal: 5, onProgress: 5, undoFn: 'x', nodeAware: 'yes' }, (options) =>
    over(pool, 0, 9, fn('same'), options),
  ),
  ['a range backwards', () => over(pool, 9, 0, fn('same'))],
  ['no range', () => on()['runMultithreaded']!(null)],
  [
    'a run of a prepared range',
    async () => {
      using job = await pool.prepareRange({ threadFn: fn('same') });
      await (job as unknown as Loose)['run']!(0, 9, { onprogress: 1 });
    },
  ],
  ['an instance without a pool', () => instance({})],
  ...bad({ parallelworkers: [1], parallelWorkers: 5 }, (options) => instance(pool, options)),
  ['a kind of mask', () => instance(pool)['setWorkers']!('paralel', [1])],
  ...bad({ onFull: 'reject', paralel: 1 }, shell),
  ['a shell job null', () => shell()['submit']!(null)],
  ['a shell job without serial', () => shell()['submit']!({ input: 1 })],
  [
    'a shell job for no worker',
    () => shell()['submit']!({ input: 1, serial: () => 0, serialWorker: 'x' }),
  ],
];
test.each(KINDS)('%s is ERR_PADATA_ARGUMENT, and nothing has happened', async (_name, call) => {
  const given = Promise.resolve().then(call);
  await expect(given).rejects.toEqual(isMistake);
  expect(pool.stats()).toMatchObject({ threads: 1, deaths: 0, freeWorks: 1 });
});

test('a function in place of a name: the error says how to name it', () => {
  const square = (n: number): number => n * n;
  for (const wrong of [square, undefined, 'jobs', { module, name: '' }, { name: 'same' }]) {
    expect(() => pool.series({ fn: wrong as never })).toThrow(isMistake);
  }
  expect(() => pool.series({ fn: square as never })).toThrow(
    /cannot cross threads.*name: 'square'/,
  );
});

test('absolute paths are modules whatever characters they have', async () => {
  const odd = join(folder, 'a#b?c%20d e');
  mkdirSync(odd);
  const file = join(odd, 'jobs.mjs');
  copyFileSync(fileURLToPath(module), file);
  expect(await pool.series<Any>({ fn: { module: file, name: 'same' } }).run(7)).toBe(7);
  const href = (path: string) => moduleHref({ module: path, name: 'x' });
  expect(href('/a#b/c?d/e%20.js')).toBe('file:///a%23b/c%3Fd/e%2520.js');
  expect(href('C:\\jobs\\x y.js')).toBe('file:///C:/jobs/x%20y.js');
  expect(href('\\\\host\\share\\x.js')).toBe('file://host/share/x.js');
  expect(href('file:///a%20b.js')).toBe('file:///a%20b.js');
  expect(href('package/jobs')).toBe('package/jobs');
});

test('an error of a job speaks in the words of its function', async () => {
  await using series = pool.series<Any>({ fn: fn('failOdd') });
  const error = (await series.run(3).catch((e: unknown) => e)) as Error;
  expect(error).toMatchObject({ message: 'odd 3', details: { seq: 0, worker: 1 } });
  expect(error.stack).toContain('failOdd');
  await using cloning = pool.series<Any>({ fn: fn('unclonable') });
  await expect(cloning.run(13)).rejects.toThrow(/could not be cloned/);
});

test('a stall that lasts is reported with the time since the last delivery, not since the last report', async () => {
  const gate = new Int32Array(new SharedArrayBuffer(16));
  const reports: StallReport[] = [];
  const series = pool.series<Any>({
    fn: fn('untilShared'),
    shared: gate,
    watchdogMs: 20,
    onStall: (report) => reports.push(report),
  });
  const job = series.run(0);
  while (reports.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  await job;
  await series.close();
  const [first, second, third] = reports;
  expect(second!.ms).toBeGreaterThanOrEqual(first!.ms + 20);
  expect(third!.ms).toBeGreaterThanOrEqual(second!.ms + 20);
});

test('participants wanted are no more than the pool has; on a pool of one thread it is the caller', async () => {
  const nested = new URL('../fixtures/nested-jobs.mjs', import.meta.url);
  const marks = new SharedArrayBuffer(400);
  const job = { threadFn: { module: nested, name: 'inner' }, arg: { marks }, start: 0, size: 100 };
  const alone = { planned: 1, got: 1, chunks: 1, workers: [{ worker: 0, units: 100 }] };
  expect(await pool.runMultithreaded(job)).toMatchObject(alone);
  expect(await pool.runMultithreaded({ ...job, maxThreads: 2 })).toMatchObject({ planned: 2 });
  const { start, size, ...options } = job;
  using prepared = await pool.prepareRange(options);
  expect(await prepared.run(start, size)).toMatchObject(alone);
  expect(prepared.runSync(start, size)).toMatchObject(alone);
  await using changing = createWorkPool({ threads: 1, capacity: 3 });
  for (const [threads, planned] of [
    [0, 1],
    [1, 1],
    [2, 3],
    [3, 4],
  ] as const) {
    changing.resize(threads);
    expect(await changing.runMultithreaded(job)).toMatchObject({ planned });
  }
});

test('bytes that a job gives are a Uint8Array, in the caller too', async () => {
  await using alone = createWorkPool({ threads: 0 });
  for (const where of [pool, alone]) {
    await using series = where.series<Any>({ fn: fn('buffer') });
    for (const size of [10, 1_000_000]) {
      const bytes = (await series.run(size)) as Uint8Array;
      expect(Object.getPrototypeOf(bytes) === Object.getPrototypeOf(new Uint8Array(0))).toBe(true);
      expect(bytes).toHaveLength(size);
    }
  }
});
