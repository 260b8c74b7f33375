/**
 * Public interfaces of ordered jobs. They say nothing about threads or shared memory, so that another
 * transport (other processes, other hosts) can stand behind them.
 */
import type { Duplex } from 'node:stream';
import type { FunctionRef } from '../base/function-ref.js';
import type { TimeSummary } from '../base/histogram.js';
import type { JobOutput } from '../protocol/messages.js';
import type { HaltPolicy } from './halt.js';

/** Input type of a job function. */
export type JobInput<F> = F extends (input: infer I, ...rest: never[]) => unknown ? I : unknown;
/** Result type of a job function, as it arrives: bytes are a Uint8Array, a Buffer's too. */
export type JobResult<F> = F extends (...args: never[]) => infer R ? Arrived<Awaited<R>> : unknown;
type Arrived<R> = R extends Uint8Array ? Uint8Array : R;

/** Receives each job's outcome, strictly in order of submission; with `order: 'none'` in order of completion. */
export type JobCallback<R> = (error: unknown, result: R | undefined, seq: number) => void;

/** A job that has not been completed for long. */
export interface StallReport {
  /** The job everyone behind it waits for. */
  readonly seq: number;
  /** What it is doing. */
  readonly state: 'waiting' | 'running' | 'deferred' | 'sent';
  /** Worker that has it; 0 = none or the owner. */
  readonly worker: number;
  /** Time since something was delivered, in milliseconds. */
  readonly ms: number;
  /** Jobs waiting behind it. */
  readonly behind: number;
}

/** How a series is made. */
export interface SeriesOptions<F = unknown> {
  /** Job function, named by module and export: `(input, context) => result`. */
  readonly fn: FunctionRef<F>;
  /** Jobs submitted and not yet handed to their callback, at most; rounded up to a power of two; default 256. */
  readonly window?: number;
  /**
   * In which order outcomes are told. 'submission': that of the calls, so a slow job holds back those behind it, and the
   * window with them. 'none': each when it is there; the window bounds jobs that have not ended, whichever they are.
   * Jobs begin in order of submission in any case. Default 'submission'.
   */
  readonly order?: 'submission' | 'none';
  /**
   * When the window is full: 'wait' queues in the caller until `room()` (as a stream's write does),
   * 'inline' runs jobs in the calling thread, 'reject' fails the job with ERR_PADATA_FULL. Default 'wait'.
   */
  readonly onFull?: 'wait' | 'inline' | 'reject';
  /** When the series gives up; default 'never': each job's outcome is its own. */
  readonly halt?: HaltPolicy;
  /**
   * Payload bytes per job, input and result together, in shared memory, to begin with; default 1024. More is taken where
   * values need it, 64 MiB a series at most, and given back when it is closed.
   */
  readonly slotBytes?: number;
  /** Bytes to reserve for the result of an input of so many bytes; default: as many. What more they need is learned. */
  readonly outputBytes?: (inputBytes: number) => number;
  /**
   * Byte results: 'copy' = the consumer's own, 'view' = valid until the callback of `submit` returns, or the next step of an
   * iteration; `run`, streams and shells give copies anyway. Default 'copy'.
   */
  readonly bytes?: 'copy' | 'view';
  /**
   * Byte inputs: 'view' = of shared memory, valid until the function has ended; 'copy' = the function's own, for APIs that
   * refuse shared memory (`crypto.subtle`, `Response`, `TextDecoder` in browsers) and functions that keep their input.
   * Default 'view'.
   */
  readonly inputBytes?: 'view' | 'copy';
  /** The function may run again if its worker dies; it must not change its input. Default false. */
  readonly idempotent?: boolean;
  /** Runs again at most so many times; default 1 when idempotent. */
  readonly retries?: number;
  /** Ends the series: jobs that wait end with its reason, running ones are asked to stop. */
  readonly signal?: AbortSignal;
  /**
   * Time between asking a function to stop and ending its job without it, in milliseconds; default 1000. A pending
   * promise is abandoned then; a function that kept its thread all that time loses it.
   */
  readonly graceMs?: number;
  /**
   * Promises of this series that may be pending on one thread, 1..65 536; default 64. Functions that compute for longer
   * than a wake-up after an `await` are spread over the threads without it.
   */
  readonly pendingPerThread?: number;
  /** Cloned once per thread; functions find it in `context.shared`. */
  readonly shared?: unknown;
  /** Report when nothing was delivered for so long although jobs wait, in milliseconds; default: never. */
  readonly watchdogMs?: number;
  readonly onStall?: (report: StallReport) => void;
  /** Called with what functions tell by `context.progress`, and the job's number; see `JobOptions.onProgress`. */
  readonly onJobProgress?: (value: unknown, seq: number) => void;
  /** Which reports of progress are sent: 'latest' or 'all', see `JobOptions.progress`. Default 'latest'. */
  readonly progress?: 'latest' | 'all';
  /**
   * Keeps what each job writes to stdout and stderr (`console`, `process.stdout.write`) instead of printing it, for `onOutput` of its
   * `run` and `onJobOutput`. Node only; a job costs some microseconds more. Default false; true with `onJobOutput`.
   */
  readonly captureOutput?: boolean;
  /** Bytes of UTF-8 that are kept of each job, both streams together, 1..2^31 - 1; default 1 MiB. The rest is left out. */
  readonly maxOutputBytes?: number;
  /** Called with what a job has written, and its number, before its outcome; not if it has written nothing. */
  readonly onJobOutput?: (output: JobOutput, seq: number) => void;
  /**
   * Whose job begins when jobs of several series wait for a thread: one of the highest priority, but of 16 starts one at
   * least is of each lower one that has something for that thread. What runs is not interrupted. While a pool has series of
   * different priorities its threads take jobs one by one, which small jobs feel. Default 'normal'.
   */
  readonly priority?: 'high' | 'normal' | 'low';
  /** Workers that may run the jobs; default: all. */
  readonly workers?: readonly number[];
}

/** Options of one job. */
export interface JobOptions {
  /** Objects to hand over instead of copying. */
  readonly transfer?: readonly unknown[];
  /**
   * Cancels the job: `run` rejects at once with the reason, the only exception to settling in order. The job keeps its
   * place, where it counts as failed; it never begins, or its function is asked to stop and given up after `graceMs`.
   */
  readonly signal?: AbortSignal;
  /**
   * Cancels the job, as `signal` does, so many milliseconds after its function has begun: 1..2^31 - 1. Never sooner; later by an
   * eighth at most (1 ms at least, 100 ms at most) while the calling thread's event loop runs. `ERR_PADATA_TIMEOUT`.
   */
  readonly timeoutMs?: number;
  /** The same, so many milliseconds after its submission, whether it has begun or waits. */
  readonly deadlineMs?: number;
  /** Called with what the function tells by `context.progress`: before the outcome, and not after the job was given up. */
  readonly onProgress?: (value: unknown) => void;
  /**
   * 'latest': of reports in quick succession only some, and always the last before the end; 'all': each, a message each.
   * Default 'latest'.
   */
  readonly progress?: 'latest' | 'all';
  /**
   * Called with what the function has written to stdout and stderr, before the outcome; not if it has written nothing, nor after
   * the job was given up. For `pool.run`, and series with `captureOutput`.
   */
  readonly onOutput?: (output: JobOutput) => void;
}

/** What to do with failed items. */
export type ErrorPolicy = 'throw' | 'skip' | 'collect';

/** Options of `map`. */
export interface MapOptions {
  /** 'throw' at the failing item's place; 'skip' it; 'collect' and throw an AggregateError at the end. */
  readonly errors?: ErrorPolicy;
  readonly signal?: AbortSignal;
  /** Gives `[index, value]` in place of each value: the index of its item in the source, from 0. Default false. */
  readonly entries?: boolean;
  /** Called after each item handed out, with how many there were. */
  readonly onProgress?: (done: number) => void;
}

/** Options of `map` that gives each value with the index of its item. */
export type EntriesOptions = MapOptions & { readonly entries: true };

/** Anything that can be read item by item. */
export type Source<T> = Iterable<T> | AsyncIterable<T> | ReadableLike<T>;

/** The part of a Web ReadableStream that is used. */
export interface ReadableLike<T> {
  getReader(): {
    read(): Promise<{ done: boolean; value?: T | undefined }>;
    cancel(reason?: unknown): Promise<void>;
  };
}

/** Figures of a series. */
export interface SeriesStats {
  readonly submitted: number;
  readonly delivered: number;
  readonly failed: number;
  /** Jobs run again after their worker died. */
  readonly retried: number;
  readonly inFlight: number;
  /** Jobs that wait for room in the window. */
  readonly overflow: number;
  /** From submission to the start of the function, microseconds. */
  readonly wait: TimeSummary;
  /** The function's time, microseconds; quick jobs are measured in groups. */
  readonly run: TimeSummary;
  /** From submission to the callback, microseconds. */
  readonly latency: TimeSummary;
}

/** Ordered jobs: the local series, or one of a distributed backend. */
export interface OrderedJobs<I, R> {
  /** Submits; false = no room now, wait for `room()` before the next. */
  submit(input: I, callback: JobCallback<R>, transfer?: readonly unknown[]): boolean;
  /** Resolves when the window has room. */
  room(): Promise<void>;
  /**
   * Submits and resolves with the result; settles in the series' order, but rejects at once when its signal aborts. A job
   * that is not accepted (where `submit` throws) is in no order: it rejects at once.
   */
  run(input: I, options?: JobOptions): Promise<R>;
  /** Results, in the series' order, at most `window` items read ahead; with `entries` each with its item's index. */
  map(source: Source<I>, options: EntriesOptions): AsyncIterableIterator<[index: number, value: R]>;
  map(source: Source<I>, options?: MapOptions): AsyncIterableIterator<R>;
  /** Resolves when everything submitted was delivered. */
  drain(): Promise<void>;
  /** Drains, then lets go of all memory. */
  close(): Promise<void>;
}

/** Anything that makes series: the local pool, or a distributed backend. */
export interface SeriesMaker {
  /** Makes a series of ordered jobs of one function. */
  series<F>(options: SeriesOptions<F>): OrderedJobs<JobInput<F>, JobResult<F>>;
}

/** A node:stream Duplex in Node; in browsers there is none. */
export type SeriesDuplex = Duplex;

/** A pair of Web streams, as `TransformStream` has. */
export interface SeriesTransform<I, R> {
  readonly writable: WritableStream<I>;
  readonly readable: ReadableStream<R>;
}

/** What the stream faces need of a series. */
export interface StreamedJobs {
  readonly window: number;
  submit(input: unknown, callback: (error: unknown, value: unknown, seq: number) => void): boolean;
  room(): Promise<void>;
  drain(): Promise<void>;
}
