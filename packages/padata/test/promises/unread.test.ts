// What one thread can write and another cannot read, as their stacks differ: that job, chunk or series ends with a coded error, and
// nothing else is harmed. Nothing says so in the message that is lost, see `values/unread.ts`.
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { WorkPool, WorkPoolOptions } from '@bootmem/padata';

const module = new URL('../fixtures/deep-jobs.mjs', import.meta.url);
const fn = (name: string) => ({ module, name });
/** More than the main thread's stack can read, and few enough for a thread's to write. */
const DEEP = 4000;
/** The same the other way, where threads have this stack. */
const SMALL = { stackSizeMb: 0.5 };
const DEEP_FOR_SMALL = 1200;
const clone = expect.objectContaining({ code: 'ERR_PADATA_CLONE' });

/** An object in an object, as the fixture's. */
function nest(levels: number): unknown {
  let value: unknown = { end: new Date(5) };
  for (let i = 0; i < levels; i += 1) value = { a: value };
  return value;
}

let pool: WorkPool;
const makePool = (options: WorkPoolOptions) => (pool = createWorkPool(options));
afterEach(() => pool.close());
const add = (all: number, part: unknown) => all + (part as number);
const told = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

test('a result that cannot be read is the error of its job alone', async () => {
  const series = makePool({ threads: 1 }).series<(levels: number) => unknown>({ fn: fn('gives') });
  const outcomes = await Promise.all([100, DEEP, 200, DEEP, 3].map((n) => told(series.run(n))));
  expect(outcomes).toEqual([nest(100), clone, nest(200), clone, nest(3)]);
  expect(pool.stats().deaths).toBe(0);
  const loose = pool.run<(levels: number) => unknown>(fn('gives'), DEEP);
  expect(await told(loose)).toEqual(clone);
});

test('so is one of a thread that has ended meanwhile, and its end is noticed', async () => {
  makePool({ threads: 1 });
  await pool.load(fn('givesAndEnds'));
  const last = pool.run<(levels: number) => unknown>(fn('givesAndEnds'), DEEP);
  // Meanwhile the owner takes no message.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
  expect(await told(last)).toEqual(clone);
  expect(await pool.run(fn('one'), 0)).toBe(1);
});

test('of an error its message, stack and code arrive, and not the field; a report is left out', async () => {
  makePool({ threads: 1 });
  const error = await told(pool.run<(levels: number) => unknown>(fn('throws'), DEEP));
  expect(error).toMatchObject({ code: 'ERR_PADATA_JOB_FAILED', message: 'too deep' });
  const { cause } = error as { cause: Error };
  expect(cause).toMatchObject({ name: 'RangeError', code: 'E_DEEP' });
  expect(cause).not.toHaveProperty('depth');
  const heard: unknown[] = [];
  const options = { onProgress: (value: unknown) => heard.push(value), progress: 'all' as const };
  const series = pool.series<(levels: number) => unknown>({ fn: fn('reports') });
  expect(await series.run(DEEP, options)).toBe('done');
  expect(heard).toEqual(['last']);
});

test('an input that a thread cannot read is the error of its job, those sent with it run', async () => {
  makePool({ threads: 1, resourceLimits: SMALL });
  const series = pool.series<(value: unknown) => number>({ fn: fn('levelsOf') });
  const levels = [2, 100, DEEP_FOR_SMALL, 150, DEEP_FOR_SMALL, 1];
  const outcomes = await Promise.all(levels.map((n) => told(series.run(nest(n)))));
  expect(outcomes).toEqual([2, 100, clone, 150, clone, 1]);
  expect(pool.stats().deaths).toBe(0);
});

test('what is shared and cannot be read ends its series, and no other', async () => {
  makePool({ threads: 1, resourceLimits: SMALL });
  const options = { fn: fn('one'), shared: nest(DEEP_FOR_SMALL) };
  const series = pool.series<(input: number) => number>(options);
  expect(await told(series.run(0))).toEqual(clone);
  expect(await pool.run(fn('one'), 0)).toBe(1);
  expect(pool.stats().deaths).toBe(0);
});

test("a chunk's value that cannot be read fails the range; an argument, the thread's part in it", async () => {
  makePool({ threads: 1 });
  const seen = new Int32Array(new SharedArrayBuffer(4));
  const deep = {
    start: 0,
    size: 64,
    maxThreads: 2,
    reduce: add,
    initial: 0,
    threadFn: fn('chunk'),
    arg: { levels: DEEP, seen },
  };
  expect(await told(pool.runMultithreaded(deep))).toEqual(clone);
  await pool.close();
  makePool({ threads: 1, resourceLimits: SMALL });
  const errors: unknown[] = [];
  const heard = new Promise<void>((resolve) => {
    pool.on('error', ({ error }) => {
      errors.push(error);
      resolve();
    });
  });
  // Kept beyond its run: the thread may be slower than the caller, who does without it.
  const arg = nest(DEEP_FOR_SMALL);
  const job = await pool.prepareRange({
    threadFn: fn('chunkOf'),
    maxThreads: 2,
    initial: 0,
    reduce: add,
    arg,
  });
  expect((await job.run(0, 64)).value).toBe(64);
  await heard;
  expect(errors).toEqual([clone]);
  expect(pool.stats().deaths).toBe(0);
});

test("what a thread's setup throws is told, whatever it holds", async () => {
  makePool({ threads: 1, setup: fn('setUp'), setupArg: DEEP });
  const error = await told(pool.ready());
  expect(error).toMatchObject({ code: 'ERR_PADATA_SETUP' });
  expect((error as Error).message).toContain('too deep');
});
