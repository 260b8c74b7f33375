/**
 * Numbers as boot logs and command lines write them.
 *
 * Addresses are hexadecimal text of up to 16 digits; a JavaScript number holds 53 bits of them exactly, which is
 * more than any processor can address (52). Larger text (sentinels such as ffffffffffffffff) is reported as too
 * large by the caller, never rounded in silence.
 *
 * Sizes follow the kernel's `memparse`: a C number (0x…, 0… octal, decimal) and one optional suffix K M G T P E.
 *
 * Source: kernel documentation, "The kernel's command-line parameters".
 */
import { PHYS_ADDR_MAX } from './constants.js';

const ZERO = '0'.charCodeAt(0);
const NINE = '9'.charCodeAt(0);
const A = 'a'.charCodeAt(0);
const F = 'f'.charCodeAt(0);
const X = 'x'.charCodeAt(0);
/** The bit in which small letters differ from capitals. */
const SMALL = 0x20;

/** Value of a hexadecimal digit by its character code; below 0 for any other character. */
export function hexDigit(code: number): number {
  if (code >= ZERO && code <= NINE) return code - ZERO;
  const small = code | SMALL;
  return small >= A && small <= F ? small - A + 10 : -1;
}

/** Value of a decimal digit by its character code; below 0 for any other character. */
export function decimalDigit(code: number): number {
  return code >= ZERO && code <= NINE ? code - ZERO : -1;
}

function hasHexPrefix(text: string): boolean {
  return text.length > 1 && text.charCodeAt(0) === ZERO && (text.charCodeAt(1) | SMALL) === X;
}

/**
 * Value of hexadecimal digits.
 * @param digits  `0x` prefix allowed
 * @returns the value; `Infinity` when it is above {@link PHYS_ADDR_MAX}; `undefined` when it is no hexadecimal number
 */
export function parseHex(digits: string): number | undefined {
  const begin = hasHexPrefix(digits) ? 2 : 0;
  if (begin === digits.length) return undefined;
  let value = 0;
  for (let at = begin; at < digits.length; at++) {
    const digit = hexDigit(digits.charCodeAt(at));
    if (digit < 0) return undefined;
    value = 16 * value + digit;
  }
  return value > PHYS_ADDR_MAX ? Infinity : value;
}

/**
 * Value of decimal digits.
 * @param digits  digits only
 * @returns the value; `Infinity` above 2^53 - 1; `undefined` when it is no decimal number
 */
function parseDecimal(digits: string): number | undefined {
  if (digits === '') return undefined;
  let value = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = decimalDigit(digits.charCodeAt(at));
    if (digit < 0) return undefined;
    value = 10 * value + digit;
  }
  return value > Number.MAX_SAFE_INTEGER ? Infinity : value;
}

/** A decimal, or with `0x` hexadecimal, number; same results as {@link parseHex}. */
export function parseNumber(text: string): number | undefined {
  return hasHexPrefix(text) ? parseHex(text) : parseDecimal(text);
}

const SUFFIX_SHIFT: Readonly<Record<string, number>> = { k: 10, m: 20, g: 30, t: 40, p: 50, e: 60 };

/** A size at the start of a text, and where it ends. */
interface LeadingSize {
  readonly value: number;
  /** Characters used. */
  readonly length: number;
}

/**
 * The size at the start of `text`.
 * @returns `undefined` when there is no digit, or the value does not fit
 * @kernel memparse
 */
export function leadingSize(text: string): LeadingSize | undefined {
  const match = /^(0[xX][0-9a-fA-F]+|\d+)([kKmMgGtTpPeE])?/.exec(text);
  if (match === null) return undefined;
  const digits = match[1]!;
  const value = digitsValue(digits);
  if (value === undefined) return undefined;
  const scaled = value * 2 ** (SUFFIX_SHIFT[(match[2] ?? '').toLowerCase()] ?? 0);
  if (scaled > PHYS_ADDR_MAX) return undefined;
  return { value: scaled, length: match[0].length };
}

/**
 * A number at the beginning of a text: decimal, `0x` hexadecimal, or octal behind a 0; no suffix.
 * @returns `undefined` where there is none
 */
export function leadingNumber(text: string): LeadingSize | undefined {
  const digits = /^(?:0[xX][0-9a-fA-F]+|\d+)/.exec(text)?.[0];
  const value = digits === undefined ? undefined : digitsValue(digits);
  return digits === undefined || value === undefined ? undefined : { value, length: digits.length };
}

function digitsValue(digits: string): number | undefined {
  if (hasHexPrefix(digits)) return parseHex(digits);
  if (/^0\d/.test(digits)) return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
  return parseDecimal(digits);
}

/**
 * A size that fills the whole text, with a fraction and a trailing `iB` or `B` allowed (`1.5G`, `768GiB`).
 * @param text  such as `1500M`, `0x40000000`, `2G`
 * @returns bytes, a safe integer; `undefined` when it is no size
 */
export function parseSize(text: string): number | undefined {
  const trimmed = text.trim();
  const fraction = /^(\d+\.\d+)([kKmMgGtTpPeE])(?:i?[bB])?$/.exec(trimmed);
  if (fraction !== null) {
    const bytes = Number(fraction[1]) * 2 ** SUFFIX_SHIFT[fraction[2]!.toLowerCase()]!;
    return bytes <= PHYS_ADDR_MAX ? Math.floor(bytes) : undefined;
  }
  const size = leadingSize(trimmed);
  if (size === undefined) return undefined;
  return /^(?:i?[bB])?$/.test(trimmed.slice(size.length)) ? size.value : undefined;
}
