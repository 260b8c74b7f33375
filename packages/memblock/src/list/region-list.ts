/**
 * An ordered list of disjoint regions, found by address, with what the kernel counts of it.
 *
 * Where the entries lie is unrolled-list.ts, inherited rather than held: the walks and searches read its arrays
 * in their inner loops. Here are the two binary searches that find an address: the chunk by the directory's
 * first bases, then the entry in it.
 *
 * Invariants: entries are sorted, do not overlap and are not empty. `total` is what the kernel calls
 * total_size: kept by the callers' edits, not derived.
 *
 * Source: Documentation/core-api/boot-time-mm.rst, for the list that callers see.
 */
import type { RegionType } from '../base/types.js';
import { CHUNK_SIZE } from './chunk-slots.js';
import { UnrolledList } from './unrolled-list.js';

/** The ordered list; see the head of this module. @kernel memblock_type */
export class RegionList extends UnrolledList {
  /** Which list this is. */
  readonly name: RegionType;
  /** Bytes, as the kernel keeps them: not always the sum of the sizes. @kernel total_size */
  total = 0;
  /** Entries the simulated array has room for; Infinity where none is simulated. @kernel max */
  max: number;
  /** How much {@link total} exceeds the sum of the sizes, since trimming does not lower it. */
  drift = 0;
  /** Where the grown array lies, once it has been grown. */
  grownAt: { readonly base: number; readonly size: number } | undefined = undefined;

  /**
   * @param name which list
   * @param max entries of the simulated array, or Infinity
   */
  constructor(name: RegionType, max: number) {
    super();
    this.name = name;
    this.max = max;
  }

  /**
   * Finds the first region that ends above `address` and leaves its place in `at` (the end place
   * where there is none). O(log n).
   * @returns position in the typed arrays, or -1 at the end of the list
   */
  locate(address: number): number {
    const at = this.at;
    if (this.chunks === 0) {
      at.d = 0;
      at.i = 0;
      return -1;
    }
    const d = this.chunkAt(address);
    const slot = this.order[d]!;
    const from = slot * CHUNK_SIZE;
    const to = from + this.filled[slot]!;
    const base = this.base;
    // Last entry that starts at or below the address.
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (base[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    if (low > from && this.end[low - 1]! > address) low -= 1;
    if (low < to) {
      at.d = d;
      at.i = low - from;
      return low;
    }
    at.d = d + 1;
    at.i = 0;
    return d + 1 < this.chunks ? this.order[d + 1]! * CHUNK_SIZE : -1;
  }

  /** Whether any entry holds an address. O(log n); leaves no place. */
  covers(address: number): boolean {
    if (this.chunks === 0) return false;
    const slot = this.order[this.chunkAt(address)]!;
    const from = slot * CHUNK_SIZE;
    const base = this.base;
    let low = from;
    let high = from + this.filled[slot]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (base[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low > from && this.end[low - 1]! > address;
  }

  /** Directory index of the last chunk that starts at or below `address`, 0 where none does. */
  private chunkAt(address: number): number {
    const first = this.first;
    let low = 1;
    let high = this.chunks;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (first[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
