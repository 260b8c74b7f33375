/**
 * Jobs that may have one thread only, side by side: a node's part by one thread, and yet all nodes at the same time, as a
 * kernel has a thread for each node.
 *
 * A range job always has its caller, so a job for one thread is the caller's, one after another. Here all such jobs that
 * are asked for in one turn of the event loop become one job over their indexes, a chunk each:
 *
 *     node 0 ─┐                 ┌─ chunk 0 ─ caller      ─▶ job 0
 *     node 1 ─┼─▶ batch of 3 ──▶┼─ chunk 1 ─ a thread    ─▶ job 1
 *     node 2 ─┘                 └─ chunk 2 ─ a thread    ─▶ job 2
 */
import type { FunctionRef, WorkPool } from '@bootmem/padata';
import type { RangeJob, RangeJobRunner } from '@bootmem/page-init';
import type { LoneArg, LoneShare, MachineHandle } from '../worker/init-worker.js';

/** What a batch is run with. */
export interface LoneThreads {
  readonly pool: WorkPool;
  /** `initLone` of the worker's module. */
  readonly threadFn: FunctionRef;
  readonly machine: MachineHandle;
  /** Threads at most, the caller included. */
  readonly threads: number;
  /** A signal for each batch. */
  readonly signal: () => AbortSignal;
  /** Called when a batch has ended, with each of its jobs. */
  readonly onDone: (job: RangeJob) => void;
}

/** A runner of jobs of one thread each. */
export function createLoneRunner(parts: LoneThreads): RangeJobRunner {
  let waiting: RangeJob[] = [];
  let batch: Promise<readonly LoneShare[]> | undefined;
  const begin = (): Promise<readonly LoneShare[]> =>
    Promise.resolve().then(() => {
      const jobs = waiting;
      waiting = [];
      batch = undefined;
      return runBatch(parts, jobs);
    });
  return {
    async run(job) {
      const index = waiting.push(job) - 1;
      batch ??= begin();
      const share = (await batch).find((one) => one.index === index)!;
      parts.onDone(job);
      const { worker, ms } = share;
      return {
        got: 1,
        chunks: 1,
        wallMs: ms,
        workers: [{ worker, chunks: 1, units: job.size, ms }],
      };
    },
  };
}

async function runBatch(
  { pool, threadFn, machine, threads, signal }: LoneThreads,
  jobs: readonly RangeJob[],
): Promise<readonly LoneShare[]> {
  const arg: LoneArg = {
    machine,
    jobs: jobs.map(({ nid, start, size }) => ({ nid, start, size })),
  };
  const { value } = await pool.runMultithreaded<unknown, readonly LoneShare[]>({
    threadFn,
    arg,
    start: 0,
    size: jobs.length,
    minChunk: 1,
    maxThreads: Math.min(threads, jobs.length),
    // Sections are claimed one by one: a job that is run again goes on where it stopped.
    idempotent: true,
    reduce: (all, shares) => [...all, ...(shares as readonly LoneShare[])],
    initial: [],
    signal: signal(),
  });
  return value;
}
