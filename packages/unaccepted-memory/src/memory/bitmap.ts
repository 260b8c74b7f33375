/**
 * Bits in 32-bit words that several threads change with atomic operations.
 *
 * Bit `i` is bit `i & 31` of word `i >>> 5`; on the little-endian machines that JavaScript runs on this is
 * also bit `i & 7` of byte `i >>> 3`, which is how the table of the firmware counts. Indices may pass 2^31,
 * so words are found by division.
 *
 * No lock: a bit moves one way only (DESIGN.md, "monotone bits"), or only its one converter changes it, so `and`/`or` of
 * a mask is enough.
 */

const { and, load, or } = Atomics;

/** Words over memory that threads share, or plain memory where there are no threads. */
export type Words = Int32Array;

/** Words needed for `bits` bits. */
export function wordsFor(bits: number): number {
  return Math.ceil(bits / 32);
}

/** The bit, read atomically. O(1), lock-free. */
export function testBit(words: Words, index: number): boolean {
  return ((load(words, Math.floor(index / 32)) >>> (index % 32)) & 1) === 1;
}

/** Sets the bit; true when this call changed it, so exactly one caller ever sees true for a bit that is never cleared. */
export function claimBit(words: Words, index: number): boolean {
  const mask = 1 << (index % 32);
  return (or(words, Math.floor(index / 32), mask) & mask) === 0;
}

/** Mask of the bits `[from, to)` of one word, `0 <= from < to <= 32`. */
export function bitMask(from: number, to: number): number {
  const low = to === 32 ? -1 : (1 << to) - 1;
  return low & (-1 << from);
}

/**
 * The words that hold bits `[start, end)`, with the mask of those bits in each.
 * @param visit  true ends the walk
 * @returns true when a visit ended it
 */
export function forEachWord(
  start: number,
  end: number,
  visit: (word: number, mask: number) => boolean,
): boolean {
  let index = start;
  while (index < end) {
    const word = Math.floor(index / 32);
    const to = Math.min(32, end - word * 32);
    if (visit(word, bitMask(index % 32, to))) return true;
    index = word * 32 + 32;
  }
  return false;
}

/** Clears bits `[start, end)`, a word at a time. */
export function clearBits(words: Words, start: number, end: number): void {
  forEachWord(start, end, (word, mask) => {
    and(words, word, ~mask);
    return false;
  });
}

/** True when some bit of `[start, end)` is set. Lock-free; reads each word once. */
export function anyBit(words: Words, start: number, end: number): boolean {
  return forEachWord(start, end, (word, mask) => (load(words, word) & mask) !== 0);
}

/** Number of set bits in `value`, a 32-bit word. */
function popcount(value: number): number {
  let rest = value - ((value >>> 1) & 0x55555555);
  rest = (rest & 0x33333333) + ((rest >>> 2) & 0x33333333);
  rest = (rest + (rest >>> 4)) & 0x0f0f0f0f;
  return Math.imul(rest, 0x01010101) >>> 24;
}

/** Number of set bits in `[start, end)`; each word is a snapshot of its own. */
export function countBits(words: Words, start: number, end: number): number {
  let count = 0;
  forEachWord(start, end, (word, mask) => {
    count += popcount(load(words, word) & mask);
    return false;
  });
  return count;
}

/** First set bit in `[start, end)`, or undefined. */
export function firstBit(words: Words, start: number, end: number): number | undefined {
  let found: number | undefined;
  forEachWord(start, end, (word, mask) => {
    const bits = load(words, word) & mask;
    if (bits === 0) return false;
    found = word * 32 + (31 - Math.clz32(bits & -bits));
    return true;
  });
  return found;
}
