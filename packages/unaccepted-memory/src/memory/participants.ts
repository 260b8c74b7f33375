/**
 * Who is accepting what: one slot per thread, holding the range of units it is busy with.
 *
 * ```text
 * slot 0  LIVE  [12, 15)      this thread may hold claims in units 12, 13, 14
 * slot 1  LIVE  [0, 0)        this thread holds none
 * slot 2  FREE
 * ```
 * The state word counts how often a slot was taken; with the slot's number that is the **tag** of one thread.
 *
 * **Rule**: a thread announces its range before it claims the first cell and retracts it only when every cell it
 * claimed is done (or failed for good). So a cell that is claimed, not done, and covered by no live slot was
 * left behind by a thread that died or failed. It never waits while its announcement stands, so every
 * announcement goes away by itself unless its thread dies; then the thread's parent calls `declareDead`.
 *
 * A slot's words are written by its own thread only, except for the join (compare-and-swap) and `declareDead`.
 */
import type { Words } from './bitmap.js';
import { SLOT, SLOT_LIVE, WORD } from './layout.js';
import { AcceptError, checkInteger } from '../base/errors.js';

const { compareExchange, load, store } = Atomics;
/** Slot numbers stay below 2^16; above them in a tag, what fits of the count. */
const TAG_SHIFT = 16;
const TAG_COUNT = 0x7fff;

/** The table of slots inside the state words. No mutable state of its own. */
export class Participants {
  readonly #words: Words;
  readonly #count: number;

  /** @param words  the state's words; the slots follow the header */
  constructor(words: Words) {
    this.#words = words;
    this.#count = words[WORD.SLOTS]!;
  }

  /** Number of slots. */
  get count(): number {
    return this.#count;
  }

  #at(id: number): number {
    checkInteger('participant', id, 0, this.#count - 1);
    return WORD.FIRST_SLOT + id * SLOT.WORDS;
  }

  /**
   * Takes a free slot for the calling thread, or for a thread about to be started.
   * @returns the slot's number
   * @throws ERR_ACCEPT_PARTICIPANTS when all are taken
   */
  join(): number {
    for (let id = 0; id < this.#count; id += 1) {
      const at = this.#at(id);
      const old = load(this.#words, at);
      if ((old & SLOT_LIVE) !== 0) continue;
      // Pairs with the release in `leave`: one winner per slot.
      if (compareExchange(this.#words, at, old, (old + 3) & ~(1 << 31)) === old) return id;
    }
    throw new AcceptError(
      'ERR_ACCEPT_PARTICIPANTS',
      `all ${this.#count} participant slots are taken`,
      { slots: this.#count },
    );
  }

  /** Gives the slot back; its range must have been retracted. Idempotent. */
  leave(id: number): void {
    const at = this.#at(id);
    store(this.#words, at + SLOT.END, 0);
    store(this.#words, at, load(this.#words, at) & ~SLOT_LIVE);
  }

  /** Names the thread that has the slot now; not 0. */
  tag(id: number): number {
    const count = (load(this.#words, this.#at(id)) >>> 1) & TAG_COUNT;
    return (count << TAG_SHIFT) | (id + 1);
  }

  /** True until the thread of this tag left its slot or was declared dead. */
  isLive(tag: number): boolean {
    const id = (tag & ((1 << TAG_SHIFT) - 1)) - 1;
    return (load(this.#words, this.#at(id)) & SLOT_LIVE) !== 0 && this.tag(id) === tag;
  }

  /**
   * Says that units `[start, end)` may be claimed by `id` from now on. The end is written last: until then the
   * slot covers nothing, and a claim comes only after it.
   */
  announce(id: number, start: number, end: number): void {
    const at = this.#at(id);
    store(this.#words, at + SLOT.START, start | 0);
    // Pairs with the load of END in `covers`: whoever sees a claim of ours sees this range too.
    store(this.#words, at + SLOT.END, end | 0);
  }

  /** Says that `id` holds no claim any more. */
  retract(id: number): void {
    // Pairs with `covers`: comes after the done bits, so a reader that misses the range finds the cells done.
    store(this.#words, this.#at(id) + SLOT.END, 0);
  }

  /** The announced range of a slot, or undefined when there is none. */
  range(id: number): { readonly start: number; readonly end: number } | undefined {
    const at = this.#at(id);
    if ((load(this.#words, at) & SLOT_LIVE) === 0) return undefined;
    // END first: announce writes it last, so a non-zero END comes with its own START or a later one.
    const end = load(this.#words, at + SLOT.END) >>> 0;
    if (end === 0) return undefined;
    return { start: load(this.#words, at + SLOT.START) >>> 0, end };
  }

  /** The lowest live slot, other than `but`, whose range holds `unit`; or undefined. O(slots). */
  covering(unit: number, but?: number): number | undefined {
    for (let id = 0; id < this.#count; id += 1) {
      const range = id === but ? undefined : this.range(id);
      if (range !== undefined && range.start <= unit && unit < range.end) return id;
    }
    return undefined;
  }
}
