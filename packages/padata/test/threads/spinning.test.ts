// How long a thread that has found nothing to do waits awake: by a clock of the test's own.
import { expect, jest, test } from '@jest/globals';
import { HEAD, controlLayout } from '../../dist/protocol/control-layout.js';
import { liveTime } from '../fixtures/live-time.js';

/** Microseconds: each look at the clock takes one. */
let micros = 0;
jest.unstable_mockModule('../../dist/base/host-time.js', () => ({
  ...liveTime,
  performance: { timeOrigin: 0, now: () => (micros += 1) / 1000 },
}));
const { Rest } = await import('../../dist/loop/rest.js');
const { makeControl, poolPlan } = await import('../../dist/pool/pool-options.js');

/** A thread of a pool whose jobs come in slots, after it has always found one at once. */
function thread({ crowded = false, short = false }) {
  const words = new Int32Array(controlLayout(1).wordCount);
  words[HEAD.SPIN_US] = -1;
  words[HEAD.CROWDED] = crowded ? 1 : 0;
  const rings = {
    canWork: true,
    isBusy: true,
    areShort: short,
    isPatient: false,
    seesKept: false,
  };
  const host = {} as ConstructorParameters<typeof Rest>[1];
  const loop = { isLeaving: false, hasPromises: false, wasBusy: () => undefined };
  const rest = new Rest({ words, id: 1 }, host, rings, loop);
  for (let i = 0; i < 12; i += 1) expect(rest.spin(0)).toBe(true);
  return {
    /** Microseconds until it gives up. */
    giveUp: () => {
      rings.canWork = false;
      const before = micros;
      expect(rest.spin(0)).toBe(false);
      return micros - before;
    },
  };
}

test.each([
  [{ crowded: false, short: false }, 100],
  [{ crowded: false, short: true }, 100],
  [{ crowded: true, short: true }, 100],
  // Whoever spins keeps the owner, or a job, from its processor.
  [{ crowded: true, short: false }, 20],
])('%j: a thread waits awake for %i us', (kind, most) => {
  const { giveUp } = thread(kind);
  const first = giveUp();
  expect(first).toBeGreaterThan(most);
  expect(first).toBeLessThan(most + 4);
  // A miss halves it.
  expect(giveUp()).toBeLessThan(most / 2 + 4);
});

test('a pool says whether its threads and their owner are more than the processors', () => {
  const isCrowded = (threads: number): boolean =>
    makeControl(poolPlan({ threads })).words[HEAD.CROWDED] === 1;
  expect(isCrowded(250)).toBe(true);
  expect(makeControl(poolPlan({ threads: { min: 1, max: 250 } })).words[HEAD.CROWDED]).toBe(1);
  expect(isCrowded(0)).toBe(false);
});
