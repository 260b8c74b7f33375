// When the thread that submits is woken, or stays awake: the decisions, on one thread.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HEAD, controlLayout } from '../dist/protocol/control-layout.js';
import { ring as protocol } from '../dist/protocol/machine.js';
import { Linger } from '../dist/turns/linger.js';
import { RingHub } from '../dist/hub/ring-hub.js';
import { jobsAhead, resultsAhead } from '../dist/ring/wake-ahead.js';
import { RING } from '../dist/protocol/ring-layout.js';
import { ringOf, runnerOf } from './fixtures/one-thread.js';
import { WorkerRings } from '../dist/loop/worker-rings.js';
import { provideModule } from '../dist/modules/job-modules.js';

/** A ring with its owner and worker 1, both on this thread; `wakes` counts how often the worker woke the owner. */
function ownerAndWorker(window: number) {
  const control = new Int32Array(new SharedArrayBuffer(4 * controlLayout(1).wordCount));
  const ring = ringOf({ window, arenaBytes: 65_536 });
  let wakes = 0;
  const runner = runnerOf(ring, { control, wake: () => (wakes += 1) });
  runner.fn = (n) => n;
  const sleep = (): boolean => {
    ring.awaitLater();
    return protocol.ownerMaySleep(control, () => ring.isDue());
  };
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

/** Jobs of so many nanoseconds are known. */
function lasting(ring: { readonly memory: { readonly words: Int32Array } }, ns: number): void {
  ring.memory.words[RING.RUN_NS] = ns;
}

test('while many jobs wait, what is done stays until the job that is awaited has ended', () => {
  const { ring, runner, sleep, isAsleep, wakes } = ownerAndWorker(64);
  lasting(ring, 100_000);
  for (let i = 0; i < 16; i += 1) ring.submit(i, () => undefined, undefined, 0, 0);
  const ahead = jobsAhead(16, 100_000, 1);
  expect(ahead).toBeGreaterThan(3);
  // Two have ended while the owner was awake: it sleeps nevertheless.
  for (let i = 0; i < 2; i += 1) expect(runner.runOne(i)).toBe(true);
  lasting(ring, 100_000);
  expect(ring.anyDone()).toBe(true);
  expect(ring.isDue()).toBe(true);
  expect(ring.awaitLater()).toBe(true);
  // All are reserved: nobody will come and say that there is nothing more to do.
  ring.memory.words[RING.CLAIM] = 16;
  expect(sleep()).toBe(false);
  ring.memory.words[RING.CLAIM] = 2;
  expect(sleep()).toBe(true);
  for (let i = 2; i < ahead; i += 1) {
    expect(runner.runOne(i)).toBe(true);
    expect(isAsleep()).toBe(true);
  }
  expect(wakes()).toBe(0);
  expect(runner.runOne(ahead)).toBe(true);
  expect(wakes()).toBe(1);
  expect(isAsleep()).toBe(false);
  expect(ring.isDue()).toBe(true);
  expect(ring.deliver(64, 0)).toBe(ahead + 1);
});

test('the awaited job has ended and the next has not: whoever ends that wakes the owner', () => {
  const { ring, runner, sleep, wakes } = ownerAndWorker(64);
  lasting(ring, 100_000);
  for (let i = 0; i < 16; i += 1) ring.submit(i, () => undefined, undefined, 0, 0);
  const ahead = jobsAhead(16, 100_000, 1);
  expect(sleep()).toBe(true);
  for (let i = 1; i <= ahead; i += 1) expect(runner.runOne(i)).toBe(true);
  // It was woken for the job that it awaits, and finds nothing to deliver: now it awaits the next.
  expect(wakes()).toBe(1);
  expect(ring.deliver(64, 0)).toBe(0);
  expect(ring.awaitLater()).toBe(false);
  expect(sleep()).toBe(true);
  expect(runner.runOne(0)).toBe(true);
  expect(wakes()).toBe(2);
  expect(ring.deliver(64, 0)).toBe(ahead + 1);
});

test('jobs may be known as slow: whoever is next wakes the owner', () => {
  const { ring, runner, isAsleep } = ownerAndWorker(64);
  lasting(ring, 100_000);
  for (let i = 0; i < 16; i += 1) ring.submit(i, () => undefined, undefined, 0, 0);
  ring.awaitNext();
  expect(ring.isDue()).toBe(false);
  expect(runner.runOne(0)).toBe(true);
  expect(isAsleep()).toBe(false);
  expect(ring.isDue()).toBe(true);
});

test('how long the longest jobs under way take, is known of those that are under way', () => {
  provideModule('waking:jobs', { echo: (value: unknown) => value });
  const words = new Int32Array(new SharedArrayBuffer(4 * controlLayout(1).wordCount));
  const loop = {
    init: { id: 1, capacity: 1, words },
    clock: {},
    post: () => undefined,
    isSettling: () => false,
  };
  const rings = new WorkerRings(loop as unknown as ConstructorParameters<typeof WorkerRings>[0]);
  expect(rings.longestNs).toBeUndefined();
  const [short, long] = [5000, 80_000].map((ns, i) => {
    const ring = ringOf({ window: 16 });
    const { buffer, window } = ring.memory;
    rings.define({
      ...{ t: 'ring', ring: i + 1, href: 'waking:jobs', name: 'echo', aloneMs: 1, arenaBytes: 0 },
      ...{ buffer, window, parts: [], stats: new Int32Array(64), shared: undefined, timeOrigin: 0 },
      ...{ threads: 1, pendingPerThread: 1, copyInput: false, outputBytes: 0, level: 0 },
    } as unknown as Parameters<typeof rings.define>[0]);
    const submit = (): void => {
      expect(ring.submit(1, () => undefined, undefined, 0, 0)).toBe(true);
      ring.publish();
    };
    return {
      submit,
      known: (): void => {
        lasting(ring, ns);
      },
    };
  });
  expect(rings.longestNs).toBeUndefined();
  short!.submit();
  expect(rings.longestNs).toBe(Infinity);
  short!.known();
  long!.known();
  expect(rings.longestNs).toBe(5000);
  long!.submit();
  expect(rings.longestNs).toBe(80_000);
});

test.each([jobsAhead, resultsAhead])(
  'the next job is awaited while few wait, jobs are slow, quick or not known: %p',
  (ahead) => {
    expect(ahead(3, 100_000, 2)).toBe(0);
    expect(ahead(64, 8_100_000, 2)).toBe(0);
    expect(ahead(64, 500, 2)).toBe(0);
    expect(ahead(64, 0, 2)).toBe(0);
  },
);

test('as many as take four milliseconds are awaited together, and as many stay as last while the owner wakes', () => {
  expect(jobsAhead(64, 400_000, 2)).toBe(20);
  expect(jobsAhead(64, 1_000_000, 4)).toBe(16);
  // All but four jobs for each thread,
  expect(jobsAhead(64, 100_000, 2)).toBe(56);
  // or but what takes each thread 100 us, whatever is less;
  expect(jobsAhead(256, 10_000, 8)).toBe(176);
  expect(jobsAhead(64, 5000, 2)).toBe(24);
  expect(jobsAhead(64, 4000, 2)).toBe(16);
  // but a quarter of all in any case,
  expect(jobsAhead(16, 400_000, 4)).toBe(4);
  expect(jobsAhead(8, 100_000, 2)).toBe(2);
  expect(jobsAhead(7, 50_000, 2)).toBe(1);
});

test.each([jobsAhead, resultsAhead])(
  'while no thread has four to do, jobs that take as long as a wake-up are awaited each: %p',
  (ahead) => {
    expect(ahead(7, 50_001, 2)).toBe(0);
    expect(ahead(8, 50_001, 2)).toBe(2);
    expect(ahead(31, 100_000, 8)).toBe(0);
    expect(ahead(32, 100_000, 8)).toBe(8);
  },
);

test('without an order a quarter of all is awaited together, or what takes two milliseconds', () => {
  expect(resultsAhead(64, 100_000, 2)).toBe(16);
  expect(resultsAhead(64, 400_000, 2)).toBe(10);
  expect(resultsAhead(64, 1_000_000, 4)).toBe(8);
  expect(resultsAhead(16, 400_000, 4)).toBe(4);
});

test.each([
  [64, 2, 2],
  [2, 64, 2],
  [0, 2, 1],
])('of %i threads on %i processors %i run at the same time', (most, processors, atOnce) => {
  const platform = { availableParallelism: () => processors };
  const crew = { most, capacity: most, words: new Int32Array(controlLayout(most).wordCount) };
  type Made = ConstructorParameters<typeof RingHub>;
  const hub = new RingHub(
    platform as Made[0],
    crew as unknown as Made[1],
    {} as unknown as Made[2],
  );
  expect(hub.atOnce).toBe(atOnce);
});

test.each([
  [jobsAhead, 1],
  [resultsAhead, 0.25],
] as const)(
  'of all that is under way, some jobs stay behind those that are awaited: %p',
  (ahead, most) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 65_536 }),
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (outstanding, ns, threads) => {
          const jobs = ahead(outstanding, ns, threads);
          expect(Number.isInteger(jobs)).toBe(true);
          expect(jobs).toBeGreaterThanOrEqual(0);
          expect(jobs).toBeLessThanOrEqual(outstanding * most);
          expect(jobs * ns).toBeLessThanOrEqual(4_000_000 * threads);
          if (jobs > 0) expect(outstanding - jobs).toBeGreaterThanOrEqual(3);
          // Beyond a quarter, the rest is four jobs for each thread and lasts 100 us of each.
          if (jobs > outstanding / 4) {
            expect(outstanding - jobs).toBeGreaterThanOrEqual(4 * threads);
            expect((outstanding - jobs) * ns).toBeGreaterThanOrEqual(100_000 * threads);
          }
        },
      ),
    );
  },
);

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
