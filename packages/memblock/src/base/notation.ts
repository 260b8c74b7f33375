/**
 * The kernel's notation of addresses: 16 hexadecimal digits, ranges with an inclusive end.
 *
 * The kernel's space ends at 2^64, ours at 2^53. Physical addresses of hardware end at 2^52, so what
 * lies above is a distance from the top ("no limit", a wrapped end) and is printed, and read back, as
 * the same distance from the kernel's top:
 *
 * ```
 *   ours    0 ............ 2^52 ........ 2^53
 *   kernel  0 ............ 2^52    2^64 - 2^52 ........ 2^64
 * ```
 *
 * Source: Documentation/core-api/printk-formats.rst (physical addresses).
 */
import { wrappingSum } from './arithmetic.js';
import { ADDRESS_SPACE_SIZE } from './constants.js';

const HALF_SPACE = ADDRESS_SPACE_SIZE / 2;

/** Digits of a 64-bit word, not padded. */
function hexDigits(value: number): string {
  if (value < HALF_SPACE) return value.toString(16);
  return `fff${(value - HALF_SPACE).toString(16).padStart(13, '0')}`;
}

/** An address as `0x` and 16 digits. @kernel %pa */
export function hexAddress(address: number): string {
  return `0x${hexDigits(address).padStart(16, '0')}`;
}

/** A number as `0x` and its digits, in the kernel's notation. */
export function hexNumber(value: number): string {
  return `0x${hexDigits(value)}`;
}

/** A number of ours as `0x` and its digits, other values as they are: for messages and differences. */
export function plainHex(value: unknown): string {
  return Number.isSafeInteger(value) && (value as number) >= 0
    ? `0x${(value as number).toString(16)}`
    : String(value);
}

/** A number of bytes in decimal. */
export function decimal(value: number): string {
  return value < HALF_SPACE ? String(value) : BigInt(hexNumber(value)).toString();
}

/** Reads up to 16 digits; undefined where the value is in neither part of the space. */
export function parseHexDigits(digits: string): number | undefined {
  const value = Number.parseInt(digits, 16);
  if (value <= HALF_SPACE) return value;
  const top = digits.padStart(16, '0');
  if (!top.startsWith('fff')) return undefined;
  return HALF_SPACE + Number.parseInt(top.slice(3), 16);
}

/** `[first-last]`, last inclusive; size 0 prints an end below the base, as the kernel does. */
export function hexRange(base: number, size: number): string {
  return `[${hexAddress(base)}-${hexAddress(wrappingSum(base, size, 1))}]`;
}
