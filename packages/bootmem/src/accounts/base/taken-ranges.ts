/** Addresses that rows have taken so far: each byte goes to the first that asks for it. */
import type { ByteSpan } from '../../explain-result.js';

/** A growing set of ranges, kept sorted and disjoint. */
export class TakenRanges {
  readonly #ranges: { start: number; end: number }[] = [];

  /** The set: sorted, disjoint. */
  get ranges(): readonly ByteSpan[] {
    return this.#ranges;
  }

  /**
   * Takes what is free of a range.
   * Costs the logarithm of the set and what it moves: next to nothing where ranges come in order of address.
   * @returns the parts that nothing had, in order of address
   */
  take({ start, end }: ByteSpan): ByteSpan[] {
    if (start >= end) return [];
    const first = this.#firstEndingAt(start);
    const free: ByteSpan[] = [];
    let from = start;
    let joined = { start, end };
    let last = first;
    for (; last < this.#ranges.length; last++) {
      const known = this.#ranges[last]!;
      if (known.start > end) break;
      if (known.start > from) free.push({ start: from, end: Math.min(known.start, end) });
      from = Math.max(from, known.end);
      joined = {
        start: Math.min(joined.start, known.start),
        end: Math.max(joined.end, known.end),
      };
    }
    if (from < end) free.push({ start: from, end });
    this.#ranges.splice(first, last - first, joined);
    return free;
  }

  /** Index of the first range that ends at the address or after it. */
  #firstEndingAt(address: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]!.end >= address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
