// The one source of random numbers of benchmarks, soaks, fuzzers and tests: seeded, so that every run can be made
// again. A Weyl sequence whose steps are mixed (mulberry32): any seed is good, 0 and neighbours included. Plain
// JavaScript, because worker threads without a TypeScript loader use it; buddy.c has the same in C.

/** A stream of random numbers. */
export class Random {
  #state;

  /**
   * @param seed    any integer; its low 32 bits count
   * @param stream  another integer: which of the streams of this seed, for one worker or one input each
   */
  constructor(seed, stream = 0) {
    this.#state = (Math.imul(seed, 0x9e3779b1) + Math.imul(stream, 0x85ebca6b)) >>> 0;
  }

  /** An integer from 0 to 2^32 - 1. */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A number from 0 up to, not including, 1. */
  unit() {
    return this.next() / 2 ** 32;
  }

  /** An integer from 0 to `limit - 1`. */
  below(limit) {
    return Math.floor(this.unit() * limit);
  }

  /** One of the items. */
  pick(items) {
    return items[this.below(items.length)];
  }

  /** True once in `times`. */
  once(times) {
    return this.below(times) === 0;
  }
}
