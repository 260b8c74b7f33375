// How often a loop of jobs looks at the clock, on a clock that is given.
import { expect, test } from '@jest/globals';
import { Deadline } from '../../kit/deadline.js';

/** Runs jobs of so many milliseconds until a time is over; counts jobs and looks at the clock. */
function jobsUntil(until: number, jobMs: number): { jobs: number; looks: number; end: number } {
  let now = 0;
  let looks = 0;
  const clock = (): number => {
    looks += 1;
    return now;
  };
  const deadline = new Deadline(until, clock);
  let jobs = 0;
  do {
    now += jobMs;
    jobs += 1;
  } while (!deadline.isOver);
  return { jobs, looks, end: now };
}

test('slow jobs are not run on: the first that ends after the time is the last', () => {
  expect(jobsUntil(100, 30)).toMatchObject({ jobs: 4, end: 120 });
  expect(jobsUntil(100, 5000)).toMatchObject({ jobs: 1 });
  expect(jobsUntil(100, 1)).toMatchObject({ jobs: 100 });
});

test('trivial jobs pay for a look once in 256, and end a fraction of a millisecond late', () => {
  const { jobs, looks, end } = jobsUntil(100, 0.0002);
  expect(looks).toBeLessThan(jobs / 200);
  expect(end).toBeGreaterThanOrEqual(100);
  expect(end).toBeLessThan(100.2);
});

test('jobs that turn slow are looked at one by one again', () => {
  // 1000 trivial ones, a look in 256 of them; then 1 ms each: one stretch of them runs on, no more.
  let jobs = 0;
  const jobMs = (): number => ((jobs += 1) <= 1000 ? 0.0002 : 1);
  let now = 0;
  const deadline = new Deadline(1000, () => now);
  do now += jobMs();
  while (!deadline.isOver);
  expect(now).toBeLessThan(1002);
});

test('once over, it stays over', () => {
  let now = 0;
  const deadline = new Deadline(10, () => now);
  now = 11;
  expect(deadline.isOver).toBe(true);
  now = 0;
  expect([deadline.isOver, deadline.isOver]).toEqual([true, true]);
});
