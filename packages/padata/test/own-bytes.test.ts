// Results that hold views of the job's own bytes and come by message, which shares memory: they are nobody else's bytes later.
import { describe, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';

const module = new URL('./fixtures/own-bytes.mjs', import.meta.url);
const JOBS = 40;
const inputOf = (n: number): Uint8Array => Uint8Array.from({ length: 40 }, (_, k) => k + n);

test.each([
  'parts',
  'deep',
  'inMap',
  'inSet',
  'dataView',
  'written',
  'plain',
  'twice',
  'buffer',
  'told',
  'frozen',
  'frozenOutput',
  'byGetter',
  'inClosed',
  'underOtherName',
])('each result keeps its bytes: %s', async (name) => {
  const pool = createWorkPool({ threads: 1 });
  const series = pool.series<(input: unknown) => unknown>({ fn: { module, name }, window: 4 });
  const told: unknown[] = [];
  const results: unknown[] = [];
  for (let n = 0; n < JOBS; n += 1) {
    const onProgress = (value: unknown): unknown => told.push(value);
    results.push(await series.run(inputOf(n), name === 'told' ? { onProgress } : {}));
  }
  const held = name === 'told' ? told : results;
  const first = held.map((value) => firstByte(value));
  expect(first).toEqual(Array.from({ length: JOBS }, (_, n) => n));
  await pool.close();
});

test.each(['longPart', 'longShared', 'longResizable', 'partTold'])(
  'bytes that come by message have nothing else behind them: %s',
  async (name) => {
    await using pool = createWorkPool({ threads: 1 });
    const told: unknown[] = [];
    const onProgress = (value: unknown): unknown => told.push(value);
    const result = await pool.run({ module, name }, 1, name === 'partTold' ? { onProgress } : {});
    const { buffer, byteLength } = (name === 'partTold' ? told[0] : result) as Uint8Array;
    const kind = Object.prototype.toString.call(buffer);
    expect([kind, byteLength, buffer.byteLength]).toEqual(['[object ArrayBuffer]', 10_000, 10_000]);
    expect((buffer as ArrayBuffer).resizable).toBe(false);
  },
);

test('bytes that are handed over keep the rest of their buffer, which went with them', async () => {
  await using pool = createWorkPool({ threads: 1 });
  const { buffer, byteOffset } = (await pool.run({ module, name: 'longMoved' }, 1)) as Uint8Array;
  expect([buffer.byteLength, byteOffset]).toEqual([20_000, 8]);
});

test('the cause of an error that is a result keeps its bytes', async () => {
  const pool = createWorkPool({ threads: 1 });
  const fn = { module, name: 'ofValue' };
  const series = pool.series<(input: unknown) => unknown>({ fn, window: 4 });
  const causes: unknown[] = [];
  for (let n = 0; n < JOBS; n += 1) causes.push(((await series.run(inputOf(n))) as Error).cause);
  expect(causes.map(firstByte)).toEqual(Array.from({ length: JOBS }, (_, n) => n));
  await pool.close();
});

test('a view that a function has kept is no view of the memory of all jobs in a later result', async () => {
  const pool = createWorkPool({ threads: 1 });
  const fn = { module, name: 'keep' };
  const one = pool.series<(input: unknown) => unknown>({ fn, window: 4 });
  const other = pool.series<(input: unknown) => unknown>({ fn, window: 4 });
  const first = (await one.run(inputOf(1))) as Map<string, Uint8Array>;
  expect(first.get('kept')).toEqual(inputOf(1));
  for (const series of [one, other]) await expect(series.run(1)).rejects.toMatchObject(refused);
  await pool.close();
});

const refused = {
  code: 'ERR_PADATA_CLONE',
  message: expect.stringContaining('memory of all jobs'),
};

describe.each([
  [0, 'submission'],
  [0, 'none'],
  [1, 'submission'],
  [1, 'none'],
] as const)('with %d threads, order %s', (threads, order) => {
  const runOne = async (name: string): Promise<unknown> => {
    const pool = createWorkPool({ threads });
    try {
      const fn = { module, name };
      const series = pool.series<(input: unknown) => unknown>({ fn, order, window: 4 });
      const told: unknown[] = [];
      const onProgress = (value: unknown): unknown => told.push(value);
      // The first job of a ring may lie where nothing is before it.
      await series.run(inputOf(0)).catch(() => undefined);
      const result = await series.run(inputOf(1), { onProgress });
      return [result, ...told];
    } finally {
      await pool.close();
    }
  };

  test.each([
    'allBytes',
    'allWords',
    'allData',
    'allInside',
    'allOfOutput',
    'allInMap',
    'allFrozen',
    'allByGetter',
    'allLater',
    'allTold',
    'besideBytes',
    'besideData',
    'besideInside',
    'besideBuffer',
  ])('a view of more than the job was given is no result: %s', async (name) => {
    await expect(runOne(name)).rejects.toMatchObject(refused);
  });

  test('it is no field of an error, whose others arrive', async () => {
    const error = (await runOne('besideInError').catch((reason: unknown) => reason)) as Error;
    expect(Object.keys(error.cause as object)).toEqual(['bytes']);
  });

  test('all that the job was given is a result, and no bytes at all are', async () => {
    const [[all, part, none]] = (await runOne('within')) as [Uint8Array[]];
    expect([all, part, none]).toEqual([inputOf(1), inputOf(1).subarray(1, 3), new Uint8Array(0)]);
    expect(all!.buffer.byteLength).toBe(40);
  });
});

test('a view of the memory of all jobs, submitted in plain data, is copied', async () => {
  const pool = createWorkPool({ threads: 1 });
  const twice = { module, name: 'twice' };
  const views = pool.series<(input: unknown) => Uint8Array>({ fn: twice, bytes: 'view' });
  const fn = { module, name: 'isShared' };
  const shared = pool.series<(input: unknown) => boolean>({ fn });
  const seen: Promise<boolean>[] = [];
  await new Promise<void>((resolve) => {
    views.submit(inputOf(1), (_error, bytes) => {
      seen.push(shared.run({ bytes }));
      resolve();
    });
  });
  expect(await Promise.all(seen)).toEqual([false]);
  await pool.close();
});

test('what is no number of bytes gives nobody else bytes', async () => {
  const pool = createWorkPool({ threads: 1 });
  const series = pool.series<(input: unknown) => unknown>({ fn: { module, name: 'sizes' } });
  const sizes = [-1, -8, NaN, 1.5, 4, Infinity];
  const results = await Promise.all(sizes.map((size) => series.run(size)));
  expect(results).toEqual(['RangeError', 'RangeError', 0, 1, 4, 'RangeError']);
  await pool.close();
});

test.each(['inError', 'inCause', 'asThrown'])('each error keeps its bytes: %s', async (name) => {
  const pool = createWorkPool({ threads: 1 });
  const series = pool.series<(input: unknown) => unknown>({ fn: { module, name }, window: 4 });
  const errors: unknown[] = [];
  for (let n = 0; n < JOBS; n += 1) {
    errors.push(await series.run(inputOf(n)).catch((error: unknown) => error));
  }
  expect(errors.map(bytesOfError)).toEqual(Array.from({ length: JOBS }, (_, n) => [n, n]));
  await pool.close();
});

/** The first byte of each view in the cause, and in the error of its own that it may have; no shared memory is there. */
function bytesOfError(error: unknown): (number | undefined)[] {
  const { cause } = error as { cause: unknown };
  if (cause instanceof AggregateError)
    return [fieldsOf(cause.cause), fieldsOf(cause.errors[0])].map(firstByte);
  return [firstByte(fieldsOf(cause)), firstByte(fieldsOf(cause))];
}

function fieldsOf(error: unknown): unknown {
  const fields = error instanceof Error ? Object.fromEntries(Object.entries(error)) : error;
  const isShared = (field: unknown): boolean => field instanceof SharedArrayBuffer;
  expect(Object.values(fields as object).some(isShared)).toBe(false);
  return fields;
}

test.each(['memory', 'memoryInside', 'memoryTold'])(
  'the memory of all jobs is no result: %s',
  async (name) => {
    const pool = createWorkPool({ threads: 1 });
    const series = pool.series<(input: unknown) => unknown>({ fn: { module, name }, window: 4 });
    const run = series.run(inputOf(1), { onProgress: () => undefined });
    await expect(run).rejects.toThrow('take the view, not its buffer');
    await pool.close();
  },
);

/** The first byte in the first view that is found. */
function firstByte(value: unknown): number | undefined {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset)[0];
  const parts =
    value instanceof Map || value instanceof Set
      ? [...value.values()]
      : Object.values(value as object);
  return parts
    .map((part) => (typeof part === 'object' ? firstByte(part) : undefined))
    .find((byte) => byte !== undefined);
}
