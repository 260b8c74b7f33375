/**
 * Names of an object's properties as they lie in bytes: a block that objects of one shape have in common, so it is made once
 * and copied, and once read it is known again.
 *
 * ```
 *   block := (form byte, bytes 4, text)...     in order of the object
 * ```
 * Both tables are small and forget whatever else hashes to the same place: a program has few shapes, and one of many loses
 * time only. What is found is compared name by name, or byte by byte, so no two shapes are ever taken for each other.
 */
import { bytesOf, formOf, readText, textBytes, writeText } from '#text';
// By its path, not as `#text`: a type that the main entry reaches must resolve for compilers that know no package imports.
import type { TextBytes } from '../text/text.node.js';

const PLACES = 256;
/** Longer blocks are not kept, in bytes. */
const MAX_KEPT = 2048;
/** Blocks of so many bytes are copied in one call; it costs more for shorter ones. */
const BULK = 48;
const HEAD = 5;

/** Names and their block. */
export interface ObjectNames {
  readonly names: readonly string[];
  readonly block: TextBytes;
  /** One of them is `__proto__`, which no assignment makes a property. */
  readonly hasProto: boolean;
}

const written: (ObjectNames | undefined)[] = new Array<undefined>(PLACES).fill(undefined);
const known: (ObjectNames | undefined)[] = new Array<undefined>(PLACES).fill(undefined);

/** The block of these names. */
export function blockOf(names: readonly string[]): ObjectNames {
  const place = placeOfNames(names);
  const last = written[place];
  if (last !== undefined && areSame(last.names, names)) return last;
  const made = { names, block: makeBlock(names), hasProto: names.includes('__proto__') };
  if (made.block.length <= MAX_KEPT) written[place] = made;
  return made;
}

/** The names of the block that lies here. */
export function namesIn(from: TextBytes, offset: number, bytes: number): ObjectNames {
  const place = placeOfBytes(from, offset, bytes);
  const last = known[place];
  if (last !== undefined && isHere(last.block, from, offset, bytes)) return last;
  const names = readBlock(from, offset, bytes);
  const block = textBytes(new ArrayBuffer(bytes), 0, bytes);
  block.set(from.subarray(offset, offset + bytes));
  const read = { names, block, hasProto: names.includes('__proto__') };
  if (bytes <= MAX_KEPT) known[place] = read;
  return read;
}

/** Copies a block; there must be room. */
export function copyBlock({ block }: ObjectNames, to: Uint8Array, offset: number): void {
  const { length } = block;
  if (length > BULK) to.set(block, offset);
  else for (let i = 0; i < length; i += 1) to[offset + i] = block[i]!;
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

function placeOfBytes(from: Uint8Array, offset: number, bytes: number): number {
  if (bytes === 0) return 0;
  const end = offset + bytes;
  return (
    (bytes * 31 + from[offset + HEAD]! + 5 * from[end - 1]! + 9 * from[end - 2]!) & (PLACES - 1)
  );
}

function isHere(block: Uint8Array, from: Uint8Array, offset: number, bytes: number): boolean {
  if (block.length !== bytes) return false;
  for (let i = 0; i < bytes; i += 1) if (block[i] !== from[offset + i]) return false;
  return true;
}

function makeBlock(names: readonly string[]): TextBytes {
  let room = 0;
  for (const name of names) room += HEAD + bytesOf(name, formOf(name));
  const block = textBytes(new ArrayBuffer(room), 0, room);
  let at = 0;
  for (const name of names) {
    const form = formOf(name);
    const end = writeText(block, name, at + HEAD, form);
    block[at] = form;
    writeInt(block, at + 1, end - at - HEAD);
    at = end;
  }
  return block.subarray(0, at);
}

function readBlock(from: TextBytes, offset: number, bytes: number): string[] {
  const names: string[] = [];
  for (let at = offset; at < offset + bytes;) {
    const length = readInt(from, at + 1);
    names.push(readText(from, at + HEAD, length, from[at]!));
    at += HEAD + length;
  }
  return names;
}

/** Writes 32 bits, lowest byte first. */
export function writeInt(to: Uint8Array, at: number, value: number): void {
  to[at] = value;
  to[at + 1] = value >>> 8;
  to[at + 2] = value >>> 16;
  to[at + 3] = value >>> 24;
}

/** Reads them. */
export function readInt(from: Uint8Array, at: number): number {
  return from[at]! | (from[at + 1]! << 8) | (from[at + 2]! << 16) | (from[at + 3]! << 24);
}
