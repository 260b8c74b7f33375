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
  #search = 0;
  #lastText = '';
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
        this.#add({ hint: index, text, before: rarest(text), isWhole });
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
   * @returns the same list until another line is asked for; not to be kept
   * @remarks cost a third of the characters, and a try for each hint whose text is in the line
   */
  matching(text: string): readonly number[] {
    if (text === this.#lastText) return this.#last;
    this.#lastText = text;
    // Nearly all lines match none and get the same empty list.
    if (this.#last.length > 0) this.#last = [];
    const end = text.length - 1;
    const shifts = this.#shifts;
    for (let at = WINDOW - 2; at < end;) {
      const pair = (codeAt(text, at) << BITS) | codeAt(text, at + 1);
      const shift = shifts[pair]!;
      if (shift === 0) {
        this.#try(text, at - 2, pair);
        at++;
      } else at += shift;
    }
    if (this.#last.length > 1) this.#last.sort((left, right) => left - right);
    this.#search = (this.#search + 1) >>> 0;
    return this.#last;
  }

  /** What is looked for by the window that begins at `start` and ends in `pair`. */
  #try(text: string, start: number, pair: number): void {
    const front = (codeAt(text, start) << BITS) | codeAt(text, start + 1);
    const found = this.#sought.get((front << (2 * BITS)) | pair);
    if (found === undefined) return;
    for (const sought of found) {
      const { hint } = sought;
      if (this.#found[hint] === this.#search + 1) continue;
      if (!text.startsWith(sought.text, start - sought.before)) continue;
      if (!sought.isWhole && !this.#patterns[hint]!.test(text)) continue;
      this.#found[hint] = this.#search + 1;
      this.#last.push(hint);
    }
  }
}

function codeAt(text: string, at: number): number {
  return text.charCodeAt(at) & MASK;
}

/** Where the four characters begin that other lines are least likely to hold: small letters and blanks are common. */
function rarest(text: string): number {
  let best = 0;
  let least = Infinity;
  for (let at = 0; at + WINDOW <= text.length; at++) {
    const common = text.slice(at, at + WINDOW).replace(/[^a-z ]/g, '').length;
    if (common < least) [best, least] = [at, common];
  }
  return best;
}
