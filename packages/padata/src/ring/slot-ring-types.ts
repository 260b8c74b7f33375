/** What a slot ring is made of, and how its jobs' outcomes are told. */

import type { RingBlock } from './ring-store.js';

/** Called once per job: in order of submission, or of completion where there is no order. */
export type SerialCallback = (error: unknown, value: unknown, sequence: number) => void;

/** How a promise is settled. */
export type Settle = (value: unknown) => void;

/** How a ring is made. */
export interface SlotRingOptions {
  readonly id: number;
  /** Jobs in flight at most; a power of two. */
  readonly window: number;
  readonly arenaBytes: number;
  readonly slotBytes: number;
  readonly outputBytes: (inputBytes: number) => number;
  /** First sequence number, modulo 2^32. */
  readonly firstSequence: number;
  /** Memory of a closed ring of the same shape; undefined = new memory. */
  readonly block?: RingBlock | undefined;
  readonly shared: boolean;
  readonly copyBytes: boolean;
  /** Times a job may be run again after its worker died. */
  readonly retries: number;
  readonly capacity: number;
  /** Told about each outcome before its callback runs. */
  readonly onOutcome: ((failed: boolean) => void) | undefined;
}
