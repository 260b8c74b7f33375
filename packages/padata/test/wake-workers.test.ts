// Whom the owner wakes for a job that waits: the decision alone, from what threads say of themselves.
import { expect, test } from '@jest/globals';
import type { Crew } from '../dist/crew/crew.js';
import { jobsWorth, wakeFor } from '../dist/turns/wake-workers.js';
import { RING } from '../dist/protocol/ring-layout.js';
import type { JobRing } from '../dist/ring/job-ring.js';

type Doing = 'sleeps' | 'runs a job' | 'looks for one';

/** Threads 1, 2, … that do this. */
function wokenOf(threads: readonly Doing[], wanted: number, areShort: boolean): number[] {
  const woken: number[] = [];
  const members = threads.map((_doing, index) => ({ id: index + 1, state: 'ready' }));
  const doing = (id: number): Doing => threads[id - 1]!;
  const crew = {
    capacity: threads.length,
    member: (id: number) => members[id - 1],
    members: () => members,
    isAsleep: (id: number) => doing(id) === 'sleeps',
    isFree: (id: number) => doing(id) !== 'runs a job',
    wakeOne: (id: number) => doing(id) === 'sleeps' && woken.push(id) > 0,
  };
  const ring = { allows: () => true };
  wakeFor(crew as unknown as Crew, ring as unknown as JobRing, wanted, () => areShort);
  return woken;
}

test('a thread that runs a job which may be long is no reason to let another sleep', () => {
  expect(wokenOf(['runs a job', 'sleeps'], 1, false)).toEqual([2]);
  expect(wokenOf(['runs a job', 'sleeps', 'sleeps'], 2, false)).toEqual([2, 3]);
  expect(wokenOf(['runs a job', 'runs a job'], 1, false)).toEqual([]);
});

test('nobody is woken while enough look for jobs, or end short ones', () => {
  expect(wokenOf(['looks for one', 'sleeps'], 1, false)).toEqual([]);
  expect(wokenOf(['runs a job', 'sleeps'], 1, true)).toEqual([]);
  expect(wokenOf(['runs a job', 'sleeps', 'sleeps'], 2, true)).toEqual([2]);
});

test.each([
  // How long a job takes is not known: each may take long.
  [0, 8, 8],
  [0, 0, 0],
  // One thread does as many as the owner can submit.
  [1, 1, 1],
  [400, 1, 1],
  [400, 65_536, 1],
  [400, 0, 0],
  // A thread for each 50 us.
  [500, 100, 1],
  [500, 101, 2],
  [10_000, 64, 13],
  [10_000_000, 3, 3],
])('jobs of %i ns: %i of them are worth %i threads', (ns, jobs, threads) => {
  const words = new Int32Array(RING.RUN_NS + 1);
  words[RING.RUN_NS] = ns;
  expect(jobsWorth({ memory: { words } } as unknown as JobRing, jobs)).toBe(threads);
});
