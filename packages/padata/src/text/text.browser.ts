/**
 * Text in shared bytes, in browsers: `TextEncoder` and `TextDecoder`, which speak UTF-8 and would change what is not well
 * formed. Where they refuse shared memory they get bytes of their own beside it.
 */
import { SHORT, TextForm, isWide, readUnits, writeUnits } from './text-form.js';

/** Bytes that text is written to and read from. */
export type TextBytes = Uint8Array;

/** A view of these bytes. */
export function textBytes(buffer: ArrayBufferLike, offset: number, length: number): TextBytes {
  return new Uint8Array(buffer, offset, length);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const NOT_ASCII = /[\u0080-\uffff]/;

/** Does it do this with shared memory? Browsers differ. */
function works(call: (bytes: Uint8Array) => void): boolean {
  try {
    call(new Uint8Array(new SharedArrayBuffer(8)));
    return true;
  } catch {
    return false;
  }
}
const writesShared = works((bytes) => encoder.encodeInto('ab', bytes));
const readsShared = works((bytes) => decoder.decode(bytes));

/** The form in which `writeText` writes this text. */
export function formOf(text: string): number {
  if (text.length <= SHORT) return isWide(text) ? TextForm.UTF16 : TextForm.LATIN1;
  if (!NOT_ASCII.test(text) || text.isWellFormed()) return TextForm.UTF8;
  return isWide(text) ? TextForm.UTF16 : TextForm.LATIN1;
}

/** Bytes that the text takes at most. */
export function bytesOf(text: string, form: number): number {
  if (form === TextForm.LATIN1) return text.length;
  if (form === TextForm.UTF16) return text.length * 2;
  return NOT_ASCII.test(text) ? text.length * 3 : text.length;
}

/** Writes text; there must be room. @returns the byte behind it */
export function writeText(to: TextBytes, text: string, offset: number, form: number): number {
  if (form !== TextForm.UTF8) return writeUnits(to, text, offset, form);
  if (writesShared) return offset + encoder.encodeInto(text, to.subarray(offset)).written;
  const own = encoder.encode(text);
  to.set(own, offset);
  return offset + own.length;
}

/** Reads the text that lies in these bytes. */
export function readText(from: TextBytes, offset: number, bytes: number, form: number): string {
  if (form !== TextForm.UTF8) return readUnits(from, offset, bytes, form);
  const end = offset + bytes;
  return decoder.decode(readsShared ? from.subarray(offset, end) : from.slice(offset, end));
}
