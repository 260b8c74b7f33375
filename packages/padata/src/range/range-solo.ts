/**
 * Range jobs without shared state: one participant, no work or lane to be had, or too little to do to share it. The
 * calling thread runs the range in order, chunk by chunk.
 */
import { PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import { performance } from '../base/host-time.js';
import { isThenable, whenSettled } from '../base/thenable.js';
import type { Platform } from '../threads/platform.js';
import { ownError, ownValue } from '../values/chunk-values.js';
import { chunkFailure } from './chunk-failure.js';
import type { PlannedRun, RangeJobState } from './range-job.js';
import { chunkEnd, chunkStart } from './range-plan.js';
import type { RangePlan, RangeShape } from './range-plan.js';
import type { RangeResult, RangeRun } from './range-types.js';

/** The caller lets events in at least this often while it runs chunks, in milliseconds. */
export const EVENT_SLICE_MS = 8;

const ignore = (): void => undefined;

/** Calls a function that must not be asynchronous. @throws ERR_PADATA_ASYNC_IN_SYNC */
export function callSync(
  fn: AnyFunction,
  start: number,
  end: number,
  arg: unknown,
  index: number,
): unknown {
  const value = fn(start, end, arg);
  if (!isThenable(value)) return value;
  // The promise is left to itself, but not its rejection.
  whenSettled(value, ignore, ignore);
  throw new PadataError(
    'ERR_PADATA_ASYNC_IN_SYNC',
    `the function returned a promise for chunk [${start}, ${end}) of a synchronous run`,
    { start, end, index },
  );
}

/** The value of a chunk that the caller has run, for `reduce`; undefined without it. @throws ERR_PADATA_CLONE */
export function chunkValue({ options }: RangeJobState, value: unknown, index: number): unknown {
  if (options.reduce === undefined) return undefined;
  return typeof value === 'number' ? value : ownValue(value, index);
}

/** One participant, blocking: the same as `runFast`. */
export function runFastSync(run: PlannedRun, fn: AnyFunction): RangeResult {
  const { job, shape } = run;
  const { start, size } = shape;
  let value: unknown;
  try {
    value = chunkValue(job, callSync(fn, start, start + size, job.arg, 0), 0);
  } catch (error) {
    throw chunkFailed(start, start + size, 0, error);
  }
  return finished(run, [value]);
}

/** One participant: the function is called once, for the whole range. */
export async function runFast(run: PlannedRun, options: RangeRun): Promise<RangeResult> {
  const { job, shape } = run;
  const { start, size } = shape;
  let value: unknown;
  try {
    value = chunkValue(job, await job.fn!(start, start + size, job.arg), 0);
  } catch (error) {
    throw chunkFailed(start, start + size, 0, error);
  }
  await undoIfAborted(run, start + size, options.signal);
  options.onProgress?.(size, size);
  return finished(run, [value]);
}

/** The first units, up to `end`, are completed: after an abort they are undone. @throws the signal's reason */
async function undoIfAborted(
  { job, shape }: PlannedRun,
  end: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (signal?.aborted !== true) return;
  if (end > shape.start) await job.undo?.(shape.start, end, job.arg);
  signal.throwIfAborted();
}

/** All chunks in the caller: no works, or no lane. */
export async function runAlone(
  platform: Platform,
  run: PlannedRun,
  options: RangeRun,
): Promise<RangeResult> {
  const { job, shape, plan } = run;
  const values: unknown[] = [];
  let lastEvents = run.began;
  for (let k = 0; k < plan.chunkCount; k += 1) {
    const start = firstOf(shape, plan, k);
    const end = endOf(shape, plan, k);
    await undoIfAborted(run, start, options.signal);
    try {
      const value = job.fn!(start, end, job.arg);
      values.push(chunkValue(job, isThenable(value) ? await value : value, k));
    } catch (error) {
      // Chunks run in order here, so what is completed is one span.
      if (k > 0) await job.undo?.(shape.start, start, job.arg);
      throw chunkFailed(start, end, k, error);
    }
    options.onProgress?.(end - shape.start, shape.size);
    if (performance.now() - lastEvents > EVENT_SLICE_MS) {
      await platform.yieldToEvents();
      lastEvents = performance.now();
    }
  }
  await undoIfAborted(run, shape.start + shape.size, options.signal);
  return finished(run, values);
}

/** Chunks that the caller has run by itself, in order from the first. */
export interface SoloPart {
  /** Number of chunks. */
  readonly chunks: number;
  /** Their values, when there is something to reduce. */
  readonly values: readonly unknown[];
}

/**
 * Runs chunks in the caller, blocking, until all are done or the rest is worth sharing. Nothing shared is written, so
 * a small job costs little more than the plain loop, whatever other threads do.
 * @param worthMs estimated time of the rest that is worth sharing, in milliseconds; Infinity = never
 */
export function startAlone(run: PlannedRun, fn: AnyFunction, worthMs: number): SoloPart {
  const { job, shape, plan, began } = run;
  const { chunkCount } = plan;
  const last = shape.start + shape.size;
  const { arg } = job;
  const { reduce } = job.options;
  const values: unknown[] = [];
  for (let k = 0; k < chunkCount; k += 1) {
    const start = firstOf(shape, plan, k);
    const end = endOf(shape, plan, k);
    try {
      const value = callSync(fn, start, end, arg, k);
      if (reduce !== undefined) values.push(typeof value === 'number' ? value : ownValue(value, k));
    } catch (error) {
      if (k > 0 && job.undo !== undefined) callSync(job.undo, shape.start, start, arg, 0);
      throw chunkFailed(start, end, k, error);
    }
    const chunks = k + 1;
    // The clock costs as much as a small chunk: looked at after 1, 2, 4, 8 ... chunks.
    if ((chunks & k) !== 0 || chunks === chunkCount || worthMs === Infinity) continue;
    const done = end - shape.start;
    const left = ((performance.now() - began) / done) * (last - end);
    if (left > worthMs) return { chunks, values };
  }
  return { chunks: chunkCount, values };
}

/**
 * Result of a run without shared state.
 * @param values values of the plan's chunks, in order; not looked at without `reduce`
 */
export function finished(
  { job, shape, plan, began }: PlannedRun,
  values: readonly unknown[],
): RangeResult {
  const { planned, got, chunkSize, chunkCount } = plan;
  const { reduce } = job.options;
  let value = job.options.initial;
  if (reduce !== undefined) {
    for (let k = 0; k < chunkCount; k += 1) {
      value = reduce(value, values[k], firstOf(shape, plan, k), endOf(shape, plan, k));
    }
  }
  const wallMs = performance.now() - began;
  return {
    planned,
    got,
    chunkSize,
    chunks: chunkCount,
    value,
    wallMs,
    workers:
      chunkCount === 0 ? [] : [{ worker: 0, chunks: chunkCount, units: shape.size, ms: wallMs }],
  };
}

/** First unit of a chunk. */
function firstOf({ start }: RangeShape, { chunkSize }: RangePlan, k: number): number {
  return chunkStart(start, chunkSize, k);
}

/** End of a chunk; that of the only one is the range's, wherever multiples of its size lie. */
function endOf(
  { start, size }: RangeShape,
  { chunkSize, chunkCount }: RangePlan,
  k: number,
): number {
  return chunkCount === 1 ? start + size : chunkEnd(start, start + size, chunkSize, k);
}

function chunkFailed(start: number, end: number, index: number, thrown: unknown): PadataError {
  return chunkFailure({ start, end, index, worker: 0 }, ownError(thrown));
}
