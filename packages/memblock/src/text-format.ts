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
import { ADDRESS_SPACE_SIZE, MemFlags } from './constants.js';

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

/** A number as `0x` and its digits. */
export function hexNumber(value: number): string {
  return `0x${hexDigits(value)}`;
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

const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [MemFlags.HOTPLUG, 'HOTPLUG'],
  [MemFlags.MIRROR, 'MIRROR'],
  [MemFlags.NOMAP, 'NOMAP'],
  [MemFlags.DRIVER_MANAGED, 'DRV_MNG'],
  [MemFlags.RSRV_NOINIT, 'RSV_NIT'],
  [MemFlags.RSRV_KERN, 'RSV_KERN'],
  [MemFlags.KHO_SCRATCH, 'KHO_SCRATCH'],
];

/**
 * Names of the bits set, `NONE` or `UNKNOWN`, as the debug file shows them.
 * @param all all of them joined by `|`, or the lowest only
 */
export function flagNames(flags: number, all: boolean): string {
  if (flags === 0) return 'NONE';
  const shown = all ? flags : flags & -flags;
  const names: string[] = FLAG_NAMES.filter(([bit]) => (shown & bit) !== 0).map(([, name]) => name);
  return names.length === 0 ? 'UNKNOWN' : names.join('|');
}
