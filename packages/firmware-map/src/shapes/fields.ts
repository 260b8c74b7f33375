/**
 * What differs from line to line in messages of one shape, and how it is read: digit by digit, without making a text of it.
 *
 *   %x   hexadecimal digits     %d   decimal digits, %i  perhaps with a minus     %_   blanks
 *   %t   a text up to a "]"     %S   a place in the kernel, name+0x1/0x2, to the end
 */
import { PHYS_ADDR_MAX } from '../base/constants.js';
import { decimalDigit, hexDigit } from '../base/numbers.js';
import type { LineCodes } from '../text/line-codes.js';

/** Numbers that a shape may hold. */
export const MAX_NUMBERS = 8;

/** A kind of field, by the letter that stands for it behind a percent sign. */
export const FIELD_KINDS = { none: 0, x: 1, d: 2, i: 3, _: 4, t: 5, S: 6 } as const;
export type FieldKind = (typeof FIELD_KINDS)[keyof typeof FIELD_KINDS];

/** Which letters a field may begin with, by its kind. A place comes last and is taken where nothing else fits. */
export const BEGINS: readonly RegExp[] = [/^$/, /[0-9a-f]/, /\d/, /[\d-]/, / /, /[^\]]/, /^$/];

const SPACE = ' '.charCodeAt(0);
const MINUS = '-'.charCodeAt(0);
const CLOSE = ']'.charCodeAt(0);
const SMALL_A = 'a'.charCodeAt(0);

/** What stood in the fields of a line. */
export class Fields {
  /** In the order of the shape's fields; those from `count` on are of lines before. */
  readonly numbers = new Float64Array(MAX_NUMBERS);
  count = 0;
  /** Where the text or the place is; it begins below 0 in a shape without either. */
  textAt = -1;
  textEnd = -1;
  /** The same as a text of its own. */
  text = '';

  /** Begins another line. */
  clear(): void {
    this.count = 0;
    this.textAt = -1;
  }

  /**
   * Reads a field.
   * @returns where it ends: `from` where no such field begins, or one whose number is above 2^53 - 1
   */
  read(kind: FieldKind, codes: LineCodes, from: number): number {
    switch (kind) {
      case FIELD_KINDS.x:
        return this.#hexadecimal(codes, from);
      case FIELD_KINDS.d:
        return this.#decimal(codes, from, 1);
      case FIELD_KINDS.i: {
        if (codes.bytes[from] !== MINUS) return this.#decimal(codes, from, 1);
        const end = this.#decimal(codes, from + 1, -1);
        return end === from + 1 ? from : end;
      }
      case FIELD_KINDS._:
        return afterBlanks(codes, from);
      case FIELD_KINDS.t: {
        this.textAt = from;
        const end = codes.bytes.indexOf(CLOSE, from);
        this.textEnd = end < codes.length ? Math.max(end, from) : from;
        return this.textEnd;
      }
      default:
        return from;
    }
  }

  /** Whether two numbers in a row are the first and the last byte of a range. */
  isRange(index: number): boolean {
    const last = this.numbers[index + 1]!;
    return this.numbers[index]! <= last && last < PHYS_ADDR_MAX;
  }

  #hexadecimal({ bytes, length }: LineCodes, from: number): number {
    let value = 0;
    let at = from;
    for (; at < length; at++) {
      const code = bytes[at]!;
      const digit = hexDigit(code);
      // The kernel writes small letters; what others wrote is for the recognisers.
      if (digit < 0 || (digit > 9 && code < SMALL_A)) break;
      value = 16 * value + digit;
    }
    return this.#keep(value) ? at : from;
  }

  #decimal({ bytes, length }: LineCodes, from: number, sign: number): number {
    let value = 0;
    let at = from;
    for (; at < length; at++) {
      const digit = decimalDigit(bytes[at]!);
      if (digit < 0) break;
      value = 10 * value + digit;
    }
    return this.#keep(sign * value) ? at : from;
  }

  // A number of no digits is kept in vain: nothing reads it.
  #keep(value: number): boolean {
    if (value > PHYS_ADDR_MAX || value < -PHYS_ADDR_MAX) return false;
    this.numbers[this.count++] = value;
    return true;
  }
}

/** Where blanks end that may stand at `start`. */
export function afterBlanks({ bytes, length }: LineCodes, start: number): number {
  let at = start;
  while (at < length && bytes[at] === SPACE) at++;
  return at;
}

/** Whether all that is left of a line may be part of a name and its numbers. */
export function isPlace({ bytes, length }: LineCodes, from: number): boolean {
  for (let at = from; at < length; at++) {
    if (PLACE_CHARACTERS[bytes[at]!] !== 1) return false;
  }
  return from < length;
}

const PLACE_CHARACTERS = Uint8Array.from({ length: 128 }, (_, code) =>
  Number(/[\w.+/]/.test(String.fromCharCode(code))),
);
