/**
 * Which of many hints a line matches, in one pass that looks at every third character or so of a line that matches none.
 *
 *   hint     Memory: \d+[kK]      must hold "Memory: ", of which four characters are looked for: "Memo"
 *   line     … systemd[1]: Started service 7 …
 *                 ^  ^  ^  ^                       two characters that end in no such four: on by three
 *
 * Four characters that are found name the hints they belong to; only those are tried. The search is that of Wu and Manber, with windows of four
 * characters and shifts by two.
 *
 * Source: Wu, Manber: A fast algorithm for multi-pattern searching, TR-94-17, 1994
 */
import { LineCodes } from '../text/line-codes.js';
import { literalsOf } from './literals.js';

/** Characters of a window. */
const WINDOW = 4;
/** Bits of a character that tell it from others: all of ASCII; what is beyond may pass for some of it, and is tried in vain. */
const BITS = 7;
const MASK = 2 ** BITS - 1;

/** A hint, and the text around its window that tells it. */
interface Sought {
  readonly hint: number;
  readonly text: string;
  /** Codes of the text. */
  readonly codes: Uint8Array;
  /** Characters of the text before the window. */
  readonly before: number;
  /** The text is all that the hint asks for. */
  readonly isWhole: boolean;
}

/** Hints, and how to find those of a line. */
export class HintIndex {
  readonly #patterns: readonly RegExp[];
  /** By two characters: how far the window may go on when it ends in them. */
  readonly #shifts = new Uint8Array(2 ** (2 * BITS)).fill(WINDOW - 1);
  /** By four characters: what is looked for by them. */
  readonly #sought = new Map<number, Sought[]>();
  /** The search in which each hint was found last. */
  readonly #found: Uint32Array;
  readonly #codes = new LineCodes();
  #search = 0;
  #last: number[] = [];

  /**
   * @param hints  sources of regular expressions
   * @throws Error when what matches one of them need not hold four characters in a row
   */
  constructor(hints: readonly string[]) {
    this.#patterns = hints.map((hint) => new RegExp(hint));
    this.#found = new Uint32Array(hints.length);
    for (const [index, hint] of hints.entries()) {
      for (const { text, isWhole } of literalsOf(hint)) {
        if (text.length < WINDOW) throw new Error(`/${hint}/ has no text to look for`);
        const codes = Uint8Array.from(text, (char) => char.charCodeAt(0) & MASK);
        this.#add({ hint: index, text, codes, before: rarest(text), isWhole });
      }
    }
  }

  #add(sought: Sought): void {
    const window = sought.text.slice(sought.before, sought.before + WINDOW);
    const key = [0, 1, 2, 3].reduce((sum, at) => (sum << BITS) | codeAt(window, at), 0);
    const others = this.#sought.get(key);
    if (others === undefined) this.#sought.set(key, [sought]);
    else others.push(sought);
    for (let at = 0; at < WINDOW - 1; at++) {
      const pair = (codeAt(window, at) << BITS) | codeAt(window, at + 1);
      this.#shifts[pair] = Math.min(this.#shifts[pair]!, WINDOW - 2 - at);
    }
  }

  /**
   * Numbers of the hints that a line matches, ascending.
   * @param codes  those of the line, where they are known
   * @returns the same list until another line is asked for; not to be kept
   * @remarks cost a third of the characters, and a try for each hint whose text is in the line
   */
  matching(text: string, codes: LineCodes = this.#codes.set(text)): readonly number[] {
    // Nearly all lines match none and get the same empty list.
    if (this.#last.length > 0) this.#last = [];
    const { bytes } = codes;
    const end = codes.length - 1;
    const shifts = this.#shifts;
    for (let at = WINDOW - 2; at < end;) {
      const pair = (bytes[at]! << BITS) | bytes[at + 1]!;
      const shift = shifts[pair]!;
      if (shift === 0) {
        const front = (bytes[at - 2]! << BITS) | bytes[at - 1]!;
        const found = this.#sought.get((front << (2 * BITS)) | pair);
        if (found !== undefined) this.#try(found, text, codes, at - 2);
        at++;
      } else at += shift;
    }
    if (this.#last.length > 1) this.#last.sort((left, right) => left - right);
    this.#search = (this.#search + 1) >>> 0;
    return this.#last;
  }

  /** Tries what is looked for by a window that begins at `start`. */
  #try(found: readonly Sought[], text: string, codes: LineCodes, start: number): void {
    for (const sought of found) {
      const { hint, before } = sought;
      if (this.#found[hint] === this.#search + 1) continue;
      if (!holds(codes, start - before, sought.codes)) continue;
      if (!codes.isAscii && !text.startsWith(sought.text, start - before)) continue;
      if (!sought.isWhole && !this.#patterns[hint]!.test(text)) continue;
      this.#found[hint] = this.#search + 1;
      this.#last.push(hint);
    }
  }
}

function holds({ bytes, length }: LineCodes, start: number, sought: Uint8Array): boolean {
  if (start < 0 || start + sought.length > length) return false;
  for (let at = 0; at < sought.length; at++) {
    if (bytes[start + at] !== sought[at]) return false;
  }
  return true;
}

function codeAt(text: string, at: number): number {
  return text.charCodeAt(at) & MASK;
}

/** How common characters are in logs: those of addresses most of all, then those of words. */
function commonness(text: string): number {
  return (
    text.length + text.replace(/[^0-9a-z ]/g, '').length + text.replace(/[^0-9a-fx]/g, '').length
  );
}

/** Where the window begins that other lines are least likely to hold, and to end in two characters of. */
function rarest(text: string): number {
  let best = 0;
  let least = Infinity;
  for (let at = 0; at + WINDOW <= text.length; at++) {
    const window = text.slice(at, at + WINDOW);
    const common = commonness(window) + 2 * commonness(window.slice(-2));
    if (common <= least) [best, least] = [at, common];
  }
  return best;
}
