/** Integer arithmetic of the kernel on JS numbers. */

/** floor(a * b / c), exact even where a * b leaves the safe integers; a, b >= 0, c > 0. */
export function mulDiv(a: number, b: number, c: number): number {
  const product = a * b;
  if (product <= Number.MAX_SAFE_INTEGER) return Math.floor(product / c);
  return Number((BigInt(a) * BigInt(b)) / BigInt(c));
}

/** Largest whole number whose square is not above `value`. @kernel int_sqrt */
export function integerSqrt(value: number): number {
  let root = Math.floor(Math.sqrt(value));
  // Floating point can be one off at either side for large values.
  while (root * root > value) root -= 1;
  while ((root + 1) * (root + 1) <= value) root += 1;
  return root;
}

/** Number of the highest set bit, counted from 1; 0 for 0. @kernel fls */
export function highestBit(value: number): number {
  return value <= 0 ? 0 : Math.floor(Math.log2(value)) + 1;
}

/** Largest power of two that is not above `value` (1 or more). @kernel rounddown_pow_of_two */
export function powerOfTwoBelow(value: number): number {
  return 2 ** (highestBit(value) - 1);
}

/** `value` within `[low, high]`. */
export function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
}
