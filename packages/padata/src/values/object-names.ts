/**
 * Names of an object's properties as they lie in words: a block that objects of one shape have in common, so it is made once
 * and copied, and once read it is known again.
 *
 * ```
 *   block := (form 4 bits | bytes 28 bits, text, zeros to the end of its word)...     in order of the object
 * ```
 * Both tables are small and forget whatever else hashes to the same place: a program has few shapes, and one of many loses
 * time only. What is found is compared name by name, or word by word, so no two shapes are ever taken for each other.
 *
 * Objects come in the same order again and again, so whoever writes tries the shape that came behind the last one first
 * (`shapeOf`). It looks at the names where they are: `Object.keys` makes a list, and reading a property by a name from a
 * list is a search, where in a `for in` of its own object it is none.
 */
import { bytesOf, formOf, readText, textBytes, writeText } from '#text';
import { templateOf } from './templates.js';
import type { Template } from './templates.js';
// By its path, not as `#text`: a type that the main entry reaches must resolve for compilers that know no package imports.
import type { TextBytes } from '../text/text.node.js';

const { getPrototypeOf } = Object;

const PLACES = 256;
/** Longer blocks are not kept, in words. */
const MAX_KEPT = 512;
/** Blocks of so many words are copied in one call; it costs more for shorter ones. */
const BULK = 64;
/** A shape that is read so many times gets a template. */
const OFTEN = 16;
const FORM_BITS = 4;
const FORM_MASK = (1 << FORM_BITS) - 1;

/** Bytes that values are written to and read from, as bytes and as words: both begin with the same byte. */
export interface PlainRoom {
  readonly text: TextBytes;
  readonly words: Int32Array;
}

/** Such bytes of one's own. */
export function plainRoom(bytes: number): PlainRoom {
  const memory = new ArrayBuffer(bytes);
  return { text: textBytes(memory, 0, bytes), words: new Int32Array(memory, 0, bytes >> 2) };
}

/** Names and their block. */
export interface ObjectNames {
  readonly names: readonly string[];
  readonly block: Int32Array;
}

/** The same, of objects that are read. */
export interface KnownNames extends ObjectNames {
  /** Times that it was read, up to `OFTEN`. */
  uses: number;
  /** An object with these names, for a shape that is read often. */
  template: Template | undefined;
}

const written: (ObjectNames | undefined)[] = new Array<undefined>(PLACES).fill(undefined);
const known: (KnownNames | undefined)[] = new Array<undefined>(PLACES).fill(undefined);
/** Where the shape is that came behind the one at this place. */
const followers = new Uint8Array(PLACES);
/** Where the shape is that came last. */
let lastPlace = 0;

/** The names of an object's own properties and their block. Reads no property. @param value a plain object of this realm */
export function shapeOf(value: object): ObjectNames {
  const guess = followers[lastPlace]!;
  const shape = written[guess];
  if (shape !== undefined && hasNames(value, shape.names)) {
    lastPlace = guess;
    return shape;
  }
  return blockOf(Object.keys(value));
}

/** The block of these names. */
export function blockOf(names: readonly string[]): ObjectNames {
  const place = placeOfNames(names);
  followers[lastPlace] = place;
  lastPlace = place;
  const last = written[place];
  if (last !== undefined && areSame(last.names, names)) return last;
  const made = { names, block: makeBlock(names) };
  if (made.block.length <= MAX_KEPT) written[place] = made;
  return made;
}

/** The names of the block of so many words that lies here. */
export function namesIn(from: PlainRoom, at: number, count: number): KnownNames {
  const { words } = from;
  const place = placeOfWords(words, at, count);
  const last = known[place];
  if (last !== undefined && isHere(last.block, words, at, count)) {
    if (last.uses < OFTEN && (last.uses += 1) === OFTEN) last.template = templateOf(last.names);
    return last;
  }
  const names = readBlock(from, at, count);
  const block = new Int32Array(count);
  block.set(words.subarray(at, at + count));
  const read = { names, block, uses: 1, template: undefined };
  if (count <= MAX_KEPT) known[place] = read;
  return read;
}

/** Copies a block; there must be room. */
export function copyBlock({ block }: ObjectNames, to: Int32Array, at: number): void {
  const { length } = block;
  if (length > BULK) to.set(block, at);
  else for (let i = 0; i < length; i += 1) to[at + i] = block[i]!;
}

/** Are these all names of its own properties, in this order? */
function hasNames(value: object, names: readonly string[]): boolean {
  const { length } = names;
  let i = 0;
  for (const name in value) {
    if (i === length || name !== names[i]) return false;
    i += 1;
  }
  return i === length && !isRootEnumerable();
}

/** Would `for in` give names that are not the object's own? Some program has made properties for all objects then. */
function isRootEnumerable(): boolean {
  for (const _ in Object.prototype) return true;
  return false;
}

function placeOfNames(names: readonly string[]): number {
  const { length } = names;
  if (length === 0) return 0;
  const first = names[0]!;
  const last = names[length - 1]!;
  const ends = first.charCodeAt(0) + 5 * last.charCodeAt(last.length - 1);
  return (length * 31 + first.length * 7 + last.length * 13 + (ends | 0)) & (PLACES - 1);
}

function areSame(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

function placeOfWords(words: Int32Array, at: number, count: number): number {
  if (count === 0) return 0;
  const ends = words[at]! ^ (words[at + (count >> 1)]! * 3) ^ (words[at + count - 1]! * 5);
  return Math.imul(ends + count, 0x9e3779b1) >>> 24;
}

function isHere(block: Int32Array, words: Int32Array, at: number, count: number): boolean {
  if (block.length !== count) return false;
  for (let i = 0; i < count; i += 1) if (block[i] !== words[at + i]) return false;
  return true;
}

function makeBlock(names: readonly string[]): Int32Array {
  let bytes = 0;
  for (const name of names) bytes += 4 + padded(bytesOf(name, formOf(name)));
  const { text, words } = plainRoom(bytes);
  let at = 0;
  for (const name of names) {
    const form = formOf(name);
    const start = (at + 1) * 4;
    const length = writeText(text, name, start, form) - start;
    words[at] = (length << FORM_BITS) | form;
    at += 1 + (padded(length) >> 2);
  }
  return words.subarray(0, at);
}

function readBlock({ text, words }: PlainRoom, from: number, count: number): string[] {
  const names: string[] = [];
  for (let at = from; at < from + count;) {
    const head = words[at]!;
    const length = head >>> FORM_BITS;
    names.push(readText(text, (at + 1) * 4, length, head & FORM_MASK));
    at += 1 + (padded(length) >> 2);
  }
  return names;
}

function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}

/** A plain object's prototype is the root of its realm: it has no prototype itself. */
export function isOtherRoot(prototype: unknown): boolean {
  if (prototype === null || getPrototypeOf(prototype) !== null) return false;
  return (prototype as { constructor?: { name?: string } }).constructor?.name === 'Object';
}
