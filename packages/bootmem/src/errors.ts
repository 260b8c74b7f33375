/**
 * The one error class of this package and its codes.
 *
 * Three outcomes are kept apart (DESIGN.md): a shortage is `undefined`, a caller's mistake or unusable
 * input is a {@link BootmemError} thrown before anything was started, a broken invariant in a lower
 * package keeps that package's own error. The command maps a `BootmemError` to exit code 2 when its
 * code is one of {@link INPUT_ERROR_CODES}, to 1 otherwise.
 */

/** What went wrong, for programs. */
export type BootmemErrorCode =
  | 'ERR_BOOTMEM_USAGE'
  | 'ERR_BOOTMEM_INPUT'
  | 'ERR_BOOTMEM_NO_MEMORY_MAP'
  | 'ERR_BOOTMEM_READ'
  | 'ERR_BOOTMEM_WRITE'
  | 'ERR_BOOTMEM_ABORTED'
  | 'ERR_BOOTMEM_CLOSED'
  | 'ERR_BOOTMEM_BIND'
  | 'ERR_BOOTMEM_INIT';

/** The codes that mean "the caller gave something unusable": exit code 2 of the command. */
export const INPUT_ERROR_CODES: readonly BootmemErrorCode[] = [
  'ERR_BOOTMEM_USAGE',
  'ERR_BOOTMEM_INPUT',
  'ERR_BOOTMEM_NO_MEMORY_MAP',
  'ERR_BOOTMEM_READ',
];

/** An error of the composition root: a code for programs, a sentence for people, values in `details`. */
export class BootmemError extends Error {
  /** What went wrong. */
  readonly code: BootmemErrorCode;
  /** Values the message speaks of (paths, line numbers, limits), ready for JSON. */
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param code     what went wrong
   * @param message  expected, came, unit; one sentence
   * @param details  the same values for programs
   * @param options  `cause`: the lower error
   */
  constructor(
    code: BootmemErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'BootmemError';
    this.code = code;
    this.details = details;
  }
}

/**
 * The code of any thrown value, or `undefined`; never throws.
 * @param error  whatever was caught
 */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/**
 * The message of any thrown value.
 * @param error  whatever was caught
 */
export function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error) {
    return String(error.message);
  }
  return String(error);
}
