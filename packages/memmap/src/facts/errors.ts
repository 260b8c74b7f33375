/**
 * The one error class of the package. A caller's mistake throws before anything changed; `details`
 * carries the numbers so that no message has to be parsed.
 */

/** Codes of {@link MemmapError}. */
export type MemmapErrorCode =
  | 'ERR_MEMMAP_GEOMETRY'
  | 'ERR_MEMMAP_ARGUMENT'
  | 'ERR_MEMMAP_ABSENT'
  | 'ERR_MEMMAP_PRESENT'
  | 'ERR_MEMMAP_UNINITIALISED'
  | 'ERR_MEMMAP_CAPACITY'
  | 'ERR_MEMMAP_HANDLE'
  | 'ERR_MEMMAP_STORAGE'
  | 'ERR_MEMMAP_ZONES'
  | 'ERR_MEMMAP_REFCOUNT'
  | 'ERR_LOCK_TIMEOUT'
  | 'ERR_LOCK_RECURSIVE'
  | 'ERR_LOCK_NOT_OWNER'
  | 'ERR_THREADS_FULL'
  | 'ERR_THREADS_RESERVED';

/** Error of memmap: `code` is stable, the message is for people. */
export class MemmapError extends Error {
  /** Stable identifier of what was wrong. */
  readonly code: MemmapErrorCode;
  /** The numbers of the case. */
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param code     what was wrong
   * @param message  what was expected and what came, with units
   * @param details  the same as values
   * @param options  `cause`, where another error led here
   */
  constructor(
    code: MemmapErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'MemmapError';
    this.code = code;
    this.details = details;
  }
}

/** The error for what is no handle of this package. */
export function memmapHandleError(
  message: string,
  details: Readonly<Record<string, unknown>>,
): MemmapError {
  return new MemmapError('ERR_MEMMAP_HANDLE', message, details);
}
