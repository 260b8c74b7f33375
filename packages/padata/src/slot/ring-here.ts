/** A ring as one thread sees it: what the message that announces it says, and what is the owner's own. */
import type { RingMemory } from '../protocol/ring-layout.js';

/** One ring on one thread. */
export interface RingHere {
  readonly id: number;
  readonly memory: RingMemory;
  /** The series' `shared` value; on the calling thread from when its function is there. */
  readonly shared: unknown;
  /** Histograms, see `protocol/ring-stats.ts`. */
  readonly stats: Int32Array;
  /** Threads that share the jobs, at least 1. */
  readonly threads: number;
  /** Promises of this ring that may be pending on one thread. */
  readonly pendingPerThread: number;
  /** Byte inputs are the function's own. */
  readonly copyInput: boolean;
  /** Milliseconds to add to this thread's clock to get the owner's. */
  readonly clockOffset: number;
  /** Level of priority, see `levels/levels.ts`. */
  readonly level: number;
}
