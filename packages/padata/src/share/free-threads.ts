/**
 * Threads that would take a job of this ring, now or soon: they may run its jobs, wait for few promises, and have nothing
 * to do. Reads what they say of themselves in the control words; changes nothing.
 */
import { HEAD, WORKER, workerBase } from '../protocol/control-layout.js';
import { sent } from '../protocol/machine.js';
import { RING } from '../protocol/ring-layout.js';
import { hasWorker } from '../protocol/worker-set.js';

/** The best of those that wait for fewer promises. */
export const Seen = { NONE: 0, WORKS: 1, FREE: 2 } as const;
export type Seen = (typeof Seen)[keyof typeof Seen];

/** The other threads, as one thread sees them for one ring. */
export class FreeThreads {
  readonly #control: Int32Array;
  readonly #ring: Int32Array;
  readonly #self: number;
  /** Threads that did not come when they were left jobs: the promises that they waited for then. */
  readonly #absent = new Map<number, number>();

  /**
   * @param control the pool's words
   * @param ring    the ring's
   * @param self    worker of this thread, 0 = the owner
   */
  constructor(control: Int32Array, ring: Int32Array, self: number) {
    this.#control = control;
    this.#ring = ring;
    this.#self = self;
  }

  /** Promises that those of them wait for which may run jobs of this ring, whatever ring they are of. */
  get pending(): number {
    const capacity = this.#control[HEAD.CAPACITY]!;
    let sum = 0;
    for (let w = 1; w <= capacity; w += 1) {
      if (w !== this.#self && hasWorker(this.#ring, RING.ALLOWED, w)) sum += this.#pending(w);
    }
    return sum;
  }

  /** Is there one that waits for fewer promises than `below`? */
  look(below: number): Seen {
    const capacity = this.#control[HEAD.CAPACITY]!;
    let seen: Seen = Seen.NONE;
    for (let w = 1; w <= capacity; w += 1) {
      if (!this.#hasFewer(w, below)) continue;
      if (!sent.isFree(this.#control, workerBase(w))) seen = Seen.WORKS;
      else if (!this.#isAbsent(w)) return Seen.FREE;
    }
    return seen;
  }

  /** They did not come: they count no more until they have begun something or ended it. */
  giveUp(below: number): void {
    const capacity = this.#control[HEAD.CAPACITY]!;
    for (let w = 1; w <= capacity; w += 1) {
      if (this.#hasFewer(w, below)) this.#absent.set(w, this.#pending(w));
    }
  }

  #hasFewer(worker: number, below: number): boolean {
    return (
      worker !== this.#self &&
      this.#pending(worker) < below &&
      hasWorker(this.#ring, RING.ALLOWED, worker)
    );
  }

  #isAbsent(worker: number): boolean {
    const before = this.#absent.get(worker);
    if (before === undefined) return false;
    if (before === this.#pending(worker)) return true;
    this.#absent.delete(worker);
    return false;
  }

  #pending(worker: number): number {
    return Atomics.load(this.#control, workerBase(worker) + WORKER.PENDING);
  }
}
