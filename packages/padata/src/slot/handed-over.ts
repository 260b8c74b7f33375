/**
 * Jobs of one ring that functions of this thread have left to others, and that nobody has completed yet: it may be a timer or a
 * socket of this thread that will, so a thread that is to leave stays for them.
 */
const { load } = Atomics;

/** Looked through when there are so many, and then when there are twice as many as were left. */
const LOOK_AT = 32;

/** Those of one ring. */
export class HandedOver {
  readonly #words: Int32Array;
  /** Word of the slot's state, and what it says while the job waits: of another job it never says that. */
  #jobs: { readonly at: number; readonly state: number }[] = [];
  #most = LOOK_AT;

  /** @param words of the ring */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  add(at: number, state: number): void {
    this.#jobs.push({ at, state });
    if (this.#jobs.length < this.#most) return;
    this.#most = Math.max(LOOK_AT, 2 * this.count);
  }

  /** Jobs that still wait. */
  get count(): number {
    this.#jobs = this.#jobs.filter(({ at, state }) => load(this.#words, at) === state);
    return this.#jobs.length;
  }
}
