/**
 * A set of pages as sorted, disjoint ranges that do not touch: what is asked of it and what changes it costs time by the
 * number of ranges, never by their size.
 */
import type { PfnRange } from '@bootmem/memmap';
import { firstEndingAfter, mergeRanges } from '../plan/cut.js';

/** Pages as ranges; belongs to one thread. */
export class RangeSet {
  #ranges: readonly PfnRange[];

  /** @param ranges any order, may overlap and touch. O(n log n) */
  constructor(ranges: readonly PfnRange[] = []) {
    this.#ranges = mergeRanges(ranges);
  }

  /** True when the page is in the set. O(log n). */
  has(pfn: number): boolean {
    const found = this.#ranges[firstEndingAfter(this.#ranges, pfn)];
    return found !== undefined && found.startPfn <= pfn;
  }

  /** Lowest page of the span that is in the set. O(log n). */
  firstIn({ startPfn, endPfn }: PfnRange): number | undefined {
    const found = this.#ranges[firstEndingAfter(this.#ranges, startPfn)];
    if (found === undefined || found.startPfn >= endPfn) return undefined;
    return Math.max(found.startPfn, startPfn);
  }

  /** Adds a span. O(n). */
  add({ startPfn, endPfn }: PfnRange): void {
    // Those that the span touches become one with it.
    const first = firstEndingAfter(this.#ranges, startPfn - 1);
    let last = first;
    while (last < this.#ranges.length && this.#ranges[last]!.startPfn <= endPfn) last++;
    const start = Math.min(startPfn, this.#ranges[first]?.startPfn ?? startPfn);
    const end = last === first ? endPfn : Math.max(endPfn, this.#ranges[last - 1]!.endPfn);
    this.#ranges = this.#ranges.toSpliced(first, last - first, { startPfn: start, endPfn: end });
  }

  /** Takes a span out. O(n). */
  remove({ startPfn, endPfn }: PfnRange): void {
    const first = firstEndingAfter(this.#ranges, startPfn);
    let last = first;
    while (last < this.#ranges.length && this.#ranges[last]!.startPfn < endPfn) last++;
    const rest: PfnRange[] = [];
    if (first < last) {
      const low = this.#ranges[first]!.startPfn;
      const high = this.#ranges[last - 1]!.endPfn;
      if (low < startPfn) rest.push({ startPfn: low, endPfn: startPfn });
      if (endPfn < high) rest.push({ startPfn: endPfn, endPfn: high });
    }
    this.#ranges = this.#ranges.toSpliced(first, last - first, ...rest);
  }

  /** The parts of a span in address order, in and out of the set by turns. O(log n + parts). */
  parts(span: PfnRange): (PfnRange & { readonly inside: boolean })[] {
    const out: (PfnRange & { inside: boolean })[] = [];
    let at = span.startPfn;
    for (let i = firstEndingAfter(this.#ranges, at); at < span.endPfn; i++) {
      const next = this.#ranges[i];
      const start = Math.min(next?.startPfn ?? Infinity, span.endPfn);
      if (at < start) out.push({ startPfn: at, endPfn: start, inside: false });
      at = Math.max(at, start);
      if (next === undefined || at >= span.endPfn) break;
      const end = Math.min(next.endPfn, span.endPfn);
      out.push({ startPfn: at, endPfn: end, inside: true });
      at = end;
    }
    return out;
  }
}
