/** Web workers have no standard streams, and no asynchronous context: there is nothing to capture. */
import type { AnyFunction } from '../base/function-ref.js';

/** Can what jobs write be captured here? */
export function canCapture(): boolean {
  return false;
}

/** The function itself. */
export function capturing(fn: AnyFunction, _maxBytes: number): AnyFunction {
  return fn;
}
