/** What the rings of a pool ask of its threads, for those who decide when threads come and go. */
import type { Demand } from '../crew/thread-need.js';
import { RING } from '../protocol/ring-layout.js';
import type { RingEntry } from '../turns/ring-entry.js';
import { jobsWorth } from '../turns/wake-workers.js';

/** Jobs that nobody has begun, by ring: as far as they are worth a thread each, at most so many. O(jobs in flight). */
export function* demandsOf(entries: Iterable<RingEntry>, most: number): Generator<Demand> {
  for (const { ring } of entries) {
    if (ring.outstanding === 0) continue;
    yield {
      jobs: jobsWorth(ring, ring.unbegun(most)),
      allows: (worker) => ring.allows(worker),
    };
  }
}

/** Is an input with this thread, or on its way to it? */
export function anyInputWith(entries: Iterable<RingEntry>, worker: number): boolean {
  for (const { ring } of entries) if (ring.sent.unbegun(worker) > 0) return true;
  return false;
}

/** Has this thread begun a job that has not ended? O(jobs in flight). */
export function anyRunningOn(entries: Iterable<RingEntry>, worker: number): boolean {
  for (const { ring } of entries) {
    if (ring.outstanding > 0 && ring.ends.isRunning(worker)) return true;
  }
  return false;
}

/** Is a job out that its function has left to others, on whatever thread that was? */
export function anyDeferred(entries: Iterable<RingEntry>): boolean {
  for (const { ring } of entries) {
    if (Atomics.load(ring.memory.words, RING.DEFERRED) > 0) return true;
  }
  return false;
}
