/**
 * How many threads the work of a pool needs: policy, without state. A job that waits needs a thread that has nothing to do;
 * where there are fewer of those than jobs, and threads may still be started, they are.
 */

/** Work that waits, of one kind. */
export interface Demand {
  /** Jobs that nobody has begun, as far as they are worth a thread each. */
  readonly jobs: number;
  /** May this thread begin one? */
  readonly allows: (worker: number) => boolean;
}

/**
 * Threads that are to be started.
 * @param demands what waits
 * @param idle    threads that have nothing to do, or are being started
 * @param absent  threads that may be started, in the order in which they are
 */
export function threadsToStart(
  demands: Iterable<Demand>,
  idle: Iterable<number>,
  absent: Iterable<number>,
): number[] {
  const there = new Set(idle);
  const left = new Set(absent);
  const started: number[] = [];
  for (const { jobs, allows } of demands) {
    let wanted = jobs;
    // One job a thread: what another series' job needs is not there for this one.
    for (const worker of there) {
      if (wanted === 0) break;
      if (!allows(worker)) continue;
      there.delete(worker);
      wanted -= 1;
    }
    for (const worker of left) {
      if (wanted === 0) break;
      if (!allows(worker)) continue;
      left.delete(worker);
      started.push(worker);
      wanted -= 1;
    }
  }
  return started;
}
