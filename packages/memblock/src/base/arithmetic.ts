/**
 * Address arithmetic on safe integers that behaves at the top of the space as the kernel's does on
 * 64-bit words: sums wrap, rounding up may wrap to 0, ranges are cut at {@link PHYS_ADDR_MAX}.
 *
 * A power of two divides and multiplies a double without error, so rounding needs no remainder.
 * Masks that are not powers of two (the kernel applies them all the same) go through two halves.
 */
import { ADDRESS_SPACE_SIZE, PHYS_ADDR_MAX } from './constants.js';

const { floor, ceil } = Math;
const HALF = 2 ** 32;

/** True for 1, 2, 4 ... 2^52. */
export function isPowerOfTwo(value: number): boolean {
  if (value < 1 || value > PHYS_ADDR_MAX) return false;
  if (value < HALF) return Number.isInteger(value) && (value & (value - 1)) === 0;
  return Number.isInteger(value / HALF) && isPowerOfTwo(value / HALF);
}

/** Where a range that starts at `base` ends, in bytes: cut at the top. @kernel memblock_cap_size */
export function cappedEnd(base: number, size: number): number {
  const room = PHYS_ADDR_MAX - base;
  return size < room ? base + size : PHYS_ADDR_MAX;
}

/** `a + b - c` modulo the address space, exact although `a + b` may be no safe integer; c is 0 or 1. */
export function wrappingSum(a: number, b: number, c: 0 | 1 = 0): number {
  const value = a > PHYS_ADDR_MAX - b ? a - (ADDRESS_SPACE_SIZE - b) - c : a + b - c;
  return value < 0 ? value + ADDRESS_SPACE_SIZE : value;
}

/** Largest multiple of `align` not above `value`; for other masks `value & ~(align - 1)`. */
export function alignDown(value: number, align: number): number {
  if (isPowerOfTwo(align)) return floor(value / align) * align;
  const low = ((value % HALF) & ~((align - 1) % HALF)) >>> 0;
  const high = (floor(value / HALF) & ~floor((align - 1) / HALF)) >>> 0;
  return high * HALF + low;
}

/** Smallest multiple of `align` not below `value`, wrapping to 0; for other masks `((value - 1) | (align - 1)) + 1`. */
export function alignUp(value: number, align: number): number {
  if (isPowerOfTwo(align)) {
    const up = ceil(value / align) * align;
    return up > PHYS_ADDR_MAX ? 0 : up;
  }
  if (value === 0) return 0;
  const low = (((value - 1) % HALF) | ((align - 1) % HALF)) >>> 0;
  const high = (floor((value - 1) / HALF) | floor((align - 1) / HALF)) >>> 0;
  const up = high * HALF + low + 1;
  return up > PHYS_ADDR_MAX ? 0 : up;
}

/** First whole page number at or above an address; wraps to 0 past the last page, as the kernel's does. */
export function pageUp(address: number, pageSize: number): number {
  const pfn = ceil(address / pageSize);
  return pfn * pageSize > PHYS_ADDR_MAX ? 0 : pfn;
}

/** Page number of an address. */
export function pageDown(address: number, pageSize: number): number {
  return floor(address / pageSize);
}
