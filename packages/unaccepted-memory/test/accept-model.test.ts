import { expect, test } from '@jest/globals';
import { explore } from './model/accept-model.js';
import type { Mistake, ModelConfig } from './model/accept-model.js';
import { requestsOf, variants } from './model/cases.js';

/** Explores many cases; returns what was found in all of them together. */
function exploreAll(cases: readonly ModelConfig[]): {
  schedules: bigint;
  states: number;
  violations: string[];
} {
  let schedules = 0n;
  let states = 0;
  const violations: string[] = [];
  for (const config of cases) {
    const result = explore(config);
    schedules += result.schedules;
    states += result.states;
    for (const violation of result.violations) {
      violations.push(`${JSON.stringify(config)}: ${violation}`);
    }
  }
  return { schedules, states, violations };
}

test('two workers, up to three units, every pair of ranges, every kind of backend: no violation', () => {
  const cases: ModelConfig[] = [];
  for (const units of [1, 2, 3]) {
    for (const requests of requestsOf(2, units)) {
      for (const variant of variants(false)) cases.push({ units, requests, ...variant });
    }
  }
  const { schedules, states, violations } = exploreAll(cases);
  expect(violations).toEqual([]);
  // The counts are exact, so a change of the model cannot go unnoticed.
  expect({ cases: cases.length, states, schedules: schedules.toString() }).toMatchInlineSnapshot(`
    {
      "cases": 120,
      "schedules": "194205041125830469577",
      "states": 352581,
    }
  `);
});

test('the same with a worker that may die at any step', () => {
  const cases: ModelConfig[] = [];
  for (const units of [1, 2]) {
    for (const requests of requestsOf(2, units)) {
      for (const variant of variants(true)) cases.push({ units, requests, ...variant });
    }
  }
  const { schedules, states, violations } = exploreAll(cases);
  expect(violations).toEqual([]);
  expect({ cases: cases.length, states, schedules: schedules.toString() }).toMatchInlineSnapshot(`
    {
      "cases": 40,
      "schedules": "4107768220058613",
      "states": 213290,
    }
  `);
});

test('two workers and four units, each pair of ranges: no violation', () => {
  const cases = requestsOf(2, 4).map((requests): ModelConfig => ({
    units: 4,
    requests,
    cellsPerUnit: 1,
    maxRun: 8,
    repeatable: 'never',
    mortal: 0,
  }));
  const { schedules, states, violations } = exploreAll(cases);
  expect(violations).toEqual([]);
  expect({ cases: cases.length, states, schedules: schedules.toString() }).toMatchInlineSnapshot(`
    {
      "cases": 19,
      "schedules": "2152299881502",
      "states": 45005,
    }
  `);
});

// Each worker accepts a block of two units; the guard makes neighbours overlap by one.
test('three workers: neighbouring blocks with their guards, and all at one unit', () => {
  const cases: ModelConfig[] = [
    {
      units: 4,
      requests: [
        [0, 2],
        [1, 3],
        [2, 4],
      ],
    },
    {
      units: 1,
      requests: [
        [0, 1],
        [0, 1],
        [0, 1],
      ],
    },
    {
      units: 2,
      requests: [
        [0, 1],
        [0, 2],
        [1, 2],
      ],
    },
  ].flatMap(({ units, requests }) =>
    (['never', 'concurrently'] as const).map((repeatable) => ({
      units,
      requests: requests as [number, number][],
      cellsPerUnit: 1 as const,
      maxRun: 8,
      repeatable,
      coarse: true,
    })),
  );
  const { schedules, states, violations } = exploreAll(cases);
  expect(violations).toEqual([]);
  expect({ cases: cases.length, states, schedules: schedules.toString() }).toMatchInlineSnapshot(`
    {
      "cases": 6,
      "schedules": "535140319837326517888",
      "states": 149989,
    }
  `);
});

test.each<[Mistake, 1 | 2, string]>([
  ['claim-in-two-steps', 1, 'a cell is accepted twice'],
  ['publish-before-platform', 1, 'visible before it was accepted'],
  ['publish-own-cells', 2, 'visible before it was accepted'],
  ['signal-before-publish', 1, 'a worker is stuck'],
  ['retract-before-done', 1, 'gave up a unit whose owner lives'],
  ['claim-before-announce', 1, 'gave up a unit whose owner lives'],
  ['no-second-look', 1, 'gave up a unit whose owner lives'],
])('the mistake %s is found', (broken, cellsPerUnit, violation) => {
  const config: ModelConfig = {
    units: 2,
    cellsPerUnit,
    requests: [
      [0, 2],
      [0, 2],
    ],
    maxRun: 8,
    repeatable: 'never',
    mortal: 0,
  };
  expect(explore(config).violations).toEqual([]);
  expect(explore({ ...config, broken }).violations).toContain(violation);
});

// Zeroing: what the dead left is redone by one waiter at a time, and never once the unit may be in use.
test('repeatable after death: one or two of up to three workers may die, also while they repair', () => {
  const cases: ModelConfig[] = [];
  for (const units of [1, 2]) {
    for (const requests of requestsOf(2, units)) {
      for (const cellsPerUnit of [1, 2] as const) {
        cases.push({
          units,
          requests,
          cellsPerUnit,
          maxRun: 8,
          repeatable: 'after-death',
          mortal: 0,
        });
      }
    }
  }
  const requests: readonly [number, number][] = [
    [0, 1],
    [0, 1],
    [0, 1],
  ];
  for (const mortal of [0, [0, 1]]) {
    cases.push({
      units: 1,
      requests,
      cellsPerUnit: 1,
      maxRun: 8,
      repeatable: 'after-death',
      coarse: true,
      mortal,
    });
  }
  const { states, violations } = exploreAll(cases);
  expect(violations).toEqual([]);
  expect(states).toBeGreaterThan(1000);
});

// Nobody says that the worker died: a waiter finds out by asking the system. Or the parent is first, or at the same time.
test('deaths that a waiter proves: nobody is stuck, nobody is robbed', () => {
  const cases: ModelConfig[] = [];
  for (const told of ['proof', 'both'] as const) {
    for (const repeatable of ['never', 'after-death'] as const) {
      for (const requests of requestsOf(2, 2)) {
        for (const cellsPerUnit of [1, 2] as const) {
          cases.push({
            units: 2,
            requests,
            cellsPerUnit,
            maxRun: 8,
            repeatable,
            mortal: 0,
            told,
          });
        }
      }
      for (const mortal of [0, [0, 1]]) {
        cases.push({
          units: 1,
          requests: [
            [0, 1],
            [0, 1],
            [0, 1],
          ],
          cellsPerUnit: 1,
          maxRun: 8,
          repeatable,
          coarse: true,
          mortal,
          told,
        });
      }
    }
  }
  const { states, violations } = exploreAll(cases);
  expect(violations).toEqual([]);
  expect(states).toBeGreaterThan(1000);
});

/** A worker that may die, one that waits, and one that gets the dead one's slot. */
const HEIRS: readonly (readonly [number, number])[][] = [
  [
    [0, 1],
    [0, 2],
    [0, 2],
  ],
  [
    [0, 1],
    [0, 2],
    [1, 2],
  ],
  [
    [0, 2],
    [0, 2],
    [0, 1],
  ],
];

test('a slot that is used again: its next owner is not taken for the dead one, nor the dead one for it', () => {
  const cases = HEIRS.flatMap((requests) =>
    (['never', 'after-death'] as const).flatMap((repeatable) =>
      (['parent', 'both'] as const).map((told): ModelConfig => ({
        units: 2,
        requests,
        cellsPerUnit: 1,
        maxRun: 8,
        repeatable,
        mortal: 0,
        told,
        heir: true,
      })),
    ),
  );
  const { states, violations } = exploreAll(cases);
  expect(violations).toEqual([]);
  expect(states).toBeGreaterThan(1000);
});

test('the mistake dead-by-slot is found', () => {
  const config: ModelConfig = {
    units: 2,
    requests: HEIRS[1]!,
    cellsPerUnit: 1,
    maxRun: 8,
    repeatable: 'never',
    mortal: 0,
    heir: true,
  };
  expect(explore({ ...config, broken: 'dead-by-slot' }).violations).toContain(
    'gave up a unit whose owner lives',
  );
});

test.each<[Mistake, string]>([
  // Announcements alone keep two apart, but then both may stand back for ever.
  ['repair-without-lock', 'goes round in circles'],
  ['repair-on-first-look', 'prepared again while in use'],
  ['repair-lock-of-the-dead', 'a worker is stuck'],
])('the mistake %s is found', (broken, violation) => {
  const config: ModelConfig = {
    units: 1,
    cellsPerUnit: 1,
    requests: [
      [0, 1],
      [0, 1],
      [0, 1],
    ],
    maxRun: 8,
    repeatable: 'after-death',
    coarse: true,
    mortal: broken === 'repair-lock-of-the-dead' ? [0, 1] : 0,
  };
  expect(explore({ ...config, broken }).violations).toContain(violation);
});
