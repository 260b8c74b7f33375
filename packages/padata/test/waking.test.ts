// When the thread that submits is woken, or stays awake: the decisions, on one thread.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HEAD, controlLayout } from '../dist/protocol/control-layout.js';
import { ring as protocol } from '../dist/protocol/machine.js';
import { Linger } from '../dist/hub/linger.js';
import { jobsAhead } from '../dist/ring/wake-ahead.js';
import { ringOf, runnerOf } from './fixtures/one-thread.js';

/** A ring with its owner and worker 1, both on this thread; `wakes` counts how often the worker woke the owner. */
function ownerAndWorker(window: number) {
  const control = new Int32Array(new SharedArrayBuffer(4 * controlLayout(1).wordCount));
  const ring = ringOf({ window, arenaBytes: 65_536 });
  let wakes = 0;
  const runner = runnerOf(ring, { control, wake: () => (wakes += 1) });
  runner.fn = (n) => n;
  const sleep = (): boolean => protocol.ownerMaySleep(control, () => ring.anyDone());
  const isAsleep = (): boolean => control[HEAD.OWNER_ASLEEP] === 1;
  return { ring, runner, sleep, isAsleep, wakes: () => wakes };
}

test('with `more`, the results of jobs that belong together come together', () => {
  // [ 0 more | 1 more | 2 more | 3 ]: the end of the last wakes the owner, and all four are delivered.
  const { ring, runner, sleep, isAsleep, wakes } = ownerAndWorker(16);
  for (let round = 0; round < 10; round += 1) {
    const seen: unknown[] = [];
    const note = (_error: unknown, value: unknown): unknown => seen.push(value);
    for (let i = 0; i < 4; i += 1) {
      expect(ring.submit(i, note, undefined, 0, 0, false, undefined, i < 3)).toBe(true);
    }
    // Nothing is done; the owner says which job it awaits.
    expect(ring.deliver(16, 0)).toBe(0);
    expect(sleep()).toBe(true);
    for (let i = 0; i < 4; i += 1) {
      expect(wakes()).toBe(round);
      expect(isAsleep()).toBe(true);
      expect(runner.runOne(4 * round + i)).toBe(true);
    }
    expect(wakes()).toBe(round + 1);
    expect(isAsleep()).toBe(false);
    expect(ring.deliver(16, 0)).toBe(4);
    expect(seen).toEqual([0, 1, 2, 3]);
  }
});

test('without `more`, the end of the next job wakes the owner', () => {
  const { ring, runner, sleep, wakes } = ownerAndWorker(16);
  for (let i = 0; i < 3; i += 1) ring.submit(i, () => undefined, undefined, 0, 0);
  ring.deliver(16, 0);
  expect(sleep()).toBe(true);
  expect(runner.runOne(1)).toBe(true);
  expect(wakes()).toBe(0);
  expect(runner.runOne(0)).toBe(true);
  expect(wakes()).toBe(1);
  expect(ring.deliver(16, 0)).toBe(2);
});

test('the next job is awaited while few wait, jobs are slow, quick or not known', () => {
  expect(jobsAhead(3, 100_000, 2)).toBe(0);
  expect(jobsAhead(64, 4_100_000, 2)).toBe(0);
  expect(jobsAhead(64, 500, 2)).toBe(0);
  expect(jobsAhead(64, 0, 2)).toBe(0);
});

test('as many as take two milliseconds are awaited together, and not more than a quarter of all', () => {
  expect(jobsAhead(64, 400_000, 2)).toBe(10);
  expect(jobsAhead(64, 1_000_000, 4)).toBe(8);
  expect(jobsAhead(16, 400_000, 4)).toBe(4);
  expect(jobsAhead(64, 100_000, 2)).toBe(16);
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
