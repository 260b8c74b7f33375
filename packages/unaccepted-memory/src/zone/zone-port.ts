/**
 * The two sides of the seam between acceptance and the page allocator.
 *
 * ```text
 *   allocator ── holdBack, condAccept, acceptBlock ──▶ AcceptGate   (implemented here by ZoneAcceptor)
 *   allocator ◀── park, take, free, counters ───────── AcceptPort   (implemented by the allocator)
 * ```
 * The allocator calls the gate with no lock held; the gate calls the port with no lock held; the port takes the
 * zone lock itself for a few list operations. So the platform never works under a zone lock, by construction.
 *
 * Pages are page frame numbers, a zone is the small number that page descriptors record.
 */

/** Where in an allocation the question is asked. */
export type AcceptStage =
  /** Before the watermark test. */
  | 'before'
  /** The watermark test failed. */
  | 'watermark'
  /** The test passed, and yet no block was found. */
  | 'empty';

/** Circumstances of one question. */
export interface CondAcceptOptions {
  /** The caller may not wait or take locks: nothing is accepted. */
  readonly tryLock?: boolean;
}

/** What a page allocator asks; called with no lock held. */
export interface AcceptGate {
  /**
   * A free block enters the allocator at boot or hot-add.
   * @param pfn    first page, naturally aligned
   * @param order  0 .. max order
   * @returns true: park the block instead of freeing it; false: it is accepted now, free it
   */
  holdBack(pfn: number, order: number): boolean;
  /**
   * Accepts parked blocks of a zone as far as the watermarks ask for it.
   * @returns true when accepted memory was added, so the allocation is worth another try
   */
  condAccept(zone: number, order: number, stage: AcceptStage, options?: CondAcceptOptions): boolean;
  /**
   * Accepts the parked block that holds `pfn`, for isolation and contiguous ranges.
   * @returns false when that block is not parked
   */
  acceptBlock(pfn: number): boolean;
}

/** Free pages of a zone as the watermark rule sees them. */
export interface ZoneAcceptState {
  /** The promo mark with boost, in pages; 0 while the marks are not computed. */
  readonly promo: number;
  /** Free pages that are accepted: free minus parked. */
  readonly acceptedFree: number;
  /** Of those, pages that an allocation of this order cannot use: 2^order - 1, free highatomic, free CMA. */
  readonly unusable: number;
}

/** What acceptance needs of a page allocator; each call takes the zone lock itself where it must. */
export interface AcceptPort {
  /** Puts a max-order block at the tail of its zone's list; counts it as free and as unaccepted. */
  parkUnaccepted(zone: number, pfn: number): void;
  /**
   * Takes the block at the head of the list off both counters; undefined when the list is empty.
   * @param named  called under the lock with its first page just before it leaves the list, so that a thread that dies
   *   there loses nothing; writes two words
   */
  takeUnaccepted(zone: number, named?: (pfn: number) => void): number | undefined;
  /** The same for the block that starts at `pfn`, wherever it is in the list; false when it is not parked. */
  takeUnacceptedAt(pfn: number, named?: (pfn: number) => void): boolean;
  /**
   * Frees an accepted block to the tail of the free list and counts it as free.
   * @returns false when the block is not one that was taken: it was freed already, or is parked still
   */
  freeAccepted(pfn: number, order: number): boolean;
  /**
   * Keeps a block out for good that was taken and cannot be accepted; absent where nobody keeps books of such.
   * @returns false when the block is not one that was taken
   */
  withdraw?(pfn: number, order: number): boolean;
  /** Pages that are parked; lock-free. */
  unacceptedPages(zone: number): number;
  /** The numbers of the watermark rule; lock-free. */
  acceptState(zone: number, order: number): ZoneAcceptState;
  /**
   * Marks the allocated blocks that hold `[startPfn, endPfn)` as shared: from here on they are neither freed nor split nor
   * moved. Absent where the allocator cannot tell what is allocated: then nothing is converted through it.
   * @param unitPages  pages of a unit; each unit of the range must lie in one allocated block
   * @param holds      whether the caller holds a block; asked before it is marked, while nobody can free it. Absent: it does
   * @returns the first page of the first unit that is not so held, and then nothing is marked; undefined when all are
   */
  markShared?(
    startPfn: number,
    endPfn: number,
    unitPages: number,
    holds?: (pfn: number, order: number) => boolean,
  ): number | undefined;
  /**
   * Takes that mark off the blocks that touch the range and have no shared part any more.
   * @param isShared  whether a part of `[startPfn, endPfn)` is shared; asked under the zone lock, reads a few words
   */
  unmarkShared?(
    startPfn: number,
    endPfn: number,
    isShared: (startPfn: number, endPfn: number) => boolean,
  ): void;
}
