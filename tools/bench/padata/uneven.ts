/** The arithmetic of uneven jobs: which are long, how they are dealt, and how much longer a pool takes than it must. */
import { Random } from '../../kit/random.mjs';

/** `count` jobs of which one in `every` is long, at places drawn by chance. */
export function unevenJobs<T>(
  { count, every, seed }: { readonly count: number; readonly every: number; readonly seed: number },
  short: T,
  long: T,
): T[] {
  const random = new Random(seed);
  const jobs = new Array<T>(count).fill(short);
  for (let left = Math.round(count / every); left > 0;) {
    const at = random.below(count);
    if (jobs[at] === long) continue;
    jobs[at] = long;
    left -= 1;
  }
  return jobs;
}

/** Deals jobs to `hands` lists, each kind in turn, so that all have the same work if that can be. */
export function dealt<T>(jobs: readonly T[], hands: number): T[][] {
  const lists = Array.from({ length: hands }, (): T[] => []);
  const seen = new Map<T, number>();
  for (const job of jobs) {
    const before = seen.get(job) ?? 0;
    lists[before % hands]!.push(job);
    seen.set(job, before + 1);
  }
  return lists;
}

/** What a run of all jobs took; milliseconds. */
export interface UnevenRun {
  /** From the first submission to the last result. */
  readonly wallMs: number;
  /** When each thread ended each of its jobs. */
  readonly ends: readonly (readonly [thread: number, endMs: number])[];
}

/** How long threads had nothing left while the last long job still ran: between the last ends of any two threads. */
export function tailOf(ends: UnevenRun['ends']): number {
  const last = new Map<number, number>();
  for (const [thread, end] of ends) last.set(thread, Math.max(end, last.get(thread) ?? 0));
  return Math.max(...last.values()) - Math.min(...last.values());
}

/**
 * The time until the first thread had nothing left, as a share of what the work done by then takes on all threads.
 * @param wholeMs  what all the work takes, divided by the threads
 * @param threads  at least two
 */
export function overWork({ wallMs, ends }: UnevenRun, wholeMs: number, threads: number): number {
  const tail = tailOf(ends);
  return (wallMs - tail) / (wholeMs - tail / threads);
}
