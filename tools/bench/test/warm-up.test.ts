// When a subject counts as warm: the rule, on rates that are given.
import { expect, test } from '@jest/globals';
import { warmUp } from '../../kit/warm-up.mjs';

const NO_LIMITS = { leastMs: 0, mostMs: Infinity };

/** A subject with these rates, the last one for ever. */
function subject(rates: readonly number[]): () => number {
  let turn = 0;
  return () => rates[Math.min(turn++, rates.length - 1)]!;
}

test('a subject is warm when three rates in a row do not beat the best one before', async () => {
  // 1, 10, 100: it still compiles. Then it stands still.
  const { rates, steady } = await warmUp(subject([1, 10, 100]), NO_LIMITS);
  expect(rates).toEqual([1, 10, 100, 100, 100, 100]);
  expect(steady).toBe(true);
});

test('a slow slice is no progress, and what comes after it is held to the best one', async () => {
  const { rates } = await warmUp(subject([100, 3, 100, 104]), NO_LIMITS);
  expect(rates).toEqual([100, 3, 100, 104]);
});

test('a rate that rises by more than 5 % begins the count anew', async () => {
  const { rates } = await warmUp(subject([100, 100, 100, 106, 106, 106, 106]), NO_LIMITS);
  expect(rates).toEqual([100, 100, 100, 106, 106, 106, 106]);
});

test('small rises add up: a row is held to the best one before all of it', async () => {
  // 4 % each; the second of them is 8 % above what was before the row.
  const { rates } = await warmUp(subject([100, 104, 108.16, 112.5]), NO_LIMITS);
  expect(rates).toEqual([100, 104, 108.16, 112.5, 112.5, 112.5]);
});

test('a subject that never stands still ends when its time is over, and says so', async () => {
  let rate = 1;
  const { rates, steady } = await warmUp(() => (rate *= 2), { leastMs: 0, mostMs: 0 });
  expect(rates).toEqual([2]);
  expect(steady).toBe(false);
});
