// The lock with takeover and the life of thread ids, run through every interleaving of their atomic steps with threads
// that end anywhere (test/model/lock-model.ts); and broken variants, to know that a fault would be seen.
import { expect, test } from '@jest/globals';
import { explore } from '@bootmem/padata/testing';
import { type LockConfig, lockModel, MISTAKES } from './model/lock-model.js';

test.each<LockConfig>([
  { workers: [false, false], rounds: 2 },
  { workers: [false, false, false] },
  { workers: [true, false], proof: true },
  { workers: [true, false], owner: true },
  { workers: [true, false, false], proof: true },
  { workers: [true, true], owner: true },
  { workers: [true, true], owner: true, proof: true },
  { workers: [true, true, false], proof: true },
  { workers: [true, false], owner: true, newcomer: true },
  { workers: [true, false], owner: true, newcomer: true, proof: true },
  { workers: [true, false], newcomer: true, proof: true, adopts: true },
  { workers: [true, false], owner: true, newcomer: true, proof: true, adopts: true },
])('%j: one inside, deaths are told, nobody is forgotten', (config) => {
  const { violation, runs, schedules } = explore(lockModel(config));
  expect(violation).toBeUndefined();
  expect(runs).toBeGreaterThan(0);
  expect(schedules).toBeGreaterThan(1);
});

test.each(MISTAKES)('caught: %s', (_name, config) => {
  const { workers, owner = false, newcomer = false, proof = false, adopts = false } = config;
  const right = { workers, owner, newcomer, proof, adopts };
  expect(explore(lockModel(right)).violation).toBeUndefined();
  expect(explore(lockModel(config)).violation).toBeDefined();
});
