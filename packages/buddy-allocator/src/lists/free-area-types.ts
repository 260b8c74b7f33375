/** What the free lists of a zone can do; how is in free-area.ts. Types only. */

/** Operations on the free lists of one zone. All need the zone's lock; indices are descriptor indices. */
export interface FreeArea {
  /** Effective migratetype of the pageblock. */
  typeOf(index: number): number;
  /** Sets the stored type of a pageblock. */
  setType(index: number, migratetype: number): void;
  /** Puts a block on its list and marks its head; no merging. */
  insert(index: number, order: number, migratetype: number, tail: boolean, dirty: number): void;
  /** Takes a block off its list; the head byte is left to the caller. */
  remove(index: number, order: number, migratetype: number): void;
  /** Frees a block: counts, merges, inserts. The head byte may be anything. @kernel __free_one_page */
  readonly free: (index: number, order: number, tail: boolean, dirty: number) => void;
  /**
   * Takes the smallest block of the type that fits and splits it.
   * @returns index of the block, whose state byte is `kind | order`; -1 when there is none
   * @kernel __rmqueue_smallest
   */
  take(order: number, migratetype: number, kind: number): number;
  /** Splits `[index, high)` down to `low`, upper halves to the heads of the lists. @kernel expand */
  expand(index: number, low: number, high: number, migratetype: number, dirty: number): void;
  /** First block of a list, -1 when empty. */
  first(order: number, migratetype: number): number;
  /** Last block of a list, -1 when empty. */
  last(order: number, migratetype: number): number;
  /** Block after `index` on the list of its order, -1 at the end. */
  next(index: number, order: number): number;
  /** Block before `index` on the list of its order, -1 at the begin. */
  previous(index: number, order: number): number;
  /** Number of blocks of a list. */
  count(order: number, migratetype: number): number;
  /** Counts pages in or out of the zone's free counters. */
  account(pages: number, migratetype: number): void;
  /** Forgets all lists and counters; blocks keep their bytes. */
  reset(): void;
  /** Opens and closes the in-flight region. */
  readonly journal: (index: number, orderPlusOne: number) => void;
}
