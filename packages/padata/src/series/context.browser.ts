/** Browsers have no asynchronous context that a callback could keep. */

/** The callback itself. */
export function inContext<F>(callback: F): F {
  return callback;
}
