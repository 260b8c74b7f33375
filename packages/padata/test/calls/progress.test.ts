// What functions tell of their progress: all of it or the latest, before the outcome, and nothing where nobody listens.
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { JobOptions, Series, SeriesOptions, WorkPool } from '@bootmem/padata';
import type { FromWorker } from '../../dist/protocol/messages.js';
import { Left } from '../../dist/ring/slot-records.js';
import { ringOf, runnerOf } from '../fixtures/one-thread.js';
import type { JobContext } from '@bootmem/padata/worker';

const module = new URL('../fixtures/progress-jobs.mjs', import.meta.url);
type Any = (input: unknown) => unknown;
let pool: WorkPool;
let words: Int32Array;

beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(64));
});
afterEach(() => pool.close());

function series(name: string, options: Partial<SeriesOptions<Any>> = {}): Series<Any> {
  return pool.series<Any>({ fn: { module, name }, shared: words, ...options });
}
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const OUTCOMES = ['number', 'text', 'object', 'bytes', 'nothing', 'error'];

for (const [way, threads, order] of [
  ['in order', 2, 'submission'],
  ['without an order', 2, 'none'],
  ['on the calling thread', 0, 'none'],
] as const) {
  test(`${way}: each report, or the last one, comes before the outcome, whatever that is`, async () => {
    pool = createWorkPool({ threads });
    for (const name of ['quick', 'slow']) {
      await using s = series(name, { order });
      const jobs = [...OUTCOMES, ...OUTCOMES].flatMap((outcome) =>
        (['all', 'latest'] as const).map(async (progress) => {
          const told: unknown[] = [];
          const onProgress = (value: unknown): void => void told.push(value);
          await s.run([50, outcome], { onProgress, progress }).then(
            () => told.push('ends'),
            (error: unknown) => told.push((error as { code: string }).code),
          );
          const at = (i: number) => (name === 'quick' ? i : { at: i });
          const end = outcome === 'error' ? 'ERR_PADATA_JOB_FAILED' : 'ends';
          if (progress === 'all') expect(told).toEqual([...range(50).map(at), end]);
          else {
            expect(told.slice(-2)).toEqual([at(49), end]);
            expect(told[0]).toEqual(at(0));
          }
        }),
      );
      await Promise.all(jobs);
    }
  });
}

test('of reports in quick succession some are left out, and the last is told while the function waits', async () => {
  pool = createWorkPool({ threads: 1 });
  await using s = series('tellsThenWaits');
  const told: unknown[] = [];
  const job = s.run(range(10_000), { onProgress: (value) => told.push(value) });
  await until(() => told.at(-1) === 9999);
  expect(told.length).toBeLessThan(5000);
  expect(told).toEqual(told.toSorted((a, b) => (a as number) - (b as number)));
  Atomics.store(words, 0, 1);
  expect(await job).toBe(10_000);
});

test('whoever gave up hears no more, and the next job of the slot is heard as itself', async () => {
  pool = createWorkPool({ threads: 1 });
  await using s = series('deaf', { window: 1, order: 'none' });
  const control = new AbortController();
  const told: unknown[] = [];
  const { signal } = control;
  const job = s.run(1, { signal, progress: 'all', onProgress: (value) => told.push(value) });
  await until(() => told.length > 0);
  control.abort();
  await expect(job).rejects.toThrow();
  await until(() => Atomics.load(words, 1) === 1);
  await s.drain();
  expect(told).toEqual(['begun']);
  const next: unknown[] = [];
  const second = new AbortController();
  const other = s.run(2, { signal: second.signal, onProgress: (value) => next.push(value) });
  await until(() => next.length > 0);
  second.abort();
  await expect(other).rejects.toThrow();
  expect([told, next]).toEqual([['begun'], ['begun']]);
});

test('the listener of a series hears all its jobs, by number, however they were submitted', async () => {
  pool = createWorkPool({ threads: 2 });
  const told: string[] = [];
  const onJobProgress = (value: unknown, seq: number): void =>
    void told.push(`${seq}: ${JSON.stringify(value)}`);
  await using s = series('quick', { onJobProgress, progress: 'all', window: 2 });
  const own: unknown[] = [];
  await new Promise((resolve) => s.submit([2, 'text'], resolve));
  await s.run([1, 'number'], { onProgress: (value) => own.push(value) });
  const items = [
    [1, 'text'],
    [3, 'nothing'],
    [1, 'object'],
  ];
  const results: unknown[] = [];
  for await (const result of s.map(items)) results.push(result);
  expect(results).toEqual(['done', undefined, { done: true }]);
  expect(told.toSorted()).toEqual(['0: 0', '0: 1', '1: 0', '2: 0', '3: 0', '3: 1', '3: 2', '4: 0']);
  expect(own).toEqual([0]);
});

test('calls hear as their series does unless they say otherwise', async () => {
  pool = createWorkPool({ threads: 1 });
  for (const progress of ['all', 'latest'] as const) {
    await using s = series('quick', { progress });
    const count = async (options: JobOptions): Promise<number> => {
      let told = 0;
      await s.run([5000, 'number'], { ...options, onProgress: () => (told += 1) });
      return told;
    };
    const isAll = progress === 'all';
    expect((await count({})) === 5000).toBe(isAll);
    expect(await count({ progress: 'all' })).toBe(5000);
    expect(await count({ progress: 'latest' })).toBeLessThan(5000);
  }
});

test('listeners of a call run in its asynchronous context', async () => {
  const storage = new AsyncLocalStorage<number>();
  pool = createWorkPool({ threads: 2 });
  const seen: unknown[] = [];
  const note = (): void => void seen.push(storage.getStore());
  const options = { onProgress: note, onOutput: note };
  const calls = range(6).map((n) =>
    storage.run(n, () => pool.run({ module, name: 'tellsAndSays' }, n, options)),
  );
  await Promise.all(calls);
  expect(seen.toSorted()).toEqual(range(6).flatMap((n) => [n, n]));
});

test('a job that ends by itself though its series has ended is heard to its end', async () => {
  pool = createWorkPool({ threads: 2 });
  for (const order of ['submission', 'none'] as const) {
    words.fill(0);
    await using s = series('tellsAndWaits', { order, graceMs: 600_000, halt: 'now,fail=1' });
    const told: unknown[] = [];
    const job = s.run(1, { onProgress: (value) => told.push(value) });
    await until(() => told.length === 1);
    s.abort(new Error('over'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    Atomics.store(words, 0, 1);
    expect(await job).toBe(1);
    expect(told).toEqual(['begun', 'ended']);
  }
});

test('a thread that ends has told what it told; a job that is run again tells it again', async () => {
  pool = createWorkPool({ threads: 1 });
  const told: unknown[] = [];
  const options = {
    onProgress: (value: unknown) => {
      told.push(value);
    },
  };
  await using s = series('tellsAndDies');
  await expect(s.run('a', options)).rejects.toMatchObject({ code: 'ERR_PADATA_WORKER_DIED' });
  expect(told).toEqual(['a']);
  Atomics.store(words, 2, 0);
  await using again = series('tellsAndDies', { idempotent: true });
  expect(await again.run('b', options)).toBe('b');
  expect(told).toEqual(['a', 'b', 'b']);
});

test("bytes of the slot that come behind a report are the result's own", async () => {
  pool = createWorkPool({ threads: 1 });
  const options = { window: 2, outputBytes: () => 4096, onJobProgress: () => undefined };
  await using s = series('tellsAndFills', options);
  const results: Uint8Array[] = [];
  // More than the arena holds at a time.
  for (const n of range(60)) results.push((await s.run(n)) as Uint8Array);
  expect(results.map((bytes) => new Set(bytes))).toEqual(range(60).map((n) => new Set([n])));
});

test('what cannot be cloned is an error in the function, where somebody listens', async () => {
  for (const threads of [1, 0]) {
    pool = createWorkPool({ threads });
    const s = series('tellsWhatCannotBeTold');
    const job = s.run(1, { onProgress: () => undefined });
    await expect(job).rejects.toMatchObject({ code: 'ERR_PADATA_CLONE' });
    expect(await s.run(1)).toBeUndefined();
    await pool.close();
  }
});

test.each([
  [{ onProgress: 7 }, 'onProgress'],
  [{ onProgress: () => undefined, progress: 'some' }, 'progress'],
  [{ progress: true }, 'progress'],
])('%p is a mistake', async (options, name) => {
  pool = createWorkPool({ threads: 0 });
  await using s = series('quick');
  const job = s.run([1, 'text'], options as unknown as JobOptions);
  await expect(job).rejects.toMatchObject({ code: 'ERR_PADATA_ARGUMENT', details: { name } });
});

test('where nobody listens no message is sent, and results lie in their slots', () => {
  pool = createWorkPool({ threads: 0 });
  const ring = ringOf();
  const posted: FromWorker[] = [];
  const runner = runnerOf(ring, { post: (message) => posted.push(message) });
  runner.fn = ((input: unknown, ctx: JobContext) => {
    ctx.progress('half');
    ctx.progress('all');
    return input;
  }) as never;
  const submit = (use: number): void => {
    ring.submit('in', () => undefined, undefined, 0, use);
    runner.scan();
    for (const message of posted) if (message.t === 'result') ring.onReply(message);
    ring.deliver(4, 0);
  };
  submit(0);
  expect(posted).toEqual([]);
  submit(Left.PROGRESS | Left.EVERY);
  expect(posted.map(({ t }) => t)).toEqual(['progress', 'progress', 'result']);
  posted.length = 0;
  submit(0);
  expect([posted, ring.delivered]).toEqual([[], 3]);
});
