/**
 * The one error class of this package. A caller's mistake is thrown before anything changed; a broken
 * invariant is thrown with code `ERR_PAGE_INIT_INVARIANT` and the object that met it refuses further work.
 */

/** Codes of {@link PageInitError}. */
export type PageInitErrorCode =
  | 'ERR_PAGE_INIT_ARGUMENT'
  | 'ERR_PAGE_INIT_HANDLE'
  | 'ERR_PAGE_INIT_INVARIANT'
  | 'ERR_PAGE_INIT_TWICE'
  | 'ERR_PAGE_INIT_INCOMPLETE'
  | 'ERR_PAGE_INIT_CANCELLED'
  | 'ERR_DEVICE_ARGUMENT'
  | 'ERR_DEVICE_MISALIGNED'
  | 'ERR_DEVICE_CONFLICT'
  | 'ERR_DEVICE_RAM'
  | 'ERR_DEVICE_PRESENT'
  | 'ERR_DEVICE_STATE';

/** Error of this package; match on `code`, not on the text. */
export class PageInitError extends Error {
  /** What happened. */
  readonly code: PageInitErrorCode;
  /** The values behind the message: units as in the message. */
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param code     what happened
   * @param message  what was expected or what is wrong, as a plain sentence
   * @param details  the values behind it
   * @param options  `cause`: the error that led here, if any
   */
  constructor(
    code: PageInitErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'PageInitError';
    this.code = code;
    this.details = details;
  }
}

/** Makes the error for `checkHandle`. */
export function handleError(
  message: string,
  details: Readonly<Record<string, unknown>>,
): PageInitError {
  return new PageInitError('ERR_PAGE_INIT_HANDLE', message, details);
}

/** Throws unless a fact that this package itself guarantees holds. */
export function invariant(
  holds: boolean,
  fact: string,
  details: Readonly<Record<string, unknown>> = {},
): void {
  if (!holds) {
    throw new PageInitError('ERR_PAGE_INIT_INVARIANT', `broken invariant: ${fact}`, details);
  }
}
