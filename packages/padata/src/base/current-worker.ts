/**
 * Which worker this thread is, for functions that get no context: chunk functions of range jobs, helpers that
 * are called from everywhere. The platform's entry says it once, before the loop starts; nobody else writes.
 */

let current = 0;

/** Says that this thread is worker `id` of its pool. */
export function becomeWorker(id: number): void {
  current = id;
}

/**
 * Worker id of the calling thread within the pool that started it, as in the pool's events and statistics;
 * 0 on any other thread, the pool's owner included. Cost: one load.
 */
export function currentWorker(): number {
  return current;
}
