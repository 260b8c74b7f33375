/**
 * What a thread calls for each job, always as `fn.call(undefined, input, context)`.
 *
 * A function that is called again and again at one place V8 compiles into its caller, and what becomes of its own loop there depends on
 * all that the thread's loop keeps alive. It does not look through `call`: the function is compiled alone, as it would be without a
 * pool. `npm run bench -- padata own-speed` has what a loop costs in a thread.
 */
import { capturing } from '#capture';
import type { AnyFunction } from '../base/function-ref.js';

// eslint-disable-next-line @typescript-eslint/unbound-method -- compared, not called.
const { call } = Function.prototype;

/**
 * The function of a series as its jobs call it.
 * @param outputBytes what it writes is kept, so many bytes at most; 0 = it is not
 */
export function jobFunction(fn: AnyFunction, outputBytes: number): AnyFunction {
  const captured = capturing(fn, outputBytes);
  if (inheritsCall(captured)) return captured;
  return (...args) => Reflect.apply(captured, undefined, args);
}

/** Not when it has a `call` of its own, or none, or is a proxy that answers otherwise. */
function inheritsCall(fn: AnyFunction): boolean {
  try {
    return fn.call === call;
  } catch {
    return false;
  }
}
