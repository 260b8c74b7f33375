/** What the owner keeps of a range job between its runs. */
import type { AnyFunction } from '../base/function-ref.js';
import type { RangeJobOptions } from './range-types.js';

/** A job with its function named and its argument at hand. */
export interface RangeJobState {
  readonly id: number;
  readonly options: RangeJobOptions;
  readonly href: string;
  readonly name: string;
  readonly once: boolean;
  fn: AnyFunction | undefined;
  undo: AnyFunction | undefined;
  /** Milliseconds per unit in earlier runs; undefined before the first. */
  msPerUnit: number | undefined;
  disposed: boolean;
}
