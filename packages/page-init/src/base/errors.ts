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

/** Values that describe an error: units as in the message. */
export type PageInitErrorDetails = Readonly<Record<string, unknown>>;

/** Error of this package; match on `code`, not on the text. */
export class PageInitError extends Error {
  override readonly name = 'PageInitError';
  /** What happened. */
  readonly code: PageInitErrorCode;
  /** The values involved. */
  readonly details: PageInitErrorDetails;

  constructor(
    code: PageInitErrorCode,
    message: string,
    details: PageInitErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}

/** Throws unless a fact that this package itself guarantees holds. */
export function invariant(holds: boolean, fact: string, details: PageInitErrorDetails = {}): void {
  if (!holds)
    throw new PageInitError('ERR_PAGE_INIT_INVARIANT', `broken invariant: ${fact}`, details);
}

/** Throws unless the caller gave an integer in `[low, high]`. */
export function checkCount(name: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new PageInitError(
    'ERR_PAGE_INIT_ARGUMENT',
    `${name} is an integer in ${low}..${high}, got ${value}`,
    { name, value },
  );
}
