/**
 * What is asked of a backend before it is used, and how it is called: it is somebody else's code.
 *
 * A call must be finished when it returns. A backend whose call returns a promise has not: what it should have prepared
 * would be used too early, so such a call counts as failed.
 */
import { checkFunction, checkMethods, checkName, checkObject, refuse } from '../base/check.js';
import type { ByteRange } from '../table/table.js';
import type { AcceptBackend } from './backend.js';

/** When a piece may be prepared again. */
const REPEATABLE = ['concurrently', 'after-death', 'never'] as const;

/** @throws ERR_ACCEPT_ARGUMENT for what is no backend */
export function checkBackend(backend: AcceptBackend): void {
  checkObject('backend', backend);
  const { granularity, maxRun, repeatable } = backend;
  for (const [name, value] of Object.entries({ granularity, maxRun })) {
    if (typeof value !== 'number' || !(value > 0))
      refuse(`backend.${name}`, 'bytes, above 0', value);
  }
  checkName('backend.repeatable', repeatable, REPEATABLE);
  checkMethods('backend', backend, ['accept', 'toHandle']);
  const { convert } = backend as { readonly convert?: unknown };
  checkFunction('backend.convert', convert, true);
}

/** A backend as it may be: its methods return whatever they return. */
interface Callee {
  accept(start: number, end: number): unknown;
  convert?(start: number, end: number, to: 'shared' | 'private' | 'unaccepted'): unknown;
}

/** Has a piece accepted. @throws what the backend throws, TypeError when it returned before it was finished */
export function runAccept(backend: Callee, start: number, end: number): void {
  checkFinished(backend.accept(start, end));
}

/** Has a piece converted by a backend that converts. @throws as {@link runAccept} */
export function runConvert(
  backend: Callee,
  range: ByteRange,
  to: 'shared' | 'private' | 'unaccepted',
): void {
  checkFinished(backend.convert?.(range.start, range.end, to));
}

function checkFinished(result: unknown): void {
  const then = (result as { then?: unknown } | null | undefined)?.then;
  if (typeof then !== 'function') return;
  // Nobody will look at it any more.
  void Promise.resolve(result).catch(() => undefined);
  throw new TypeError('the backend returned a promise: it must be finished when it returns');
}
