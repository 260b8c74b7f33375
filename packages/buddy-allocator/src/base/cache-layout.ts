/**
 * Words of one thread's page cache for one zone, and what is in it.
 *
 *     0 ATTENTION | 1 COUNT | ... 7 PARK | 16.. headers of the lists, 4 words each | the lists' stacks
 *
 *     stack of a list:
 *      floor      BOTTOM                 TOP         LIMIT
 *        v          v                     v            v
 *     ...[ . . . . .| oldest ... newest . | . . . . . .| . ]
 *
 *     while parked:  TOP = BOTTOM = floor, LIMIT = 0, entries up to PARKED_TOP
 *
 * Written by the thread that owns it alone; ATTENTION and limits of 0 by anybody; all but the owner's choice of limits
 * by whoever takes a parked cache or one of a dead thread (parking.ts). A parked list looks empty and full, so
 * that hits, which ask nothing, never reach it.
 *
 * Room for entries: what the owner may hold, so that metadata stays in proportion to the memory.
 */

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
  /** Whose the entries are now, see parking.ts. */
  PARK: 7,
  LISTS: 16,
  STACKS: 16 + (CACHE_LISTS << LIST_HEADER_SHIFT),
} as const;

/**
 * Words of a list's header: numbers of words in the control array, so that a hit needs no address of its own.
 * The entries are the words BOTTOM + 1 .. TOP; of a parked list, BOTTOM + 1 .. PARKED_TOP.
 */
export const CacheList = {
  /** Word of the entry pushed last. */
  TOP: 0,
  /** Word below the oldest entry; the list is empty when it equals TOP. */
  BOTTOM: 1,
  /** Last word that a push may write; others set it to 0 to get the owner's attention. */
  LIMIT: 2,
  /** TOP of a parked list, whose BOTTOM is its floor; 0 else. */
  PARKED_TOP: 3,
} as const;

/** Offset of a list's header within the cache block. */
export function cacheListAt(list: number): number {
  return Cache.LISTS + (list << LIST_HEADER_SHIFT);
}

/** Order of the blocks of a list. */
export function orderOfList(list: number): number {
  return Math.floor(list / CACHE_TYPES);
}

/** Most entries of the lists of an order: order 0, 1 .. 3, 4 .. 9. */
const MOST_ENTRIES = [4096, 1024, 1024, 1024, 64, 64, 64, 64, 64, 64] as const;
/** Fewest, where anything is cached: a refill brings up to two blocks, however large. */
const FEWEST_ENTRIES = 2;
/** Words between two stacks, so that long ones of one order do not compete for the same cache lines. */
const STACK_GAP = 16;
const GAPS_FROM_SHARE = 512;
const LINE = 16;

/** Where the stacks of a cache lie, by list. */
export interface StackLayout {
  /** Entries that the stack has room for. */
  readonly capacities: Int32Array;
  /** Offset, within the cache block, of the word below the stack. */
  readonly floors: Int32Array;
  /** Words of the whole block, a multiple of a cache line. */
  readonly words: number;
}

/**
 * The layout for caches whose lists hold at most so many pages.
 * @param share  pages, 0 or more; 0: no list has room for anything
 */
export function stackLayout(share: number): StackLayout {
  const capacities = Int32Array.from({ length: CACHE_LISTS }, (_, list) => {
    const order = orderOfList(list);
    const entries = Math.max(FEWEST_ENTRIES, share >> order);
    return share === 0 ? 0 : Math.min(MOST_ENTRIES[order]!, entries);
  });
  const floors = new Int32Array(CACHE_LISTS);
  const gap = share < GAPS_FROM_SHARE ? 1 : STACK_GAP;
  let end: number = Cache.STACKS;
  for (let list = 0; list < CACHE_LISTS; list++) {
    floors[list] = end;
    end += capacities[list]! + gap;
  }
  return { capacities, floors, words: Math.ceil(end / LINE) * LINE };
}

/** Word of a list's newest entry, parked or not; its BOTTOM when it is empty. */
export function listTop(words: Int32Array, list: number): number {
  // The owner may be between two words.
  const top = Math.max(words[list + CacheList.TOP]!, words[list + CacheList.PARKED_TOP]!);
  return Math.max(top, words[list + CacheList.BOTTOM]!);
}

/** Pages in a cache, by its lists; exact when its owner is not at work. */
export function cachePages(words: Int32Array, at: number): number {
  let pages = 0;
  for (let list = 0; list < CACHE_LISTS; list++) {
    const l = at + cacheListAt(list);
    pages += (listTop(words, l) - words[l + CacheList.BOTTOM]!) << orderOfList(list);
  }
  return pages;
}
