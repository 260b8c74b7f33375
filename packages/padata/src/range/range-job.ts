/** What the owner keeps of a range job, and of one run of it. */
import type { AnyFunction } from '../base/function-ref.js';
import type { RangePlan, RangeShape } from './range-plan.js';
import type { RangeJobOptions } from './range-types.js';

/** A job with its function named and its argument at hand. */
export interface RangeJobState {
  readonly id: number;
  readonly options: RangeJobOptions;
  readonly href: string;
  readonly name: string;
  /** It is run once: nothing is known of its cost, and nothing will be. */
  readonly once: boolean;
  /** `options.arg` for the calling thread's chunks, as soon as `hasArg`; see `own-arg.ts`. */
  arg: unknown;
  hasArg: boolean;
  fn: AnyFunction | undefined;
  undo: AnyFunction | undefined;
  /** Milliseconds per unit in earlier runs; undefined before the first. */
  msPerUnit: number | undefined;
  disposed: boolean;
}

/** One run of a job: over which range, how it is cut, since when. */
export interface PlannedRun {
  readonly job: RangeJobState;
  readonly shape: RangeShape;
  readonly plan: RangePlan;
  /** Beginning, in milliseconds of this thread's clock. */
  readonly began: number;
}
