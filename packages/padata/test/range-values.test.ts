// What chunks return and are given: bytes of their own and nothing of the buffer behind them, a clone of `arg`, whoever has run them.
import { afterEach, describe, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { MultithreadedJob, RangeJobOptions, WorkPool } from '@bootmem/padata';

const module = new URL('./fixtures/chunk-values.mjs', import.meta.url);
let pool: WorkPool;
afterEach(() => pool.close());

interface Arg {
  readonly name: string;
  readonly met?: Int32Array;
}
type Chunk = (start: number, end: number, arg: Arg) => unknown;
type Values = [start: number, value: unknown][];
const optionsOf = (arg: Arg): RangeJobOptions<Chunk, Values> => ({
  threadFn: { module, name: 'byName' },
  arg,
  initial: [],
  reduce: (all, value, start) => [...all, [start, value]],
});
const jobOf = (arg: Arg): MultithreadedJob<Chunk, Values> => ({
  ...optionsOf(arg),
  start: 1,
  size: 16,
});

/** Values of one chunk each, or of several, by every way to run a range. */
const ways: Record<string, (name: string) => Promise<Values>> = {
  async 'in threads'(name) {
    pool = createWorkPool({ threads: 2 });
    await pool.ready();
    const met = new Int32Array(new SharedArrayBuffer(4));
    return (await pool.runMultithreaded(jobOf({ name, met }))).value;
  },
  async 'without threads'(name) {
    pool = createWorkPool({ threads: 0 });
    return (await pool.runMultithreaded(jobOf({ name }))).value;
  },
  async 'in one thread'(name) {
    pool = createWorkPool({ threads: 2 });
    return (await pool.runMultithreaded({ ...jobOf({ name }), maxThreads: 1 })).value;
  },
  async blocking(name) {
    pool = createWorkPool({ threads: 2 });
    const range = await pool.prepareRange(optionsOf({ name }));
    return range.runSync(1, 16).value;
  },
  async 'blocking, alone'(name) {
    pool = createWorkPool({ threads: 0 });
    const range = await pool.prepareRange(optionsOf({ name }));
    return range.runSync(1, 16).value;
  },
};

/** Kind of array, and bytes of its buffer that are none of its own. */
const kindOf = (value: unknown): unknown[] => {
  const { buffer, byteLength } = value as Uint8Array;
  const tag = Object.prototype.toString.call(buffer);
  const { constructor } = Object.getPrototypeOf(value) as object;
  return [constructor.name, tag, buffer.byteLength - byteLength];
};
const OWN = ['Uint8Array', '[object ArrayBuffer]', 0];
const filled = (start: number): number[] => [start, start, start, start];
const codes = (start: number): number[] => [...Buffer.from(`chunk ${start}`)];

describe.each(Object.keys(ways))('%s', (way) => {
  const run = ways[way]!;

  test.each([
    ['reused', filled, (value: unknown) => value],
    ['ofShared', filled, (value: unknown) => value],
    ['pooled', codes, (value: unknown) => value],
    ['reusedInside', filled, (value: unknown) => (value as { bytes: unknown }).bytes],
    ['pooledInside', codes, (value: unknown) => (value as { bytes: unknown }[])[0]!.bytes],
  ] as const)('bytes are its own: %s', async (name, expected, part) => {
    const values = await run(name);
    for (const [start, value] of values) {
      expect([...(part(value) as Uint8Array)]).toEqual(expected(start));
      expect(kindOf(part(value))).toEqual(OWN);
    }
  });
});

test('bytes that a promise gives are its own', async () => {
  pool = createWorkPool({ threads: 0 });
  const { value } = await pool.runMultithreaded(jobOf({ name: 'later' }));
  for (const [start, bytes] of value) expect([...(bytes as Uint8Array)]).toEqual(filled(start));
});

/** A job leaves a view behind, then the chunks of a range give it. */
async function keptBy(name: string): Promise<unknown> {
  pool = createWorkPool({ threads: 2 });
  const keep = { module, name: 'keep' };
  const series = pool.series<(input: unknown) => number>({ fn: keep });
  const workers = [await series.run(new Uint8Array(8))];
  const met = new Int32Array(new SharedArrayBuffer(4));
  return await pool.runMultithreaded({ ...jobOf({ name, met }), workers });
}
const OF_ALL = expect.stringContaining('memory of all jobs') as unknown;

test.each(['keptView', 'keptInside', 'keptInMap'])(
  'a view that a job has left is no value of a chunk: %s',
  async (name) => {
    await expect(keptBy(name)).rejects.toMatchObject({ code: 'ERR_PADATA_CLONE', message: OF_ALL });
  },
);

class Kind {
  readonly own = 1;
}
const looked = { looks: 0, label: 'first', instance: new Kind() };
interface Look {
  readonly kind: string;
  readonly looks: number;
  readonly label: string;
}
const ofArg = (arg: typeof looked): RangeJobOptions<unknown, Look[]> => ({
  threadFn: { module, name: 'ofArg' },
  arg,
  maxThreads: 3,
  initial: [],
  reduce: (all, look) => [...all, look as Look],
});

describe.each([0, 2])(
  "arg, with %i threads: the calling thread's is a clone, as a thread's",
  (threads) => {
    test.each([1, 40])('for chunks of a range of %i', async (size) => {
      pool = createWorkPool({ threads });
      const arg = { ...looked };
      const job = { ...ofArg(arg), start: 0, size };
      await pool.load(job.threadFn);
      const prepared = await pool.prepareRange(ofArg(arg));
      const values = [
        (await pool.runMultithreaded(job)).value,
        pool.runMultithreadedSync(job).value,
        prepared.runSync(0, size).value,
        (await prepared.run(0, size)).value,
      ].flat();
      expect(new Set(values.map(({ kind }) => kind))).toEqual(new Set(['Object']));
      expect(arg.looks).toBe(0);
    });

    test('of a prepared range it is made once, and is what was given then', async () => {
      pool = createWorkPool({ threads });
      const arg = { ...looked };
      const prepared = await pool.prepareRange({ ...ofArg(arg), maxThreads: 1 });
      arg.label = 'second';
      const looks = [1, 2].map(() => prepared.runSync(0, 1).value[0]!);
      looks.push((await prepared.run(0, 1)).value[0]!);
      expect(looks.map(({ looks: n, label }) => [n, label])).toEqual(
        [1, 2, 3].map((n) => [n, 'first']),
      );
    });

    test('what cannot be cloned is refused before anything runs', async () => {
      pool = createWorkPool({ threads });
      const refused = { code: 'ERR_PADATA_CLONE', message: "the job's arg cannot be cloned" };
      for (const arg of [() => 1, Symbol('s'), { ...looked, fn: () => 1 }] as never[]) {
        const job = { ...ofArg(arg), start: 0, size: 1 };
        await pool.load(job.threadFn);
        await expect(pool.runMultithreaded(job)).rejects.toMatchObject(refused);
        await expect(pool.prepareRange(ofArg(arg))).rejects.toMatchObject(refused);
        expect(() => pool.runMultithreadedSync(job)).toThrow(expect.objectContaining(refused));
      }
    });
  },
);

test.each([1, 3])(
  'a function that returns a promise in a blocking run is named as that (%i chunks)',
  async (size) => {
    pool = createWorkPool({ threads: 0 });
    const range = await pool.prepareRange({ ...optionsOf({ name: 'later' }), maxThreads: 3 });
    const code = 'ERR_PADATA_ASYNC_IN_SYNC';
    const details = { start: 0, end: 1, index: 0 };
    expect(() => range.runSync(0, size)).toThrow(
      expect.objectContaining({ code, details: expect.objectContaining(details) as unknown }),
    );
  },
);

test('undoFn sees what the chunks here have seen', async () => {
  pool = createWorkPool({ threads: 0 });
  const seen = new Int32Array(new SharedArrayBuffer(4));
  const arg = { looks: 100, seen };
  const threadFn = { module, name: 'failsLate' };
  const job = { threadFn, undoFn: { module, name: 'undo' }, arg, maxThreads: 3 };
  await expect(pool.runMultithreaded({ ...job, start: 0, size: 3 })).rejects.toThrow('failed');
  expect([arg.looks, seen[0]]).toEqual([100, 103]);
});

test('a view that a job has left is no field of an error of a chunk', async () => {
  const error = (await keptBy('keptInError').catch((reason: unknown) => reason)) as Error;
  expect(Object.keys(error.cause as object)).toEqual(['n']);
});
