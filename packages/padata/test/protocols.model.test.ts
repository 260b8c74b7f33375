// The protocols that ship, run through every interleaving of their atomic steps (test/model), deaths included; and
// broken variants of them, to know that a fault would be seen. Larger cases: npm run soak -- padata-model.
import { expect, test } from '@jest/globals';
import { explore } from '@bootmem/padata/testing';
import type { Model } from '@bootmem/padata/testing';
import { MISTAKES } from './model/cases.js';
import { laneModel } from './model/lane-model.js';
import type { LaneConfig } from './model/lane-model.js';
import { levelsModel } from './model/levels-model.js';
import type { LevelsConfig } from './model/levels-model.js';
import { looseModel } from './model/loose-model.js';
import type { LooseConfig } from './model/loose-model.js';
import { partsModel } from './model/parts-model.js';
import type { PartsConfig } from './model/parts-model.js';
import { pendingModel } from './model/pending-model.js';
import type { PendingConfig } from './model/pending-model.js';
import { ringModel } from './model/ring-model.js';
import type { RingConfig } from './model/ring-model.js';
import { sentModel } from './model/sent-model.js';
import type { SentConfig } from './model/sent-model.js';
import { sleepModel } from './model/sleep-model.js';
import type { SleepConfig } from './model/sleep-model.js';

function expectNoViolation(model: Model): void {
  const { violation, runs, schedules } = explore(model);
  expect(violation).toBeUndefined();
  expect(runs).toBeGreaterThan(0);
  expect(schedules).toBeGreaterThan(1);
}

test.each<RingConfig>([
  { jobs: 1, workers: 1, window: 1 },
  { jobs: 2, workers: 2, window: 2 },
  { jobs: 2, workers: 2, window: 2, mortal: true },
  { jobs: 4, workers: 1, window: 2 },
  { jobs: 4, workers: 2, window: 2, coarse: 'all' },
  { jobs: 4, workers: 2, window: 4, coarse: 'all', lazy: true, eager: false },
  { jobs: 3, workers: 2, window: 2, coarse: 'all', lazy: true, eager: false, mortal: true },
  { jobs: 3, workers: 2, window: 2, coarse: 'all', patient: true },
  { jobs: 4, workers: 2, window: 4, coarse: 'all', patient: true, lazy: true, eager: false },
  { jobs: 3, workers: 2, window: 4, coarse: 'all', patient: true, mortal: true },
  { jobs: 4, workers: 3, window: 4, batch: 1, coarse: 'all' },
  { jobs: 4, workers: 3, window: 2, batch: 1, coarse: 'all', mortal: true },
])('ring %j: each job once, delivered in order, nobody oversleeps', (config) => {
  expectNoViolation(ringModel(config));
});

test.each<LooseConfig>([
  { jobs: 1, workers: 1, window: 1 },
  { jobs: 2, workers: 2, window: 2 },
  { jobs: 2, workers: 2, window: 2, coarse: true, mortal: true },
  { jobs: 3, workers: 1, window: 1 },
  { jobs: 3, workers: 2, window: 2, coarse: true },
  { jobs: 4, workers: 2, window: 2, coarse: true, steal: false },
  { jobs: 3, workers: 2, window: 4, coarse: true, eager: false },
  { jobs: 3, workers: 2, window: 2, coarse: true, steal: false, mortal: true },
  { jobs: 2, workers: 2, window: 2, coarse: true, awaited: 2 },
  { jobs: 3, workers: 2, window: 4, coarse: true, awaited: 2 },
])('without order %j: each job once, its own outcome, nobody oversleeps', (config) => {
  expectNoViolation(looseModel(config));
});

test.each<LaneConfig>([
  { chunks: [2, 2], helpers: 1 },
  { chunks: [3, 1, 2], helpers: 1 },
  { chunks: [2, 2], helpers: 1, mortal: true },
  { chunks: [3, 2], helpers: 1, begun: [1, 1], mortal: true },
  { chunks: [4], helpers: 2 },
  { chunks: [2, 1], helpers: 1, coarse: true },
  { chunks: [3], helpers: 2, coarse: true },
  { chunks: [3], helpers: 2, mortal: true },
])('lane %j: each chunk once, a late helper never touches the next job', (config) => {
  expectNoViolation(laneModel(config));
});

test.each<LevelsConfig>([
  { workers: 2, starts: 10 },
  { workers: 2, starts: 18 },
  { workers: 2, starts: 18, mortal: true },
  { workers: 3, starts: 8 },
])('levels of priority %j: of 16 starts one is of the lower one', (config) => {
  expectNoViolation(levelsModel(config));
});

test.each<SleepConfig>([
  { jobs: 4, workers: 1, by: 'epoch' },
  { jobs: 4, workers: 1, by: 'ring' },
  { jobs: 2, workers: 2, by: 'epoch' },
  { jobs: 2, workers: 2, by: 'ring' },
])('sleep %j: nobody sleeps while there is work', (config) => {
  expectNoViolation(sleepModel(config));
});

test.each<PendingConfig>([
  { jobs: 2, workers: 1, window: 1, aborted: [0] },
  { jobs: 3, workers: 1, window: 2, aborted: [0, 1] },
  { jobs: 3, workers: 2, window: 2, aborted: [0] },
  { jobs: 3, workers: 2, window: 2, aborted: [1], views: true },
])('pending %j: each job ends once, and an abandoned function touches no later job', (config) => {
  expectNoViolation(pendingModel(config));
});

test.each<SentConfig>([
  { jobs: 2, window: 2, slow: 0 },
  { jobs: 2, window: 1 },
  { jobs: 2, window: 2, slow: 0, aborted: 1 },
  { jobs: 2, window: 2, slow: 0, handedOver: [1] },
  { jobs: 2, window: 2, slow: 0, handedOver: [1], mortal: true },
  { jobs: 2, window: 2, handedOver: [1], importing: 'this' },
  { jobs: 2, window: 2, importing: 'this' },
  { jobs: 2, window: 2, slow: 0, handedOver: [1], importing: 'another' },
])(
  'by message %j: each job once with its own input, no thread is idle while one waits',
  (config) => {
    expectNoViolation(sentModel(config));
  },
);

test.each<PartsConfig>([
  { inputs: [1, 1], window: 2, first: 4, more: 4, parts: 1 },
  { inputs: [1, 1, 2], window: 4, first: 4, more: 4, parts: 2 },
  { inputs: [1, 1, 2, 1], window: 2, first: 4, more: 4, parts: 2 },
  { inputs: [1, 1], window: 2, first: 4, more: 4, parts: 1, events: true },
  { inputs: [1, 1, 1], window: 4, first: 4, more: 8, parts: 1, events: true },
  { inputs: [1, 1, 2], window: 4, first: 4, more: 4, parts: 2, events: true, last: 'leaves' },
  { inputs: [1, 1, 2], window: 2, first: 4, more: 4, parts: 2, events: true, last: 'late' },
  { inputs: [1, 1, 2], window: 4, first: 4, more: 4, parts: 2, events: true, aborted: 1 },
  { inputs: [1, 1], window: 2, first: 4, more: 4, parts: 1, deferred: 1 },
  { inputs: [1, 1], window: 2, first: 4, more: 4, parts: 1, events: true, last: 'dies' },
  { inputs: [1, 1], window: 2, first: 4, more: 4, parts: 1, last: 'dies', idempotent: true },
])('parts %j: each job has its own bytes, wherever it lies and whoever runs it', (config) => {
  expectNoViolation(partsModel(config));
});

test.each(MISTAKES)('caught: %s', (_name, model) => {
  expect(explore(model).violation).toBeDefined();
});

test('explore: reports exceptions with their schedule, and refuses to run without bound', () => {
  const model: Model = {
    words: 1,
    threads: [
      ({ ops, area }) => {
        const words = area(0);
        if (ops.exchange(words, 0, 2) === 1) throw new Error('met');
      },
      ({ ops, area }) => {
        ops.store(area(0), 0, 1);
      },
    ],
    check: () => undefined,
  };
  expect(explore(model).violation).toMatchObject({ text: 'met', schedule: [1, 0] });
  expect(() => explore(ringModel({ jobs: 2, workers: 2, window: 2 }), 20)).toThrow(RangeError);
});

test('explore: counts every interleaving', () => {
  // Two threads of three steps each: 6! / (3! 3!) orders; three interchangeable threads of one: 3!.
  const steps = (count: number, at: number): Model['threads'][number] => {
    return ({ ops, area }) => {
      for (let i = 0; i < count; i += 1) ops.add(area(0), at, 1);
    };
  };
  const check = (): undefined => undefined;
  const two = explore({ words: 2, threads: [steps(3, 0), steps(3, 1)], check });
  expect(two).toMatchObject({ states: 16, schedules: 20, runs: 1 });
  const same = steps(1, 0);
  const three = explore({ words: 1, threads: [same, same, same], check });
  expect(three).toMatchObject({ states: 4, schedules: 6, runs: 1 });
});

test('explore: plain words belong to the step before, atomic steps are one, deaths are steps', () => {
  const model: Model = {
    words: 3,
    threads: [
      ({ ops, area, atomic }) => {
        const words = area(0);
        atomic(() => {
          ops.add(words, 0, 1);
          ops.add(words, 0, 1);
        });
        words[1] = words[0]! * 10;
        ops.add(words, 0, 1);
      },
      ({ ops, area, note }) => {
        const words = area(0);
        const seen = ops.load(words, 0);
        note(`${seen} ${words[1]}`);
      },
    ],
    mortal: { thread: 0, word: 2, told: 1 },
    check: (words, history) =>
      ['0 0', '2 20', '3 20'].includes(history.join()) && (words[2] === 1 || words[0] === 3)
        ? undefined
        : history.join(),
  };
  const { violation, runs } = explore(model);
  expect(violation).toBeUndefined();
  expect(runs).toBeGreaterThan(3);
});
