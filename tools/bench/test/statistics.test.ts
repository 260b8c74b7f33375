// What becomes of samples: middle values, ratios of rounds, turns, and what is to be reached.
import { expect, test } from '@jest/globals';
import { Samples, inTurn, ratios } from '../../kit/samples.js';
import { best, median, quantile } from '../../kit/statistics.js';
import { shareOf, verdict, type Target } from '../../kit/targets.js';

test('the median of an even number is the mean of the two middle ones', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([3, 1, 2])).toBe(2);
  expect(median([])).toBeNaN();
  expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
});

test('a ratio is one of a round, so a slow moment of the machine falls out of it', () => {
  // The machine was half as fast in the second round: both subjects were.
  expect(ratios([100, 50, 100], [80, 40, 80])).toEqual([1.25, 1.25, 1.25]);
  expect(ratios([1, 2, 3], [1, 2])).toEqual([1, 1]);
});

test('each subject is first once in as many rounds as there are subjects', () => {
  expect([0, 1, 2, 3].map((round) => inTurn(['a', 'b', 'c'], round).join(''))).toEqual([
    'abc',
    'bca',
    'cab',
    'abc',
  ]);
  expect(inTurn([], 3)).toEqual([]);
});

test('samples of one figure are kept by case, subject and metric', () => {
  const samples = new Samples('bench');
  samples.add('case', 'us', 'rate', '/s', 1);
  samples.add('case', 'us', 'rate', '/s', 3);
  samples.add('case', 'them', 'rate', '/s', 5);
  expect(samples.values('case', 'us', 'rate')).toEqual([1, 3]);
  expect(samples.median('case', 'us', 'rate')).toBe(2);
  expect(samples.median('case', 'us', 'CPU')).toBeNaN();
  expect(samples.rows()).toEqual([
    {
      bench: 'bench',
      case: 'case',
      subject: 'us',
      metric: 'rate',
      unit: '/s',
      median: 2,
      min: 1,
      max: 3,
      n: 2,
    },
    {
      bench: 'bench',
      case: 'case',
      subject: 'them',
      metric: 'rate',
      unit: '/s',
      median: 5,
      min: 5,
      max: 5,
      n: 1,
    },
  ]);
});

test('the best of items is the one with the greatest figure, and never one without', () => {
  const figures: Readonly<Record<string, number>> = { a: 1, b: Number.NaN, c: 3, d: 2 };
  expect(best(Object.keys(figures), (name) => figures[name]!)).toBe('c');
  expect(best(['b', 'a'], (name) => figures[name]!)).toBe('a');
  expect(best(['b'], (name) => figures[name]!)).toBe('b');
  expect(() => best([], () => 1)).toThrow(RangeError);
});

test('a target is reached on its bound and on the good side of it', () => {
  const target = (good: Target['good'], measured: number): Target => ({
    what: 'it',
    measured,
    bound: 100,
    good,
    unit: 'x',
  });
  expect([90, 100, 110].map((value) => verdict(target('above', value)))).toEqual([
    'missed',
    'reached',
    'reached',
  ]);
  expect([90, 100, 110].map((value) => verdict(target('below', value)))).toEqual([
    'reached',
    'reached',
    'missed',
  ]);
  expect(shareOf(target('above', 50))).toBe(0.5);
  expect(shareOf(target('below', 50))).toBe(2);
  expect(verdict(target('above', Number.NaN))).toBe('not measured');
});
