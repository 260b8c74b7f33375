// How long a thread that has found nothing to do waits awake: by a clock of the test's own.
import { expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { Patience } from '../../dist/threads/patience.js';
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
function thread({ crowded = false, ns = Infinity }) {
  const words = new Int32Array(controlLayout(1).wordCount);
  words[HEAD.SPIN_US] = -1;
  words[HEAD.CROWDED] = crowded ? 1 : 0;
  const rings = {
    canWork: true,
    isBusy: true,
    longestNs: 1 as number | undefined,
    isPatient: false,
    seesKept: false,
  };
  const host = {} as ConstructorParameters<typeof Rest>[1];
  const loop = { isLeaving: false, hasPromises: false, wasBusy: () => undefined };
  const rest = new Rest({ words, id: 1 }, host, rings, loop);
  for (let i = 0; i < 24; i += 1) expect(rest.spin(0)).toBe(true);
  rings.longestNs = ns;
  return {
    rings,
    /** Microseconds until it gives up: 0 = it does not wait. */
    giveUp: () => {
      rings.canWork = false;
      const before = micros;
      expect(rest.spin(0)).toBe(false);
      return micros - before;
    },
  };
}

test.each([
  [{ crowded: false, ns: Infinity }, 100],
  [{ crowded: false, ns: 100_000 }, 100],
  [{ crowded: true, ns: 10_000 }, 100],
  // Whoever spins keeps the owner, or a job, from its processor.
  [{ crowded: true, ns: 10_001 }, 20],
  [{ crowded: true, ns: 50_000 }, 20],
  [{ crowded: true, ns: Infinity }, 20],
])('%j: a thread waits awake for %i us', (kind, most) => {
  const { giveUp } = thread(kind);
  // Late now and then is no reason to give up: 24 sleeps of 30 us were saved, and 200 us lent.
  for (let i = 0; i < 5; i += 1) {
    const waited = giveUp();
    expect(waited).toBeGreaterThan(most);
    expect(waited).toBeLessThan(most + 4);
  }
  const more = Array.from({ length: 60 }, giveUp);
  const all = more.reduce((sum, waited) => sum + waited, 5 * most);
  expect(more.at(-1)).toBe(0);
  expect(all).toBeGreaterThan(600);
  expect(all).toBeLessThan(960);
  // Once in 64 sleeps it is lent 200 us.
  const tries = Array.from({ length: 6400 }, giveUp).filter((waited) => waited > 0);
  const lent = tries.reduce((sum, waited) => sum + waited, 0);
  expect(lent).toBeGreaterThan(90 * 200);
  expect(lent).toBeLessThan(100 * (200 + 4 * Math.ceil(200 / most)));
});

test('on a crowded machine no thread waits awake for jobs that take as long as a wake-up, nor after them', () => {
  const { giveUp, rings } = thread({ crowded: true, ns: 50_001 });
  expect(giveUp()).toBe(0);
  // The last of them was delivered.
  rings.longestNs = undefined;
  expect(giveUp()).toBe(0);
  rings.longestNs = 10_000;
  expect(giveUp()).toBeGreaterThan(100);
  rings.longestNs = undefined;
  expect(giveUp()).toBeGreaterThan(100);
});

test('waiting awake takes no more than the sleeps that it has saved, and what is lent', () => {
  const step = fc.record({
    hasCome: fc.boolean(),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
    most: fc.constantFrom(0.02, 0.1, 0.2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const patience = new Patience();
      let waited = 0;
      let paid = 0.2;
      let refused = 0;
      for (const { hasCome, part, most } of steps) {
        const limit = patience.limit(most);
        expect(limit).toBeLessThanOrEqual(most);
        if (limit === 0) {
          refused += 1;
          continue;
        }
        const ms = hasCome ? part * limit : limit;
        patience.waited(ms, hasCome);
        waited += ms;
        if (hasCome) paid += 0.03;
      }
      // Once in 64 sleeps something is lent.
      expect(waited).toBeLessThanOrEqual(paid + (1 + refused / 63) * 0.2 + 1e-9);
    }),
  );
});

test('a pool says whether its threads and their owner are more than the processors', () => {
  const isCrowded = (threads: number): boolean =>
    makeControl(poolPlan({ threads })).words[HEAD.CROWDED] === 1;
  expect(isCrowded(250)).toBe(true);
  expect(makeControl(poolPlan({ threads: { min: 1, max: 250 } })).words[HEAD.CROWDED]).toBe(1);
  expect(isCrowded(0)).toBe(false);
});
