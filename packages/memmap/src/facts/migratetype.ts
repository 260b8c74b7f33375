/**
 * Migratetypes, their names, and the byte of a pageblock that holds one:
 *
 *     bit   7 6 5      4          3       2 1 0
 *           unused  isolated    skip   migratetype
 */

/** Mobility of a pageblock's pages. @kernel migratetype */
export const Migratetype = {
  UNMOVABLE: 0,
  MOVABLE: 1,
  RECLAIMABLE: 2,
  HIGHATOMIC: 3,
  CMA: 4,
  ISOLATE: 5,
} as const;
/** One of {@link Migratetype}. */
export type Migratetype = (typeof Migratetype)[keyof typeof Migratetype];
/** Number of migratetypes. */
export const MIGRATETYPE_COUNT = 6;
/** Names as /proc/pagetypeinfo prints them, by number. */
export const MIGRATETYPE_NAMES = [
  'Unmovable',
  'Movable',
  'Reclaimable',
  'HighAtomic',
  'CMA',
  'Isolate',
] as const;

/** Bits of a pageblock byte: migratetype in bits 0..2, then these. */
export const PageblockBit = { SKIP: 0x08, ISOLATED: 0x10 } as const;
/** Mask of the stored migratetype in a pageblock byte. */
export const PAGEBLOCK_TYPE_MASK = 0x07;
