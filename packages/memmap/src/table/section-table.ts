/**
 * Section table: which memory has descriptors, and where.
 *
 *     section number   24   25   26   27   28
 *     slot + 1          1    2    0    0    3      0: no descriptors (absent, or not populated yet)
 *                       |    |              |
 *     columns        [slot 0][slot 1]   [slot 2]   index = slot * pagesPerSection + offset
 *
 * Presence is exact to a subsection. A section gets its slot when the map is created (`full`) or when it
 * is first touched (`ondemand`), from any thread: the thread that swaps -1 in assigns the slot, others
 * wait for it. Slots are never given back, so an index stays valid for the life of the map.
 * Source: Documentation/mm/memory-model.rst (SPARSEMEM).
 */
import { MemmapError } from '../facts/errors.js';
import type { Geometry } from '../facts/geometry.js';
import { type TableLayout, Word } from './layout.js';
import { SectionFlag } from '../facts/page-state.js';

const { load, store, compareExchange, or, and, add } = Atomics;
const BUSY = -1;

/** A run of descriptors: indices `[index, index + pages)` are pfns `[pfn, pfn + pages)`. */
export type RunVisitor = (index: number, pages: number, pfn: number) => void;

/** Presence, flags and slots of sections over the table words; no state of its own. */
export class SectionTable {
  readonly #words: Int32Array;
  readonly #layout: TableLayout;
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

  /** Pfn of an index that was given out. */
  pfnOf(index: number): number {
    const size = this.#layout.pagesPerSection;
    const slot = Math.floor(index / size);
    const section = this.#words[this.#layout.sectionOfSlotAt + slot]!;
    return section * size + (index - slot * size);
  }

  /** Flags of a section, 0 outside the table. */
  flags(section: number): number {
    const row = section - this.#first;
    return row >= 0 && row < this.#layout.sections
      ? load(this.#words, this.#layout.flagsAt + row)
      : 0;
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
    const sub = this.#subsectionOf(pfn, section);
    const word = this.#layout.bitmapAt + row * this.#layout.bitmapWords + (sub >>> 5);
    return ((this.#words[word]! >>> (sub & 31)) & 1) === 1;
  }

  /** First pfn in `[start, end)` whose subsection is absent, or undefined. */
  firstAbsent(start: number, end: number): number | undefined {
    const step = 2 ** this.#geometry.subsectionOrder;
    const size = this.#layout.pagesPerSection;
    for (let at = start; at < end;) {
      const section = this.sectionOf(at);
      if ((this.flags(section) & SectionFlag.FULL) !== 0) {
        at = (section + 1) * size;
      } else {
        if (!this.isPresent(at)) return at;
        at = (Math.floor(at / step) + 1) * step;
      }
    }
    return undefined;
  }

  /** Marks whole subsections of `[start, end)` present. */
  addMemory(start: number, end: number, flags: number): void {
    this.#eachSubsection(start, end, (section, word, mask) => {
      or(this.#words, word, mask);
      this.#refreshFull(section);
      this.setFlags(section, SectionFlag.PRESENT | flags, true);
    });
  }

  /**
   * Marks whole sections of `[start, end)` present, for a map that nobody else has yet: three fills,
   * whatever the size. With `populate`, they get the next slots in order.
   */
  createSections(start: number, end: number, flags: number, populate: boolean): void {
    const w = this.#words;
    const { flagsAt, bitmapAt, bitmapWords, slotAt, subsectionsPerSection } = this.#layout;
    const first = this.#row(this.sectionOf(start));
    const last = this.#row(this.sectionOf(end - 1)) + 1;
    const mask = subsectionsPerSection >= 32 ? -1 : (1 << subsectionsPerSection) - 1;
    w.fill(mask, bitmapAt + first * bitmapWords, bitmapAt + last * bitmapWords);
    w.fill(SectionFlag.PRESENT | SectionFlag.FULL | flags, flagsAt + first, flagsAt + last);
    for (let row = first; populate && row < last; row++) {
      if (w[slotAt + row] === 0) this.#assign(this.#first + row, slotAt + row);
    }
  }

  /** Marks whole subsections of `[start, end)` absent; the section keeps its slot. */
  removeMemory(start: number, end: number): void {
    this.#eachSubsection(start, end, (section, word, mask) => {
      and(this.#words, word, ~mask);
      this.setFlags(section, SectionFlag.FULL, false);
      if (this.#presentSubsections(section) === 0) {
        this.setFlags(section, SectionFlag.PRESENT | SectionFlag.ONLINE | SectionFlag.EARLY, false);
      }
    });
  }

  /**
   * Gives every section of `[start, end)` a slot.
   * @throws ERR_MEMMAP_CAPACITY when the slots are used up; sections before that keep theirs
   */
  populate(start: number, end: number): void {
    const last = this.sectionOf(end - 1);
    for (let section = this.sectionOf(start); section <= last; section++) {
      const at = this.#layout.slotAt + this.#row(section);
      while (load(this.#words, at) <= 0) {
        // Pairs with the store below: only the thread that wins the swap assigns a slot.
        if (compareExchange(this.#words, at, 0, BUSY) === 0) this.#assign(section, at);
      }
    }
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

  #assign(section: number, at: number): void {
    const slot = add(this.#words, Word.SLOTS_USED, 1);
    if (slot >= this.#layout.capacity) {
      add(this.#words, Word.SLOTS_USED, -1);
      store(this.#words, at, 0);
      throw new MemmapError(
        'ERR_MEMMAP_CAPACITY',
        `all ${this.#layout.capacity} section slots are in use`,
        { section, capacity: this.#layout.capacity },
      );
    }
    this.#words[this.#layout.sectionOfSlotAt + slot] = section;
    store(this.#words, at, slot + 1);
    this.setFlags(section, SectionFlag.POPULATED, true);
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

  #presentSubsections(section: number): number {
    let count = 0;
    const at = this.#layout.bitmapAt + this.#row(section) * this.#layout.bitmapWords;
    for (let i = 0; i < this.#layout.bitmapWords; i++) {
      for (let rest = this.#words[at + i]!; rest !== 0; rest &= rest - 1) count++;
    }
    return count;
  }

  #refreshFull(section: number): void {
    if (this.#presentSubsections(section) === this.#layout.subsectionsPerSection) {
      this.setFlags(section, SectionFlag.FULL, true);
    }
  }

  #eachSubsection(
    start: number,
    end: number,
    visit: (section: number, word: number, mask: number) => void,
  ): void {
    const step = 2 ** this.#geometry.subsectionOrder;
    for (let at = start; at < end;) {
      const section = this.sectionOf(at);
      const row = this.#row(section);
      const sub = this.#subsectionOf(at, section);
      const word = this.#layout.bitmapAt + row * this.#layout.bitmapWords + (sub >>> 5);
      // Whole words at once where the range covers them.
      const whole =
        (sub & 31) === 0 && end - at >= 32 * step && this.#layout.subsectionsPerSection >= 32;
      visit(section, word, whole ? -1 : 1 << (sub & 31));
      at += whole ? 32 * step : step;
    }
  }
}
