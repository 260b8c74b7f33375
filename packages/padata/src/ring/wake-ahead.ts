/**
 * How many jobs after the next one the owner may await: policy, without state.
 *
 * A wake-up costs 50 to 200 us of CPU on both sides together: two switches of a thread, a message, and code that has left the
 * caches. While many jobs wait, their results may come a moment later: the workers have enough to do meanwhile, and gain the CPU
 * that the owner does not use. By the moment a wake-up takes a fortieth of the time at most; and what is left to the workers lasts
 * until the owner has woken and delivered, so none of them waits for it.
 */
import { WAKE_UP_NS } from '../protocol/sleep.js';

/** Results of about so much time of each thread are delivered together, in nanoseconds. */
const MOMENT_NS = 4_000_000;
/** Jobs that take no longer, in nanoseconds, keep the owner awake by themselves. */
export const QUICK_NS = 2000;
/** A part of what is under way that may be awaited together in any case. */
const PART = 4;
/** So many jobs are left to each thread, as they differ in length, */
const FEW = 4;
/** and so many that they keep it busy for so long, in nanoseconds: the owner wakes and delivers meanwhile. */
const WAKE_NS = 100_000;

/**
 * Where jobs have an order: each waits for those before it, so their results may as well come together.
 *
 * @param outstanding jobs submitted and not delivered, 0 …
 * @param ns          time of a job, in nanoseconds; 0 = not known
 * @param threads     threads that run them at the same time, at least 1
 * @returns 0 … those that are outstanding less four for each thread, or a quarter of them
 */
export function jobsAhead(outstanding: number, ns: number, threads: number): number {
  if (isEach(outstanding, ns, threads)) return 0;
  const left = threads * Math.max(FEW, WAKE_NS / ns);
  const most = Math.max(outstanding / PART, outstanding - left);
  return Math.floor(Math.min(most, (MOMENT_NS * threads) / ns));
}

/**
 * Where they have none: each result may be all that somebody waits for, so it comes later by a part of that wait at most.
 *
 * @returns 0 … a quarter of those that are outstanding
 */
export function resultsAhead(outstanding: number, ns: number, threads: number): number {
  if (isEach(outstanding, ns, threads)) return 0;
  return Math.floor(Math.min(outstanding / PART, (MOMENT_NS * threads) / (2 * ns)));
}

/**
 * Is the owner to be woken for each, as few are under way, or their length is not known or nothing? Of long jobs more are few: what a
 * wake-up saves is less than what one of them would wait for the next.
 */
function isEach(outstanding: number, ns: number, threads: number): boolean {
  const few = ns > WAKE_UP_NS ? Math.max(PART, FEW * threads) : PART;
  return outstanding < few || ns <= QUICK_NS;
}
