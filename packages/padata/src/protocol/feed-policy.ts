/**
 * How much work that travels by message a thread gets ahead: policy, without state.
 *
 * A thread that has nothing left needs a message to the owner and one back. So it gets as many jobs as fill about two such
 * round trips, and asks when half of them are begun; the rest waits with the owner, for whoever is free first. At least one
 * job waits with each thread, so that it goes on at once.
 */
import { WAKE_UP_NS } from './sleep.js';

/** A message to a thread and its answer, when both sides are awake or soon are, in milliseconds. */
const ROUND_TRIP_MS = 0.1;
/** What a job by message costs a thread in any case, in milliseconds. */
const LEAST_MS = 0.002;
/** Jobs that one thread has ahead at most. */
const MOST = 512;

/**
 * @param ns     time of a job, in nanoseconds; 0 = not known
 * @param turnMs how long the owner's turns take, in milliseconds: it answers after one
 * @returns jobs that a thread has at hand and not begun, 1 .. 512
 */
export function jobsAtHand(ns: number, turnMs: number): number {
  if (ns === 0) return 1;
  const jobs = (2 * (ROUND_TRIP_MS + turnMs)) / Math.max(LEAST_MS, ns / 1e6);
  return Math.max(1, Math.min(MOST, Math.floor(jobs)));
}

/** May a job of this kind, in nanoseconds (0 = not known), be sent once more so that a thread is not idle? */
export function isWorthMoving(ns: number): boolean {
  return ns === 0 || ns > WAKE_UP_NS;
}
