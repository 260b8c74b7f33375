/**
 * Layout of the table words of a memmap: one Int32 array, written once at creation except where said.
 *
 *     0 magic | 1 version | 2..6 geometry | 7 first section | 8 sections | 9 capacity in sections
 *     10 slots given out (atomic) | 12 zones defined | 11, 13..15 free
 *     16..271      zone registry: 0, or 1 + (nid * 16 + zone index), indexed by zone id
 *     then         section -> slot: 0 none, slot + 1, -(slot + 1) kept while the section is absent (atomic)
 *     then         section flags (atomic or)
 *     then         sections that are present as a whole, a bit a section (atomic or)
 *     then         sections where subsections differ from that, a bit a section (atomic or)
 *     then         subsections that differ, `bitmapWords` words a section (atomic xor)
 *     then         subsections whose descriptors are those of removed memory, as many words (atomic or)
 *     then         slot -> 1 + row of its section, 0 free (atomic)
 *     then         page map index of each subsection, by slot
 *     then         pageblock bytes, by slot
 */
import type { Geometry } from '../facts/geometry.js';

/** First word of a memmap's table. */
export const MAGIC = 0x4d4d4150;
/** Version of the layout; attach refuses any other. */
export const VERSION = 2;
/** One more than the largest descriptor index. */
export const MAX_INDEX = 2 ** 31;
/** Zone ids are one byte; 0 means none. */
export const MAX_ZONE_ID = 255;

/** Index of each word in the table's header. */
export const Word = {
  MAGIC: 0,
  VERSION: 1,
  PAGE_SHIFT: 2,
  SECTION_ORDER: 3,
  PAGEBLOCK_ORDER: 4,
  MAX_ORDER: 5,
  SUBSECTION_ORDER: 6,
  FIRST_SECTION: 7,
  SECTIONS: 8,
  CAPACITY: 9,
  SLOTS_USED: 10,
  ZONES: 12,
  ZONE_TABLE: 16,
} as const;

/** Where the parts of a table lie, in words (pageblocks: in bytes). */
export interface TableLayout {
  readonly sections: number;
  readonly capacity: number;
  readonly pagesPerSection: number;
  readonly subsectionsPerSection: number;
  readonly pageblocksPerSection: number;
  /** Bitmap words per section. */
  readonly bitmapWords: number;
  readonly slotAt: number;
  readonly flagsAt: number;
  /** Words of a bitmap with a bit a section. */
  readonly rowWords: number;
  readonly wholeAt: number;
  readonly mixedAt: number;
  readonly bitmapAt: number;
  readonly staleAt: number;
  readonly rowOfSlotAt: number;
  readonly pgmapAt: number;
  /** Byte offset of the pageblock bytes. */
  readonly pageblocksAtByte: number;
  readonly totalBytes: number;
}

/** Computes the layout for a number of sections and of slots. */
export function tableLayout(geometry: Geometry, sections: number, capacity: number): TableLayout {
  const pagesPerSection = 2 ** geometry.sectionOrder;
  const subsectionsPerSection = 2 ** (geometry.sectionOrder - geometry.subsectionOrder);
  const pageblocksPerSection = 2 ** (geometry.sectionOrder - geometry.pageblockOrder);
  const bitmapWords = Math.ceil(subsectionsPerSection / 32);
  const slotAt = Word.ZONE_TABLE + MAX_ZONE_ID + 1;
  const flagsAt = slotAt + sections;
  const rowWords = Math.ceil(sections / 32);
  const wholeAt = flagsAt + sections;
  const mixedAt = wholeAt + rowWords;
  const bitmapAt = mixedAt + rowWords;
  const staleAt = bitmapAt + sections * bitmapWords;
  const rowOfSlotAt = staleAt + sections * bitmapWords;
  const pgmapAt = rowOfSlotAt + capacity;
  const pageblocksAtByte = (pgmapAt + capacity * subsectionsPerSection) * 4;
  const pageblockBytes = Math.ceil((capacity * pageblocksPerSection) / 4) * 4;
  return {
    sections,
    capacity,
    pagesPerSection,
    subsectionsPerSection,
    pageblocksPerSection,
    bitmapWords,
    slotAt,
    flagsAt,
    rowWords,
    wholeAt,
    mixedAt,
    bitmapAt,
    staleAt,
    rowOfSlotAt,
    pgmapAt,
    pageblocksAtByte,
    totalBytes: pageblocksAtByte + pageblockBytes,
  };
}

/** Bytes of the table that a populated section takes: words and bits of the section and of its slot, pageblock bytes. */
export function tableBytesPerSection(layout: TableLayout): number {
  const { subsectionsPerSection, pageblocksPerSection, bitmapWords } = layout;
  const words = 3 + 2 / 32 + 2 * bitmapWords + subsectionsPerSection;
  return 4 * words + pageblocksPerSection;
}
