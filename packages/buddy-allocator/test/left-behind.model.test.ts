// What ended threads leave behind, through every interleaving of small cases (test/model/left-behind-model.ts); and with
// mistakes, to know that a fault would be seen.
import { expect, test } from '@jest/globals';
import { explore } from '@bootmem/padata/testing';
import { isolationModel, type Mistake, runModel } from './model/left-behind-model.js';

const MODELS = { run: runModel, isolation: isolationModel };

test.each(['run', 'isolation'] as const)(
  '%s: whoever ends wherever, all is put in order',
  (name) => {
    const { violation, schedules } = explore(MODELS[name]());
    expect(violation).toBeUndefined();
    expect(schedules).toBeGreaterThan(1000);
  },
);

test.each<[keyof typeof MODELS, Mistake]>([
  ['run', 'no second check'],
  ['run', 'no run'],
  ['run', 'run closed early'],
  ['run', 'run forgotten'],
  ['isolation', 'bit before owner'],
  ['isolation', 'lifted by id'],
  ['isolation', 'lifted from anybody'],
  ['isolation', 'never lifted'],
])('%s, caught: %s', (name, mistake) => {
  expect(explore(MODELS[name](mistake)).violation).toBeDefined();
});
