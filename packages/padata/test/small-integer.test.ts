// Numbers that went through shared floats come out as they went in, and as integers where they can.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createWorkPool } from '@bootmem/padata';
import { smallInteger } from '../dist/base/small-integer.js';

test('the number is the same, -0 and NaN included', () => {
  for (const n of [0, -0, 1, -1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, 0.5, NaN, Infinity]) {
    expect(Object.is(smallInteger(n), n)).toBe(true);
  }
  fc.assert(
    fc.property(fc.double(), fc.integer(), (float, integer) => {
      expect(Object.is(smallInteger(float), float)).toBe(true);
      expect(smallInteger(new Float64Array([integer])[0]!)).toBe(integer);
    }),
  );
});

test('a series gives numbers back as they are', async () => {
  await using pool = createWorkPool({ threads: 1 });
  const module = new URL('./fixtures/series-jobs.mjs', import.meta.url);
  await using series = pool.series<(n: number) => number>({ fn: { module, name: 'same' } });
  for (const n of [0, -0, -7, 2 ** 40, 0.1, NaN]) {
    expect(Object.is(await series.run(n), n)).toBe(true);
  }
});
