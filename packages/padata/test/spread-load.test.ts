// Asynchronous jobs that compute, over threads that get a processor when the machine has one: how many each begins. Runners
// and ring are real; what threads do between two looks, and when, is a plan on a clock of its own.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { performance } from '../dist/base/host-time.js';
import { HEAD, WORKER, workerBase } from '../dist/protocol/control-layout.js';
import type { SlotRing } from '../dist/ring/slot-ring.js';
import type { SlotRunner } from '../dist/slot/slot-runner.js';
import { ringOf, runnerOf } from './fixtures/one-thread.js';

const THREADS = 4;
const JOBS = 16;
/** Of each job, in milliseconds: it waits for a file, then computes. */
const FILE_MS = 2;
const CPU_MS = 50;
/** Between two looks, and when there is nothing to do. */
const LOOK_MS = 0.02;
const SLEEP_MS = 1;
/** A busy thread with promises pending lets events in this often. */
const EVENTS_MS = 5;

let now = 0;
beforeEach(() => {
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
  jest.restoreAllMocks();
});

/** A promise's function that is to go on at this time. */
interface Part {
  readonly at: number;
  readonly end: () => void;
}

interface Thread {
  readonly id: number;
  readonly runner: SlotRunner;
  readonly parts: Part[];
  clock: number;
  busyMs: number;
  lastEvents: number;
  begun: number;
  readonly random: () => number;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Numbers from 0 to 1 that depend on the seed alone. */
function randomOf(seed: number): () => number {
  let state = seed * 0x9e3779b1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

/**
 * Plays all jobs.
 * @param awayMs when a thread has come to the processor it may be taken from it again for so long, now and then
 * @returns jobs that each thread began
 */
async function play(seed: number, awayMs: number): Promise<number[]> {
  const random = randomOf(seed);
  const control = new Int32Array(new SharedArrayBuffer(4 * 256));
  control[HEAD.CAPACITY] = THREADS;
  const ring = ringOf({ window: 64, arenaBytes: 65_536, capacity: THREADS });
  const ids = Array.from({ length: THREADS }, (_, i) => i + 1);
  const threads = ids.map((id) => makeThread(id, ring, control, random));
  now = 0;
  for (const thread of threads) {
    // Asleep; those that are woken come one after the other.
    control[workerBase(thread.id) + WORKER.FREE] = 1;
    thread.clock = random() * awayMs;
  }
  for (let i = 0; i < JOBS; i += 1) {
    ring.submit(i, () => undefined, undefined, 0, 0, false);
  }
  while (ring.outstanding > 0) {
    const next = threads.reduce((a, b) => (b.clock < a.clock ? b : a));
    await step(next, control);
    if (random() < 0.1) next.clock += random() * awayMs;
    if (random() < 0.5) ring.deliver(64, now);
  }
  return threads.map(({ begun }) => begun);
}

function makeThread(id: number, ring: SlotRing, control: Int32Array, random: () => number): Thread {
  const at = workerBase(id);
  const runner = runnerOf(
    ring,
    {
      worker: id,
      control,
      beginsWork: () => {
        control[at + WORKER.FREE] = 0;
      },
      beginAsync: () => {
        control[at + WORKER.PENDING]! += 1;
      },
      endAsync: () => {
        control[at + WORKER.PENDING]! -= 1;
      },
      busyMs: () => thread.busyMs,
    },
    { threads: THREADS },
  );
  const parts: Part[] = [];
  const thread: Thread = {
    id,
    runner,
    parts,
    clock: 0,
    busyMs: 0,
    lastEvents: 0,
    begun: 0,
    random,
  };
  runner.fn = (n) =>
    new Promise((resolve) => {
      thread.begun += 1;
      parts.push({
        at: now + FILE_MS,
        end: () => {
          resolve(n);
        },
      });
    });
  return thread;
}

/** One look of a thread, and what its event loop does then. */
async function step(thread: Thread, control: Int32Array): Promise<void> {
  const { runner } = thread;
  now = thread.clock;
  const did = runner.scan();
  work(thread, LOOK_MS);
  if (did && now - thread.lastEvents <= EVENTS_MS) return;
  if (!did) {
    control[workerBase(thread.id) + WORKER.FREE] = 1;
    if (runner.steal()) return;
  }
  const part = thread.parts[0];
  if (part === undefined || part.at > now) {
    now += SLEEP_MS;
    thread.clock = now;
  } else {
    thread.parts.shift();
    work(thread, CPU_MS * (1 + 2 * thread.random()));
    part.end();
    await settled();
  }
  thread.lastEvents = now;
}

function work(thread: Thread, ms: number): void {
  now += ms;
  thread.clock = now;
  thread.busyMs += ms;
}

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed);

test.each([
  [0, 1],
  [40, 1],
  // Whoever gets a processor alone begins more: what the others would do meanwhile is nothing.
  [200, 2],
])(
  'a machine that takes %d ms from threads now and then: each begins its share, at most %d more or less',
  async (awayMs, most) => {
    for (const seed of SEEDS) {
      const begun = await play(seed, awayMs);
      const off = Math.max(...begun.map((n) => Math.abs(n - JOBS / THREADS)));
      const sum = begun.reduce((a, b) => a + b);
      expect({ seed, begun, sum, far: off > most }).toEqual({ seed, begun, sum: JOBS, far: false });
    }
  },
);
