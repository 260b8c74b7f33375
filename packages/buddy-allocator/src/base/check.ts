/**
 * Checks of what callers pass. Every public function runs them before it changes anything, so that a mistake is an
 * error with a code, and never a request that looks like shortage.
 *
 * Values are judged by type first: a BigInt or a Symbol in arithmetic would throw an error without a code.
 */
import { BuddyError } from './errors.js';

/** Text of any value; never throws. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

/** The value itself where it survives `postMessage` in an error's details, else its text. */
function plain(value: unknown): unknown {
  const kept = typeof value === 'number' || typeof value === 'boolean' || value === null;
  return kept || value === undefined ? value : show(value);
}

/**
 * Refuses an argument.
 * @param what  its name
 * @param rule  what it must be
 * @throws ERR_BUDDY_ARGUMENT with `{ option, value }`
 */
export function refuse(what: string, rule: string, value: unknown): never {
  throw new BuddyError('ERR_BUDDY_ARGUMENT', `${what}: ${rule}, got ${show(value)}`, {
    option: what,
    value: plain(value),
  });
}

/** @throws ERR_BUDDY_ARGUMENT unless it is a whole number in min .. max, both included */
export function checkInteger(value: unknown, what: string, min: number, max: number): void {
  const inside = typeof value === 'number' && value >= min && value <= max;
  if (!inside || !Number.isInteger(value)) refuse(what, `a whole number ${min} .. ${max}`, value);
}

/** @throws ERR_BUDDY_ARGUMENT unless it is an order 0 .. maxOrder */
export function checkOrder(value: unknown, maxOrder: number): void {
  checkInteger(value, 'order', 0, maxOrder);
}

/** @throws ERR_BUDDY_ARGUMENT unless it is a page number, 0 .. 2^53 - 1 */
export function checkPfn(value: unknown, what = 'pfn'): void {
  checkInteger(value, what, 0, Number.MAX_SAFE_INTEGER);
}

/** @throws ERR_BUDDY_ARGUMENT unless it is true, false or left out */
export function checkFlag(value: unknown, what: string): void {
  if (value !== undefined && typeof value !== 'boolean') refuse(what, 'true or false', value);
}

/**
 * @param owned  blocks have owners here
 * @throws ERR_BUDDY_ARGUMENT unless it is the number of an owner, or left out
 */
export function checkOwner(value: unknown, owned: boolean): void {
  if (value === undefined) return;
  checkInteger(value, 'owner', 0, 2 ** 31 - 1);
  if (!owned) refuse('owner', 'nothing without the option `owners` of create', value);
}

/** @throws ERR_BUDDY_ARGUMENT unless it can be called */
export function checkFunction(value: unknown, what: string): void {
  if (typeof value !== 'function') refuse(what, 'a function', value);
}

/** @throws ERR_BUDDY_ARGUMENT unless it is an object (no array) of named values */
export function checkObject(value: unknown, what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(what, 'an object', value);
  }
}

/** @throws ERR_BUDDY_ARGUMENT unless it is an Array */
export function checkArray(value: unknown, what: string): void {
  if (!Array.isArray(value)) refuse(what, 'an array', value);
}

/** @throws ERR_BUDDY_ARGUMENT unless it is one of the names */
export function checkName(value: unknown, what: string, names: readonly string[]): void {
  if (typeof value !== 'string' || !names.includes(value)) {
    refuse(what, `one of ${names.join(', ')}`, value);
  }
}

/** @throws ERR_BUDDY_ARGUMENT unless it is a time in milliseconds, 0 or more, or left out */
export function checkTimeout(value: unknown, what = 'lockTimeoutMs'): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !(value >= 0)) refuse(what, 'milliseconds, 0 or more', value);
}

/**
 * The array that `count` page numbers go into.
 * @throws ERR_BUDDY_ARGUMENT unless it is an Array, which grows, or an Int32Array with room for them
 */
export function checkOut(value: unknown, count: number): void {
  if (Array.isArray(value) && !Object.isFrozen(value)) return;
  const typed = ArrayBuffer.isView(value) && tagOf(value) === 'Int32Array';
  if (!typed) refuse('out', 'an Array or an Int32Array', value);
  const { length } = value as Int32Array;
  if (length < count) refuse('out', `room for ${count} page numbers`, length);
}

/** Name of the class whose internal slot a view has; the same in every realm. */
function tagOf(value: ArrayBufferView): unknown {
  return (value as unknown as Record<symbol, unknown>)[Symbol.toStringTag];
}
