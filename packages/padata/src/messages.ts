/** Messages between the owner and a worker thread. Control only: chunks and slots go through shared words. */
import type { ErrorRecord } from './errors.js';

/** From the owner to a worker. */
export type ToWorker =
  /** Import a function now and answer `loaded`. */
  | { readonly t: 'load'; readonly id: number; readonly href: string; readonly name: string }
  /** A range job that lanes will name by `job`. */
  | {
      readonly t: 'job';
      readonly job: number;
      readonly href: string;
      readonly name: string;
      readonly arg: unknown;
      readonly wantValues: boolean;
    }
  | { readonly t: 'drop'; readonly job: number }
  /** Finish what is at hand, take nothing new, end. */
  | { readonly t: 'leave' };

/** From a worker to the owner. */
export type FromWorker =
  /** The thread runs; `tid` names it for the operating system, 0 = unknown. */
  | { readonly t: 'hello'; readonly tid: number }
  | { readonly t: 'loaded'; readonly id: number; readonly error?: ErrorRecord }
  /** A range job's function could not be loaded here. */
  | { readonly t: 'jobError'; readonly job: number; readonly error: ErrorRecord }
  /** Value of a chunk that does not fit a number. */
  | {
      readonly t: 'value';
      readonly lane: number;
      readonly gate: number;
      readonly index: number;
      readonly value: unknown;
    }
  | {
      readonly t: 'fail';
      readonly lane: number;
      readonly gate: number;
      readonly index: number;
      readonly error: ErrorRecord;
    }
  /** Sent when the owner waits in its event loop for a lane to empty. */
  | { readonly t: 'left'; readonly lane: number };
