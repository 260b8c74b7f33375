// When the thread that submits is woken, or stays awake: decisions without shared memory.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Linger } from '../dist/ring/linger.js';
import { jobsAhead } from '../dist/ring/wake-ahead.js';

test('the next job is awaited while few wait, jobs are slow, quick or not known', () => {
  expect(jobsAhead(3, 100_000, 2)).toBe(0);
  expect(jobsAhead(64, 1_000_000, 2)).toBe(0);
  expect(jobsAhead(64, 500, 2)).toBe(0);
  expect(jobsAhead(64, 0, 2)).toBe(0);
});

test('as many as take a quarter of a millisecond are awaited together, and not more than a quarter of all', () => {
  expect(jobsAhead(64, 100_000, 2)).toBe(5);
  expect(jobsAhead(64, 100_000, 4)).toBe(10);
  expect(jobsAhead(16, 100_000, 4)).toBe(4);
  expect(jobsAhead(64, 10_000, 2)).toBe(16);
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 65_536 }),
      fc.integer({ min: 0, max: 2 ** 31 - 1 }),
      fc.integer({ min: 1, max: 255 }),
      (outstanding, ns, threads) => {
        const ahead = jobsAhead(outstanding, ns, threads);
        expect(Number.isInteger(ahead)).toBe(true);
        expect(ahead).toBeGreaterThanOrEqual(0);
        expect(ahead * 4).toBeLessThanOrEqual(outstanding);
        if (ahead > 0) expect(outstanding - ahead).toBeGreaterThanOrEqual(3);
      },
    ),
  );
});

test('waiting awake gives up after failures, tries again now and then, and recovers', () => {
  const linger = new Linger();
  let looks = 0;
  const never = (): boolean => {
    looks += 1;
    return false;
  };
  expect(linger.until(never)).toBe(false);
  expect(looks).toBeGreaterThan(0);
  // Given up: no look at all, but for one try in 64.
  looks = 0;
  let tries = 0;
  for (let i = 0; i < 64; i += 1) {
    const before = looks;
    expect(linger.until(never)).toBe(false);
    if (looks > before) tries += 1;
  }
  expect(tries).toBe(1);
  let found = false;
  for (let i = 0; i < 64; i += 1) found ||= linger.until(() => true);
  expect(found).toBe(true);
  looks = 0;
  expect(linger.until(() => (looks += 1) > 1)).toBe(true);
  expect(looks).toBe(2);
});
