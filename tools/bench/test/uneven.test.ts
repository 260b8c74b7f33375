// Uneven jobs: which are long, how they are dealt, and how much longer than its work a run took.
import { expect, test } from '@jest/globals';
import { dealt, overWork, tailOf, unevenJobs } from '../padata/uneven.js';

const JOBS = { count: 4000, every: 50, seed: 1 };

test('one job in 50 is long, at places that only the seed decides', () => {
  const jobs = unevenJobs(JOBS, 'short', 'long');
  expect(jobs.filter((job) => job === 'long')).toHaveLength(80);
  expect(jobs.filter((job) => job === 'short')).toHaveLength(3920);
  expect(unevenJobs(JOBS, 'short', 'long')).toEqual(jobs);
  expect(unevenJobs({ ...JOBS, seed: 2 }, 'short', 'long')).not.toEqual(jobs);
});

test('each hand gets the same number of either kind', () => {
  const hands = dealt(unevenJobs(JOBS, 1, 100), 2);
  expect(hands.map((list) => list.length)).toEqual([2000, 2000]);
  expect(hands.map((list) => list.filter((job) => job === 100).length)).toEqual([40, 40]);
});

test('the tail lies between the last ends of the threads', () => {
  // thread 1  ──────────■ 50
  // thread 2  ──■ 10 ─■ 30
  expect(
    tailOf([
      [1, 50],
      [2, 10],
      [2, 30],
    ]),
  ).toBe(20);
  expect(
    tailOf([
      [7, 50],
      [7, 80],
    ]),
  ).toBe(0);
});

test('threads that never waited took just their work, a long job at the end notwithstanding', () => {
  // 200 ms of work on two threads, 100 each; the last 20 ms one of them is alone: 110 and 90.
  const ends = [
    [1, 110],
    [2, 90],
  ] as const;
  expect(overWork({ wallMs: 110, ends }, 100, 2)).toBe(1);
  // Each has lost 9 ms somewhere before.
  const late = [
    [1, 119],
    [2, 99],
  ] as const;
  expect(overWork({ wallMs: 119, ends: late }, 100, 2)).toBeCloseTo(1.1, 10);
});
