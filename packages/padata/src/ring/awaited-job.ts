/**
 * Which job's end is worth waking the owner: the next in order; or the last of those that belong together, at most half the
 * window ahead; or, while many wait, the last of as many as take a moment. The workers always have more to do while the
 * owner wakes.
 */
import { ring as protocol } from '../protocol/machine.js';
import { RING, slotWord } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { Left } from './slot-records.js';
import { jobsAhead } from './wake-ahead.js';

/** The jobs of one ring that are awaited. */
export class AwaitedJob {
  /** A job was submitted with `more`. */
  hasMore = false;
  readonly #words: Int32Array;
  readonly #window: number;
  readonly #flags: Uint8Array;

  /** @param flags what jobs left on the owner's side, by slot: bits of `Left` */
  constructor({ words, window }: RingMemory, flags: Uint8Array) {
    this.#words = words;
    this.#window = window;
    this.#flags = flags;
  }

  /** Nobody waits for this job alone. */
  isPatient(next: number): boolean {
    return this.hasMore && this.#isFollowed(next);
  }

  /**
   * Sequence number of the job to be awaited.
   * @param next        that of the next to be delivered
   * @param outstanding jobs submitted and not delivered
   * @param threads     threads that run them, at least 1
   */
  find(next: number, outstanding: number, threads: number): number {
    let ahead = 0;
    if (this.hasMore) {
      const most = Math.min(outstanding - 1, this.#window >> 1);
      while (ahead < most && this.#isFollowed((next + ahead) | 0)) ahead += 1;
    }
    const ns = Atomics.load(this.#words, RING.RUN_NS);
    ahead = Math.max(ahead, jobsAhead(outstanding, ns, threads));
    const at = (next + ahead) | 0;
    return ahead === 0 || protocol.isDone(this.#words, slotWord(this.#window, at)) ? next : at;
  }

  /** Was this job submitted with `more`? */
  #isFollowed(sequence: number): boolean {
    return (this.#flags[sequence & (this.#window - 1)]! & Left.MORE) !== 0;
  }
}
