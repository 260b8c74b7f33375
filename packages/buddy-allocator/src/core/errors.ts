/**
 * Errors of the allocator. A caller's mistake throws before anything changed; a broken invariant throws
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
  | 'ERR_BUDDY_OUT_OF_ZONE'
  | 'ERR_BUDDY_UNINITIALISED'
  | 'ERR_BUDDY_EXHAUSTED'
  | 'ERR_BUDDY_POISON'
  | 'ERR_BUDDY_HANDLE'
  | 'ERR_BUDDY_CLOSED'
  | 'ERR_BUDDY_CORRUPT';

/** Values that belong to an error; they survive `postMessage`. */
export type BuddyErrorDetails = Readonly<Record<string, number | string | boolean | undefined>>;

/** Error of the allocator: `code` is stable, the message is for people. */
export class BuddyError extends Error {
  /** Stable identifier of what was wrong. */
  readonly code: BuddyErrorCode;
  /** The numbers of the case. */
  readonly details: BuddyErrorDetails;

  /**
   * @param code     what was wrong
   * @param message  what was expected and what came
   * @param details  the same as values
   */
  constructor(code: BuddyErrorCode, message: string, details: BuddyErrorDetails = {}) {
    super(message);
    this.name = 'BuddyError';
    this.code = code;
    this.details = details;
  }
}
