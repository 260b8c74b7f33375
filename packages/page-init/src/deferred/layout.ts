/**
 * Shared words of one node's deferred part.
 *
 *     header words | lock (4) | counters (64 bit) | unit state per section | free ranges (float64 pairs)
 *
 * Writers: phase, generation and the first deferred pfn under the lock; counters by atomic add; unit
 * states as claims.ts says; free ranges once, at creation. A pfn may need 40 bits, hence two words.
 */

/** Marks the buffer. */
export const MAGIC = 0x44464952;
/** Layout version. */
export const VERSION = 1;

/** Indices of the header words. */
export const Word = {
  MAGIC: 0,
  VERSION: 1,
  NID: 2,
  ZONE_ID: 3,
  PHASE: 4,
  /** Bumped whenever a grower or the pass changed what is initialised. */
  GENERATION: 5,
  /** Section number of the first deferred section. */
  BASE_SECTION: 6,
  SECTIONS: 7,
  RANGES: 8,
  SECTION_ORDER: 9,
  FIRST_HIGH: 10,
  FIRST_LOW: 11,
  /** 1: growth goes on while the pass runs; 0: stops when it starts, as kernels do. */
  GROW_DURING: 12,
  /** First pfn of the range may not be section aligned after growth; splitting of the profile. */
  GROW_EXACT: 13,
  LOCK: 16,
  HEADER_WORDS: 20,
} as const;

/** Indices of the 64-bit counters. */
export const Counter = {
  PAGES: 0,
  CHUNKS: 1,
  GROWN_PAGES: 2,
  GROW_CALLS: 3,
  GROW_WAITS: 4,
  BYTES: 5,
  COUNT: 6,
} as const;

/** Life of a node's deferred part. */
export const Phase = { BEFORE: 0, RUNNING: 1, DONE: 2 } as const;

/** Where the parts start, in bytes. */
export interface DeferredLayout {
  readonly countersAt: number;
  readonly unitsAt: number;
  readonly rangesAt: number;
  readonly byteLength: number;
}

/** Layout for a number of sections and free ranges. */
export function deferredLayout(sections: number, ranges: number): DeferredLayout {
  const countersAt = Word.HEADER_WORDS * 4 + ((Word.HEADER_WORDS * 4) % 8);
  const unitsAt = countersAt + Counter.COUNT * 8;
  const unitsEnd = unitsAt + sections * 4;
  const rangesAt = unitsEnd + (unitsEnd % 8);
  return { countersAt, unitsAt, rangesAt, byteLength: rangesAt + ranges * 16 };
}
