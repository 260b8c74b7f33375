/**
 * Which memory is present, exact to a subsection, over the table words.
 *
 *     whole   1 1 1 0 0     a bit a section: it is there
 *     mixed   0 1 0 0 1     a bit a section: parts of it differ from that
 *     bitmap    |     |     a bit a subsection, looked at only where mixed: this one differs
 *
 * So terabytes of whole sections are a few hundred words to write and to look through, and the owner of a part turns
 * its own bits over whatever the others of the section do.
 */
import type { TableLayout } from './layout.js';

const { load, or, and, xor } = Atomics;

/** Presence of sections and of parts of them; no state of its own. `row` counts sections from the first. */
export class Presence {
  readonly #words: Int32Array;
  readonly #layout: TableLayout;
  readonly #first: number;

  /** @param first number of the first section */
  constructor(words: Int32Array, layout: TableLayout, first: number) {
    this.#words = words;
    this.#layout = layout;
    this.#first = first;
  }

  /** True when a subsection of a row is present. */
  has(row: number, sub: number): boolean {
    const { wholeAt, mixedAt, bitmapAt, bitmapWords } = this.#layout;
    const w = this.#words;
    const whole = (w[wholeAt + (row >>> 5)]! >>> (row & 31)) & 1;
    if (((w[mixedAt + (row >>> 5)]! >>> (row & 31)) & 1) === 0) return whole === 1;
    return ((w[bitmapAt + row * bitmapWords + (sub >>> 5)]! >>> (sub & 31)) & 1) !== whole;
  }

  /** Turns subsections `[from, to)` of a row from absent to present or back; their owner only. */
  flip(row: number, from: number, to: number): void {
    // Before the first bit that counts only with it; it stays until the whole section comes or goes.
    or(this.#words, this.#layout.mixedAt + (row >>> 5), 1 << (row & 31));
    eachWordOf(from, to, (i, mask) => {
      xor(this.#words, this.#layout.bitmapAt + row * this.#layout.bitmapWords + i, mask);
    });
  }

  /** Makes rows `[first, last)` present or absent in all their subsections; their owner only. */
  setWhole(first: number, last: number, on: boolean): void {
    const { wholeAt, mixedAt } = this.#layout;
    const w = this.#words;
    const end = (last - 1) >>> 5;
    for (let word = first >>> 5; word <= end; word++) {
      // Words in a row that are the caller's alone and have no parts are one native fill: terabytes in one step.
      let same = word;
      while (32 * same >= first && 32 * (same + 1) <= last && w[mixedAt + same] === 0) same++;
      if (same > word) {
        w.fill(on ? -1 : 0, wholeAt + word, wholeAt + same);
        word = same - 1;
      } else this.#setBits(word, bitsBetween(first - 32 * word, last - 1 - 32 * word), on);
    }
    // What was filled is seen by whoever sees what comes after.
    or(w, wholeAt + end, 0);
  }

  /** The same for some rows of a word. */
  #setBits(word: number, mask: number, on: boolean): void {
    const { wholeAt, mixedAt, bitmapAt, bitmapWords } = this.#layout;
    const w = this.#words;
    const mixed = load(w, mixedAt + word) & mask;
    if (mixed !== 0) {
      for (let bit = 0; bit < 32; bit++) {
        const at = bitmapAt + (32 * word + bit) * bitmapWords;
        if (((mixed >>> bit) & 1) === 1) w.fill(0, at, at + bitmapWords);
      }
      and(w, mixedAt + word, ~mixed);
    }
    if (on) or(w, wholeAt + word, mask);
    else and(w, wholeAt + word, ~mask);
  }

  /** Number of present subsections of a row. */
  count(row: number): number {
    const { wholeAt, mixedAt, bitmapAt, bitmapWords, subsectionsPerSection } = this.#layout;
    const w = this.#words;
    const whole = ((w[wholeAt + (row >>> 5)]! >>> (row & 31)) & 1) === 1;
    let differ = 0;
    if (((w[mixedAt + (row >>> 5)]! >>> (row & 31)) & 1) === 1) {
      for (let i = 0; i < bitmapWords; i++) {
        for (let rest = w[bitmapAt + row * bitmapWords + i]!; rest !== 0; rest &= rest - 1)
          differ++;
      }
    }
    return whole ? subsectionsPerSection - differ : differ;
  }

  /** First pfn in `[start, end)` whose subsection is present, or absent; undefined for none. O(sections), 32 at a time. */
  firstWith(present: boolean, start: number, end: number): number | undefined {
    const { pagesPerSection: size, subsectionsPerSection, sections } = this.#layout;
    const { wholeAt, mixedAt } = this.#layout;
    const step = size / subsectionsPerSection;
    // 32 sections at once where all of them are alike, and not what is looked for.
    const other = present ? 0 : -1;
    for (let at = start; at < end;) {
      const section = Math.floor(at / size);
      const row = section - this.#first;
      const inside = row >= 0 && row < sections;
      const word = row >>> 5;
      if (inside && this.#words[mixedAt + word] === 0 && this.#words[wholeAt + word] === other) {
        at = (this.#first + 32 * (word + 1)) * size;
        continue;
      }
      const there = inside ? this.count(row) : 0;
      if (there === (present ? 0 : subsectionsPerSection)) at = (section + 1) * size;
      else if (inside && this.has(row, Math.floor((at - section * size) / step)) === present)
        return at;
      else if (!inside) return present ? undefined : at;
      else at = (Math.floor(at / step) + 1) * step;
    }
    return undefined;
  }
}

/** Bits `first` to `last` of a word; either may lie outside it. */
function bitsBetween(first: number, last: number): number {
  return (-1 << Math.max(first, 0)) & (-1 >>> (31 - Math.min(last, 31)));
}

/** Calls `visit` with each word of a row's bitmap that subsections `[from, to)` are in, and their bits. */
export function eachWordOf(
  from: number,
  to: number,
  visit: (word: number, mask: number) => void,
): void {
  for (let word = from >>> 5; word <= (to - 1) >>> 5; word++) {
    visit(word, bitsBetween(from - 32 * word, to - 1 - 32 * word));
  }
}
