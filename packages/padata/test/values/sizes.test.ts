// Values of every size through a pool: around each border of rooms, parts and forms, with and without an order and threads.
import { afterEach, expect, test } from '@jest/globals';
import { createWorkPool } from '@bootmem/padata';
import type { WorkPool } from '@bootmem/padata';

const module = new URL('../fixtures/value-jobs.mjs', import.meta.url);
type Any = (input: unknown) => unknown;
let pool: WorkPool;
afterEach(() => pool.close());

const LENGTHS = [
  0, 1, 7, 8, 9, 12, 13, 63, 64, 65, 511, 512, 513, 1023, 1024, 1025, 4095, 4096, 4097, 32_768,
  65_535, 65_536, 65_537, 262_145, 1_048_576, 4_194_305,
];
const KINDS: Readonly<Record<string, (length: number) => unknown>> = {
  'text of one byte a unit': (n) => 'y'.repeat(n),
  'text of two': (n) => '\u4e2d'.repeat(n),
  'text that is wide at its end alone': (n) => `${'y'.repeat(Math.max(0, n - 1))}\ud800`,
  bytes: (n) => new Uint8Array(n).fill(n & 255),
  'plain data': (n) =>
    n > 300_000
      ? { text: 'z'.repeat(n) }
      : Array.from({ length: n >> 5 }, (_, id) => ({ id, name: `row ${id}` })),
};
const WAYS: readonly (readonly [string, number, 'submission' | 'none'])[] = [
  ['in order', 2, 'submission'],
  ['without an order', 2, 'none'],
  ['on the calling thread', 0, 'submission'],
];

for (const [way, threads, order] of WAYS) {
  for (const [kind, make] of Object.entries(KINDS)) {
    test(`${kind}, ${way}: each size comes back, alone and among others`, async () => {
      pool = createWorkPool({ threads });
      for (const name of ['same', 'later']) {
        await using s = pool.series<Any>({ fn: { module, name }, order, window: 16 });
        for (const list of [LENGTHS, LENGTHS.toReversed()]) {
          const values = list.map(make);
          const results = await Promise.all(values.map((value) => s.run(value)));
          results.forEach((result, i) => {
            const same =
              typeof result === 'string'
                ? result === values[i]
                : Buffer.isBuffer(result) || result instanceof Uint8Array
                  ? Buffer.compare(result, values[i] as Uint8Array) === 0
                  : JSON.stringify(result) === JSON.stringify(values[i]);
            expect([list[i], same]).toEqual([list[i], true]);
          });
        }
      }
    });
  }
}

test('results that are larger than their inputs: by message at first, then in their slots', async () => {
  pool = createWorkPool({ threads: 2 });
  await using texts = pool.series<Any>({ fn: { module, name: 'text' }, window: 16 });
  for (const kind of ['narrow', 'wide']) {
    const unit = kind === 'wide' ? '\u4e2d' : 'n';
    for (const length of [100, 5000, 100_000, 3]) {
      const all = await Promise.all(
        Array.from({ length: 40 }, (_, n) => texts.run([kind, length + n])),
      );
      all.forEach((text, n) => {
        expect(text === unit.repeat(length + n)).toBe(true);
      });
    }
  }
  await using rows = pool.series<Any>({ fn: { module, name: 'rows' }, order: 'none' });
  for (const count of [1, 500, 2000]) {
    const all = await Promise.all(Array.from({ length: 30 }, () => rows.run(count)));
    for (const list of all as { id: number; name: string }[][]) {
      expect([list.length, list.at(-1)]).toEqual([
        count,
        { id: count - 1, name: `row ${count - 1}` },
      ]);
    }
  }
});

test('bytes that a function puts into its own slot, wherever that is, and views of them', async () => {
  pool = createWorkPool({ threads: 2 });
  await using s = pool.series<Any>({ fn: { module, name: 'copied' }, window: 8, bytes: 'view' });
  const lengths = [10, 3000, 100_000, 1_500_000, 5];
  let at = 0;
  for await (const view of s.map(
    [...lengths, ...lengths].map((n) => new Uint8Array(n).fill(n & 255)),
  )) {
    const length = lengths[at % lengths.length]!;
    const bytes = view as Uint8Array;
    expect([bytes.length, bytes[0], bytes[length - 1]]).toEqual([
      length,
      length & 255,
      length & 255,
    ]);
    expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    at += 1;
  }
  expect(at).toBe(10);
});

test('a job that is completed from elsewhere has room for what it was given, in any part', async () => {
  // Its function leaves a timer behind.
  pool = createWorkPool({ threads: 2, idle: 'loop' });
  await using s = pool.series<Any>({ fn: { module, name: 'hands' }, window: 8 });
  for (const length of [10, 3000, 100_000, 1_500_000, 5]) {
    const texts = Array.from({ length: 8 }, (_, n) => `${n}`.repeat(length));
    const results = await Promise.all(texts.map((text) => s.run(text)));
    expect(results.map((text, n) => text === texts[n])).toEqual(texts.map(() => true));
  }
});

test('a series of long jobs takes no more than its bound, and small ones go on in it', async () => {
  pool = createWorkPool({ threads: 2 });
  await using s = pool.series<Any>({ fn: { module, name: 'same' }, window: 64 });
  const before = process.memoryUsage().arrayBuffers;
  const long = new Uint8Array(16 << 20).fill(1);
  for (let round = 0; round < 3; round += 1) {
    const all = await Promise.all(Array.from({ length: 6 }, () => s.run(long)));
    expect(all.every((bytes) => (bytes as Uint8Array).length === long.length)).toBe(true);
  }
  // 64 MiB of shared memory; the results are the program's own.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan((64 + 6 * 16 * 3 + 32) << 20);
  const small = await Promise.all(Array.from({ length: 500 }, (_, n) => s.run(n)));
  expect(small).toEqual(Array.from({ length: 500 }, (_, n) => n));
});
