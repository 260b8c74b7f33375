/** Why something was aborted. */

/** The reason that was given; without one an AbortError, as `AbortController` makes it: an abort is never a success. */
export function abortReason(reason: unknown): unknown {
  return reason === undefined
    ? new DOMException('This operation was aborted', 'AbortError')
    : reason;
}
