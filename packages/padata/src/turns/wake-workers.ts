/**
 * Which threads the owner wakes for jobs that wait: one for the first of a tick, then as many as the work is worth.
 * A wake-up costs more than many a job, so nobody is woken while enough are awake. A thread that runs a job counts as awake
 * only while jobs are known to be short: it may be away for long, and a job would wait for it beside one that sleeps.
 */
import type { Crew } from '../crew/crew.js';
import { sleep } from '../protocol/machine.js';
import { RING } from '../protocol/ring-layout.js';
import { WAKE_UP_NS } from '../protocol/sleep.js';
import type { JobRing } from '../ring/job-ring.js';

/** One thread does jobs of no more than so much, in nanoseconds, as fast as their owner submits and delivers them. */
const KEEPS_UP_NS = 400;

/** How many threads the waiting jobs of a ring are worth. */
export function threadsWorth(ring: JobRing): number {
  return jobsWorth(ring, ring.waiting);
}

/** How many threads so many jobs of a ring are worth: each that is woken has at least as much to do as waking it takes. */
export function jobsWorth(ring: JobRing, jobs: number): number {
  const ns = Atomics.load(ring.memory.words, RING.RUN_NS);
  if (ns === 0) return jobs;
  if (ns <= KEEPS_UP_NS) return Math.min(jobs, 1);
  return Math.min(jobs, Math.ceil((jobs * ns) / WAKE_UP_NS));
}

/** Are jobs of this ring known to be worth no further thread each? */
export function isShort(ring: JobRing): boolean {
  const ns = Atomics.load(ring.memory.words, RING.RUN_NS);
  return ns > 0 && ns <= WAKE_UP_NS;
}

/**
 * Wakes threads until `wanted` of those that may run this ring are awake.
 * @param areShort does what threads run now soon end? Asked only when one of them is awake
 */
export function wakeFor(crew: Crew, ring: JobRing, wanted: number, areShort: () => boolean): void {
  let awake = 0;
  let isShortNow: boolean | undefined;
  for (let id = 1; id <= crew.capacity; id += 1) {
    const member = crew.member(id);
    if (member === undefined || member.state === 'leaving') continue;
    if (ring.allows(id) && !crew.isAsleep(id)) {
      if ((isShortNow ??= areShort()) || crew.isFree(id)) awake += 1;
    }
    if (awake >= wanted) return;
  }
  for (const member of crew.members()) {
    if (!ring.allows(member.id) || !crew.wakeOne(member.id)) continue;
    awake += 1;
    if (awake >= wanted) return;
  }
}

/** Wakes everybody: something has changed that concerns all. */
export function wakeAll(crew: Crew): void {
  sleep.publish(crew.words);
  for (const member of crew.members()) crew.wakeOne(member.id);
}
