/**
 * How many jobs after the next one the owner may await: policy, without state.
 *
 * A wake-up costs 50 to 200 us of CPU on both sides together: two switches of a thread, a message, and code that has left the
 * caches. While many jobs wait, their results may come a moment later: the workers have enough to do meanwhile, and gain the CPU
 * that the owner does not use. By the moment a wake-up takes a twentieth of the time at most; by the part of what is under way a
 * result is late by a part of the time for which its job waited anyway.
 */

/** Results of about so much time of each thread are delivered together, in nanoseconds. */
const MOMENT_NS = 2_000_000;
/** Jobs that take no longer, in nanoseconds, keep the owner awake by themselves. */
export const QUICK_NS = 2000;
/** Only so small a part of what is under way is awaited together. */
const PART = 4;

/**
 * @param outstanding jobs submitted and not delivered, 0 …
 * @param ns          time of a job, in nanoseconds; 0 = not known
 * @param threads     threads that run them, at least 1
 * @returns 0 … outstanding / 4
 */
export function jobsAhead(outstanding: number, ns: number, threads: number): number {
  if (outstanding < PART || ns <= QUICK_NS) return 0;
  return Math.floor(Math.min(outstanding / PART, (MOMENT_NS * threads) / ns));
}
