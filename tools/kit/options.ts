/**
 * Command lines of the runners: declared once, read by node:util `parseArgs`. What a runner does not know is an
 * error with the list of what it knows (exit code 2); `--help` prints that list.
 */
import { parseArgs } from 'node:util';

/** One option: how it is written and what becomes of its text. */
export interface Option<T> {
  readonly help: string;
  /** What stands for the value in the help, such as `N`; none: the option takes no value. */
  readonly placeholder?: string;
  /** @throws Error saying what was expected */
  readonly read: (given: string | undefined) => T;
}

/** Values by the names of their options. */
export type Values<S extends Record<string, Option<unknown>>> = {
  readonly [K in keyof S]: S[K] extends Option<infer T> ? T : never;
};

/** A runner, for its help. */
export interface Command {
  /** As it is started: `bench -- padata`. */
  readonly name: string;
  readonly about: string;
  /** The arguments that are no options. None: it takes none. A list: it takes any of these. */
  readonly arguments?: readonly string[] | { readonly placeholder: string };
}

/** `--name`, without a value. */
export function flag(help: string): Option<boolean> {
  return { help, read: (given) => given !== undefined };
}

/** `--name TEXT`. */
export function text(fallback: string, help: string): Option<string> {
  return { help, placeholder: 'TEXT', read: (given) => given ?? fallback };
}

function numberFrom(given: string): number {
  const value = Number(given);
  if (given.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new Error(`takes a number, not '${given}'`);
  return value;
}

/** `--name N`: a number from 0, fractions included. */
export function number<F extends number | undefined>(
  fallback: F,
  help: string,
): Option<number | F> {
  return {
    help,
    placeholder: 'N',
    read: (given) => (given === undefined ? fallback : numberFrom(given)),
  };
}

/** `--name N`: a whole number from `least`. */
export function integer<F extends number | undefined>(
  fallback: F,
  help: string,
  least = 0,
): Option<number | F> {
  return {
    help,
    placeholder: 'N',
    read: (given) => {
      if (given === undefined) return fallback;
      const value = numberFrom(given);
      if (!Number.isSafeInteger(value) || value < least)
        throw new Error(`takes a whole number from ${least}, not '${given}'`);
      return value;
    },
  };
}

/** `--name N,N,…`: numbers from 0. */
export function numbers<F extends readonly number[] | undefined>(
  fallback: F,
  help: string,
): Option<readonly number[] | F> {
  return {
    help,
    placeholder: 'N,N,…',
    read: (given) => (given === undefined ? fallback : given.split(',').map(numberFrom)),
  };
}

/** Options that every benchmark has. */
export const BENCH_OPTIONS = {
  quick: flag('a short run: fewer rounds and less work, warmed up all the same'),
  json: flag('one JSON object a line instead of tables'),
};

/**
 * Reads the command line of a benchmark.
 * @param cases  its parts, any of which may be named; none named: all
 */
export function benchOptions<S extends Record<string, Option<unknown>>>(
  name: string,
  about: string,
  cases: readonly string[],
  spec: S,
): Values<typeof BENCH_OPTIONS & S> & { readonly cases: readonly string[] } {
  const command = {
    name: `bench -- ${name}`,
    about,
    ...(cases.length > 0 ? { arguments: cases } : {}),
  };
  const { values, positionals } = readOptions(command, { ...BENCH_OPTIONS, ...spec });
  return { ...values, cases: positionals.length > 0 ? positionals : cases };
}

/**
 * Reads the command line of a conformance runner: options, and files or folders to read instead of the usual ones.
 * @param placeholder  what a path names: `FOLDER`
 */
export function conformanceOptions<S extends Record<string, Option<unknown>>>(
  name: string,
  about: string,
  placeholder: string,
  spec: S,
): Values<S> & { readonly paths: readonly string[] } {
  const command = { name: `conformance -- ${name}`, about, arguments: { placeholder } };
  const { values, positionals } = readOptions(command, spec);
  return { ...values, paths: positionals };
}

/** Reads the command line; prints and ends the process when it asks for help or cannot be read. */
export function readOptions<S extends Record<string, Option<unknown>>>(
  command: Command,
  spec: S,
): { readonly values: Values<S>; readonly positionals: readonly string[] } {
  try {
    return parse(command, spec);
  } catch (error) {
    // Node goes on about how to write arguments that look like options.
    const [reason] = (error as Error).message.split('. To specify');
    console.error(`${reason}\n\n${help(command, spec)}`);
    process.exit(2);
  }
}

function parse<S extends Record<string, Option<unknown>>>(
  command: Command,
  spec: S,
): { readonly values: Values<S>; readonly positionals: readonly string[] } {
  const known = Object.entries(spec).map(([name, { placeholder }]) => {
    const type: 'boolean' | 'string' = placeholder === undefined ? 'boolean' : 'string';
    return [name, { type }] as const;
  });
  const options: Record<string, { type: 'boolean' | 'string'; short?: string }> = {
    ...Object.fromEntries(known),
    help: { type: 'boolean', short: 'h' },
  };
  const given = parseArgs({ allowPositionals: command.arguments !== undefined, options });
  if (given.values['help'] === true) {
    console.log(help(command, spec));
    process.exit(0);
  }
  const wrong = wrongArgument(command, given.positionals);
  if (wrong !== undefined) throw new Error(`unknown argument '${wrong}'`);
  const values = Object.entries(spec).map(([name, option]) => {
    const value = given.values[name];
    try {
      return [name, option.read(value === true ? '' : (value as string | undefined))] as const;
    } catch (error) {
      throw new Error(`--${name} ${(error as Error).message}`, { cause: error });
    }
  });
  return { values: Object.fromEntries(values) as Values<S>, positionals: given.positionals };
}

function wrongArgument(command: Command, positionals: readonly string[]): string | undefined {
  const { arguments: allowed } = command;
  if (!isList(allowed)) return undefined;
  return positionals.find((argument) => !allowed.includes(argument));
}

function isList(allowed: Command['arguments']): allowed is readonly string[] {
  return Array.isArray(allowed);
}

function help(command: Command, spec: Record<string, Option<unknown>>): string {
  const { name, about, arguments: allowed } = command;
  let tail = '';
  if (isList(allowed)) tail = ` [${allowed.join(' | ')}]…`;
  else if (allowed !== undefined) tail = ` [${allowed.placeholder}]…`;
  const lines = Object.entries(spec).map(([option, { placeholder, help: what }]) => {
    const written = placeholder === undefined ? `--${option}` : `--${option} ${placeholder}`;
    return `  ${written.padEnd(22)} ${what}`;
  });
  return [
    `usage: npm run ${name}${tail} [options]`,
    about,
    '',
    ...lines,
    `  ${'--help'.padEnd(22)} this text`,
  ].join('\n');
}
