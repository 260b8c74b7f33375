/**
 * Control words of an allocator: one shared Int32 array beside the memmap.
 *
 *     header      144 words  magic, version, zones, threads, ... and the lists of a closed cache
 *     zone 0..n   `Zone.WORDS` each, see `Zone`
 *     cache (zone, thread) 0..n*t, `CACHE_WORDS` each, see `Cache`
 *
 * Who writes what: everything in a zone's block except the lock, the marks and the event words is written
 * under the zone's lock; marks are written under it and read without. A cache's block is written by the
 * thread that owns it alone, except ATTENTION, which any thread may set. Page numbers that may exceed 32
 * bits are two words, low and high. List words hold descriptor indices, -1 for none.
 */

/** First word of a control array. */
export const MAGIC = 0x42554459;
/** Version of the layout; attach refuses any other. */
export const VERSION = 3;

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

/** Orders that worker caches can hold. */
export const CACHE_ORDERS = 10;
/** Migratetypes that worker caches keep apart. */
export const CACHE_TYPES = 3;
/** Lists of a cache, by order * CACHE_TYPES + type. */
export const CACHE_LISTS = CACHE_ORDERS * CACHE_TYPES;
/** Words of a list's header, see {@link CacheList}. */
export const LIST_HEADER_SHIFT = 2;

/** Words of a cache's block. */
export const Cache = {
  /** Set by others: the owner should drain. */
  ATTENTION: 0,
  /** Pages in lists that share a limit (orders 0..3 and 9, as the kernel counts). */
  COUNT: 1,
  /** Published for reports when the owner passes its slow path. */
  HIGH: 2,
  BATCH: 3,
  /** Owner's thread id while attached, 0 else. */
  OWNER: 4,
  REFILLS: 5,
  DRAINS: 6,
  LISTS: 16,
  STACKS: 16 + (CACHE_LISTS << LIST_HEADER_SHIFT),
} as const;

/**
 * Words of a list's header: numbers of words in the control array, so that a hit needs no address of its own.
 * The entries are the words BOTTOM + 1 .. TOP.
 */
export const CacheList = {
  /** Word of the entry pushed last. */
  TOP: 0,
  /** Word below the oldest entry; the list is empty when it equals TOP. */
  BOTTOM: 1,
  /** Last word that a push may write; others set it to 0 to get the owner's attention. */
  LIMIT: 2,
} as const;

/** Offset of a list's header within the cache block. */
export function cacheListAt(list: number): number {
  return Cache.LISTS + (list << LIST_HEADER_SHIFT);
}

/** Entries that the stacks of the lists of an order have room for: order 0, 1 .. 3, 4 .. 9. */
const CAPACITIES = [4096, 1024, 1024, 1024, 64, 64, 64, 64, 64, 64] as const;
/** Words between two stacks, so that those of one order do not compete for the same cache lines. */
const STACK_GAP = 16;

/** Entries that the stack of a list has room for. */
export function stackCapacity(list: number): number {
  return CAPACITIES[Math.floor(list / CACHE_TYPES)]!;
}

/** Offset, within the cache block, of the word below a list's stack; of the end of all for CACHE_LISTS. */
export function stackFloor(list: number): number {
  let floor: number = Cache.STACKS;
  for (let before = 0; before < list; before++) floor += stackCapacity(before) + STACK_GAP;
  return floor;
}

/** Words of one cache block; a multiple of a cache line. */
const CACHE_WORDS = Math.ceil(stackFloor(CACHE_LISTS) / 16) * 16;

/** Pages in a cache, by its lists; exact when its owner is not at work. */
export function cachePages(words: Int32Array, at: number): number {
  let pages = 0;
  for (let list = 0; list < CACHE_LISTS; list++) {
    const l = at + cacheListAt(list);
    // The owner may be between the two words.
    const entries = Math.max(0, words[l + CacheList.TOP]! - words[l + CacheList.BOTTOM]!);
    pages += entries << Math.floor(list / CACHE_TYPES);
  }
  return pages;
}

/** Asks the owner of a cache to drain at its next free or refill. */
export function askToDrain(words: Int32Array, at: number): void {
  if (words[at + Cache.OWNER] === 0) return;
  Atomics.store(words, at + Cache.ATTENTION, 1);
  // With a limit of 0 the next free of the list comes to the slow path, which looks at ATTENTION.
  for (let list = 0; list < CACHE_LISTS; list++) {
    Atomics.store(words, at + cacheListAt(list) + CacheList.LIMIT, 0);
  }
}

/** Offset of a zone's block. */
export function zoneAt(zone: number): number {
  return Header.WORDS + zone * Zone.WORDS;
}

/** Offset of the cache block of (zone, thread); threads count from 1. */
export function cacheAt(zones: number, threads: number, zone: number, thread: number): number {
  return Header.WORDS + zones * Zone.WORDS + (zone * threads + (thread - 1)) * CACHE_WORDS;
}

/** Words of a whole control array. */
export function controlWords(zones: number, threads: number): number {
  return Header.WORDS + zones * Zone.WORDS + zones * threads * CACHE_WORDS;
}
