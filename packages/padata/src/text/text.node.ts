/**
 * Text in shared bytes, on Node: `Buffer` copies whole texts, one byte a unit or two, and changes no unit.
 */
import { Buffer } from 'node:buffer';
import { SHORT, TextForm, isWide, readUnits, writeUnits } from './text-form.js';

/** Bytes that text is written to and read from; as an array they are any Uint8Array's. */
export type TextBytes = Buffer;

/** A view of these bytes. */
export function textBytes(buffer: ArrayBufferLike, offset: number, length: number): TextBytes {
  return Buffer.from(buffer as ArrayBuffer, offset, length);
}

/** The form in which `writeText` writes this text. */
export function formOf(text: string): number {
  return isWide(text) ? TextForm.UTF16 : TextForm.LATIN1;
}

/** Bytes that the text takes at most. */
export function bytesOf(text: string, form: number): number {
  return form === TextForm.LATIN1 ? text.length : text.length * 2;
}

/** Does `Buffer` read and write shared memory here? Other runtimes have one of their own. */
const hasBulk = ((): boolean => {
  const sample = '\u00e9\u0080\ud800ab';
  try {
    const bytes = textBytes(new SharedArrayBuffer(32), 1, 20);
    const narrow = sample.slice(0, 2);
    return (
      bytes.write(narrow, 1, 2, 'latin1') === 2 &&
      bytes.toString('latin1', 1, 3) === narrow &&
      bytes.write(sample, 3, 10, 'utf16le') === 10 &&
      bytes.toString('utf16le', 3, 13) === sample
    );
  } catch {
    return false;
  }
})();

/** Writes text; there must be room. @returns the byte behind it */
export function writeText(to: TextBytes, text: string, offset: number, form: number): number {
  const { length } = text;
  if (length <= SHORT || !hasBulk) return writeUnits(to, text, offset, form);
  if (form === TextForm.LATIN1) {
    to.write(text, offset, length, 'latin1');
    return offset + length;
  }
  to.write(text, offset, length * 2, 'utf16le');
  return offset + length * 2;
}

/** Reads the text that lies in these bytes. */
export function readText(from: TextBytes, offset: number, bytes: number, form: number): string {
  if (bytes <= SHORT || !hasBulk) return readUnits(from, offset, bytes, form);
  return from.toString(form === TextForm.LATIN1 ? 'latin1' : 'utf16le', offset, offset + bytes);
}
