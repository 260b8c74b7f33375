/**
 * The shared-memory operations that the protocols are written against.
 *
 * Production binds them to `Atomics`; the deterministic scheduler of `@bootmem/padata/testing` binds them
 * to a stepper, so that the very code that ships is run through every interleaving of its atomic steps.
 * All operations are sequentially consistent, on 32-bit words.
 */

/** The words of one shared object. */
export type Words = Int32Array;

/** Sequentially consistent operations on 32-bit words; `Atomics` satisfies it. */
export interface AtomicOps {
  /** Reads a word. */
  load(words: Words, index: number): number;
  /** Writes a word. */
  store(words: Words, index: number, value: number): number;
  /** Adds and returns the old value. */
  add(words: Words, index: number, value: number): number;
  /** Writes and returns the old value. */
  exchange(words: Words, index: number, value: number): number;
  /** Writes `value` if the word is `expected`; returns the old value. */
  compareExchange(words: Words, index: number, expected: number, value: number): number;
}

/** The operations of the machine. */
export const machineOps: AtomicOps = Atomics;
