/**
 * Runners of range jobs: the calling thread alone, or a work pool. Both cut a job at multiples of its
 * alignment; neither promises an order, and the work must not need one.
 */
import type { RangeJob, RangeJobResult, RangeJobRunner, WorkerShare } from '../base/types.js';

/** Work of a chunk, `[start, end)` in pages. */
export type ChunkFunction = (start: number, end: number, job: RangeJob) => unknown;

/** Lets timers, messages and other jobs run. */
export function yieldToEvents(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

/**
 * Runs jobs on the calling thread, giving other work a turn after each chunk.
 * @param chunkPages pages between two turns; default one `minChunk`
 */
export function createInlineRunner(work: ChunkFunction, chunkPages?: number): RangeJobRunner {
  return {
    async run(job: RangeJob): Promise<RangeJobResult> {
      const started = performance.now();
      const step = Math.max(job.align, chunkPages ?? job.minChunk);
      const end = job.start + job.size;
      let chunks = 0;
      let busy = 0;
      for (let at = job.start; at < end;) {
        const next = Math.min(end, (Math.floor(at / step) + 1) * step);
        const before = performance.now();
        await work(at, next, job);
        busy += performance.now() - before;
        chunks++;
        at = next;
        if (at < end) await yieldToEvents();
      }
      const share: WorkerShare = { worker: 0, chunks, units: job.size, ms: busy };
      return { got: 1, chunks, wallMs: performance.now() - started, workers: [share] };
    },
  };
}

/** The part of a work pool that is needed; padata's pool fits. */
export interface WorkPoolPort<Options> {
  runMultithreaded(job: Options): Promise<RangeJobResult>;
}

/** What a pool is asked to run for a range job. */
export interface PoolJob {
  readonly threadFn: { readonly module: string | URL; readonly name: string };
  readonly arg: unknown;
  readonly start: number;
  readonly size: number;
  readonly align: number;
  readonly minChunk: number;
  readonly maxThreads: number;
  readonly priority?: 'normal' | 'low';
  readonly signal?: AbortSignal;
}

/** Settings of {@link createPoolRunner}. */
export interface PoolRunnerOptions {
  /** Module and export of the worker's chunk function `(start, end, arg)`. */
  readonly threadFn: PoolJob['threadFn'];
  /** Argument for a job; crosses to each thread once a job. */
  readonly argOf: (job: RangeJob) => unknown;
  /** `low` yields to other jobs of the pool; for work at run time. Default normal. */
  readonly priority?: 'normal' | 'low';
  readonly signal?: AbortSignal;
}

/** Runs jobs on a work pool. */
export function createPoolRunner(
  pool: WorkPoolPort<PoolJob>,
  options: PoolRunnerOptions,
): RangeJobRunner {
  return {
    run: (job: RangeJob): Promise<RangeJobResult> =>
      pool.runMultithreaded({
        threadFn: options.threadFn,
        arg: options.argOf(job),
        start: job.start,
        size: job.size,
        align: job.align,
        minChunk: job.minChunk,
        maxThreads: job.maxThreads,
        ...(options.priority === undefined ? {} : { priority: options.priority }),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      }),
  };
}
