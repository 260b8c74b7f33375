// Shared words as they come by accident or by malice: what the tests of damaged handles and snapshots do to a buffer, and
// what they may see of it.

/** Values that a word has by accident: counts, sizes, all ones, the ends of the range. */
export const ODD_VALUES = [
  0,
  1,
  2,
  3,
  7,
  31,
  32,
  40,
  100,
  0x31,
  2 ** 20,
  2 ** 30,
  0x7f7f7f7f,
  -1,
  -2,
  2 ** 31 - 1,
  -(2 ** 31),
];

/**
 * Changes each word of a buffer in turn, and calls back with each change; the whole buffer is put right afterwards.
 * @param buffer    what is damaged
 * @param valuesOf  what the word comes to be; values that it has already are left out
 * @param visit     gets the change in words
 */
export function damage(buffer, valuesOf, visit) {
  const words = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
  const whole = words.slice();
  for (let at = 0; at < whole.length; at++) {
    const right = whole[at];
    for (const value of valuesOf(right)) {
      if (value === right) continue;
      words[at] = value;
      visit(`word ${at} is ${value}, not ${right}`);
      words.set(whole);
    }
  }
}

/**
 * Runs what may only fail with a code.
 * @param codes  codes that are allowed
 * @param text   what was done, for the error
 * @returns the code, `none` when it did not fail
 * @throws with `text`, for an error without a code of these
 */
export function coded(codes, text, body) {
  try {
    body();
    return 'none';
  } catch (error) {
    if (typeof error?.code === 'string' && codes.test(error.code)) return error.code;
    throw new Error(text, { cause: error });
  }
}
