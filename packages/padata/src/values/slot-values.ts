/**
 * Values in slots: what a job's input and result look like in shared memory, the same code on both sides.
 *
 * Reading bytes gives a view of the arena: valid until the slot is handed on.
 */
import { smallInteger } from '../base/small-integer.js';
import { Kind, SLOT, SLOT_NUMBER, slotNumber } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { bytesOf, formOf, readText, writeText } from '#text';
import { plainRoom } from './object-names.js';
import type { PlainRoom } from './object-names.js';
import type { GivenBytes, JobBytes } from './job-bytes.js';
import { NO_ROOM, bytesWritten, decodePlain, encodePlain } from './plain-codec.js';
import { arrayCode, arrayOf, elementBytes, isBytes, lengthOf, offsetIn } from './views.js';

/** Room for a number, text or plain data that every slot keeps, in bytes. */
export const MIN_ROOM = 64;
/** Plain data that is written aside gets so many bytes at first; more are kept up to this. */
const SPARE = 4096;
const MAX_SPARE = 1 << 20;
/** Beside NOT_PLAIN and NO_ROOM. */
const NO_BYTES_IN = -3;

/**
 * Puts a value into the slot's room.
 * @param ring   the ring's views
 * @param base   first word of the slot
 * @param index  slot index
 * @param value  anything
 * @param offset first byte of the room
 * @param room   bytes of room
 * @param job    whose result it is
 * @returns false when the value has to go by message; nothing but the room's bytes changed then
 */
export function writeValue(
  ring: RingMemory,
  base: number,
  index: number,
  value: unknown,
  offset: number,
  room: number,
  job?: JobBytes,
): boolean {
  const { words } = ring;
  switch (typeof value) {
    case 'number':
      ring.numbers[slotNumber(index) + SLOT_NUMBER.VALUE] = value;
      words[base + SLOT.KIND] = Kind.NUMBER;
      return true;
    case 'undefined':
      words[base + SLOT.KIND] = Kind.UNDEFINED;
      return true;
    case 'boolean':
      words[base + SLOT.KIND] = value ? Kind.TRUE : Kind.FALSE;
      return true;
    case 'string':
      return writeString(ring, base, value, offset, room);
    case 'object':
      if (value === null) {
        words[base + SLOT.KIND] = Kind.NULL;
        return true;
      }
      if (ArrayBuffer.isView(value)) return writeView(ring, base, value, offset, room, job);
      return writePlain(ring, base, value, offset, room, job) >= 0;
    default:
      return false;
  }
}

/** Reads a slot's value; undefined for what comes by message. */
export function readValue(ring: RingMemory, base: number, index: number): unknown {
  const { words } = ring;
  const kind = words[base + SLOT.KIND]!;
  switch (kind) {
    case Kind.NUMBER:
      return smallInteger(ring.numbers[slotNumber(index) + SLOT_NUMBER.VALUE]!);
    case Kind.NULL:
      return null;
    case Kind.FALSE:
      return false;
    case Kind.TRUE:
      return true;
    case Kind.UNDEFINED:
    case Kind.MESSAGE:
    case Kind.ERROR:
      return undefined;
    default:
  }
  const offset = words[base + SLOT.OFFSET]!;
  const length = words[base + SLOT.LENGTH]!;
  const part = ring.arena.at(offset);
  const { bytes, text, first } = part;
  const at = offset - first;
  if (kind === Kind.BYTES) return bytes.subarray(at, at + length);
  if (kind === Kind.PLAIN) return decodePlain(part, at);
  if (kind >= Kind.ARRAY) return arrayOf(kind - Kind.ARRAY, bytes.subarray(at, at + length));
  return readText(text, at, length, kind - Kind.TEXT);
}

function writeView(
  ring: RingMemory,
  base: number,
  value: ArrayBufferView,
  offset: number,
  room: number,
  job: JobBytes | undefined,
): boolean {
  if (isBytes(value)) return writeBytes(ring, base, value, offset, room, job);
  const code = arrayCode(value);
  if (code < 0) return false;
  const length = lengthOf(value);
  if (length > room) return false;
  const { bytes, first } = ring.arena.at(offset);
  bytes.set(elementBytes(value), offset - first);
  note(ring, base, Kind.ARRAY + code, offset, length);
  return true;
}

function writeBytes(
  ring: RingMemory,
  base: number,
  value: Uint8Array,
  offset: number,
  room: number,
  job: JobBytes | undefined,
): boolean {
  const length = lengthOf(value);
  const own = placeInSlot(ring, base, value, length);
  if (own >= 0) {
    // The function wrote into its own slot, room or input: nothing to copy.
    note(ring, base, Kind.BYTES, own, length);
    return true;
  }
  if (length > room || job?.mayHold(value) === false) return false;
  const { bytes, first } = ring.arena.at(offset);
  bytes.set(value, offset - first);
  note(ring, base, Kind.BYTES, offset, length);
  return true;
}

/** Address of bytes that lie in the slot's stretch already; below 0 = they do not. */
function placeInSlot(
  { words, arena }: RingMemory,
  base: number,
  value: Uint8Array,
  length: number,
): number {
  const first = words[base + SLOT.FIRST]!;
  const part = arena.at(first);
  const offset = offsetIn(part.bytes.buffer, value);
  if (offset < 0) return -1;
  const start = offset - part.bytes.byteOffset + part.first;
  const last = first + words[base + SLOT.IN_ROOM]! + words[base + SLOT.OUT_ROOM]!;
  return start >= first && start + length <= last ? start : -1;
}

/** Bytes that a text takes at most. */
export function textRoom(text: string): number {
  return bytesOf(text, formOf(text));
}

function writeString(
  ring: RingMemory,
  base: number,
  value: string,
  offset: number,
  room: number,
): boolean {
  const form = formOf(value);
  if (bytesOf(value, form) > room) return false;
  const { text, first } = ring.arena.at(offset);
  const at = offset - first;
  note(ring, base, Kind.TEXT + form, offset, writeText(text, value, at, form) - at);
  return true;
}

/**
 * Writes plain data into a slot's room.
 * @returns bytes that it took, or NOT_PLAIN or NO_ROOM
 */
export function writePlain(
  ring: RingMemory,
  base: number,
  value: object,
  offset: number,
  room: number,
  job?: JobBytes,
): number {
  const part = ring.arena.at(offset);
  const at = offset - part.first;
  const end = encodePlain(value, part, at, at + Math.min(room, LONGEST_PLAIN), job);
  if (end < 0) return end;
  note(ring, base, Kind.PLAIN, offset, end - at);
  return end - at;
}

function note({ words }: RingMemory, base: number, kind: number, at: number, length: number): void {
  words[base + SLOT.OFFSET] = at;
  words[base + SLOT.KIND] = kind;
  words[base + SLOT.LENGTH] = length;
}

/**
 * Plain data that is longer goes by message, in bytes. Whoever makes so many objects one by one has them copied in memory as they
 * survive; the platform's own reader puts them where they stay.
 */
export const LONGEST_PLAIN = 3 << 20;

/** Would `writeValue` write it as plain data, whose properties it reads? */
export function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
}

/** Bytes for what is written aside, kept for the next; undefined = in use, or never needed. */
let spare: PlainRoom | undefined;

/** Plain data as it would lie in a slot's room; NOT_PLAIN; or NO_ROOM: it is longer than `most`. `of` as in `encodePlain`. */
export function encodePlainAside(
  value: object,
  most = LONGEST_PLAIN,
  of?: GivenBytes,
): Uint8Array | number {
  return withAside(value, most, of, bytesIn);
}

/** The same of plain data that holds bytes; of any other NO_BYTES_IN: a clone is the same then, and made faster. */
export function encodeBytesAside(value: object, of: GivenBytes): Uint8Array | number {
  return withAside(value, LONGEST_PLAIN, of, bytesIfAny);
}

/** Plain data as it would be read from a slot; NOT_PLAIN; or NO_ROOM: it is longer than plain data is. `of` as in `encodePlain`. */
export function copyPlain(value: object, of: GivenBytes): object | number {
  return withAside(value, LONGEST_PLAIN, of, valueIn);
}

function bytesIn({ text }: PlainRoom, end: number): Uint8Array {
  return Uint8Array.prototype.slice.call(text, 0, end);
}

function bytesIfAny(aside: PlainRoom, end: number, hasBytes: boolean): Uint8Array | number {
  return hasBytes ? bytesIn(aside, end) : NO_BYTES_IN;
}

function valueIn(aside: PlainRoom): object {
  return decodePlain(aside, 0) as object;
}

/** Writes it aside. @param take makes something of it, and runs nothing of the program's own */
function withAside<T extends object>(
  value: object,
  most: number,
  of: GivenBytes | undefined,
  take: (aside: PlainRoom, end: number, hasBytes: boolean) => T | number,
): T | number {
  const before = bytesWritten();
  let aside = spare ?? plainRoom(SPARE);
  // A getter of the value may come here.
  spare = undefined;
  try {
    for (;;) {
      const { length } = aside.text;
      const room = Math.min(most, length);
      const end = encodePlain(value, aside, 0, room, of);
      if (end >= 0) return take(aside, end, bytesWritten() !== before);
      if (end !== NO_ROOM || room === most) return end;
      aside = plainRoom(length * 4);
    }
  } finally {
    if (aside.text.length <= MAX_SPARE) spare = aside;
  }
}

/** Puts such plain data into a slot; nothing of the program's own runs. */
export function writeEncoded(
  ring: RingMemory,
  base: number,
  plain: Uint8Array,
  offset: number,
): void {
  const { bytes, first } = ring.arena.at(offset);
  bytes.set(plain, offset - first);
  note(ring, base, Kind.PLAIN, offset, plain.length);
}
