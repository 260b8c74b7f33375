/** Marks objects that a result hands over instead of copying. */
import { thread } from '../base/current-worker.js';
import { isObject, mistake } from '../base/options.js';

/**
 * Returns `value` so that, as a job's result, the listed objects are transferred with it.
 * @param value result of a job function; an object
 * @param list  transferable objects in it
 * @throws ERR_PADATA_ARGUMENT
 */
export function transfer<T extends object>(value: T, list: readonly unknown[]): T {
  if (!isObject(value)) throw mistake('value', 'an object', value);
  if (!Array.isArray(list)) throw mistake('list', 'a list of transferable objects', list);
  thread.transfers.set(value, list);
  return value;
}

/** The transfer list of a value, if it has one. */
export function transferListOf(value: unknown): readonly unknown[] | undefined {
  return typeof value === 'object' && value !== null ? thread.transfers.get(value) : undefined;
}

/**
 * Looks for buffers that were handed over before: they can be posted, but kill the thread that the message comes to.
 * @throws TypeError
 */
export function checkTransfer(list: readonly unknown[]): void {
  for (const item of list) {
    if (Object.prototype.toString.call(item) !== '[object ArrayBuffer]') continue;
    // Says so where there is no `detached` yet.
    new Uint8Array(item as ArrayBuffer);
  }
}
