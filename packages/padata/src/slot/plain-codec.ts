/**
 * Plain data in shared bytes: what JSON can say and a little more (undefined, NaN, -0, bytes), without a
 * message and without text.
 *
 * A value that is more than that (class instances, Map, Date, BigInt, functions, cycles, an object met
 * twice, sparse arrays, accessors, too deep, too long) is refused, and goes by structured clone. So the
 * receiver cannot tell which way a value took.
 *
 * ```
 *  value := tag byte, then:  INT 4 bytes | FLOAT 8 | STRING1 count, Latin-1 bytes | STRING2 count, units
 *                            ARRAY count, values | OBJECT count, (string, value)... | BYTES count, bytes
 * ```
 */

const TAG = {
  UNDEFINED: 0,
  NULL: 1,
  FALSE: 2,
  TRUE: 3,
  INT: 4,
  FLOAT: 5,
  STRING1: 6,
  STRING2: 7,
  ARRAY: 8,
  OBJECT: 9,
  BYTES: 10,
} as const;
const MAX_DEPTH = 16;
/** Nested objects that are compared for being met twice; more of them go by structured clone. */
const MAX_OBJECTS = 48;
const MAX_STRING = 4096;

const floatBox = new Float64Array(1);
const floatBytes = new Uint8Array(floatBox.buffer);
const { getPrototypeOf, keys } = Object;
const { isArray } = Array;

let out: Uint8Array = new Uint8Array(0);
let at = 0;
let end = 0;
let met: object[] = [];

/**
 * Writes a value.
 * @param value  anything
 * @param bytes  where to write
 * @param offset first byte
 * @param limit  end of the room
 * @returns end of what was written, or -1 when the value is not plain or does not fit; the room's
 *          contents are then undefined
 * @throws whatever reading the value's properties throws
 */
export function encodePlain(
  value: unknown,
  bytes: Uint8Array,
  offset: number,
  limit: number,
): number {
  // A getter of a value that is being written may have come here: that one goes on afterwards.
  const outer = met.length > 0 ? { out, at, end, met } : undefined;
  if (outer !== undefined) met = [];
  out = bytes;
  at = offset;
  end = limit;
  try {
    return write(value, 0) ? at : -1;
  } finally {
    if (outer !== undefined) ({ out, at, end, met } = outer);
    else if (met.length > 0) met = [];
  }
}

/** Reads the value that starts at `offset`. */
export function decodePlain(bytes: Uint8Array, offset: number): unknown {
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

function write(value: unknown, depth: number): boolean {
  if (at + 9 > end) return false;
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
      return false;
  }
}

function writeNumber(value: number): void {
  const int = value | 0;
  if (int === value && (int !== 0 || 1 / value > 0)) {
    out[at] = TAG.INT;
    writeInt(at + 1, int);
    at += 5;
    return;
  }
  out[at] = TAG.FLOAT;
  floatBox[0] = value;
  for (let i = 0; i < 8; i += 1) out[at + 1 + i] = floatBytes[i]!;
  at += 9;
}

function writeInt(position: number, value: number): void {
  out[position] = value;
  out[position + 1] = value >>> 8;
  out[position + 2] = value >>> 16;
  out[position + 3] = value >>> 24;
}

function readInt(position: number): number {
  return (
    out[position]! |
    (out[position + 1]! << 8) |
    (out[position + 2]! << 16) |
    (out[position + 3]! << 24)
  );
}

function writeString(text: string): boolean {
  const { length } = text;
  if (length > MAX_STRING || at + 5 + length > end) return false;
  const start = at;
  writeInt(at + 1, length);
  let p = at + 5;
  for (let i = 0; i < length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit > 255) return writeWide(text, start);
    out[p++] = unit;
  }
  out[start] = TAG.STRING1;
  at = p;
  return true;
}

function writeWide(text: string, start: number): boolean {
  const { length } = text;
  if (start + 5 + length * 2 > end) return false;
  out[start] = TAG.STRING2;
  let p = start + 5;
  for (let i = 0; i < length; i += 1) {
    const unit = text.charCodeAt(i);
    out[p++] = unit;
    out[p++] = unit >>> 8;
  }
  at = p;
  return true;
}

function writeObject(value: object, depth: number): boolean {
  if (depth >= MAX_DEPTH || met.length >= MAX_OBJECTS || met.includes(value)) return false;
  met.push(value);
  if (isArray(value)) return writeArray(value, depth);
  if (ArrayBuffer.isView(value)) return writeBytes(value);
  const prototype: unknown = getPrototypeOf(value);
  // A plain object's prototype is the root of its realm: it has no prototype itself.
  if (prototype === null || getPrototypeOf(prototype) !== null) return false;
  const own = (prototype as { constructor?: { name?: string } }).constructor;
  if (own?.name !== 'Object') return false;
  const names = keys(value);
  if (at + 5 > end) return false;
  out[at] = TAG.OBJECT;
  writeInt(at + 1, names.length);
  at += 5;
  const record = value as Record<string, unknown>;
  for (const name of names) {
    if (!writeString(name) || !write(record[name], depth + 1)) return false;
  }
  return true;
}

function writeArray(value: unknown[], depth: number): boolean {
  const { length } = value;
  // Holes and extra properties are for structured clone.
  if (keys(value).length !== length) return false;
  if (at + 5 > end) return false;
  out[at] = TAG.ARRAY;
  writeInt(at + 1, length);
  at += 5;
  for (let i = 0; i < length; i += 1) {
    if (!write(value[i], depth + 1)) return false;
  }
  return true;
}

function writeBytes(view: ArrayBufferView): boolean {
  // Only exact Uint8Arrays: other views, and Buffers, keep their type by structured clone.
  if (Object.prototype.toString.call(view) !== '[object Uint8Array]') return false;
  const source = view as Uint8Array;
  if (source.constructor.name !== 'Uint8Array' || isShared(source.buffer)) return false;
  if (at + 5 + source.length > end) return false;
  out[at] = TAG.BYTES;
  writeInt(at + 1, source.length);
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
      at += 4;
      return readInt(at - 4);
    case TAG.FLOAT:
      for (let i = 0; i < 8; i += 1) floatBytes[i] = out[at + i]!;
      at += 8;
      return floatBox[0];
    case TAG.STRING1:
    case TAG.STRING2:
      return readString(tag);
    case TAG.ARRAY: {
      const count = take();
      const list: unknown[] = new Array<unknown>(count);
      for (let i = 0; i < count; i += 1) list[i] = read();
      return list;
    }
    case TAG.OBJECT: {
      const count = take();
      const record: Record<string, unknown> = {};
      for (let i = 0; i < count; i += 1) {
        const name = readString(out[at++]!);
        const value = read();
        if (name === '__proto__') {
          Object.defineProperty(record, name, {
            value,
            configurable: true,
            enumerable: true,
            writable: true,
          });
        } else record[name] = value;
      }
      return record;
    }
    case TAG.BYTES: {
      const count = take();
      at += count;
      return out.slice(at - count, at);
    }
    default:
      return undefined;
  }
}

function take(): number {
  at += 4;
  return readInt(at - 4);
}

function readString(tag: number): string {
  const count = take();
  let text = '';
  if (tag === TAG.STRING1) {
    for (let i = 0; i < count; i += 1) text += String.fromCharCode(out[at + i]!);
    at += count;
    return text;
  }
  for (let i = 0; i < count; i += 1) {
    text += String.fromCharCode(out[at + 2 * i]! | (out[at + 2 * i + 1]! << 8));
  }
  at += 2 * count;
  return text;
}
