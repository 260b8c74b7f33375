/**
 * Errors of the allocator and of the computations of zones and marks (`ERR_ZONE_…`). A caller's mistake throws before anything changed; a broken invariant throws
 * `ERR_BUDDY_CORRUPT` and the object should not be used further.
 */

/** Codes of {@link BuddyError}. */
export type BuddyErrorCode =
  | 'ERR_BUDDY_ARGUMENT'
  | 'ERR_BUDDY_DOUBLE_FREE'
  | 'ERR_BUDDY_NOT_HEAD'
  | 'ERR_BUDDY_WRONG_ORDER'
  | 'ERR_BUDDY_RESERVED'
  | 'ERR_BUDDY_NOT_ALLOCATED'
  | 'ERR_BUDDY_SHARED'
  | 'ERR_BUDDY_OUT_OF_ZONE'
  | 'ERR_BUDDY_UNINITIALISED'
  | 'ERR_BUDDY_EXHAUSTED'
  | 'ERR_BUDDY_POISON'
  | 'ERR_BUDDY_HANDLE'
  | 'ERR_BUDDY_CLOSED'
  | 'ERR_BUDDY_CORRUPT'
  | 'ERR_ZONE_RANGES'
  | 'ERR_ZONE_LIMITS'
  | 'ERR_ZONE_ARGUMENT';

/** Error of the allocator: `code` is stable, the message is for people. */
export class BuddyError extends Error {
  /** Stable identifier of what was wrong. */
  readonly code: BuddyErrorCode;
  /** The numbers of the case. */
  readonly details: Readonly<Record<string, unknown>>;

  /**
   * @param code     what was wrong
   * @param message  what was expected and what came
   * @param details  the same as values; they survive `postMessage`
   * @param options  `cause`, where another error led here
   */
  constructor(
    code: BuddyErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'BuddyError';
    this.code = code;
    this.details = details;
  }
}

/** @throws ERR_ZONE_ARGUMENT unless `value` is a whole number of pages, 0 or more */
export function checkPages(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new BuddyError('ERR_ZONE_ARGUMENT', `${what} must be a whole number, 0 or more`, {
      value,
    });
  }
}
