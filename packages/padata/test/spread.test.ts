// Asynchronous jobs over the threads: a promise says nothing of the CPU that its function still needs.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { performance } from '../dist/base/host-time.js';
import { HEAD, WORKER, workerBase } from '../dist/protocol/control-layout.js';
import { ringOf, runnerOf } from './fixtures/one-thread.js';

let now = 0;
beforeEach(() => {
  now = 1000;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/**
 * A ring for threads of which this is the first: with a clock of its busy time, and jobs that end when they are told. The
 * others are what they say of themselves.
 */
function thread(pendingPerThread = 64, threads = 2) {
  const control = new Int32Array(new SharedArrayBuffer(4 * 256));
  control[HEAD.CAPACITY] = threads;
  /** Another thread has nothing to do, and waits for so many promises; or it has. */
  const other = (worker: number, pending: number, free = true): void => {
    control[workerBase(worker) + WORKER.FREE] = free ? 1 : 0;
    control[workerBase(worker) + WORKER.PENDING] = pending;
  };
  const ring = ringOf({ window: 64, arenaBytes: 65_536, capacity: threads });
  const seen = { woken: 0, busyMs: 0 };
  const runner = runnerOf(
    ring,
    { control, busyMs: () => seen.busyMs, wakeAnother: () => (seen.woken += 1) },
    { threads, pendingPerThread },
  );
  const ends: (() => void)[] = [];
  runner.fn = (n) =>
    new Promise((resolve) =>
      ends.push(() => {
        resolve(n);
      }),
    );
  const submit = (count: number): void => {
    for (let i = 0; i < count; i += 1) {
      ring.submit(i, () => undefined, undefined, 0, 0, false);
    }
  };
  /** Takes what it may at once. */
  const take = (): number => {
    const before = ends.length;
    while (runner.scan());
    return ends.length - before;
  };
  /** All its jobs end, each after so much work of the event loop. */
  const end = async (eachMs: number): Promise<void> => {
    const jobs = ends.splice(0);
    seen.busyMs += jobs.length * eachMs;
    for (const done of jobs) done();
    await new Promise((resolve) => setImmediate(resolve));
    ring.deliver(64, 0);
  };
  return { runner, ring, seen, other, submit, take, end };
}

test('no thread begins a second one while another sleeps that has none', () => {
  const { runner, seen, other, submit, take } = thread();
  other(2, 0);
  submit(6);
  expect(take()).toBe(1);
  expect(runner.canWork).toBe(false);
  expect(runner.isPatient).toBe(true);
  expect(runner.steal()).toBe(false);
  expect(seen.woken).toBeGreaterThan(0);
  // However long the other takes to get a CPU: it has begun one now.
  now += 40;
  expect(runner.canWork).toBe(false);
  // A job of its own that keeps it is no waiting.
  now += 1000;
  expect(runner.canWork).toBe(false);
  other(2, 1);
  expect(take()).toBe(2);
  // Its share is three: beyond that it leaves them to whoever has fewer.
  expect(runner.canWork).toBe(false);
  other(2, 2);
  expect(runner.canWork).toBe(false);
  other(2, 3);
  expect(take()).toBe(1);
});

test('nothing is left to threads that work, or that may not take it', () => {
  const { ring, other, submit, take } = thread(64, 3);
  other(2, 0, false);
  other(3, 0);
  ring.allow([1, 2]);
  submit(6);
  expect(take()).toBe(3);
  // Beyond its share those that work get a moment, as they may be about to end.
  now += 0.9;
  expect(take()).toBe(0);
  now += 0.1;
  expect(take()).toBe(1);
  expect(take()).toBe(0);
});

test('a thread that was waited for and did not come is not waited for again until it has done something', () => {
  const { runner, other, submit, take } = thread(64, 3);
  other(2, 0);
  other(3, 2);
  submit(9);
  expect(take()).toBe(1);
  for (let i = 0; i < 49; i += 1) {
    now += 1;
    expect(runner.canWork).toBe(false);
  }
  now += 1;
  expect(runner.canWork).toBe(true);
  expect(take()).toBe(2);
  // The second is out of the question, the third has its share to take.
  expect(runner.canWork).toBe(false);
  other(3, 3);
  expect(take()).toBe(1);
  // It is back: it has begun one and ended one.
  other(2, 1);
  expect(runner.canWork).toBe(false);
  other(2, 0);
  expect(runner.canWork).toBe(false);
});

test('one of those that are waited for is woken every millisecond, not at every look', () => {
  const { runner, seen, other, submit, take } = thread();
  other(2, 0);
  submit(6);
  take();
  seen.woken = 0;
  for (let i = 0; i < 100; i += 1) expect(runner.canWork).toBe(false);
  expect(seen.woken).toBe(0);
  now += 1;
  for (let i = 0; i < 100; i += 1) expect(runner.canWork).toBe(false);
  expect(seen.woken).toBe(1);
});

test('jobs that compute for longer than a wake-up are shared, tiny ones go in batches', async () => {
  const { seen, other, submit, take, end } = thread();
  other(2, 0);
  submit(2);
  expect(take()).toBe(1);
  await end(0.001);
  // Known now, and tiny: as many as come.
  expect(take()).toBe(1);
  await end(0.001);
  submit(20);
  expect(take()).toBe(20);
  await end(5);
  // They have become long.
  seen.woken = 0;
  submit(20);
  expect(take()).toBe(1);
  expect(seen.woken).toBeGreaterThan(0);
  other(2, 1);
  expect(take()).toBe(9);
});

test('never more promises are pending on a thread than the option says', async () => {
  const { submit, take, end } = thread(3);
  submit(1);
  take();
  await end(0.001);
  submit(20);
  expect(take()).toBe(3);
  await end(0.001);
  expect(take()).toBe(3);
});
