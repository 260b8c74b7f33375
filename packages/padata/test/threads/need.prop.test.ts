// How many threads the work that waits needs: the decision alone.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { threadsToStart } from '../../dist/crew/thread-need.js';

const all = (): boolean => true;

test('a job that waits needs a thread that has nothing to do; nobody is started for one that has one', () => {
  expect(threadsToStart([{ jobs: 3, allows: all }], [1], [2, 3, 4])).toEqual([2, 3]);
  expect(threadsToStart([{ jobs: 1, allows: all }], [1], [2])).toEqual([]);
  expect(threadsToStart([{ jobs: 9, allows: all }], [], [1, 2])).toEqual([1, 2]);
  // What one series' job needs is not there for another's.
  const one = { jobs: 1, allows: all };
  expect(threadsToStart([one, one], [1], [2, 3])).toEqual([2]);
  // Workers that a series names are those that are started for it.
  expect(threadsToStart([{ jobs: 2, allows: (id) => id === 5 }], [1], [2, 3, 4, 5])).toEqual([5]);
});

test('whatever waits: each thread once, only absent ones, only where allowed, never more than the jobs', () => {
  const id = fc.integer({ min: 1, max: 8 });
  const demand = fc.record({ jobs: fc.nat(6), ids: fc.uniqueArray(id) });
  fc.assert(
    fc.property(fc.array(demand, { maxLength: 5 }), fc.uniqueArray(id), (list, idle) => {
      const absent = [1, 2, 3, 4, 5, 6, 7, 8].filter((worker) => !idle.includes(worker));
      const demands = list.map(({ jobs, ids }) => ({
        jobs,
        allows: (worker: number) => ids.includes(worker),
      }));
      const started = threadsToStart(demands, idle, absent);
      expect(new Set(started).size).toBe(started.length);
      const jobs = list.reduce((sum, each) => sum + each.jobs, 0);
      expect(started.length).toBeLessThanOrEqual(jobs);
      for (const worker of started) {
        expect(absent).toContain(worker);
        expect(list.some(({ ids }) => ids.includes(worker))).toBe(true);
      }
      // Nobody who could be started is left where a job has no thread at all.
      const left = absent.filter((worker) => !started.includes(worker));
      for (const { jobs: waiting, ids } of list) {
        const served = [...idle, ...started].filter((worker) => ids.includes(worker)).length;
        if (waiting > 0 && ids.some((worker) => left.includes(worker))) {
          expect(served).toBeGreaterThan(0);
        }
      }
    }),
  );
});
