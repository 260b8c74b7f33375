// How sections get, lose and get back their descriptors, run through every interleaving of the atomic steps with
// threads that end anywhere (test/model/section-model.ts); and broken variants, to know that a fault would be seen.
import { expect, test } from '@jest/globals';
import { explore } from '@bootmem/padata/testing';
import { type SectionConfig, SECTION_MISTAKES, sectionModel } from './model/section-model.js';

test.each<SectionConfig>([
  { populate: [0, 0] },
  { populate: [0, 1] },
  { populate: [0, 0, 1] },
  { populate: [0, 0, 0, 1] },
  { populate: [0, 0, 1], mortal: [0] },
  { populate: [0, 1], mortal: [0, 1] },
  { populate: [0, 1, 2], capacity: 3, mortal: [1] },
  { owners: 1, reader: true, mortal: [1] },
  { owners: 1, reader: true, mortal: [0] },
  { owners: 2, reader: true },
  { owners: 2, reader: true, mortal: [1] },
  { owners: 2, mortal: [1, 2] },
  { owners: 3 },
  { populate: [1], owners: 2 },
])('%j: one slot a section, no old descriptors, nobody waits', (config) => {
  const { violation, runs, schedules } = explore(sectionModel(config));
  expect(violation).toBeUndefined();
  expect(runs).toBeGreaterThan(0);
  expect(schedules).toBeGreaterThan(1);
});

test.each(SECTION_MISTAKES)('caught: %s', (_name, { makeSection, ...right }) => {
  expect(explore(sectionModel(right)).violation).toBeUndefined();
  expect(
    explore(sectionModel({ ...right, ...(makeSection && { makeSection }) })).violation,
  ).toBeDefined();
});
