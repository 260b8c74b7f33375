/**
 * Section table: which memory has descriptors, and where.
 *
 *     section number   24   25   26   27   28
 *     slot + 1          1    2    0   -4    3      0: no descriptors (absent, or not populated yet)
 *                       |    |         :    |     -: kept, while the section is absent
 *     columns        [slot 0][slot 1]  [3] [slot 2]   index = slot * pagesPerSection + offset
 *
 * Presence is exact to a subsection (presence.ts). A section gets its slot when the map is created (`full`) or when it
 * is first touched (`ondemand`, and all memory that is added later), from any thread. Slots are never given
 * to another section, so an index stays valid for the life of the map.
 *
 * Memory that is removed reads as absent at once; its descriptors stay as they are, marked stale, and the next owner
 * of the memory clears its own when it populates them. So adding and removing cost a few words a section, and nothing
 * a page; how threads meet in these words is in section-protocol.ts.
 * Source: Documentation/mm/memory-model.rst (SPARSEMEM).
 */
import { MemmapError } from '../facts/errors.js';
import type { Geometry } from '../facts/geometry.js';
import { type TableLayout, Word } from './layout.js';
import { SectionFlag } from '../facts/page-state.js';
import { eachWordOf, Presence } from './presence.js';
import { makeSectionProtocol, type SlotPlaces } from './section-protocol.js';

const { load, or, and } = Atomics;
const protocol = makeSectionProtocol(Atomics);

/** What {@link SectionTable.access} answers instead of an index. */
export const Access = { ABSENT: -2, UNINITIALISED: -1 } as const;

/** A run of descriptors: indices `[index, index + pages)` are pfns `[pfn, pfn + pages)`. */
export type RunVisitor = (index: number, pages: number, pfn: number) => void;

/**
 * Zeroes the descriptors of `[index, index + pages)`, in one section; their links and references only where `used` says
 * that some may have been written.
 */
export type Clearer = (index: number, pages: number, used: boolean) => void;

/** A section's flag beside those of `SectionFlag`: its links or references may have been written. */
const WORDS_USED = 1 << 30;

/** Presence, flags and slots of sections over the table words; no state of its own. */
export class SectionTable {
  readonly #words: Int32Array;
  readonly #layout: TableLayout;
  readonly #places: SlotPlaces;
  readonly #presence: Presence;
  readonly #geometry: Geometry;
  readonly #first: number;

  /** Pages per section. */
  readonly pagesPerSection: number;

  constructor(words: Int32Array, layout: TableLayout, geometry: Geometry) {
    this.pagesPerSection = layout.pagesPerSection;
    this.#words = words;
    this.#layout = layout;
    this.#geometry = geometry;
    this.#first = words[Word.FIRST_SECTION]!;
    this.#presence = new Presence(words, layout, this.#first);
    const { capacity, slotAt, rowOfSlotAt, staleAt, subsectionsPerSection } = layout;
    this.#places = {
      capacity,
      usedAt: Word.SLOTS_USED,
      slotAt,
      rowOfSlotAt,
      staleAt,
      staleWords: layout.bitmapWords,
      allStale: subsectionsPerSection >= 32 ? -1 : (1 << subsectionsPerSection) - 1,
    };
  }

  /** Section number of a pfn. */
  sectionOf(pfn: number): number {
    return Math.floor(pfn / this.#layout.pagesPerSection);
  }

  /** Index of a pfn's descriptor, -1 when it has none (yet). */
  indexOf(pfn: number): number {
    const size = this.#layout.pagesPerSection;
    const section = Math.floor(pfn / size);
    const row = section - this.#first;
    if (!(row >= 0 && row < this.#layout.sections)) return -1;
    const slot = this.#words[this.#layout.slotAt + row]!;
    return slot <= 0 ? -1 : (slot - 1) * size + (pfn - section * size);
  }

  /** Index of a pfn's descriptor where it may be looked at, else one of {@link Access}. */
  access(pfn: number): number {
    const size = this.#layout.pagesPerSection;
    const section = Math.floor(pfn / size);
    const row = section - this.#first;
    if (!(row >= 0 && row < this.#layout.sections)) return Access.ABSENT;
    const offset = pfn - section * size;
    const sub = offset >>> this.#geometry.subsectionOrder;
    if (!this.#presence.has(row, sub)) return Access.ABSENT;
    const slot = this.#words[this.#layout.slotAt + row]!;
    if (slot <= 0 || this.#isStale(row, sub)) return Access.UNINITIALISED;
    return (slot - 1) * size + offset;
  }

  /** Pfn of an index that was given out. */
  pfnOf(index: number): number {
    const size = this.#layout.pagesPerSection;
    const slot = Math.floor(index / size);
    const row = this.#words[this.#layout.rowOfSlotAt + slot]! - 1;
    return (this.#first + row) * size + (index - slot * size);
  }

  /** Flags of a section, 0 outside the table. PRESENT, FULL and POPULATED are what its other words say. */
  flags(section: number): number {
    const row = section - this.#first;
    if (!(row >= 0 && row < this.#layout.sections)) return 0;
    const present = this.#presence.count(row);
    const full = present === this.#layout.subsectionsPerSection;
    return (
      (load(this.#words, this.#layout.flagsAt + row) & ~WORDS_USED) |
      (present > 0 ? SectionFlag.PRESENT : 0) |
      (full ? SectionFlag.FULL : 0) |
      (this.#words[this.#layout.slotAt + row]! > 0 ? SectionFlag.POPULATED : 0)
    );
  }

  /** Sets or clears flags. */
  setFlags(section: number, bits: number, on: boolean): void {
    const at = this.#layout.flagsAt + this.#row(section);
    if (on) or(this.#words, at, bits);
    else and(this.#words, at, ~bits);
  }

  /** True when the subsection of the pfn is present. */
  isPresent(pfn: number): boolean {
    const section = this.sectionOf(pfn);
    const row = section - this.#first;
    if (!(row >= 0 && row < this.#layout.sections)) return false;
    return this.#presence.has(row, this.#subsectionOf(pfn, section));
  }

  /** First pfn in `[start, end)` whose subsection is absent, or undefined. O(sections), 32 at a time. */
  firstAbsent(start: number, end: number): number | undefined {
    return this.#presence.firstWith(false, start, end);
  }

  /** First pfn in `[start, end)` whose subsection is present, or undefined. O(sections), 32 at a time. */
  firstPresent(start: number, end: number): number | undefined {
    return this.#presence.firstWith(true, start, end);
  }

  /** Says that links or references of pages of `[start, end)` may be written from now on. O(sections). */
  markUsed(start: number, end: number): void {
    const at = this.#layout.flagsAt - this.#first;
    const last = this.sectionOf(end - 1);
    for (let section = this.sectionOf(start); section <= last; section++) {
      if ((this.#words[at + section]! & WORDS_USED) === 0)
        or(this.#words, at + section, WORDS_USED);
    }
  }

  /** True when links or references of the pfn's section may have been written; a section of the table. */
  isUsed(pfn: number): boolean {
    const at = this.#layout.flagsAt + this.#row(this.sectionOf(pfn));
    return (this.#words[at]! & WORDS_USED) !== 0;
  }

  /** Marks whole subsections of `[start, end)`, all absent, present; their owner only. A bit a section. */
  addMemory(start: number, end: number): void {
    this.#eachPart(start, end, {
      whole: (first, last) => {
        this.#presence.setWhole(first, last, true);
      },
      part: (from, to, row) => {
        this.#flip(from, to, row);
      },
    });
  }

  /**
   * Marks whole sections of `[start, end)` present, for a map that nobody else has yet: two fills,
   * whatever the size. With `populate`, they get the next slots in order.
   */
  createSections(start: number, end: number, flags: number, populate: boolean): void {
    const w = this.#words;
    const { flagsAt, slotAt, rowOfSlotAt } = this.#layout;
    const first = this.#row(this.sectionOf(start));
    const last = this.#row(this.sectionOf(end - 1)) + 1;
    this.#presence.setWhole(first, last, true);
    w.fill(flags, flagsAt + first, flagsAt + last);
    for (let row = first; populate && row < last; row++) {
      if (w[slotAt + row] !== 0) continue;
      const slot = w[Word.SLOTS_USED]!;
      if (slot >= this.#layout.capacity) throw this.#outOfSlots(row);
      w[rowOfSlotAt + slot] = row + 1;
      w[slotAt + row] = slot + 1;
      w[Word.SLOTS_USED] = slot + 1;
    }
  }

  /**
   * Marks whole subsections of `[start, end)`, all present, absent; their owner only. A few words a section that has
   * descriptors, but that those of sections removed in part (two at most) are cleared at once: their neighbours go on
   * using the slot.
   */
  removeMemory(start: number, end: number, clear: Clearer): void {
    const { flagsAt } = this.#layout;
    const w = this.#words;
    this.#eachPart(start, end, {
      whole: (first, last) => {
        for (let row = first; row < last; row++) protocol.retire(w, this.#places, row);
        this.#presence.setWhole(first, last, false);
        // What was written stays written until somebody clears it.
        for (let row = first; row < last; row++) and(w, flagsAt + row, WORDS_USED);
      },
      part: (from, to, row) => {
        const index = this.indexOf(from);
        if (index >= 0) clear(index, to - from, this.isUsed(from));
        this.#flip(from, to, row);
        if (this.#presence.count(row) === 0) and(w, flagsAt + row, ~GOES_WITH_LAST);
      },
    });
  }

  /**
   * Gives every section of `[start, end)` a slot, and clears what removed memory left in the caller's subsections.
   * @throws ERR_MEMMAP_CAPACITY when the slots are used up; sections before that keep theirs
   */
  populate(start: number, end: number, clear: Clearer): void {
    const { staleAt, slotAt, bitmapWords, pagesPerSection: size } = this.#layout;
    const w = this.#words;
    const last = this.sectionOf(end - 1);
    for (let section = this.sectionOf(start); section <= last; section++) {
      const row = this.#row(section);
      if (w[slotAt + row]! <= 0 && protocol.publish(w, this.#places, row) < 0) {
        throw this.#outOfSlots(row);
      }
      let stale = 0;
      for (let i = 0; i < bitmapWords; i++) stale |= w[staleAt + row * bitmapWords + i]!;
      if (stale === 0) continue;
      this.#settle(Math.max(start, section * size), Math.min(end, (section + 1) * size), clear);
    }
  }

  /** Calls `visit` for runs of subsections of one section whose descriptors are (not) stale; all of them populated. False: ended early. */
  staleRuns(
    start: number,
    end: number,
    visit: (from: number, to: number, stale: boolean) => unknown,
  ): boolean {
    const step = 2 ** this.#geometry.subsectionOrder;
    const section = this.sectionOf(start);
    const isStale = (pfn: number): boolean =>
      this.#isStale(section - this.#first, this.#subsectionOf(pfn, section));
    for (let from = start; from < end;) {
      const stale = isStale(from);
      let to = Math.min(end, (Math.floor(from / step) + 1) * step);
      while (to < end && isStale(to) === stale) to = Math.min(end, to + step);
      // `false` ends the walk.
      if (visit(from, to, stale) === false) return false;
      from = to;
    }
    return true;
  }

  /** True when some descriptors of the pfn's section are stale; a section of the table. */
  anyStale(pfn: number): boolean {
    const { staleAt, bitmapWords } = this.#layout;
    const at = staleAt + this.#row(this.sectionOf(pfn)) * bitmapWords;
    for (let i = 0; i < bitmapWords; i++) if (this.#words[at + i] !== 0) return true;
    return false;
  }

  /** Calls `visit` for maximal runs of consecutive indices in `[start, end)`; all populated. */
  runs(start: number, end: number, visit: RunVisitor): void {
    const size = this.#layout.pagesPerSection;
    let at = start;
    while (at < end) {
      const pfn = at;
      const index = this.indexOf(at);
      let next = (this.sectionOf(at) + 1) * size;
      while (next < end && this.indexOf(next) === index + (next - pfn)) next += size;
      at = Math.min(next, end);
      visit(index, at - pfn, pfn);
    }
  }

  /** Number of slots given out. */
  slotsUsed(): number {
    return load(this.#words, Word.SLOTS_USED);
  }

  #outOfSlots(row: number): MemmapError {
    const { capacity } = this.#layout;
    return new MemmapError('ERR_MEMMAP_CAPACITY', `all ${capacity} section slots are in use`, {
      section: this.#first + row,
      capacity,
    });
  }

  #row(section: number): number {
    const row = section - this.#first;
    if (row >= 0 && row < this.#layout.sections) return row;
    throw new MemmapError('ERR_MEMMAP_ABSENT', `section ${section} lies outside the map`, {
      section,
    });
  }

  #subsectionOf(pfn: number, section: number): number {
    return (pfn - section * this.#layout.pagesPerSection) >>> this.#geometry.subsectionOrder;
  }

  #isStale(row: number, sub: number): boolean {
    const { staleAt, bitmapWords } = this.#layout;
    return ((this.#words[staleAt + row * bitmapWords + (sub >>> 5)]! >>> (sub & 31)) & 1) === 1;
  }

  /** Clears the stale subsections that `[start, end)`, in one section, touches. */
  #settle(start: number, end: number, clear: Clearer): void {
    const { subsectionOrder } = this.#geometry;
    const step = 2 ** subsectionOrder;
    const section = this.sectionOf(start);
    const base = section * this.#layout.pagesPerSection;
    const index = this.indexOf(base);
    const used = this.isUsed(base);
    const from = Math.floor(start / step) * step;
    const to = Math.ceil(end / step) * step;
    const at = this.#layout.staleAt + (section - this.#first) * this.#layout.bitmapWords;
    eachWordOf((from - base) / step, (to - base) / step, (word, mask) => {
      protocol.settle(this.#words, at + word, mask, (bits) => {
        eachBitRun(bits, (first, count) => {
          clear(index + (32 * word + first) * step, count * step, used);
        });
      });
    });
    // Only who has all of the section knows that nothing is left in it.
    if (to - from === this.#layout.pagesPerSection) {
      and(this.#words, this.#layout.flagsAt + section - this.#first, ~WORDS_USED);
    }
  }

  /** Turns whole subsections of one section, by pfn, from absent to present or back. */
  #flip(from: number, to: number, row: number): void {
    const section = this.#first + row;
    const last = this.#subsectionOf(to - 1, section);
    this.#presence.flip(row, this.#subsectionOf(from, section), last + 1);
  }

  /** Splits `[start, end)` into whole sections, by rows, and parts of sections, by pfn. */
  #eachPart(
    start: number,
    end: number,
    visit: {
      whole: (firstRow: number, endRow: number) => void;
      part: (from: number, to: number, row: number) => void;
    },
  ): void {
    const size = this.#layout.pagesPerSection;
    const firstWhole = Math.ceil(start / size);
    const endWhole = Math.floor(end / size);
    if (firstWhole > endWhole) {
      visit.part(start, end, this.#row(this.sectionOf(start)));
      return;
    }
    if (start < firstWhole * size) visit.part(start, firstWhole * size, this.#row(firstWhole - 1));
    if (firstWhole < endWhole) visit.whole(this.#row(firstWhole), this.#row(endWhole - 1) + 1);
    if (endWhole * size < end) visit.part(endWhole * size, end, this.#row(endWhole));
  }
}

/** Flags that a section loses with its last subsection. */
const GOES_WITH_LAST = SectionFlag.ONLINE | SectionFlag.EARLY;

/** Calls `visit` with the first bit and the length of each run of set bits. */
function eachBitRun(bits: number, visit: (first: number, count: number) => void): void {
  for (let bit = 0; bit < 32; bit++) {
    if (((bits >>> bit) & 1) === 0) continue;
    const first = bit;
    while (bit < 32 && ((bits >>> bit) & 1) === 1) bit++;
    visit(first, bit - first);
  }
}
