/** What a page cache does, whichever its policy (worker-cache.ts). */

/** Cache operations of the owning thread. */
export interface WorkerCache {
  /** Pops a block; -1 when the list is empty: go to `refill` or the zone. Order 0..9, type 0..2. */
  readonly pop: (order: number, type: number) => number;
  /** Fills the empty list of (order, type) and pops; -1 when the zone has nothing. */
  readonly refill: (order: number, type: number, flags: number) => number;
  /** Puts a block that the caller has checked; false when the order or its type is not cached. */
  readonly push: (index: number, order: number) => boolean;
  /** True when blocks of the order can be cached. */
  readonly holds: (order: number) => boolean;
  /** Gives everything back. */
  readonly drain: () => void;
  /** Gives everything back and lets nothing in any more, until `retune`. */
  readonly close: () => void;
  /** Lets others take what it holds; the next call that needs the cache makes it the owner's again. */
  readonly park: () => void;
  /** Makes it the owner's again. False when it was so already. */
  readonly unpark: () => boolean;
  /** Recomputes the limits after the zone's size or marks changed. */
  readonly retune: () => void;
}
