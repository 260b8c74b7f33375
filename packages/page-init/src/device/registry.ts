/**
 * Index from pfn to device mapping: sorted, disjoint entries. Conflicts are looked for over the whole
 * range, so that a smaller mapping strictly inside a larger one is found too.
 */
import type { PfnRange } from '@bootmem/memmap';
import { PageInitError } from '../base/errors.js';
import { firstEndingAfter } from '../plan/cut.js';

/** An entry: a range and what it maps to. */
export interface RegistryEntry<T> extends PfnRange {
  readonly value: T;
}

/** Sorted index of disjoint ranges. */
export class RangeRegistry<T> {
  #entries: RegistryEntry<T>[] = [];

  /** Number of entries. */
  get size(): number {
    return this.#entries.length;
  }

  /** Entry that holds the page. O(log n). */
  find(pfn: number): RegistryEntry<T> | undefined {
    const entry = this.#entries[firstEndingAfter(this.#entries, pfn)];
    return entry !== undefined && entry.startPfn <= pfn ? entry : undefined;
  }

  /** First entry that overlaps the span. O(log n). */
  overlapping(span: PfnRange): RegistryEntry<T> | undefined {
    const entry = this.#entries[firstEndingAfter(this.#entries, span.startPfn)];
    return entry !== undefined && entry.startPfn < span.endPfn ? entry : undefined;
  }

  /** Adds an entry. @throws ERR_DEVICE_CONFLICT when it overlaps one */
  insert(span: PfnRange, value: T): void {
    const other = this.overlapping(span);
    if (other !== undefined) {
      throw new PageInitError('ERR_DEVICE_CONFLICT', 'Conflicting mapping in same section', {
        startPfn: span.startPfn,
        endPfn: span.endPfn,
        otherStartPfn: other.startPfn,
        otherEndPfn: other.endPfn,
        errno: 'ENOMEM',
      });
    }
    const at = firstEndingAfter(this.#entries, span.startPfn);
    const entry = { startPfn: span.startPfn, endPfn: span.endPfn, value };
    this.#entries = this.#entries.toSpliced(at, 0, entry);
  }

  /** Removes the entry that starts at the span's start. */
  remove(span: PfnRange): void {
    this.#entries = this.#entries.filter((entry) => entry.startPfn !== span.startPfn);
  }
}

/** How much of a span lies in sorted or unsorted ranges. */
export function overlapOf(
  span: PfnRange,
  ranges: readonly PfnRange[],
): 'none' | 'partial' | 'full' {
  let pages = 0;
  for (const range of ranges) {
    const start = Math.max(span.startPfn, range.startPfn);
    const end = Math.min(span.endPfn, range.endPfn);
    if (start < end) pages += end - start;
  }
  if (pages === 0) return 'none';
  return pages >= span.endPfn - span.startPfn ? 'full' : 'partial';
}
