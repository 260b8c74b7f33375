/** A ring and what belongs to it in the owner's thread. */
import type { AnyFunction } from '../base/function-ref.js';
import type { JobRing } from '../ring/job-ring.js';
import type { SlotRunner } from '../slot/slot-runner.js';

/** What a ring is used for. */
export interface RingUse {
  /** Module and export of the jobs' function. */
  readonly href: string;
  readonly name: string;
  /** The series' `shared` value. */
  readonly shared: unknown;
  /** Promises that may be pending on one thread. */
  readonly pendingPerThread: number;
  /** Functions get byte inputs of their own. */
  readonly copyInput: boolean;
  /** Bytes that are kept of what each job writes; 0 = it is not captured. */
  readonly outputBytes: number;
  /** Level of priority, see `levels/levels.ts`. */
  readonly level: number;
  /** Workers that may run the jobs, by the user's wish; see `RingHub.reassign`. */
  readonly workers: Iterable<number>;
  /** Called after deliveries of this ring. */
  readonly onDelivered: () => void;
}

/** A ring and what belongs to it here. */
export interface RingEntry extends Omit<RingUse, 'workers'> {
  workers: readonly number[];
  readonly ring: JobRing;
  /** The owner's own runner, for jobs that it does itself. */
  readonly runner: SlotRunner;
  /** Loads the function on this thread; only for jobs that the owner does itself. */
  load(): Promise<AnyFunction>;
}
