// Plain data that takes its owner long to write or to read: threads do not wait until it has done several of them.
import { afterAll, expect, test } from '@jest/globals';
import { createWorkPool } from '../dist/index.js';
import { LooseRing } from '../dist/loose/loose-ring.js';
import { LONG_PLAIN } from '../dist/ring/long-plain.js';
import type { SlotRing } from '../dist/ring/slot-ring.js';
import { LONGEST_PLAIN } from '../dist/values/slot-values.js';
import { ringOf, runnerOf } from './fixtures/one-thread.js';

const pool = createWorkPool({ threads: 1 });
afterAll(() => pool.close());
const same = (value: unknown): unknown => value;

test.each(['with an order', 'without an order'])(
  'after long results the program answers before more are delivered, %s',
  (what) => {
    let begun = 0;
    const beginLong = (): void => {
      begun += 1;
    };
    const options = { window: 8, arenaBytes: 4 << 20, outputBytes: (n: number) => 4 * n };
    const Ring = what === 'with an order' ? undefined : LooseRing;
    const ring = ringOf(options, { beginLong }, Ring as unknown as typeof SlotRing);
    const runner = runnerOf(ring);
    runner.fn = same;
    const told: number[] = [];
    const run = (inputs: readonly unknown[]): void => {
      for (const input of inputs) {
        ring.submit(
          input,
          (_error, value) => told.push((value as string[]).length),
          undefined,
          0,
          0,
        );
      }
      while (runner.steal());
    };
    /** Plain data of some more bytes. */
    const plain = (bytes: number): string[] => ['x'.repeat(bytes)];
    run([plain(LONG_PLAIN), plain(1), plain(LONG_PLAIN / 2), plain(LONG_PLAIN / 2), 'a', plain(1)]);
    expect(begun).toBe(1);
    const turns: (readonly [number, boolean])[] = [];
    const deliver = (): number => {
      const count = ring.deliver(8, 0);
      if (count > 0) turns.push([count, ring.isCut]);
      return count;
    };
    while (deliver() > 0);
    expect(turns).toEqual([
      [1, true],
      [3, true],
      [2, false],
    ]);
    expect(told).toHaveLength(6);
    // Bytes and text are copied at once.
    run([new Uint8Array(2 * LONG_PLAIN), 'x'.repeat(2 * LONG_PLAIN), plain(2), plain(3)]);
    expect(ring.deliver(8, 0)).toBe(4);
    expect(ring.isCut).toBe(false);
    expect(begun).toBe(1);
  },
);

test('very long plain data goes by message, and so do some objects behind it, without a try', () => {
  const ring = ringOf({ window: 32, arenaBytes: 1 << 16 });
  /** Does it go by message? */
  const submit = (value: unknown): boolean => {
    const before = ring.sent.held;
    expect(ring.submit(value, () => undefined, undefined, 0, 0)).toBe(true);
    return ring.sent.held > before;
  };
  expect(submit({ small: true })).toBe(false);
  // That it is no plain data is seen behind what has room at first.
  expect(submit({ text: 'x'.repeat(1000), more: new Map() })).toBe(true);
  expect(submit({ small: true })).toBe(false);
  expect(submit({ text: 'x'.repeat(LONGEST_PLAIN) })).toBe(true);
  for (let i = 0; i < 8; i += 1) expect(submit({ i })).toBe(true);
  expect(submit({ small: true })).toBe(false);
});

test('very long plain data arrives as it was, both ways', async () => {
  const rows = Array.from({ length: 150_000 }, (_, id) => ({ id, name: `row ${id}`, at: id / 2 }));
  expect(JSON.stringify(rows).length).toBeGreaterThan(LONGEST_PLAIN);
  const series = pool.series({
    fn: { module: new URL('fixtures/lasting-jobs.mjs', import.meta.url), name: 'same' },
  });
  const values = [rows, { a: 1 }, rows.slice(0, 10), [rows], 7];
  expect(await Promise.all(values.map((value) => series.run(value)))).toEqual(values);
  await series.close();
});
