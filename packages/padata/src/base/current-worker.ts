/**
 * What this thread is and does: which worker, for functions that get no context (chunk functions of range jobs, helpers
 * that are called from everywhere), and whether it imports job modules just now. The worker's loop says so; nobody else
 * writes.
 *
 * A thread may have this package more than once: in a bundle and beside it, or transpiled for `require`. What belongs to the
 * thread is kept with its globals, so that job modules see the same whichever copy they import.
 */

/** What all copies of the package on a thread share; each copy knows these fields, so they never change. */
interface ThreadState {
  current: number;
  /** Imports of job modules under way. */
  imports: number;
  /** Depth of calls that run jobs, and jobs that are under way elsewhere. */
  works: number;
  /** Job modules by href. */
  readonly modules: Map<string, Record<string, unknown>>;
  /** What results hand over. */
  readonly transfers: WeakMap<object, readonly unknown[]>;
}
const globals = globalThis as unknown as Record<symbol, ThreadState | undefined>;

/** This thread's. */
export const thread: ThreadState = (globals[Symbol.for('@bootmem/padata/thread')] ??= {
  current: 0,
  imports: 0,
  works: 0,
  modules: new Map(),
  transfers: new WeakMap(),
});

/** Says that this thread is worker `id` of its pool. */
export function becomeWorker(id: number): void {
  thread.current = id;
}

/**
 * Worker id of the calling thread within the pool that started it, as in the pool's events and statistics;
 * 0 on any other thread, the pool's owner included. Cost: one load.
 */
export function currentWorker(): number {
  return thread.current;
}

/** One import of a job module more, or less. */
export function countImports(change: 1 | -1): void {
  thread.imports += change;
}

/** One call that runs jobs, or one pending job, more or less. */
export function countWorks(change: 1 | -1): void {
  thread.works += change;
}

/** Is the code that runs now the top level of a job module? Unknown while jobs run as well: then no. */
export function isImportingOnly(): boolean {
  return thread.current !== 0 && thread.imports > 0 && thread.works === 0;
}
