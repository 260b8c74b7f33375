/**
 * Plain data in shared bytes: what JSON can say and a little more (undefined, NaN, -0, bytes), without a
 * message and without text.
 *
 * A value that is more than that (class instances, Map, Date, BigInt, functions, cycles, an object met
 * twice, sparse arrays, too deep) is refused, and goes by structured clone. So the receiver cannot tell which way a
 * value took.
 *
 * ```
 *  value := tag byte, then:  INT 4 bytes | FLOAT 8 | LATIN1, UTF16, UTF8 bytes 4, text | ARRAY count 4, values
 *                            OBJECT bytes 4, block of names (`object-names.ts`), a value for each | BYTES count 4, bytes
 * ```
 */
import { bytesOf, formOf, readText, writeText } from '#text';
// By its path, not as `#text`: a type that the main entry reaches must resolve for compilers that know no package imports.
import type { TextBytes } from '../text/text.node.js';
import { blockOf, copyBlock, namesIn, readInt, writeInt } from './object-names.js';

const TAG = {
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  INT: 4,
  FLOAT: 5,
  /** The first of the forms of text, in their order. */
  TEXT: 6,
  ARRAY: 9,
  OBJECT: 10,
  BYTES: 11,
} as const;
/** Deeper ones go by structured clone, which says what is too deep for it. */
const MAX_DEPTH = 256;
/** So many objects are compared one by one for being met twice; more of them by a set. */
const FEW = 12;

/** Why nothing was written: the value is more than plain; or there is not enough room. */
export const NOT_PLAIN = -1;
export const NO_ROOM = -2;

const floatBox = new Float64Array(1);
const floatBytes = new Uint8Array(floatBox.buffer);
const { getPrototypeOf, keys, prototype: ROOT } = Object;
const { isArray } = Array;

let out: TextBytes;
let at = 0;
let end = 0;
let failure = NOT_PLAIN;
let met: object[] = [];
let metMany: Set<object> | undefined;
let writing = false;

/**
 * Writes a value.
 * @param value  anything
 * @param bytes  where to write
 * @param offset first byte
 * @param limit  end of the room
 * @returns end of what was written, or NOT_PLAIN or NO_ROOM; the room's contents are then undefined
 * @throws whatever reading the value's properties throws
 */
export function encodePlain(
  value: unknown,
  bytes: TextBytes,
  offset: number,
  limit: number,
): number {
  // A getter of a value that is being written may have come here: that one goes on afterwards.
  const outer = writing ? { out, at, end, met, metMany } : undefined;
  if (outer !== undefined) met = [];
  out = bytes;
  at = offset;
  end = limit;
  metMany = undefined;
  writing = true;
  try {
    return write(value, 0) ? at : failure;
  } finally {
    if (outer !== undefined) ({ out, at, end, met, metMany } = outer);
    else {
      writing = false;
      metMany = undefined;
      if (met.length > 0) met = [];
    }
  }
}

/** Reads the value that starts at `offset`. */
export function decodePlain(bytes: TextBytes, offset: number): unknown {
  const before = out;
  const beforeAt = at;
  out = bytes;
  at = offset;
  const value = read();
  // A getter of a value that is being written may have come here.
  out = before;
  at = beforeAt;
  return value;
}

function isMore(): false {
  failure = NOT_PLAIN;
  return false;
}

/** Is there room for so many bytes? */
function fits(bytes: number): boolean {
  if (at + bytes <= end) return true;
  failure = NO_ROOM;
  return false;
}

function write(value: unknown, depth: number): boolean {
  if (!fits(9)) return false;
  switch (typeof value) {
    case 'undefined':
      out[at++] = TAG.UNDEFINED;
      return true;
    case 'boolean':
      out[at++] = value ? TAG.TRUE : TAG.FALSE;
      return true;
    case 'number':
      writeNumber(value);
      return true;
    case 'string':
      return writeString(value);
    case 'object':
      if (value === null) {
        out[at++] = TAG.NULL;
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
    out[at] = TAG.INT;
    writeInt(out, at + 1, int);
    at += 5;
    return;
  }
  out[at] = TAG.FLOAT;
  floatBox[0] = value;
  for (let i = 0; i < 8; i += 1) out[at + 1 + i] = floatBytes[i]!;
  at += 9;
}

function writeString(text: string): boolean {
  const form = formOf(text);
  if (!fits(5 + bytesOf(text, form))) return false;
  const behind = writeText(out, text, at + 5, form);
  out[at] = TAG.TEXT + form;
  writeInt(out, at + 1, behind - at - 5);
  at = behind;
  return true;
}

/** Was the object met before? Else it is now. */
function isMetTwice(value: object): boolean {
  if (met.length < FEW) {
    if (met.includes(value)) return true;
    met.push(value);
    return false;
  }
  metMany ??= new Set(met);
  if (metMany.has(value)) return true;
  metMany.add(value);
  return false;
}

function writeObject(value: object, depth: number): boolean {
  if (depth >= MAX_DEPTH || isMetTwice(value)) return isMore();
  if (isArray(value)) return writeArray(value, depth);
  if (ArrayBuffer.isView(value)) return writeBytes(value);
  if (!isPlainObject(value)) return isMore();
  const names = keys(value);
  const shape = blockOf(names);
  const { length } = shape.block;
  if (!fits(5 + length)) return false;
  out[at] = TAG.OBJECT;
  writeInt(out, at + 1, length);
  copyBlock(shape, out, at + 5);
  at += 5 + length;
  const record = value as Record<string, unknown>;
  for (const name of names) {
    if (!write(record[name], depth + 1)) return false;
  }
  return true;
}

/** A plain object's prototype is the root of its realm: it has no prototype itself. */
function isPlainObject(value: object): boolean {
  const prototype: unknown = getPrototypeOf(value);
  if (prototype === ROOT) return true;
  if (prototype === null || getPrototypeOf(prototype) !== null) return false;
  const own = (prototype as { constructor?: { name?: string } }).constructor;
  return own?.name === 'Object';
}

function writeArray(value: unknown[], depth: number): boolean {
  const { length } = value;
  // Holes and extra properties are for structured clone.
  if (keys(value).length !== length) return isMore();
  if (!fits(5)) return false;
  out[at] = TAG.ARRAY;
  writeInt(out, at + 1, length);
  at += 5;
  for (let i = 0; i < length; i += 1) {
    if (!write(value[i], depth + 1)) return false;
  }
  return true;
}

function writeBytes(view: ArrayBufferView): boolean {
  // Only exact Uint8Arrays: other views, and Buffers, keep their type by structured clone.
  if (Object.prototype.toString.call(view) !== '[object Uint8Array]') return isMore();
  const source = view as Uint8Array;
  if (source.constructor.name !== 'Uint8Array' || isShared(source.buffer)) return isMore();
  if (!fits(5 + source.length)) return false;
  out[at] = TAG.BYTES;
  writeInt(out, at + 1, source.length);
  out.set(source, at + 5);
  at += 5 + source.length;
  return true;
}

/** Shared memory must stay shared, which only structured clone does. */
function isShared(buffer: ArrayBufferLike): boolean {
  return Object.prototype.toString.call(buffer) === '[object SharedArrayBuffer]';
}

function read(): unknown {
  const tag = out[at++]!;
  switch (tag) {
    case TAG.NULL:
      return null;
    case TAG.FALSE:
      return false;
    case TAG.TRUE:
      return true;
    case TAG.INT:
      return take();
    case TAG.FLOAT:
      for (let i = 0; i < 8; i += 1) floatBytes[i] = out[at + i]!;
      at += 8;
      return floatBox[0];
    case TAG.ARRAY: {
      const count = take();
      const list: unknown[] = [];
      for (let i = 0; i < count; i += 1) list.push(read());
      return list;
    }
    case TAG.OBJECT:
      return readObject();
    case TAG.BYTES: {
      const count = take();
      const bytes = new Uint8Array(count);
      bytes.set(out.subarray(at, at + count));
      at += count;
      return bytes;
    }
    case TAG.UNDEFINED:
      return undefined;
    default: {
      const count = take();
      at += count;
      return readText(out, at - count, count, tag - TAG.TEXT);
    }
  }
}

function take(): number {
  at += 4;
  return readInt(out, at - 4);
}

function readObject(): unknown {
  const bytes = take();
  const { names, hasProto } = namesIn(out, at, bytes);
  at += bytes;
  const record: Record<string, unknown> = {};
  for (const name of names) {
    if (hasProto && name === '__proto__') {
      const value = read();
      const own = { value, configurable: true, enumerable: true, writable: true };
      Object.defineProperty(record, name, own);
    } else record[name] = read();
  }
  return record;
}
