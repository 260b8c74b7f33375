/**
 * Options are checked by name, by kind and by value: a slip of the pen is an error, not a default, and is told before
 * anything has happened.
 */
import { PadataError } from './errors.js';

/** What a value has to be; undefined is always the default, null never. */
const KINDS = {
  anything: () => true,
  'a number': (value: unknown) => typeof value === 'number',
  'a text': (value: unknown) => typeof value === 'string',
  'true or false': (value: unknown) => typeof value === 'boolean',
  'a function': (value: unknown) => typeof value === 'function',
  'an object': isObject,
  'a list': isList,
  'an AbortSignal': (value: unknown) =>
    isObject(value) && has(value, 'addEventListener') && has(value, 'removeEventListener'),
} as const;

/** A kind of value, as an error names it. */
type OptionKind = keyof typeof KINDS;

/**
 * Names of options with the kinds of their values, complete by its type.
 * @example const OPTIONS: OptionKinds<Options> = { window: 'a number', ... };
 */
export type OptionKinds<T> = Readonly<Record<keyof T & string, OptionKind>>;

/** @throws ERR_PADATA_ARGUMENT for what is no object, an option that there is not, or a value of another kind */
export function checkOptions(
  of: string,
  options: object,
  kinds: Readonly<Record<string, OptionKind>>,
): void {
  if (!isObject(options)) throw mistake(`options of ${of}`, 'an object', options);
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(kinds, name)) {
      throw new PadataError(
        'ERR_PADATA_ARGUMENT',
        `${of} has no option "${name}"; there are ${Object.keys(kinds).join(', ')}`,
        { name },
      );
    }
    checkKind(name, (options as Record<string, unknown>)[name], kinds[name]!);
  }
}

/** @throws ERR_PADATA_ARGUMENT for a value of another kind; undefined is the default */
export function checkKind(name: string, value: unknown, kind: OptionKind): void {
  if (value !== undefined && !KINDS[kind](value)) throw mistake(name, kind, value);
}

/** @throws ERR_PADATA_ARGUMENT for what is no function, undefined included */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw mistake(name, 'a function', value);
}

/** @throws ERR_PADATA_ARGUMENT for a value that is none of these; undefined is the default */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return;
  throw mistake(name, `one of ${choices.map((c) => `'${c}'`).join(', ')}`, value);
}

/** The error that says what was wanted, and what came. */
export function mistake(name: string, wanted: string, value: unknown): PadataError {
  const got = typeof value === 'string' ? `'${value}'` : value === null ? 'null' : typeof value;
  return new PadataError('ERR_PADATA_ARGUMENT', `${name} must be ${wanted}, got ${got}`, {
    name,
    value,
  });
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isList(value: unknown): boolean {
  return isObject(value) && has(value, Symbol.iterator);
}

function has(value: object, method: string | symbol): boolean {
  return typeof (value as Record<string | symbol, unknown>)[method] === 'function';
}
