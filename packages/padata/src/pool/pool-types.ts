/** What a pool tells its program: events and figures. */
import type { PadataError } from '../base/errors.js';
import type { TimeSummary } from '../base/histogram.js';

export const POOL_EVENTS = ['worker-ready', 'worker-exit', 'resize', 'error'];

/** What a pool reports. */
export interface WorkPoolEvents {
  'worker-ready': {
    readonly worker: number;
    /** Number of the thread by the operating system, on Linux; else 0. */
    readonly tid: number;
  };
  /** A thread ended: after `resize`, `close`, having had nothing to do, a crash or process.exit in it. */
  'worker-exit': {
    readonly worker: number;
    readonly exitCode: number;
    readonly error: unknown;
    /** It was asked to leave, by `resize` or `close` or as it had nothing to do. */
    readonly expected: boolean;
  };
  /** The number of threads wanted has changed, by `resize` or by itself. */
  resize: { readonly threads: number };
  /** Something went wrong that belongs to no single job. */
  error: { readonly error: PadataError };
}

/** Figures of a pool. */
export interface WorkPoolStats {
  /** Threads wanted now, between the bounds of the pool. */
  readonly threads: number;
  readonly minThreads: number;
  readonly maxThreads: number;
  readonly ready: number;
  readonly works: number;
  readonly freeWorks: number;
  /** Threads that ended without being asked to. */
  readonly deaths: number;
  /** Jobs of series and of `run` whose functions were called, by all threads and the calling one, since the pool was made. */
  readonly jobs: number;
  /** Of these, from submission to the start of the function, microseconds. */
  readonly wait: TimeSummary;
  /** Of these, the function's time, microseconds; quick jobs are measured in groups. */
  readonly run: TimeSummary;
  /** Each thread that runs. */
  readonly workers: readonly {
    readonly worker: number;
    /** Jobs run under this id. */
    readonly jobs: number;
    /** Share of the time since this thread was started that it had something to do, jobs or chunks: 0..1. */
    readonly busy: number;
  }[];
}
