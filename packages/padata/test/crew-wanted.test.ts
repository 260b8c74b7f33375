// Which threads are to be there, and which of them cannot be used.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PadataError } from '../dist/base/errors.js';
import { MissingThreads } from '../dist/crew/setup/missing-threads.js';
import { WantedThreads } from '../dist/crew/wanted-threads.js';

const CAPACITY = 6;
const id = fc.integer({ min: 1, max: CAPACITY });
const step = fc.oneof(
  fc.record({ what: fc.constantFrom('add' as const, 'delete' as const), id }),
  fc.record({
    what: fc.constant('set' as const),
    count: fc.integer({ min: 0, max: CAPACITY }),
    more: fc.integer({ min: 0, max: CAPACITY }),
  }),
);

test('wanted are the first so many, and what was asked for up to the most', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const wanted = new WantedThreads(CAPACITY);
      let model = new Set<number>();
      let most = 0;
      for (const one of steps) {
        if (one.what === 'set') {
          const before = [model.size, most];
          most = Math.min(CAPACITY, one.count + one.more);
          const first = Array.from({ length: one.count }, (_, i) => i + 1);
          const isElastic = one.count < most;
          const stay = [...model].filter((each) => isElastic && each <= most);
          expect(wanted.set(one.count, most)).toBe(one.count !== before[0] || most !== before[1]);
          model = new Set([...first, ...stay]);
          expect(wanted.isElastic).toBe(isElastic);
          for (let each = 1; each <= CAPACITY; each += 1)
            expect(wanted.mayCome(each)).toBe(isElastic && each <= most);
        } else {
          wanted[one.what](one.id);
          model[one.what](one.id);
        }
        for (let each = 0; each <= CAPACITY + 1; each += 1)
          expect(wanted.has(each)).toBe(model.has(each));
        expect(wanted.count).toBe(model.size);
        expect(wanted.most).toBe(most);
      }
    }),
  );
});

test('a thread that cannot be set up three times in a row is trouble, and none is used that is missing', () => {
  const missing = new MissingThreads();
  const error = new PadataError('ERR_PADATA_SETUP', 'no connection');
  const isWanted = (each: number): boolean => each !== 3;
  for (let times = 1; times <= 3; times += 1) {
    expect(missing.trouble(isWanted)).toBeUndefined();
    missing.failed(2, error);
    missing.failed(3, error);
  }
  expect(missing.trouble(isWanted)).toBe(error);
  expect(missing.trouble((each) => each === 3)).toBe(error);
  expect(missing.trouble((each) => each === 1)).toBeUndefined();
  expect(missing.without([1, 2, 3])).toEqual([1]);
  // Those that are left over are better than none.
  expect(missing.without([2, 3])).toEqual([2, 3]);
  expect(missing.found(2)).toBe(true);
  expect(missing.found(2)).toBe(false);
  expect(missing.without([1, 2, 3])).toEqual([1, 2]);
  // Once more is the first time.
  missing.failed(2, error);
  expect(missing.trouble(isWanted)).toBeUndefined();
  missing.clear();
  expect(missing.without([3])).toEqual([3]);
  expect(missing.found(3)).toBe(false);
});
