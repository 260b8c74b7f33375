/**
 * The rings that have jobs out: all that the owner's turns look at, so that series without work cost a turn nothing.
 *
 * A ring is put on the list by a submission and taken off at the beginning of a turn that finds it empty. Until then its
 * memory may be another's already: whoever goes through the list looks at `outstanding` first.
 */
import type { JobRing } from '../ring/job-ring.js';
import type { RingEntry } from './ring-entry.js';

/** Rings with jobs out, of one pool. */
export class BusyRings {
  /**
   * Those of a higher priority first, then in order of their first submission. It may get longer while somebody goes through
   * it, who then sees one of them twice, and misses none.
   */
  readonly list: RingEntry[] = [];
  readonly #entries: ReadonlyMap<number, RingEntry>;

  /** @param entries all rings */
  constructor(entries: ReadonlyMap<number, RingEntry>) {
    this.#entries = entries;
  }

  /** Is any job submitted and not delivered? */
  get isAnyOut(): boolean {
    for (const { ring } of this.list) if (ring.outstanding > 0) return true;
    return false;
  }

  /** Have they several priorities? */
  get isMixed(): boolean {
    const { list } = this;
    return list.length > 1 && list[0]!.level !== list.at(-1)!.level;
  }

  /** A job was submitted to this ring, which is not listed. */
  note(ring: JobRing): void {
    const entry = this.#entries.get(ring.id);
    if (entry === undefined) return;
    ring.isListed = true;
    const { list } = this;
    let at = list.length;
    while (at > 0 && list[at - 1]!.level > entry.level) at -= 1;
    list.splice(at, 0, entry);
  }

  /** Takes off what has no job out. */
  tidy(): void {
    const { list } = this;
    let kept = 0;
    for (const entry of list) {
      const { ring } = entry;
      if (ring.outstanding > 0 && !ring.closed) list[kept++] = entry;
      else ring.isListed = false;
    }
    // Setting it is dear, even to what it is.
    if (kept < list.length) list.length = kept;
  }
}
