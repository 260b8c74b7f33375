// Parking of page caches, run through every interleaving of its atomic steps with threads that end anywhere
// (test/model/parking-model.ts); and broken variants, to know that a fault would be seen.
import { expect, test } from '@jest/globals';
import { explore } from '@bootmem/padata/testing';

import { MISTAKES, type ParkConfig, parkModel } from './model/parking-model.js';

test.each<ParkConfig>([
  { askers: [false], owner: 'sleeps' },
  { askers: [false], owner: 'goes on' },
  { askers: [false, false], owner: 'goes on' },
  { askers: [true], owner: 'goes on' },
  { askers: [true, false], owner: 'goes on' },
  { askers: [true, true], owner: 'sleeps' },
  { askers: [false], owner: 'mortal' },
  { askers: [true], owner: 'mortal' },
])('%j: every page is in one place, no request is forgotten', (config) => {
  const { violation, runs, schedules } = explore(parkModel(config));
  expect(violation).toBeUndefined();
  expect(runs).toBeGreaterThan(0);
  expect(schedules).toBeGreaterThan(1);
});

test.each(MISTAKES)('caught: %s', (_name, config) => {
  const { askers, owner } = config;
  expect(explore(parkModel({ askers, owner })).violation).toBeUndefined();
  expect(explore(parkModel(config)).violation).toBeDefined();
});
