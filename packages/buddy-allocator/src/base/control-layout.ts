/**
 * Control words of an allocator: one shared Int32 array beside the memmap.
 *
 *     header      144 words  magic, version, zones, threads, ... and the lists of a closed cache
 *     zone 0..n   `Zone.WORDS` each, see `Zone`
 *     cache (zone, thread) 0..n*t, as long as the header says, see cache-layout.ts
 *     owner of the isolation of each pageblock, by index >>> pageblock order: a tag of the thread registry
 *     owner of each page, by index, where asked for: a number of the user's, of heads of allocated blocks only
 *
 * Who writes what: everything in a zone's block except the lock, the marks and the event words is written
 * under the zone's lock; marks are written under it and read without. Page numbers that may exceed 32
 * bits are two words, low and high. List words hold descriptor indices, -1 for none.
 */
import { stackLayout } from './cache-layout.js';

/** First word of a control array. */
export const MAGIC = 0x42554459;
/** Version of the layout; attach refuses any other. */
export const VERSION = 7;

/** Words of the header. */
export const Header = {
  MAGIC: 0,
  VERSION: 1,
  ZONES: 2,
  THREADS: 3,
  /** Bit set of {@link ControlFlag}. */
  FLAGS: 4,
  /** Free-running count of low-watermark events of all zones; waited for with Atomics.wait. */
  EVENTS: 5,
  /** Non-zero when an invariant broke; the allocator refuses further work. */
  BROKEN: 6,
  /** Left-overs of splits below this order become guard blocks. */
  GUARD_ORDER: 7,
  /** Pageblocks that have a word for the owner of their isolation. */
  PAGEBLOCKS: 8,
  /** Most pages that one list of a cache may hold: the stacks have room for these. */
  CACHE_SHARE: 9,
  /** Words of one cache's block, which follow from CACHE_SHARE. */
  CACHE_WORDS: 10,
  /** Pages that have a word for their owner; 0: none has. */
  OWNED: 11,
  /** Headers of lists that are always empty and always full: what a closed thread's functions look at. */
  NO_LISTS: 16,
  WORDS: 144,
} as const;

/** Options that all threads must agree on. */
export const ControlFlag = {
  /** Mobility grouping is on. */
  GROUPING: 1,
  /** Worker caches hold blocks of orders 4..8 too. */
  DEEP_CACHE: 2,
  /** Fill pages at free, verify them at allocation. */
  POISON: 4,
  /** Memory that was never handed out is zero. */
  ZEROED: 8,
  /** No worker caches: every call takes the lock. */
  NO_CACHE: 16,
  /** A free claims its block with an atomic operation. */
  CHECKED: 32,
} as const;

/** Migratetypes that have lists. */
const LIST_TYPES = 6;
/** Orders that have lists. */
const LIST_ORDERS = 16;
const LIST_WORDS = 3;

/** Words of a zone's block. */
export const Zone = {
  /** Four words of a SharedLock. */
  LOCK: 0,
  ID: 4,
  START_LOW: 5,
  START_HIGH: 6,
  END_LOW: 7,
  END_HIGH: 8,
  PRESENT: 9,
  MANAGED: 10,
  /** Pages on free lists other than Isolate's, plus unaccepted pages. @kernel NR_FREE_PAGES */
  FREE: 11,
  ISOLATED: 12,
  FREE_HIGHATOMIC: 13,
  RESERVED_HIGHATOMIC: 14,
  FREE_CMA: 15,
  UNACCEPTED: 16,
  /** Pages of free blocks of at least a pageblock, not isolated. */
  FREE_BLOCKS: 17,
  CMA: 18,
  /** In-flight region of the change that runs under the lock: any index of it, and order + 1. */
  JOURNAL_INDEX: 19,
  JOURNAL_ORDER: 20,
  MARK_MIN: 21,
  MARK_LOW: 22,
  MARK_HIGH: 23,
  MARK_PROMO: 24,
  BOOST: 25,
  /** Bit set of ZoneFlag. */
  FLAGS: 26,
  BATCH: 27,
  HIGH_MIN: 28,
  HIGH_MAX: 29,
  /** Head, tail and length of the list of unaccepted blocks. */
  UNACCEPTED_HEAD: 30,
  UNACCEPTED_TAIL: 31,
  UNACCEPTED_COUNT: 32,
  /** Counts of the events: claims and steals of foreign blocks, recoveries, low-mark crossings. */
  CLAIMS: 33,
  STEALS: 34,
  RECOVERIES: 35,
  LOW_EVENTS: 36,
  ISOLATED_BLOCKS: 37,
  /** Pages withdrawn for ever: bad or poisoned. */
  LEAKED: 38,
  /** Pages in guard blocks. */
  GUARD: 39,
  /** lowmem_reserve by zone class, 8 words. */
  RESERVE: 40,
  /** One bit per non-empty order, per migratetype. */
  MASK: 48,
  /**
   * Run in flight, see lists/run.ts: first pfn in two words, and pages; 0 for none, less for pages that are claimed.
   */
  RUN_LOW: 56,
  RUN_HIGH: 57,
  RUN_PAGES: 58,
  /** Blocks that were parked and are taken, see lists/parked-blocks.ts. */
  TAKEN: 59,
  /** head, tail, count of each list, by order * LIST_TYPES + migratetype. */
  LISTS: 64,
  WORDS: 64 + LIST_ORDERS * LIST_TYPES * LIST_WORDS,
} as const;

/** Bits of a zone's flags word. */
export const ZoneFlag = { BELOW_HIGH: 1, BOOSTED: 2 } as const;

/** Word of a list's head within the zone block; the tail and the count follow. */
export function listWord(order: number, migratetype: number): number {
  return Zone.LISTS + (order * LIST_TYPES + migratetype) * LIST_WORDS;
}

/** Offset of a zone's block. */
export function zoneAt(zone: number): number {
  return Header.WORDS + zone * Zone.WORDS;
}

/** Offset of the cache block of (zone, thread); threads count from 1. */
export function cacheAt(words: Int32Array, zone: number, thread: number): number {
  const threads = words[Header.THREADS]!;
  const first = Header.WORDS + words[Header.ZONES]! * Zone.WORDS;
  return first + (zone * threads + (thread - 1)) * words[Header.CACHE_WORDS]!;
}

/** Sizes of a control array. */
export interface ControlSizes {
  readonly zones: number;
  readonly threads: number;
  /** As {@link Header.CACHE_SHARE}. */
  readonly cacheShare: number;
  /** As {@link Header.PAGEBLOCKS}. */
  readonly pageblocks: number;
  /** As {@link Header.OWNED}; default 0. */
  readonly owned?: number;
}

/** Words of a whole control array. */
export function controlWords(sizes: ControlSizes): number {
  const { zones, threads, cacheShare, pageblocks, owned = 0 } = sizes;
  const caches = zones * threads * stackLayout(cacheShare).words;
  return Header.WORDS + zones * Zone.WORDS + caches + pageblocks + owned;
}

/** Offset of the owners of isolations. */
export function ownersAt(words: Int32Array): number {
  return cacheAt(words, words[Header.ZONES]!, 1);
}

/** Offset of the owners of pages; 0 where pages have none. */
export function pageOwnersAt(words: Int32Array): number {
  return words[Header.OWNED] === 0 ? 0 : ownersAt(words) + words[Header.PAGEBLOCKS]!;
}

/** Writes the sizes and options of a new control array; MAGIC comes last, when all else is there. */
export function initHeader(words: Int32Array, sizes: ControlSizes, flags: number): void {
  words[Header.VERSION] = VERSION;
  words[Header.ZONES] = sizes.zones;
  words[Header.THREADS] = sizes.threads;
  words[Header.FLAGS] = flags;
  words[Header.PAGEBLOCKS] = sizes.pageblocks;
  words[Header.OWNED] = sizes.owned ?? 0;
  words[Header.CACHE_SHARE] = sizes.cacheShare;
  words[Header.CACHE_WORDS] = stackLayout(sizes.cacheShare).words;
}
