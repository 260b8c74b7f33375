/**
 * Named counters that all threads add to: 64-bit, because page counts pass 2^32 (a 16 TiB range has 2^32 pages).
 *
 * Each counter is one atomic word; a reading of several is not a snapshot.
 */
import { allocateBuffer } from '@bootmem/memmap/shared';

/** Counters over shared memory, named by the keys of `K`. */
export class Counters<K extends string> {
  readonly #words: BigInt64Array;
  readonly #names: readonly K[];

  /**
   * @param names   the counters, in the order of their words
   * @param buffer  existing words to add to; default fresh ones
   */
  constructor(names: readonly K[], buffer: ArrayBufferLike = allocateBuffer(names.length * 8)) {
    this.#names = names;
    this.#words = new BigInt64Array(buffer, 0, names.length);
  }

  /** The shared words, for another thread's constructor. */
  get buffer(): ArrayBufferLike {
    return this.#words.buffer;
  }

  /** Adds whole numbers to some counters, each atomically. */
  add(values: Readonly<Partial<Record<K, number>>>): void {
    this.#names.forEach((name, index) => {
      const value = values[name];
      if (value !== undefined && value !== 0) {
        Atomics.add(this.#words, index, BigInt(Math.round(value)));
      }
    });
  }

  /** All values; exact up to 2^53. */
  read(): Record<K, number> {
    const values = {} as Record<K, number>;
    this.#names.forEach((name, index) => {
      values[name] = Number(Atomics.load(this.#words, index));
    });
    return values;
  }
}
