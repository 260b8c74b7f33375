/**
 * Promises of any kind, as functions return them. What a value's `then` does is the function's own code: it may throw,
 * be a getter, call back twice or never. So it is read where its errors are the job's, and what it promises is adopted
 * by a promise of this realm, which settles once.
 */

/**
 * Is it something with a `then`? Of any realm.
 * @throws whatever reading `then` throws; ask where that is the error of whoever gave the value
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** As it was when the package was loaded: programs and job modules put others in its place, whose methods take none of this realm's. */
const RealmPromise = Promise;
// eslint-disable-next-line @typescript-eslint/unbound-method -- called with a promise of this realm as its `this`.
const { then } = RealmPromise.prototype;

/**
 * Calls exactly one of the two, exactly once, when the value settles. Never throws.
 * @remarks a promise of this realm is taken as it is; anything else costs two turns of the microtask queue more
 */
export function whenSettled(
  value: PromiseLike<unknown>,
  fulfilled: (result: unknown) => void,
  rejected: (error: unknown) => void,
): void {
  try {
    // Not the value's own `then`: a promise may have been given another.
    void then.call(RealmPromise.resolve(value), fulfilled, rejected);
  } catch (error) {
    rejected(error);
  }
}
