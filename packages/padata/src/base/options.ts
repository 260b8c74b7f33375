/** Options are checked by name and by value: a slip of the pen is an error, not a default. */
import { PadataError } from './errors.js';

/**
 * Names of options, complete by its type.
 * @example const NAMES: OptionNames<Options> = { window: true, ... };
 */
export type OptionNames<T> = Readonly<Record<keyof T & string, true>>;

/** @throws ERR_PADATA_ARGUMENT for an option that there is not */
export function checkOptionNames(
  of: string,
  options: object,
  names: Readonly<Record<string, true>>,
): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(names, name)) continue;
    throw new PadataError(
      'ERR_PADATA_ARGUMENT',
      `${of} has no option "${name}"; there are ${Object.keys(names).join(', ')}`,
      { name },
    );
  }
}

/** @throws ERR_PADATA_ARGUMENT for a value that is none of these; undefined is the default */
export function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value as string)) return;
  throw new PadataError(
    'ERR_PADATA_ARGUMENT',
    `${name} must be one of ${choices.map((c) => `'${c}'`).join(', ')}, got ${typeof value === 'string' ? `'${value}'` : typeof value}`,
    { name, value },
  );
}
