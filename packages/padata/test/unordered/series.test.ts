// Series without an order: each outcome when it is there, the window bounds what has not ended, jobs begin in turn.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkPool, map, orderedMap } from '@bootmem/padata';
import type { Series, SeriesOptions, WorkPool } from '@bootmem/padata';

const jobs = new URL('../fixtures/series-jobs.mjs', import.meta.url);
const pending = new URL('../fixtures/pending-jobs.mjs', import.meta.url);
const messages = new URL('../fixtures/message-jobs.mjs', import.meta.url);
const hostile = new URL('../fixtures/hostile-jobs.mjs', import.meta.url);
const range = (n: number) => Array.from({ length: n }, (_, i) => i);
type Any = (input: unknown) => unknown;
const BEGUN = 15;
let pool: WorkPool;
let words: Int32Array;

beforeEach(() => {
  words = new Int32Array(new SharedArrayBuffer(64));
});
afterEach(() => pool.close());

function start(threads: number): void {
  pool = createWorkPool({ threads });
}
function series(module: URL, name: string, options: Partial<SeriesOptions<Any>> = {}): Series<Any> {
  return pool.series<Any>({ fn: { module, name }, order: 'none', shared: words, ...options });
}
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
const begun = (count: number) => until(() => Atomics.load(words, BEGUN) >= count);
function open(at: number): void {
  Atomics.store(words, at, 1);
  Atomics.notify(words, at);
}

test('quick jobs behind one that keeps a thread end first, whatever the window', async () => {
  start(2);
  await using s = series(messages, 'blockOrNot', { window: 2 });
  const slow = s.run(new Map([['at', 0]]));
  await begun(1);
  // Five times the window, by slot and by message.
  const quick = await Promise.all(
    range(5).flatMap((n) => [s.run(n), s.run(new Map([['at', -1]]))]),
  );
  expect(quick).toHaveLength(10);
  expect(s.stats()).toMatchObject({ delivered: 10, inFlight: 1 });
  open(0);
  await slow;
  expect(s.stats()).toMatchObject({ submitted: 11, delivered: 11, failed: 0, inFlight: 0 });
});

test.each([1, 2, 64])('10 000 jobs, window %d: each outcome is its own', async (window) => {
  start(2);
  await using s = series(jobs, 'same', { window });
  const inputs = range(10_000).map((n) =>
    n % 5 === 0 ? `text ${n}` : n % 7 === 0 ? { n, list: [n] } : n % 11 === 0 ? null : n,
  );
  expect(await Promise.all(inputs.map((input) => s.run(input)))).toEqual(inputs);
  const seen = new Map<number, unknown>();
  for (const input of inputs.slice(0, 300)) {
    if (!s.submit(input, (_error, value, seq) => seen.set(seq, value))) await s.room();
  }
  await s.drain();
  expect(range(300).map((n) => seen.get(10_000 + n))).toEqual(inputs.slice(0, 300));
});

test.each([2 ** 31 - 5, 2 ** 32 - 5])('numbers go on behind %d', async (first) => {
  start(2);
  await using s = pool.seriesFrom<Any>(
    { fn: { module: jobs, name: 'slow' }, order: 'none', window: 4 },
    first,
  );
  const numbers: number[] = [];
  const told: number[] = [];
  for (let n = 0; n < 20; n += 1) {
    s.submit(0, (_error, value, seq) => {
      numbers.push(value as number);
      told.push(seq);
    });
    await s.room();
  }
  await s.drain();
  const expected = range(20).map((n) => (first + n) % 2 ** 32);
  const sorted = (list: number[]) => list.map((n) => (n - first) >>> 0).sort((a, b) => a - b);
  expect(told).toEqual(numbers);
  expect(sorted(numbers)).toEqual(sorted(expected));
});

test('map gives values in order of completion, with entries the index of each', async () => {
  start(2);
  const fn = { module: pending, name: 'pend' };
  const options = { order: 'none', shared: words } as const;
  const iterator = orderedMap<Any>(pool, [0, 1, 2], fn, { ...options, entries: true });
  const results: number[] = [];
  const first = iterator.next();
  await begun(3);
  open(1);
  results.push((await first).value![0]);
  open(2);
  results.push((await iterator.next()).value![0]);
  open(0);
  results.push((await iterator.next()).value![0]);
  expect(results).toEqual([1, 2, 0]);
  expect((await iterator.next()).done).toBe(true);
  // With an order too, where the index says nothing new.
  const twice = { module: jobs, name: 'twice' };
  expect(await map(pool, [5, 6], twice, { entries: true })).toEqual([
    [0, 10],
    [1, 12],
  ]);
  expect((await map<Any>(pool, range(50), twice, { order: 'none' })).sort()).toEqual(
    range(50)
      .map((n) => 2 * n)
      .sort(),
  );
});

test.each(['throw', 'skip', 'collect'] as const)(
  'map: a failed item counts when it is there, with errors: %s',
  async (errors) => {
    start(2);
    const fn = { module: jobs, name: 'failOdd' };
    const all = map<Any>(pool, range(40), fn, { order: 'none', entries: true, errors });
    if (errors === 'throw') {
      await expect(all).rejects.toMatchObject({ code: 'ERR_PADATA_JOB_FAILED' });
    } else if (errors === 'collect') {
      const error = await all.catch((e: unknown) => e);
      expect((error as AggregateError).errors).toHaveLength(20);
    } else {
      const even = range(20).map((n) => 2 * n);
      expect((await all).sort(([a], [b]) => a - b)).toEqual(even.map((n) => [n, n]));
    }
  },
);

test('the reader of map is never more than a window ahead, and leaving it early ends the source', async () => {
  start(2);
  await using s = series(jobs, 'same', { window: 4 });
  let read = 0;
  let ended = false;
  function* source(): Generator<number> {
    try {
      for (;;) yield read++;
    } finally {
      ended = true;
    }
  }
  let taken = 0;
  for await (const value of s.map(source())) {
    expect(typeof value).toBe('number');
    taken += 1;
    expect(read).toBeLessThanOrEqual(taken + 4);
    if (taken === 30) break;
  }
  expect(ended).toBe(true);
  await s.drain();
});

test('bytes of all sizes come back as they were; those larger than the arena go by message', async () => {
  start(2);
  await using s = series(jobs, 'shift', { window: 8, slotBytes: 256 });
  const sizes = range(200).map((n) => (n * 977) % (n % 10 === 0 ? 100_000 : 3000));
  const results = await Promise.all(sizes.map((n) => s.run(new Uint8Array(n).fill(n & 127))));
  results.forEach((bytes, i) => {
    const out = bytes as Uint8Array;
    expect(out).toHaveLength(sizes[i]! + 1);
    expect(out.subarray(0, -1).every((b) => b === (sizes[i]! & 127) + 1)).toBe(true);
  });
});

test('views of results stay until they are let go of, in a map and in a callback', async () => {
  start(2);
  await using s = series(jobs, 'shift', { window: 4, slotBytes: 64, bytes: 'view' });
  let n = 0;
  for await (const [index, bytes] of s.map(
    range(200).map((i) => new Uint8Array(40).fill(i % 100)),
    { entries: true },
  )) {
    await new Promise((resolve) => setImmediate(resolve));
    expect((bytes as Uint8Array).subarray(0, 40).every((b) => b === (index % 100) + 1)).toBe(true);
    n += 1;
  }
  expect(n).toBe(200);
});

test.each(['submission', 'none'] as const)(
  'order %s: what run gives is a copy, also of a series whose callbacks get views',
  async (order) => {
    start(2);
    await using s = series(jobs, 'shift', { order, window: 2, bytes: 'view' });
    const { signal } = new AbortController();
    const runs = range(60).map((n) => s.run(new Uint8Array(40).fill(n), n % 2 ? { signal } : {}));
    const results = await Promise.all(runs);
    results.forEach((bytes, n) => {
      expect((bytes as Uint8Array).subarray(0, 40)).toEqual(new Uint8Array(40).fill(n + 1));
    });
  },
);

test('inputs in a transfer list, values that only a message carries, results handed over', async () => {
  start(2);
  await using sum = series(messages, 'sum', { window: 4 });
  const inputs = range(40).map((n) => new Uint8Array(100).fill(n));
  expect(
    await Promise.all(inputs.map((bytes) => sum.run(bytes, { transfer: [bytes.buffer] }))),
  ).toEqual(range(40).map((n) => 100 * n));
  expect(inputs.every((bytes) => bytes.byteLength === 0)).toBe(true);
  await using entries = series(messages, 'entries', { window: 4 });
  const maps = range(40).map((n) => new Map([[n, `value ${n}`]]));
  expect(await Promise.all(maps.map((m) => entries.run(m)))).toEqual(maps.map((m) => [...m]));
  await using hands = series(messages, 'handsOver', { window: 4 });
  const results = await Promise.allSettled(range(20).map((n) => hands.run(n)));
  results.forEach((result, n) => {
    if (n % 2 === 0) expect(result).toMatchObject({ value: new Uint8Array(8).fill(n) });
    else
      expect(result).toMatchObject({ reason: { code: 'ERR_PADATA_CLONE', details: { seq: n } } });
  });
  await expect(sum.run(() => 1)).rejects.toMatchObject({ code: 'ERR_PADATA_CLONE' });
});

test('results that come by message, and those that do not, mixed: each is its own', async () => {
  start(2);
  await using s = series(jobs, 'echo', { window: 16, slotBytes: 128 });
  const inputs = range(400).map((n) =>
    n % 3 === 0 ? new Date(n) : n % 3 === 1 ? n : [n, 'x'.repeat(n)],
  );
  const results = (await Promise.all(inputs.map((input) => s.run(input)))) as { value: unknown }[];
  expect(results.map(({ value }) => value)).toEqual(inputs);
});

test('a function that settles twice, or gives what bites, harms no other job', async () => {
  start(2);
  await using twice = series(hostile, 'twiceAtOnce', { window: 4 });
  expect(await Promise.all(range(100).map((n) => twice.run(n)))).toEqual(range(100));
  await using again = series(hostile, 'callsFirstAgain', { window: 4, workers: [1] });
  expect(await Promise.all(range(30).map((n) => again.run(n)))).toEqual([
    'first',
    ...range(30).slice(1),
  ]);
  await using gives = series(hostile, 'gives', { window: 4 });
  const results = await Promise.allSettled(
    range(60).map((n) => gives.run({ n: n % 3, what: ['getter', 'thenThrows', 'proxy'][n % 2]! })),
  );
  expect(results.map((r) => (r.status === 'fulfilled' ? r.value : 'failed'))).toEqual(
    range(60).map((n) => (n % 3 === 1 ? 'failed' : n % 3)),
  );
  expect(pool.stats().deaths).toBe(0);
});

test('deferred jobs end when they are completed, in that order, each once', async () => {
  start(1);
  await using s = series(hostile, 'completesAndFails', { window: 4 });
  const hows = ['throws', 'rejects', 'not', 'later'];
  expect(await Promise.all(range(40).map((n) => s.run({ n, how: hows[n % 4]! })))).toEqual(
    range(40),
  );
  await using nested = series(hostile, 'completesWithin', {
    window: 4,
    outputBytes: () => 256,
  });
  const inner = { of: 0, list: ['inner', { deep: true }], pad: 'i'.repeat(20) };
  const [first, second] = await Promise.all([nested.run(0), nested.run(1)]);
  expect(first).toEqual(inner);
  expect(second).toMatchObject({ within: { of: 1 } });
});

test.each(['threads: 0', 'inline'])(
  'without threads the calling one runs the jobs (%s)',
  async (how) => {
    pool =
      how === 'inline' ? createWorkPool({ backend: 'inline' }) : createWorkPool({ threads: 0 });
    await using s = series(jobs, 'later', { window: 4 });
    const order: unknown[] = [];
    const all = [60, 0].map((n) => s.run(n).then((value) => order.push(value)));
    await Promise.all(all);
    expect(order).toEqual([0, 60]);
    const many = await Promise.all(range(50).map(() => s.run(0)));
    expect(many).toEqual(range(50).map(() => 0));
  },
);

test('onFull: reject counts jobs that have not ended; inline runs what waits here', async () => {
  start(1);
  await using full = series(pending, 'pend', { window: 2, onFull: 'reject' });
  const two = [full.run(0), full.run(1)];
  await expect(full.run(2)).rejects.toMatchObject({ code: 'ERR_PADATA_FULL' });
  open(1);
  await two[1];
  open(2);
  expect(await full.run(2)).toBe(1);
  open(0);
  await two[0];
  await using inline = series(jobs, 'twice', { window: 2, onFull: 'inline' });
  await inline.loadHere();
  expect(await Promise.all(range(100).map((n) => inline.run(n)))).toEqual(
    range(100).map((n) => 2 * n),
  );
});

test('a duplex gives results as they come', async () => {
  start(2);
  await using s = series(pending, 'pend', { window: 4 });
  const stream = s.duplex();
  stream.write(0);
  stream.write(1);
  stream.end();
  await begun(2);
  open(1);
  const workers = stream[Symbol.asyncIterator]();
  expect((await workers.next()).done).toBe(false);
  expect(s.stats()).toMatchObject({ delivered: 1, inFlight: 1 });
  open(0);
  expect((await workers.next()).done).toBe(false);
  expect((await workers.next()).done).toBe(true);
});

test('what an order may be is checked, and a shell has its own', () => {
  start(1);
  expect(() => series(jobs, 'twice', { order: 'random' as 'none' })).toThrow(
    expect.objectContaining({ code: 'ERR_PADATA_ARGUMENT' }),
  );
});
