/**
 * Arguments that are not what a signature says, from callers without types: refused before anything is read from them.
 */
import { PageInitError, type PageInitErrorCode } from './errors.js';

/** What a field must be: a list, a function, or anything that has fields. */
export type Kind = 'array' | 'function' | 'object';

const KINDS: Readonly<Record<Kind, (value: unknown) => boolean>> = {
  array: (value) => Array.isArray(value),
  function: (value) => typeof value === 'function',
  object: (value) => typeof value === 'object' && value !== null,
};

/**
 * Throws unless a value has these fields.
 * @param name    of the argument, for the message
 * @param value   the argument
 * @param fields  what it must have
 * @param code    default ERR_PAGE_INIT_ARGUMENT
 */
export function checkFields(
  name: string,
  value: unknown,
  fields: Readonly<Record<string, Kind>>,
  code: PageInitErrorCode = 'ERR_PAGE_INIT_ARGUMENT',
): void {
  const has = typeof value === 'object' && value !== null;
  for (const [field, kind] of Object.entries(fields)) {
    if (has && KINDS[kind]((value as Readonly<Record<string, unknown>>)[field])) continue;
    const came = has ? 'something else' : value === null ? 'null' : typeof value;
    throw new PageInitError(code, `${name} has ${field} (${kind}); got ${came}`, { name, field });
  }
}
