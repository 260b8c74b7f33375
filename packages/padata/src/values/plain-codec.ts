/**
 * Plain data in shared bytes: what JSON can say and a little more (undefined, NaN, -0, bytes), without a
 * message and without text.
 *
 * A value that is more than that (class instances, Map, Date, BigInt, functions, cycles, an object met
 * twice, sparse arrays, too deep) is refused, and goes by structured clone. So the receiver cannot tell which way a
 * value took.
 *
 * ```
 *  value := head word: tag 4 bits | payload 28 bits, then by tag
 *    UNDEFINED, NULL, FALSE, TRUE nothing | INT nothing, the payload is it | INT32 a word | FLOAT two
 *    LATIN1, UTF16, UTF8 payload bytes of text | BYTES payload bytes | ARRAY payload values
 *    OBJECT payload words of names (`object-names.ts`), a value for each | PARTIAL the same, or ABSENT for one
 * ```
 * All of it is whole words: one store is a head, a number, or four units of a short text. What lies behind the bytes of a
 * text or of BYTES in their last word means nothing.
 */
import { bytesOf, formOf, readText, writeText } from '#text';
import { defineOwn } from '../base/own-property.js';
import { readShort, writeShort } from './short-text.js';
import { SHORT, TextForm } from '../text/text-form.js';
import { isBytes, isDetached, lengthOf } from './views.js';
import { blockOf, copyBlock, isOtherRoot, namesIn, shapeOf } from './object-names.js';
import type { PlainRoom } from './object-names.js';
import { isForeign } from './job-bytes.js';
import type { GivenBytes } from './job-bytes.js';

const TAG = {
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  INT: 4,
  INT32: 5,
  FLOAT: 6,
  /** The first of the forms of text, in their order. */
  TEXT: 7,
  ARRAY: 10,
  OBJECT: 11,
  BYTES: 12,
  /** An object of whose values some are ABSENT. */
  PARTIAL: 13,
  /** In place of a value: there is no such property. */
  ABSENT: 14,
} as const;
const TAG_BITS = 4;
const TAG_MASK = (1 << TAG_BITS) - 1;
/** A head and a float: room for any value but its contents. */
const MOST_HEAD = 3;
/** Of so many words no payload tells. */
const TOO_MANY = 1 << 26;
/** Deeper ones go by structured clone, which says what is too deep for it. */
const MAX_DEPTH = 256;
/** So many objects are compared one by one for being met twice; more of them by a set. */
const FEW = 12;

/** Why nothing was written: the value is more than plain; or there is not enough room. */
export const NOT_PLAIN = -1;
export const NO_ROOM = -2;

const floatBox = new Float64Array(1);
const floatWords = new Int32Array(floatBox.buffer);
const { getPrototypeOf, keys, values, prototype: ROOT } = Object;
const { isArray } = Array;

const NOWHERE: PlainRoom = { text: undefined as never, words: new Int32Array(0) };
let room = NOWHERE;
let words = NOWHERE.words;
/** In words. */
let at = 0;
let end = 0;
let failure = NOT_PLAIN;
/** Whose result is written. */
let job: GivenBytes | undefined;
/** The first of what was met; behind them lies nothing of a value's. */
let met: object[] = noObjects();
let metCount = 0;
let metMany: Set<object> | undefined;
let writing = false;
let bytesCount = 0;

/**
 * Writes a value.
 * @param value  anything
 * @param to     where to write
 * @param offset first byte, a multiple of four
 * @param limit  end of the room in bytes
 * @param of     the job whose result it is; bytes that it was not given are more than plain
 * @returns end of what was written, or NOT_PLAIN or NO_ROOM; the room's contents are then undefined
 * @throws whatever reading the value's properties throws
 */
export function encodePlain(
  value: unknown,
  to: PlainRoom,
  offset: number,
  limit: number,
  of?: GivenBytes,
): number {
  // A getter of a value that is being written may have come here: that one goes on afterwards.
  const outer = writing ? { room, words, at, end, met, metCount, metMany, job } : undefined;
  if (outer !== undefined) met = noObjects();
  metCount = 0;
  room = to;
  words = to.words;
  at = offset >> 2;
  end = limit >> 2;
  job = of;
  metMany = undefined;
  writing = true;
  try {
    return write(value, 0) ? at * 4 : failure;
  } finally {
    if (outer !== undefined) ({ room, words, at, end, met, metCount, metMany, job } = outer);
    else {
      writing = false;
      metMany = undefined;
      // The value is the program's: nothing here keeps it.
      for (let i = 0; i < metCount; i += 1) met[i] = met;
    }
  }
}

/** How often bytes were written in plain data, ever. */
export const bytesWritten = (): number => bytesCount;

function noObjects(): object[] {
  const none: object[] = [];
  for (let i = 0; i < FEW; i += 1) none.push(none);
  return none;
}

/** Reads the value that starts at `offset`, a multiple of four. */
export function decodePlain(from: PlainRoom, offset: number): unknown {
  const before = room;
  const beforeAt = at;
  room = from;
  words = from.words;
  at = offset >> 2;
  const value = read();
  // A getter of a value that is being written may have come here.
  room = before;
  words = before.words;
  at = beforeAt;
  return value;
}

function isMore(): false {
  failure = NOT_PLAIN;
  return false;
}

/** Is there room for so many words? */
function fits(count: number): boolean {
  if (at + count <= end && count < TOO_MANY) return true;
  failure = count < TOO_MANY ? NO_ROOM : NOT_PLAIN;
  return false;
}

function write(value: unknown, depth: number): boolean {
  if (at + MOST_HEAD > end) {
    failure = NO_ROOM;
    return false;
  }
  switch (typeof value) {
    case 'undefined':
      words[at++] = TAG.UNDEFINED;
      return true;
    case 'boolean':
      words[at++] = value ? TAG.TRUE : TAG.FALSE;
      return true;
    case 'number':
      writeNumber(value);
      return true;
    case 'string':
      return writeString(value);
    case 'object':
      if (value === null) {
        words[at++] = TAG.NULL;
        return true;
      }
      return writeObject(value, depth);
    default:
      return isMore();
  }
}

function writeNumber(value: number): void {
  const int = value | 0;
  if (int === value && (int !== 0 || 1 / value > 0)) {
    if ((int << TAG_BITS) >> TAG_BITS === int) words[at++] = (int << TAG_BITS) | TAG.INT;
    else {
      words[at] = TAG.INT32;
      words[at + 1] = int;
      at += 2;
    }
    return;
  }
  floatBox[0] = value;
  words[at] = TAG.FLOAT;
  words[at + 1] = floatWords[0]!;
  words[at + 2] = floatWords[1]!;
  at += 3;
}

function writeString(text: string): boolean {
  const { length } = text;
  if (length <= SHORT) {
    const count = (length + 3) >> 2;
    if (!fits(1 + count)) return false;
    if (writeShort(words, at + 1, text)) {
      words[at] = (length << TAG_BITS) | (TAG.TEXT + TextForm.LATIN1);
      at += 1 + count;
      return true;
    }
  }
  const form = formOf(text);
  if (!fits(2 + (bytesOf(text, form) >> 2))) return false;
  const start = (at + 1) * 4;
  const bytes = writeText(room.text, text, start, form) - start;
  words[at] = (bytes << TAG_BITS) | (TAG.TEXT + form);
  at += 1 + ((bytes + 3) >> 2);
  return true;
}

/** Was the object met before? Else it is now. */
function isMetTwice(value: object): boolean {
  if (metMany !== undefined) {
    const before = metMany.size;
    return metMany.add(value).size === before;
  }
  for (let i = 0; i < metCount; i += 1) if (met[i] === value) return true;
  met[metCount++] = value;
  if (metCount === FEW) metMany = new Set(met);
  return false;
}

function writeObject(value: object, depth: number): boolean {
  if (depth >= MAX_DEPTH || isMetTwice(value)) return isMore();
  if (isArray(value)) return writeArray(value, depth);
  if (ArrayBuffer.isView(value)) return writeBytes(value);
  const prototype: unknown = getPrototypeOf(value);
  if (prototype !== ROOT && !isOtherRoot(prototype)) return isMore();
  const shape = prototype === ROOT ? shapeOf(value) : blockOf(keys(value));
  const { length } = shape.block;
  if (!fits(1 + length)) return false;
  const head = at;
  words[head] = (length << TAG_BITS) | TAG.OBJECT;
  copyBlock(shape, words, at + 1);
  at += 1 + length;
  return writeProperties(value as Record<string, unknown>, shape.names, depth, head);
}

function writeProperties(
  record: Record<string, unknown>,
  names: readonly string[],
  depth: number,
  head: number,
): boolean {
  let i = 0;
  for (const name in record) {
    if (name !== names[i]) break;
    i += 1;
    if (!write(record[name], depth + 1)) return false;
  }
  // A getter took properties away: a clone goes on with those that are there.
  for (; i < names.length; i += 1) {
    const isThere = Object.hasOwn(record, names[i]!);
    if (isThere && !write(record[names[i]!], depth + 1)) return false;
    if (isThere) continue;
    if (!fits(1)) return false;
    words[at++] = TAG.ABSENT;
    words[head] = (words[head]! & ~TAG_MASK) | TAG.PARTIAL;
  }
  return true;
}

function writeArray(value: unknown[], depth: number): boolean {
  const { length } = value;
  // Holes and extra properties are for structured clone. A list of all keys would have each index as text.
  const items: unknown[] = values(value);
  if (items.length !== length) return isMore();
  if (length >= TOO_MANY || !fits(1)) return isMore();
  words[at++] = (length << TAG_BITS) | TAG.ARRAY;
  for (let i = 0; i < length; i += 1) {
    // As many extra properties as holes make the count right.
    if (!(i in value)) return isMore();
    if (!write(items[i], depth + 1)) return false;
  }
  return true;
}

function writeBytes(view: ArrayBufferView): boolean {
  // Other views keep their type by structured clone. It makes Uint8Arrays of Buffers too.
  if (!isBytes(view) || isForeign(view, job) || isDetached(view)) return isMore();
  const length = lengthOf(view);
  const count = (length + 3) >> 2;
  if (!fits(1 + count)) return false;
  bytesCount += 1;
  words[at] = (length << TAG_BITS) | TAG.BYTES;
  room.text.set(view, (at + 1) * 4);
  at += 1 + count;
  return true;
}

function read(): unknown {
  const head = words[at++]!;
  switch (head & TAG_MASK) {
    case TAG.UNDEFINED:
      return undefined;
    case TAG.NULL:
      return null;
    case TAG.FALSE:
      return false;
    case TAG.TRUE:
      return true;
    case TAG.INT:
      return head >> TAG_BITS;
    case TAG.INT32:
      return words[at++]!;
    case TAG.FLOAT:
      floatWords[0] = words[at]!;
      floatWords[1] = words[at + 1]!;
      at += 2;
      return floatBox[0];
    case TAG.ARRAY:
      return readArray(head >>> TAG_BITS);
    case TAG.OBJECT:
      return readObject(head >>> TAG_BITS);
    case TAG.PARTIAL:
      return readPartial(head >>> TAG_BITS);
    case TAG.BYTES:
      return readBytes(head >>> TAG_BITS);
    default:
      return readString(head >>> TAG_BITS, (head & TAG_MASK) - TAG.TEXT);
  }
}

function readString(bytes: number, form: number): string {
  const first = at;
  at += (bytes + 3) >> 2;
  return bytes <= SHORT && form === TextForm.LATIN1
    ? readShort(words, first, bytes)
    : readText(room.text, first * 4, bytes, form);
}

function readArray(count: number): unknown[] {
  // Their elements are made in one piece; `push` makes room for 17.
  switch (count) {
    case 0:
      return [];
    case 1:
      return [read()];
    case 2:
      return [read(), read()];
    case 3:
      return [read(), read(), read()];
    case 4:
      return [read(), read(), read(), read()];
    default: {
      const list: unknown[] = [];
      for (let i = 0; i < count; i += 1) list.push(read());
      return list;
    }
  }
}

function readBytes(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  bytes.set(room.text.subarray(at * 4, at * 4 + count));
  at += (count + 3) >> 2;
  return bytes;
}

function readObject(count: number): unknown {
  const { names, template } = namesIn(room, at, count);
  at += count;
  const isBare = template === undefined;
  const record = isBare ? {} : template.copy(template.object);
  const { length } = names;
  for (let i = 0; i < length; i += 1) {
    const name = names[i]!;
    // Of a bare one, an assignment may do something else than make a property.
    if (isBare && name in ROOT) defineOwn(record, name, read());
    else record[name] = read();
  }
  return record;
}

function readPartial(count: number): unknown {
  const { names } = namesIn(room, at, count);
  at += count;
  const record = {};
  for (const name of names) {
    if (words[at] === TAG.ABSENT) at += 1;
    else defineOwn(record, name, read());
  }
  return record;
}
