/** Values that a word has by accident: counts, sizes, all ones, the ends of the range. */
export const ODD_VALUES: readonly number[];

/**
 * Changes each word of a buffer in turn, and calls back with each change; the whole buffer is put right afterwards.
 * @param buffer    what is damaged
 * @param valuesOf  what the word comes to be; values that it has already are left out
 * @param visit     gets the change in words
 */
export function damage(
  buffer: ArrayBufferLike,
  valuesOf: (right: number) => readonly number[],
  visit: (text: string) => void,
): void;

/**
 * Runs what may only fail with a code.
 * @param codes  codes that are allowed
 * @param text   what was done, for the error
 * @returns the code, `none` when it did not fail
 * @throws with `text`, for an error without a code of these
 */
export function coded(codes: RegExp, text: string, body: () => void): string;
