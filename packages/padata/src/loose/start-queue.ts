/**
 * In which order jobs without an order begin: the owner's side of the queue, whose places lie in shared words.
 *
 * ```
 *   place     5    6    7    8        window 4: place 8 is written where place 4 was
 *   names    [c]  [d]  [e]  [a]       a, first named by place 4, was reserved and not begun: it stays, as place 8
 * ```
 * A window bounds the jobs that are out, not how far one of them may lag behind: a job that a thread has reserved and
 * not begun may still be named by a place that is due to name another. It stays there and is on offer once more, behind all
 * that were submitted before now. One place is the slot's own, the last that was given to it, so at most as many places
 * stay as there are jobs, and there is always one for the next.
 */
import { loose as protocol } from '../protocol/machine.js';
import { SLOT, SlotState, slotWord } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';

/** The queue of one ring. */
export class StartQueue {
  readonly #words: Int32Array;
  readonly #window: number;
  /** The place that is each slot's own. */
  readonly #placeOf: Int32Array;
  #end: number;

  /** @param first place of the first job, modulo 2^32 */
  constructor({ words, window }: RingMemory, first: number) {
    this.#words = words;
    this.#window = window;
    this.#placeOf = new Int32Array(window).fill((first - 1) | 0);
    this.#end = first | 0;
  }

  /** The place after the last. */
  get end(): number {
    return this.#end;
  }

  /** The job in this slot is last in the queue; threads see it when `end` is published. */
  add(index: number): void {
    const base = slotWord(this.#window, index);
    while (this.#stays(base)) this.#end = (this.#end + 1) | 0;
    protocol.enqueue(this.#words, this.#window, this.#end, base);
    this.#placeOf[index] = this.#end;
    this.#end = (this.#end + 1) | 0;
  }

  /** Is the next place to be written another job's own, which nobody has begun? Then it stays, as the next. */
  #stays(adding: number): boolean {
    const base = protocol.slotAt(this.#words, this.#window, this.#end);
    if (base === 0 || base === adding) return false;
    if (Atomics.load(this.#words, base + SLOT.STATE) !== SlotState.READY) return false;
    const index = this.#words[base + SLOT.SEQ]! & (this.#window - 1);
    if (this.#placeOf[index] !== ((this.#end - this.#window) | 0)) return false;
    this.#placeOf[index] = this.#end;
    return true;
  }
}
