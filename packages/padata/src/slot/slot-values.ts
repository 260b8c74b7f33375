/**
 * Values in slots: what a job's input and result look like in shared memory, the same code on both sides.
 *
 * Reading bytes gives a view of the arena: valid until the slot is handed on.
 */
import { smallInteger } from '../base/small-integer.js';
import { Kind, SLOT, SLOT_NUMBER, slotNumber } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { decodePlain, encodePlain } from './plain-codec.js';

/** Room for a number, text or plain data that every slot keeps, in bytes. */
export const MIN_ROOM = 64;
const MAX_TEXT = 4096;

/**
 * Puts a value into the slot's room.
 * @param ring   the ring's views
 * @param base   first word of the slot
 * @param index  slot index
 * @param value  anything
 * @param offset first byte of the room
 * @param room   bytes of room
 * @returns false when the value has to go by message; nothing but the room's bytes changed then
 */
export function writeValue(
  ring: RingMemory,
  base: number,
  index: number,
  value: unknown,
  offset: number,
  room: number,
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
      return writeText(ring, base, value, offset, room);
    case 'object':
      if (value === null) {
        words[base + SLOT.KIND] = Kind.NULL;
        return true;
      }
      if (isBytes(value)) return writeBytes(ring, base, value, offset, room);
      return writePlain(ring, base, value, offset, room);
    default:
      return false;
  }
}

/** Reads a slot's value; undefined for what comes by message. */
export function readValue(ring: RingMemory, base: number, index: number): unknown {
  const { words } = ring;
  const offset = words[base + SLOT.OFFSET]!;
  switch (words[base + SLOT.KIND]) {
    case Kind.NUMBER:
      return smallInteger(ring.numbers[slotNumber(index) + SLOT_NUMBER.VALUE]!);
    case Kind.NULL:
      return null;
    case Kind.FALSE:
      return false;
    case Kind.TRUE:
      return true;
    case Kind.BYTES:
      return ring.bytes.subarray(offset, offset + words[base + SLOT.LENGTH]!);
    case Kind.STRING:
      return readText(ring, offset, words[base + SLOT.LENGTH]!);
    case Kind.PLAIN:
      return decodePlain(ring.bytes, offset);
    default:
      return undefined;
  }
}

/** Is it bytes that may travel as bytes: a Uint8Array or a Buffer, of any realm? */
export function isBytes(value: object): value is Uint8Array {
  return (
    ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]'
  );
}

function writeBytes(
  ring: RingMemory,
  base: number,
  value: Uint8Array,
  offset: number,
  room: number,
): boolean {
  const { words, bytes } = ring;
  const { length } = value;
  if (value.buffer === ring.buffer && isInSlot(ring, base, value)) {
    // The function wrote into its own slot, room or input: nothing to copy.
    words[base + SLOT.OFFSET] = value.byteOffset - bytes.byteOffset;
  } else {
    if (length > room) return false;
    bytes.set(value, offset);
    words[base + SLOT.OFFSET] = offset;
  }
  words[base + SLOT.KIND] = Kind.BYTES;
  words[base + SLOT.LENGTH] = length;
  return true;
}

function isInSlot(ring: RingMemory, base: number, value: Uint8Array): boolean {
  const { words } = ring;
  const start = value.byteOffset - ring.bytes.byteOffset;
  const first = words[base + SLOT.FIRST]!;
  const last = first + words[base + SLOT.IN_ROOM]! + words[base + SLOT.OUT_ROOM]!;
  return start >= first && start + value.length <= last;
}

function writeText(
  ring: RingMemory,
  base: number,
  text: string,
  offset: number,
  room: number,
): boolean {
  const { length } = text;
  if (length * 2 > room || length > MAX_TEXT) return false;
  const from = offset >>> 1;
  for (let i = 0; i < length; i += 1) ring.units[from + i] = text.charCodeAt(i);
  ring.words[base + SLOT.OFFSET] = offset;
  ring.words[base + SLOT.KIND] = Kind.STRING;
  ring.words[base + SLOT.LENGTH] = length;
  return true;
}

function readText(ring: RingMemory, offset: number, length: number): string {
  const from = offset >>> 1;
  let text = '';
  for (let i = 0; i < length; i += 1) text += String.fromCharCode(ring.units[from + i]!);
  return text;
}

function writePlain(
  ring: RingMemory,
  base: number,
  value: object,
  offset: number,
  room: number,
): boolean {
  const end = encodePlain(value, ring.bytes, offset, offset + room);
  if (end < 0) return false;
  notePlain(ring, base, offset, end - offset);
  return true;
}

function notePlain({ words }: RingMemory, base: number, offset: number, length: number): void {
  words[base + SLOT.OFFSET] = offset;
  words[base + SLOT.KIND] = Kind.PLAIN;
  words[base + SLOT.LENGTH] = length;
}

/** Would `writeValue` write it as plain data, whose properties it reads? */
export function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isBytes(value);
}

/** Plain data as it would lie in a slot's room; undefined = there is not enough room. */
export function encodePlainAside(value: object, room: number): Uint8Array | undefined {
  const bytes = new Uint8Array(room);
  const end = encodePlain(value, bytes, 0, room);
  return end < 0 ? undefined : bytes.subarray(0, end);
}

/** Puts such plain data into a slot; nothing of the program's own runs. */
export function writeEncoded(
  ring: RingMemory,
  base: number,
  plain: Uint8Array,
  offset: number,
): void {
  ring.bytes.set(plain, offset);
  notePlain(ring, base, offset, plain.length);
}
