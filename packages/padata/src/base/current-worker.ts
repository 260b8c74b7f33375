/**
 * What this thread is and does: which worker, for functions that get no context (chunk functions of range jobs, helpers
 * that are called from everywhere), and whether it imports job modules just now. The worker's loop says so; nobody else
 * writes.
 */

let current = 0;
/** Imports of job modules under way. */
let imports = 0;
/** Depth of calls that run jobs, and jobs that are under way elsewhere. */
let works = 0;

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

/** One import of a job module more, or less. */
export function countImports(change: 1 | -1): void {
  imports += change;
}

/** One call that runs jobs, or one pending job, more or less. */
export function countWorks(change: 1 | -1): void {
  works += change;
}

/** Is the code that runs now the top level of a job module? Unknown while jobs run as well: then no. */
export function isImportingOnly(): boolean {
  return current !== 0 && imports > 0 && works === 0;
}
