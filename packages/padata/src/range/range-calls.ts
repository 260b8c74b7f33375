/** Range jobs from their options to their result: each is known to the engine for as long as the call takes, or until it is closed. */
import type { FunctionRef } from '../base/function-ref.js';
import { preparedRange } from './prepared-range.js';
import type { RangeEngine } from './range-engine.js';
import type {
  MultithreadedJob,
  PreparedRange,
  RangeJobOptions,
  RangeResult,
} from './range-types.js';

/** See `WorkPool.runMultithreaded`. */
export async function runRange<F, V>(
  engine: RangeEngine,
  job: MultithreadedJob<F, V>,
): Promise<RangeResult<V>> {
  const state = engine.define(job as RangeJobOptions, true);
  try {
    return (await engine.run(state, job.start, job.size, job)) as RangeResult<V>;
  } finally {
    engine.dispose(state);
  }
}

/** See `WorkPool.runMultithreadedSync`. */
export function runRangeSync<F, V>(
  engine: RangeEngine,
  job: MultithreadedJob<F, V>,
): RangeResult<V> {
  const state = engine.define(job as RangeJobOptions, true);
  try {
    return engine.runSync(state, job.start, job.size) as RangeResult<V>;
  } finally {
    engine.dispose(state);
  }
}

interface PreparingPool {
  readonly engine: RangeEngine;
  readonly loadInThreads: (ref: FunctionRef) => Promise<void>;
  /** Throws when nothing is to run any more. */
  readonly checkOpen: () => void;
}

/** See `WorkPool.prepareRange`. */
export async function prepareRange<F, V>(
  { engine, loadInThreads, checkOpen }: PreparingPool,
  options: RangeJobOptions<F, V>,
): Promise<PreparedRange<V>> {
  const state = engine.define(options as RangeJobOptions, false);
  try {
    await engine.prepare(state);
    await loadInThreads(options.threadFn);
    engine.announce(state);
  } catch (error) {
    engine.dispose(state);
    throw error;
  }
  return preparedRange<V>(engine, state, checkOpen);
}
