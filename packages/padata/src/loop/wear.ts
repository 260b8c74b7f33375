/** How worn a thread is: the jobs it has run, and what is on its heap. Its owner is told once, when either is too much. */

import type { WearLimits } from '../threads/platform.js';

interface WearHost {
  /** Jobs that this thread has run. */
  readonly jobsRun: number;
  /** Bytes in use on its heap; undefined = not known here. */
  heapBytes(): number | undefined;
  /** Tells the owner. */
  tell(): void;
}

/** The heap is looked at so often at most, in milliseconds. */
const HEAP_LOOK_MS = 20;
/** What is there in so many looks in a row is more than garbage that the next collection takes. */
const HEAP_LOOKS = 5;

/** Watches one thread. */
export class Wear {
  readonly #limits: WearLimits;
  readonly #host: WearHost;
  #isTold = false;
  #lookedAt = -Infinity;
  #looks = 0;

  constructor(limits: WearLimits, host: WearHost) {
    this.#limits = limits;
    this.#host = host;
  }

  /** Between jobs. */
  look(now: number): void {
    if (this.#isTold || !(this.#hasRunEnough() || this.#hasGrown(now))) return;
    this.#isTold = true;
    this.#host.tell();
  }

  #hasRunEnough(): boolean {
    const { jobs } = this.#limits;
    return jobs !== undefined && this.#host.jobsRun >= jobs;
  }

  #hasGrown(now: number): boolean {
    const { heapBytes } = this.#limits;
    if (heapBytes === undefined || now - this.#lookedAt < HEAP_LOOK_MS) return false;
    this.#lookedAt = now;
    this.#looks = (this.#host.heapBytes() ?? 0) > heapBytes ? this.#looks + 1 : 0;
    return this.#looks >= HEAP_LOOKS;
  }
}
