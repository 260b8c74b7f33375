// Which values are measured over sizes, in which time, and how the curve is drawn.
import { expect, test } from '@jest/globals';
import { KINDS, bars, points, share, sizesUpTo } from '../padata/curve.js';

test('sizes are 0 and every power of two, or every fourth', () => {
  expect(sizesUpTo(16, 1)).toEqual([0, 1, 2, 4, 8, 16]);
  expect(sizesUpTo(1 << 20, 4)).toEqual([0, 1, 16, 256, 4096, 65_536, 1_048_576]);
  expect(sizesUpTo(1 << 24, 1)).toHaveLength(26);
});

test('values have the size that they are called by', () => {
  expect((KINDS['text, two bytes a unit']!(64) as string).length).toBe(32);
  expect((KINDS['Float64Array']!(64) as Float64Array).byteLength).toBe(64);
  expect((KINDS['bigint']!(16) as bigint).toString(16)).toBe('f'.repeat(32));
  for (const make of Object.values(KINDS)) expect(() => make(0)).not.toThrow();
});

test('large values come last, and no two points have one name', () => {
  const all = points(sizesUpTo(1 << 10, 1));
  const sizes = all.map(({ bytes }) => bytes).slice(3);
  expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});

test('the whole ends in its time: what one point takes too long, the others have less', () => {
  const whole = 1000;
  const count = 10;
  let now = 0;
  for (let done = 0; done < count; done += 1) {
    const mine = share(whole - now, count - done);
    now += done === 3 ? 400 : mine;
  }
  expect(now).toBeCloseTo(whole, 6);
  expect(share(-5, 3)).toBe(0);
});

test('a curve is a line of bars between its bounds', () => {
  expect(bars([1, 2, 4, 8, 16, 32, 64, 128, 0.5], 1, 256)).toBe('▁▂▃▄▅▆▇█▁');
  expect(bars([Number.NaN, 256], 1, 256)).toBe(' █');
});
