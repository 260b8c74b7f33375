// Conversion run through every interleaving with acceptance, allocation and deaths (test/model/convert-model.ts); and
// broken variants, to know that a fault would be seen.
import { expect, test } from '@jest/globals';
import { explore } from '@bootmem/padata/testing';
import { CASES, CONVERT_MISTAKES, LATE_REDO, convertModel } from './model/convert-model.js';

test.each(CASES)('%s: no fault', (_name, config) => {
  const { violation, runs, schedules } = explore(convertModel(config));
  expect(violation).toBeUndefined();
  expect(runs).toBeGreaterThan(0);
  expect(schedules).toBeGreaterThan(1);
});

test.each(CONVERT_MISTAKES)('caught: %s', (broken, config) => {
  expect(explore(convertModel(config)).violation).toBeUndefined();
  expect(explore(convertModel({ ...config, broken })).violation).toBeDefined();
});

// Why `convert` refuses such a backend.
test('a late repetition of an accept meets a shared unit', () => {
  expect(explore(convertModel(LATE_REDO)).violation?.text).toContain('a shared unit is accepted');
});
