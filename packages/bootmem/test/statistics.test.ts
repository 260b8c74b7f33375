import { expect, test } from '@jest/globals';
import { summarize, threadSteps } from '../dist/bench/statistics.js';

test('mean, sample deviation, median and extremes', () => {
  const summary = summarize([2, 4, 4, 4, 5, 5, 7, 9]);
  expect(summary).toMatchObject({ n: 8, mean: 5, median: 4.5, min: 2, max: 9 });
  expect(summary.stdev).toBeCloseTo(2.138, 3);
});

test('one value has no deviation; none is refused', () => {
  expect(summarize([3])).toEqual({ n: 1, mean: 3, stdev: 0, median: 3, min: 3, max: 3 });
  expect(() => summarize([])).toThrow(RangeError);
});

test('the median does not depend on the order', () => {
  expect(summarize([9, 1, 5]).median).toBe(5);
});

test('thread steps begin with one thread, end with all, and repeat none', () => {
  expect(threadSteps(1)).toEqual([{ threads: 1, percent: 100 }]);
  expect(threadSteps(2).map((step) => step.threads)).toEqual([1, 2]);
  // The series' machine with 52 threads: 1 (2 %), 6, 13, 19, 26, 39, 52.
  expect(threadSteps(52)).toEqual([
    { threads: 1, percent: 2 },
    { threads: 6, percent: 12 },
    { threads: 13, percent: 25 },
    { threads: 19, percent: 37 },
    { threads: 26, percent: 50 },
    { threads: 39, percent: 75 },
    { threads: 52, percent: 100 },
  ]);
});
