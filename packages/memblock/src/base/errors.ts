/**
 * Errors. Three outcomes are never mixed: a shortage is a return value (`undefined` or `false`), a
 * caller's mistake throws {@link MemblockError} before anything changed, a broken invariant throws one
 * with code `ERR_MEMBLOCK_INVARIANT` and the object refuses further work.
 */

/** What went wrong; tests and callers match these, not the texts. */
export type MemblockErrorCode =
  /** An argument is not what it must be: NaN, a fraction, negative, out of range, of the wrong type. */
  | 'ERR_MEMBLOCK_ARGUMENT'
  /** An alignment is not a power of two. */
  | 'ERR_MEMBLOCK_ALIGNMENT'
  /** A region array is full and may not be grown yet; the kernel panics here. */
  | 'ERR_MEMBLOCK_RESIZE_FORBIDDEN'
  /** An allocation that must not fail found no memory; the kernel panics here. */
  | 'ERR_MEMBLOCK_OUT_OF_MEMORY'
  /** A named reservation cannot be made; `details.errno` is the kernel's answer. */
  | 'ERR_MEMBLOCK_RESERVATION'
  /** A text or a serialised state cannot be read; `details.line` is 1-based where there is one. */
  | 'ERR_MEMBLOCK_FORMAT'
  /** The region lists contradict themselves; the object is not to be used any more. */
  | 'ERR_MEMBLOCK_INVARIANT';

/** The one error class of this package. */
export class MemblockError extends Error {
  /** Which of the possible mistakes this is. */
  readonly code: MemblockErrorCode;
  /** The values involved, by name. */
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param code what went wrong
   * @param message what was expected and what came, with unit; addresses in hexadecimal
   * @param details the values involved, by name
   * @param options `cause`: the error behind this one
   */
  constructor(
    code: MemblockErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'MemblockError';
    this.code = code;
    this.details = details;
  }
}
