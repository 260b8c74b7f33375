/** Small helpers for reading recorded text; every reader names the line it could not read. */

/** Thrown where a recorded file does not have the form this reader knows. */
export class OracleError extends Error {
  readonly code = 'ERR_ORACLE_FORMAT';
  constructor(what: string, line: string) {
    super(`${what}: ${JSON.stringify(line.slice(0, 200))}`);
    this.name = 'OracleError';
  }
}

/** The groups of `pattern` in `line`. @throws ERR_ORACLE_FORMAT where it does not match */
export function match(line: string, pattern: RegExp, what: string): Record<string, string> {
  const found = pattern.exec(line);
  if (found === null) throw new OracleError(what, line);
  return found.groups ?? {};
}

/** The lines of `text` that are not empty. */
export function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}

/** A number written as `123`, `0x7b` or (radix 16) `7b`; 64-bit all-ones values become Infinity. */
export function parseCount(text: string, radix: 10 | 16 = 10): number {
  const value = Number(radix === 16 && !text.startsWith('0x') ? `0x${text}` : text);
  if (Number.isNaN(value) || text === '') throw new OracleError('not a number', text);
  return value > Number.MAX_SAFE_INTEGER ? Infinity : value;
}

/** The value of `key=value` words in a line, up to the next space. */
export function word(line: string, key: string): string | undefined {
  return new RegExp(`(?:^| )${key}=(\\S+)`).exec(line)?.[1];
}

/** Like `word`, as a number. @throws ERR_ORACLE_FORMAT when the key is missing */
export function numberWord(line: string, key: string): number {
  const text = word(line, key);
  if (text === undefined) throw new OracleError(`no ${key}=`, line);
  return parseCount(text);
}
