/**
 * Shared words of one node's deferred part.
 *
 *     header words | lock (4) | counters (64 bit) | unit state per section | free ranges (float64 pairs)
 *
 * Writers: phase, generation and the first deferred pfn under the lock; counters by atomic add; unit
 * states as claims.ts says; free ranges once, at creation. A pfn may need 40 bits, hence two words.
 */

import type { HandleFormat } from '@bootmem/memmap/shared';

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

/** A pfn is two words: its part below this, and how often this is in it. */
export const LOW_PFNS = 2 ** 20;
/** High word when no deferred pfn is left. */
export const NO_PFN = -1;

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

/** Most sections that a pfn of 40 bits can count, and the largest order of a section. */
const MAX_SECTIONS = 2 ** 30;
const MAX_SECTION_ORDER = 30;

/** Format of `DeferredNodeHandle`. */
export const DEFERRED_FORMAT: HandleFormat = {
  type: 'bootmem.deferred-node',
  header: { field: 'buffer' },
  magic: MAGIC,
  version: VERSION,
  headerWords: Word.HEADER_WORDS,
  needs: (words) => {
    const sections = words[Word.SECTIONS]!;
    const ranges = words[Word.RANGES]!;
    const order = words[Word.SECTION_ORDER]!;
    if (sections < 1 || sections > MAX_SECTIONS) return `it has ${sections} sections`;
    if (ranges < 0) return `it has ${ranges} free ranges`;
    if (order < 0 || order > MAX_SECTION_ORDER) return `its sections have order ${order}`;
    return [{ field: 'buffer', bytes: deferredLayout(sections, ranges).byteLength }];
  },
};
