/**
 * Public interfaces of range jobs. They say nothing about threads or shared memory, so that another
 * transport (other processes, other hosts) can stand behind them.
 */
import type { FunctionRef } from '../base/function-ref.js';

/** Argument type of a chunk function. */
type RangeArg<F> = F extends (start: number, end: number, arg: infer A) => unknown ? A : unknown;
/** Chunk value type of a chunk function. */
type RangeValue<F> = F extends (...args: never[]) => infer R ? Awaited<R> : unknown;

/** What is the same for every run of a range job. */
export interface RangeJobOptions<F = unknown, V = unknown> {
  /** Chunk function, named by module and export; called as `(start, end, arg)`. */
  readonly threadFn: FunctionRef<F>;
  /** Goes to each helping thread once, by structured clone (shared memory stays shared). */
  readonly arg?: RangeArg<F>;
  /** Chunk ends are multiples of this many units; >= 1, default 1. */
  readonly align?: number;
  /** Smallest chunk worth a thread, in units; >= 0, default 1. */
  readonly minChunk?: number;
  /**
   * Participants at most, the caller included; default: all threads and the caller, on a pool of one thread the caller
   * alone. @kernel max_threads
   */
  readonly maxThreads?: number;
  /** Called in the caller, ascending, on every maximal completed span after a failure or an abort. */
  readonly undoFn?: FunctionRef;
  /** Combines chunk values in ascending order of chunks, in the caller. */
  readonly reduce?: (accumulator: V, value: RangeValue<F>, start: number, end: number) => V;
  /** First accumulator of `reduce`. */
  readonly initial?: V;
  /** 'low': participants look for other work between chunks. Default 'normal'. */
  readonly priority?: 'normal' | 'low';
  /** Take helpers from the worker nodes in turn. Default false. */
  readonly nodeAware?: boolean;
  /** Ids of threads that may help; while none of them is there, any may. The caller takes part all the same. Default: all. */
  readonly workers?: readonly number[];
  /** A chunk may be run again if its worker dies: the caller does so. Default false. */
  readonly idempotent?: boolean;
}

/** A range job to be run once. */
export interface MultithreadedJob<F = unknown, V = unknown>
  extends RangeJobOptions<F, V>, RangeRun {
  /** First unit, >= 0. */
  readonly start: number;
  /** Units, >= 0. */
  readonly size: number;
}

/** What belongs to one run. */
export interface RangeRun {
  /** Stops claiming when aborted; running chunks finish; rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Called in the caller now and then, and at the end, with units done and all units. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A participant's share of a run. */
export interface RangeWorkerStats {
  /** 0 = the caller, else the worker's id. */
  readonly worker: number;
  readonly chunks: number;
  readonly units: number;
  /** Time from joining to leaving, in milliseconds. */
  readonly ms: number;
}

/** What a run did. */
export interface RangeResult<V = unknown> {
  /**
   * Participants wanted, the caller included: `size` in units of `minChunk` or `align`, whichever is larger, at most
   * `maxThreads`. 1 = the caller calls the function once, for the whole range, and nothing is shared; 0 for an empty range.
   */
  readonly planned: number;
  /** Participants that had a work, the caller included. */
  readonly got: number;
  /** Units per chunk. */
  readonly chunkSize: number;
  /** Chunks run. */
  readonly chunks: number;
  /** Outcome of `reduce`; `initial` when there was nothing to combine. */
  readonly value: V;
  readonly wallMs: number;
  /** Those who ran at least one chunk, the caller first. */
  readonly workers: readonly RangeWorkerStats[];
}

/** A job whose function and argument are in place, to be run many times. */
export interface PreparedRange<V = unknown> {
  /** Runs [start, start + size); rejects as `runMultithreaded`. */
  run(start: number, size: number, run?: RangeRun): Promise<RangeResult<V>>;
  /** The same, blocking. @throws ERR_PADATA_CANNOT_BLOCK, ERR_PADATA_ASYNC_IN_SYNC */
  runSync(start: number, size: number): RangeResult<V>;
  /** Forgets the argument in all threads. Idempotent. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Anything that runs range jobs: the local pool, or a distributed backend. */
export interface RangeRunner {
  /** Runs a range job; see `MultithreadedJob`. */
  runMultithreaded<F, V>(job: MultithreadedJob<F, V>): Promise<RangeResult<V>>;
}
