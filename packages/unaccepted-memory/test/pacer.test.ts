import { expect, test } from '@jest/globals';
import {
  Pacer,
  UnacceptedMemory,
  acceptUnitsJob,
  runArenaHelper,
} from '@bootmem/unaccepted-memory';
import type { AcceptBackend, AcceptError, PacerOptions } from '@bootmem/unaccepted-memory';

const K = 1024;
const M = K * K;

/** A pacer in a world where time passes only when somebody says so. */
function still(options: PacerOptions = {}): {
  pacer: Pacer;
  slept: number[];
  pass: (ms: number) => void;
} {
  let now = 1000;
  const slept: number[] = [];
  const pacer = Pacer.create({
    ...options,
    clock: () => now,
    sleep: (ms) => {
      slept.push(ms);
      now += ms;
    },
  });
  return {
    pacer,
    slept,
    pass: (ms) => {
      now += ms;
    },
  };
}

test('without limits and load it never sleeps', () => {
  const { pacer, slept, pass } = still();
  for (let step = 0; step < 10; step += 1) {
    pass(1);
    pacer.after(256 * K, false);
  }
  expect(slept).toEqual([]);
  expect(pacer.stats()).toEqual({ steps: 10, loadPauses: 0, bytes: 2560 * K });
});

test('a rate makes it sleep for what is left of the time of a step', () => {
  const { pacer, slept, pass } = still();
  pacer.setRate(256 * K * 100); // a step in 10 ms
  pass(4);
  pacer.after(256 * K, false);
  pass(15);
  pacer.after(256 * K, false);
  expect(slept).toEqual([6]);
});

test('a step that is much slower than usual makes it stand back as long, 20 ms at most', () => {
  const { pacer, slept, pass } = still();
  for (const took of [1, 1, 10, 1, 1, 1, 1, 1, 1, 1, 1, 500]) {
    pass(took);
    pacer.after(256 * K, false);
  }
  expect(slept).toEqual([10, 20]);
  expect(pacer.stats().loadPauses).toBe(2);
});

test('neither rate nor load counts when memory is short or yielding is off', () => {
  const urgent = still();
  urgent.pacer.setRate(1024);
  const stubborn = still({ yieldToLoad: false });
  for (const took of [1, 1, 10]) {
    urgent.pass(took);
    urgent.pacer.after(256 * K, true);
    stubborn.pass(took);
    stubborn.pacer.after(256 * K, false);
  }
  expect(urgent.slept).toEqual([]);
  expect(stubborn.slept).toEqual([]);
});

test('pause holds it until resume, stop ends the hold', () => {
  for (const end of ['resume', 'stop'] as const) {
    let sleeps = 0;
    const pacer: Pacer = Pacer.create({
      idleMs: 7,
      sleep: (ms) => {
        expect(ms).toBe(7);
        sleeps += 1;
        if (sleeps === 3) pacer[end]();
      },
    });
    pacer.pause();
    pacer.after(1, false);
    expect(sleeps).toBe(3);
    expect(pacer.stopped).toBe(end === 'stop');
  }
});

test('both ends share the words, and a wake ends a real sleep', () => {
  const owner = Pacer.create();
  const helper = Pacer.attach(owner.toHandle());
  owner.setRate(1024 * K);
  helper.after(4 * K, false); // 4 ms at that rate
  expect(owner.stats()).toMatchObject({ steps: 1, bytes: 4 * K });
  owner.stop();
  expect(helper.stopped).toBe(true);
});

test('settings out of range are refused', () => {
  const codeOf = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      return (error as AcceptError).code;
    }
    return 'no error';
  };
  expect(codeOf(() => Pacer.create({ stepBytes: 0 }))).toBe('ERR_ACCEPT_ARGUMENT');
  expect(
    codeOf(() => {
      Pacer.create().setRate(-1);
    }),
  ).toBe('ERR_ACCEPT_ARGUMENT');
});

function arena(units: number): { memory: UnacceptedMemory; calls: [number, number][] } {
  const calls: [number, number][] = [];
  const backend: AcceptBackend = {
    name: 'recorder',
    granularity: 16 * K,
    maxRun: 16 * K,
    repeatable: 'concurrently',
    accept: (start, end) => {
      calls.push([start / K, end / K]);
    },
    toHandle: () => ({ kind: 'none' }),
  };
  const ranges = [{ start: 0, end: units * 64 * K }];
  const memory = UnacceptedMemory.create({ ranges, backend, unitSize: 64 * K, guard: false });
  return { memory, calls };
}

test('the arena helper walks upwards in steps and stops at the end', () => {
  const { memory, calls } = arena(8);
  const { pacer } = still({ stepBytes: 32 * K });
  expect(runArenaHelper(memory, { start: 0, end: 128 * K }, pacer)).toBe(128 * K);
  expect(calls).toHaveLength(8);
  expect(calls[0]).toEqual([0, 16]);
  expect(pacer.stats().steps).toBe(4);
  expect(memory.unacceptedBytes()).toBe(6 * 64 * K);
  expect(runArenaHelper(memory, { start: 0, end: 128 * K }, pacer)).toBe(0);
});

test('the arena helper stops between two steps', () => {
  const { memory } = arena(8);
  const pacer: Pacer = Pacer.create({
    stepBytes: 16 * K,
    clock: () => {
      if (memory.unacceptedBytes() < 7 * 64 * K) pacer.stop();
      return 0;
    },
  });
  expect(runArenaHelper(memory, { start: 0, end: 8 * 64 * K }, pacer)).toBeLessThan(8 * 64 * K);
  expect(pacer.stopped).toBe(true);
});

test('the arena helper hurries after a consumer that has caught up with it', () => {
  const { memory } = arena(256);
  const { pacer, slept } = still({ stepBytes: 16 * K });
  pacer.setRate(16 * K); // one step a second, if it may
  const after = pacer.after.bind(pacer);
  let steps = 0;
  pacer.after = (bytes, urgent) => {
    steps += 1;
    // The consumer takes the next unit itself, once.
    if (steps === 4) memory.acceptMemory(64 * K, 4096);
    if (steps === 10) pacer.stop();
    after(bytes, urgent);
  };
  runArenaHelper(memory, { start: 0, end: 256 * 64 * K }, pacer);
  // Steps 1–4 sleep; from the fifth on the frontier has jumped.
  expect(slept).toEqual([1000, 1000, 1000, 1000]);
});

test('the thread function of a work pool accepts its units', () => {
  const { memory } = arena(8);
  const pooled = UnacceptedMemory.create({
    ranges: [{ start: 1024 * K, end: 2048 * K }],
    backend: {
      name: 'none',
      granularity: 2 ** 40,
      maxRun: 2 ** 40,
      repeatable: 'concurrently',
      accept: () => undefined,
      toHandle: () => ({ kind: 'none' }),
    },
    unitSize: 64 * K,
    participants: 1,
  });
  acceptUnitsJob(0, 4, { memory: pooled.toHandle() });
  acceptUnitsJob(4, 12, {
    memory: pooled.toHandle(),
    stepBytes: 64 * K,
    pacer: Pacer.create().toHandle(),
  });
  expect(pooled.stateRuns().map((run) => [run.start / K, run.state])).toEqual([
    [1024, 'accepted'],
    [1024 + 12 * 64, 'unaccepted'],
  ]);
  expect(memory.unacceptedBytes()).toBe(8 * 64 * K);
  const stopped = Pacer.create();
  stopped.stop();
  acceptUnitsJob(12, 16, { memory: pooled.toHandle(), pacer: stopped.toHandle() });
  expect(pooled.unacceptedBytes()).toBe(4 * 64 * K);
  expect(M).toBe(1024 * K);
});
