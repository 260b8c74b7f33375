/**
 * Asks whether a time is over without looking at the clock each time: a look costs as much as a trivial job, and a
 * fixed number of jobs between two looks is minutes of slow ones.
 */

/** Looks this near to each other may be rarer. */
const NEAR_MS = 0.2;
const MOST_BETWEEN = 256;

/** A time that will be over. */
export class Deadline {
  readonly #until: number;
  readonly #clock: () => number;
  #between = 1;
  #left = 0;
  #lastLook: number;
  #isOver = false;

  /**
   * @param until  milliseconds of `clock`
   * @param clock  default: `performance.now`
   */
  constructor(until: number, clock: () => number = () => performance.now()) {
    this.#until = until;
    this.#clock = clock;
    this.#lastLook = clock();
  }

  /** Call after each job; true from the first look after the time on. */
  get isOver(): boolean {
    if (this.#isOver || this.#left > 0) {
      this.#left -= 1;
      return this.#isOver;
    }
    const now = this.#clock();
    const isNear = now - this.#lastLook < NEAR_MS;
    this.#between = isNear ? Math.min(2 * this.#between, MOST_BETWEEN) : 1;
    this.#left = this.#between - 1;
    this.#lastLook = now;
    this.#isOver = now >= this.#until;
    return this.#isOver;
  }
}
