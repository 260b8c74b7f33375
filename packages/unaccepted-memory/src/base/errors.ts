/**
 * The one error class of the package. Shortage is never an error here; these are a caller's mistake
 * (thrown before anything changed) or a platform that could not do what it must.
 */

/** What can go wrong, as a code that tests and callers compare. */
export type AcceptErrorCode =
  /** An argument is out of range, not aligned or not an integer. */
  | 'ERR_ACCEPT_ARGUMENT'
  /** An installed table has a version other than 1. */
  | 'ERR_ACCEPT_TABLE_VERSION'
  /** The table does not fit: span over 4 PiB, truncated bytes, bad header. */
  | 'ERR_ACCEPT_TABLE'
  /** A handle is junk, somebody else's, cut short, or of another layout version. */
  | 'ERR_ACCEPT_HANDLE'
  /** Every participant slot is taken. */
  | 'ERR_ACCEPT_PARTICIPANTS'
  /** The backend called back into the same participant while it accepts. */
  | 'ERR_ACCEPT_REENTRANT'
  /** The platform refused; the units named in `details` stay unusable. */
  | 'ERR_ACCEPT_FAILED'
  /** A worker died (or failed) while it accepted this unit: its content is not known. */
  | 'ERR_ACCEPT_INTERRUPTED'
  /** Another worker did not finish within the waiting limit, and is not known to have ended. */
  | 'ERR_ACCEPT_TIMEOUT'
  /** The unit is in no state in which this can be done to it. */
  | 'ERR_ACCEPT_STATE'
  /** The unit is free, parked, cached, in part another's, or another thread is converting it. */
  | 'ERR_ACCEPT_NOT_HELD'
  /** The object was closed, its thread declared dead, or the state handed over to the next stage. */
  | 'ERR_ACCEPT_CLOSED';

/** Error of this package; match on `code`, not on the text. `cause` keeps what the backend threw. */
export class AcceptError extends Error {
  /** What happened. */
  readonly code: AcceptErrorCode;
  /** The values behind the message: addresses in bytes, units as indices. */
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param code     what happened
   * @param message  what was expected, what came, with unit
   * @param details  the values behind the message
   * @param options  `cause`: the error that led here, if any
   */
  constructor(
    code: AcceptErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'AcceptError';
    this.code = code;
    this.details = details;
  }
}

/** Makes the error for `checkHandle`. */
export function handleError(
  message: string,
  details: Readonly<Record<string, unknown>>,
): AcceptError {
  return new AcceptError('ERR_ACCEPT_HANDLE', message, details);
}

/** `0x` form of an address for messages. */
export function hex(address: number): string {
  return `0x${address.toString(16)}`;
}
