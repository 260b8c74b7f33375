/** A stream of seeded random numbers. */
export class Random {
  /**
   * @param seed    any integer; its low 32 bits count
   * @param stream  another integer: which of the streams of this seed, for one worker or one input each
   */
  constructor(seed: number, stream?: number);
  /** An integer from 0 to 2^32 - 1. */
  next(): number;
  /** A number from 0 up to, not including, 1. */
  unit(): number;
  /** An integer from 0 to `limit - 1`. */
  below(limit: number): number;
  /** One of the items. */
  pick<T>(items: readonly T[]): T;
  /** True once in `times`. */
  once(times: number): boolean;
}
