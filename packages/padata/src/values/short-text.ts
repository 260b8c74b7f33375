/**
 * Short text of one byte a unit in words, lowest byte first, zeros to the end of the last. Texts that were read lately are
 * known again by their words: what is short is often one of few, and making a string costs more than comparing three words.
 */
import { SHORT } from '../text/text-form.js';

const PLACES = 256;
/** Words of a place: those of the text, and its length. */
const ENTRY = 4;
const WORDS = SHORT >> 2;

const texts: string[] = new Array<string>(PLACES).fill('');
/** What lies there; a place that nothing was put in has the length of no text. */
const entries = new Int32Array(PLACES * ENTRY).fill(-1);
const { fromCharCode } = String;

/**
 * Writes a text of at most `SHORT` units; there must be room.
 * @returns false when it has a unit above 255: nothing that lies there means anything then
 */
export function writeShort(words: Int32Array, at: number, text: string): boolean {
  const { length } = text;
  let to = at;
  let word = 0;
  let shift = 0;
  let all = 0;
  for (let i = 0; i < length; i += 1) {
    const unit = text.charCodeAt(i);
    all |= unit;
    word |= unit << shift;
    shift += 8;
    if (shift < 32) continue;
    words[to++] = word;
    word = 0;
    shift = 0;
  }
  if (shift > 0) words[to] = word;
  return all < 256;
}

/** Reads it. @param length units, at most `SHORT` */
export function readShort(words: Int32Array, at: number, length: number): string {
  if (length < 2) return length === 0 ? '' : fromCharCode(words[at]! & 255);
  const a = words[at]!;
  const b = length > 4 ? words[at + 1]! : 0;
  const c = length > 8 ? words[at + 2]! : 0;
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  const place = Math.imul(mixed, 0x9e3779b1) >>> 24;
  const entry = place * ENTRY;
  if (
    entries[entry] === a &&
    entries[entry + 1] === b &&
    entries[entry + 2] === c &&
    entries[entry + WORDS] === length
  ) {
    return texts[place]!;
  }
  const text = make(a, b, c, length);
  texts[place] = text;
  entries[entry] = a;
  entries[entry + 1] = b;
  entries[entry + 2] = c;
  entries[entry + WORDS] = length;
  return text;
}

function make(a: number, b: number, c: number, length: number): string {
  if (length <= 4) return part(a, length);
  if (length <= 8) return part(a, 4) + part(b, length - 4);
  return part(a, 4) + part(b, 4) + part(c, length - 8);
}

/** The first units of a word, 1 to 4. */
function part(word: number, length: number): string {
  const first = word & 255;
  const second = (word >>> 8) & 255;
  if (length === 1) return fromCharCode(first);
  if (length === 2) return fromCharCode(first, second);
  const third = (word >>> 16) & 255;
  return length === 3
    ? fromCharCode(first, second, third)
    : fromCharCode(first, second, third, word >>> 24);
}
