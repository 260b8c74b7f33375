/**
 * Words that all threads of a cache of small objects share, and the shape of its slabs.
 *
 *     0 magic | 1 version | shape | lock | records, two words a thread | slabs | slab of each block of the pool
 *
 *     number of an object      slab << shift | place        slab s: words[slabs + s] = page + 1, 0 for none,
 *     its first byte           page of the slab * page size + place * stride
 *
 * Places beyond `perSlab` do not exist; so a number is split by a shift and a mask. Everything but the header is written
 * under the lock; a slab's word is read without it by whoever has an object of the slab.
 */
import { LINE_WORDS, type SlabShape } from './slab-shape.js';

/** First word of a table. */
export const TABLE_MAGIC = 0x534c4142;
/** Version of the layout. */
export const TABLE_VERSION = 1;

/** Words of the header. */
export const Table = {
  MAGIC: 0,
  VERSION: 1,
  SIZE: 2,
  STRIDE: 3,
  /** log2 of the pages of a slab. */
  SLAB_ORDER: 4,
  PER_SLAB: 5,
  /** log2 of the numbers of a slab. */
  ID_SHIFT: 6,
  MAX_SLABS: 7,
  THREADS: 8,
  /** Pages of the pool, and log2 of their bytes: it must be this pool. */
  POOL_PAGES: 9,
  PAGE_SHIFT: 10,
  OWNER: 11,
  /** Four words of a SharedLock. */
  LOCK: 12,
  /** Slabs that there ever were, and none below it is free: where to look for the next number. */
  COUNT: 16,
  HINT: 17,
  /** Slab that comes or goes just now, + 1; 0: none. */
  TRANSIT: 18,
  RECORDS: LINE_WORDS * 2,
} as const;

/** A record: tag of the thread, page + 1 that it has taken for a slab or is giving back. */
export const Record = { TAG: 0, PAGE: 1, WORDS: 2 } as const;

/** Word of a thread's record. */
export function recordAt(thread: number): number {
  return Table.RECORDS + thread * Record.WORDS;
}

/** Word of the first slab. */
export function slabsAt(threads: number): number {
  return recordAt(threads + 1);
}

/** What sizes a table has. */
export interface TableSizes {
  readonly threads: number;
  readonly maxSlabs: number;
  readonly slabOrder: number;
  readonly poolPages: number;
}

/** Word of the first block of the pool. */
export function blocksAt({ threads, maxSlabs }: TableSizes): number {
  return slabsAt(threads) + maxSlabs;
}

/** Words of the whole table. */
export function tableWords(sizes: TableSizes): number {
  return blocksAt(sizes) + Math.ceil(sizes.poolPages / 2 ** sizes.slabOrder);
}

/** Writes the header of a fresh table; the magic number comes last. */
export function initTable(
  words: Int32Array,
  sizes: TableSizes,
  rest: { readonly shape: SlabShape; readonly pageShift: number; readonly owner: number },
): void {
  const { shape, pageShift, owner } = rest;
  words[Table.VERSION] = TABLE_VERSION;
  words[Table.SIZE] = shape.size;
  words[Table.STRIDE] = shape.stride;
  words[Table.SLAB_ORDER] = shape.slabOrder;
  words[Table.PER_SLAB] = shape.perSlab;
  words[Table.ID_SHIFT] = shape.idShift;
  words[Table.MAX_SLABS] = sizes.maxSlabs;
  words[Table.THREADS] = sizes.threads;
  words[Table.POOL_PAGES] = sizes.poolPages;
  words[Table.PAGE_SHIFT] = pageShift;
  words[Table.OWNER] = owner;
  words[Table.MAGIC] = TABLE_MAGIC;
}

/** Sizes of a table by its header. */
export function sizesOf(words: Int32Array): TableSizes {
  return {
    threads: words[Table.THREADS]!,
    maxSlabs: words[Table.MAX_SLABS]!,
    slabOrder: words[Table.SLAB_ORDER]!,
    poolPages: words[Table.POOL_PAGES]!,
  };
}
