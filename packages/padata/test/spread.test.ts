// Asynchronous jobs over the threads: a promise says nothing of the CPU that its function still needs.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { SlotRing } from '../dist/ring/slot-ring.js';
import { SlotRunner } from '../dist/slot/slot-runner.js';

let now = 0;
beforeEach(() => {
  now = 1000;
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** A ring for two threads, and one of them: with a clock of its busy time, and jobs that end when they are told. */
function thread(pendingPerThread = 64) {
  const control = new Int32Array(new SharedArrayBuffer(4 * 256));
  const options = { id: 1, window: 64, arenaBytes: 65_536, slotBytes: 64, firstSequence: 0 };
  const none = { retries: 0, onOutcome: undefined, outputBytes: (n: number) => n };
  const ring = new SlotRing(
    { ...options, ...none, shared: true, copyBytes: true, capacity: 2 },
    { threads: 2, handOver: () => undefined },
  );
  ring.allow([1, 2]);
  const seen = { woken: 0, busyMs: 0 };
  const { memory, stats } = ring;
  const here = { id: 1, memory, shared: undefined, stats, threads: 2, clockOffset: 0 };
  const runner = new SlotRunner(
    { ...here, pendingPerThread },
    {
      worker: 1,
      control,
      post: () => undefined,
      wake: () => undefined,
      takesOver: () => undefined,
      beginAsync: () => undefined,
      endAsync: () => undefined,
      busyMs: () => seen.busyMs,
      wakeAnother: () => (seen.woken += 1),
    },
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
      ring.submit(i, () => undefined, undefined, 0, false, false);
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
  return { runner, seen, submit, take, end };
}

test('of jobs whose cost is not known a thread takes its share, wakes another for the rest, and waits a moment', () => {
  const { runner, seen, submit, take } = thread();
  submit(6);
  expect(take()).toBe(3);
  expect(runner.canWork).toBe(false);
  expect(runner.isPatient).toBe(true);
  expect(runner.steal()).toBe(false);
  const { woken } = seen;
  expect(woken).toBeGreaterThan(0);
  // Nobody comes: after the moment it takes one more, and then has to wait again.
  now += 0.9;
  expect(runner.canWork).toBe(false);
  now += 0.2;
  expect(runner.canWork).toBe(true);
  expect(runner.scan()).toBe(true);
  expect(runner.canWork).toBe(false);
});

test('jobs that compute for longer than a wake-up are shared, tiny ones go in batches', async () => {
  const { seen, submit, take, end } = thread();
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
  expect(take()).toBe(10);
  expect(seen.woken).toBeGreaterThan(0);
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
