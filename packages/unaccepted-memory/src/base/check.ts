/**
 * Checks of what callers pass. Every public function runs them before it changes anything, so that a mistake is an error
 * with a code. Values are judged by type first: text of a Symbol or of an object without prototype would throw.
 */
import { AcceptError } from './errors.js';

/** Text of any value; never throws. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

/**
 * Refuses an argument.
 * @param name  which
 * @param rule  what it must be
 * @throws ERR_ACCEPT_ARGUMENT; details have the value where it survives `postMessage`, else its text
 */
export function refuse(name: string, rule: string, value: unknown): never {
  const plain = ['number', 'boolean', 'undefined'].includes(typeof value) || value === null;
  throw new AcceptError('ERR_ACCEPT_ARGUMENT', `${name}: expected ${rule}, got ${show(value)}`, {
    name,
    value: plain ? value : show(value),
  });
}

/** Throws `ERR_ACCEPT_ARGUMENT` unless `value` is a safe integer within `[min, max]`. */
export function checkInteger(
  name: string,
  value: unknown,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): void {
  const whole = typeof value === 'number' && Number.isSafeInteger(value);
  if (!whole || value < min || value > max) refuse(name, `an integer in [${min}, ${max}]`, value);
}

/** @throws ERR_ACCEPT_ARGUMENT unless it is an object with named values */
export function checkObject(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(name, 'an object', value);
  }
}

/** @throws ERR_ACCEPT_ARGUMENT unless it is a list */
export function checkList(name: string, value: unknown): void {
  if (!Array.isArray(value)) refuse(name, 'an array', value);
}

/** @throws ERR_ACCEPT_ARGUMENT unless it can be called, or is left out where that is allowed */
export function checkFunction(name: string, value: unknown, optional = false): void {
  if (typeof value !== 'function' && !(optional && value === undefined)) {
    refuse(name, 'a function', value);
  }
}

/** @throws ERR_ACCEPT_ARGUMENT unless it is true, false or left out */
export function checkFlag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') refuse(name, 'true or false', value);
}

/** @throws ERR_ACCEPT_ARGUMENT unless it is one of the names, or left out where that is allowed */
export function checkName(
  name: string,
  value: unknown,
  names: readonly string[],
  optional = false,
): void {
  if (optional && value === undefined) return;
  if (typeof value !== 'string' || !names.includes(value)) {
    refuse(name, `one of ${names.join(', ')}`, value);
  }
}

/** @throws ERR_ACCEPT_ARGUMENT unless it is a number of at least `min`, infinity included, or left out */
export function checkNumber(name: string, value: unknown, min: number): void {
  if (value === undefined || (typeof value === 'number' && value >= min)) return;
  refuse(name, `a number of at least ${min}`, value);
}

/** @throws ERR_ACCEPT_ARGUMENT unless it is an object with these methods, its own or its class's */
export function checkMethods(name: string, value: unknown, methods: readonly string[]): void {
  checkObject(name, value);
  const fields = value as Readonly<Record<string, unknown>>;
  for (const method of methods) checkFunction(`${name}.${method}`, fields[method]);
}
