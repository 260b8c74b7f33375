/**
 * The JSON form of a description: written, read back, and checked against the published schema.
 *
 * Besides the shape, ranges must not be empty or turned around: code that takes a description may rely on it.
 */
import { checkValue } from './check-value.js';
import { lineOfOffset, lineOfPath } from './json-locate.js';
import { ProblemList } from '../base/problem-list.js';
import type { ReadResult } from '../base/read-result.js';
import { DESCRIPTION_SCHEMA } from '../schema/schema.js';
import type { MachineDescription } from '../types/all.js';

/** The description as JSON text, two blanks a level. */
export function toJson(description: MachineDescription): string {
  return JSON.stringify(description, undefined, 2);
}

/**
 * Reads a description back.
 * @param text  JSON
 * @returns `ok: false` with the reasons when it is no description of a version that is understood
 */
export function fromJson(text: string): ReadResult {
  const problems = new ProblemList();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = (error as Error).message.slice(0, 200);
    const offset = /position (\d+)/.exec(message)?.[1];
    const line =
      offset === undefined ? lineOfOffset(text, text.length) : lineOfOffset(text, +offset);
    problems.error('BAD_JSON', line, `no JSON: ${message}`);
    return { ok: false, problems: problems.list() };
  }
  const { schema, version } = Object(value) as { schema?: unknown; version?: unknown };
  if (schema !== 'bootmem/machine-description' || version !== 1) {
    const found = `schema ${shown(schema)}, version ${shown(version)}`;
    problems.error(
      'UNSUPPORTED_VERSION',
      1,
      `expected schema "bootmem/machine-description" of version 1, found ${found}`,
    );
    return { ok: false, problems: problems.list() };
  }
  for (const { path, message } of checkValue(value, DESCRIPTION_SCHEMA)) {
    problems.error('BAD_JSON', lineOfPath(text, path), `/${path.join('/')}: ${message}`);
  }
  if (!problems.has('error')) checkRanges(value, [], text, problems);
  if (problems.has('error')) return { ok: false, problems: problems.list() };
  return { ok: true, description: value as MachineDescription };
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value).slice(0, 60);
}

// Every object with both `start` and `end` is a range.
function checkRanges(
  value: unknown,
  path: readonly (string | number)[],
  text: string,
  problems: ProblemList,
): void {
  if (typeof value !== 'object' || value === null) return;
  const { start, end } = value as { start?: unknown; end?: unknown };
  if (typeof start === 'number' && typeof end === 'number' && end <= start) {
    const message = `/${path.join('/')}: the range ends at ${end}, before it starts or where it starts (${start})`;
    problems.error('BAD_RANGE', lineOfPath(text, path), message);
  }
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, item] of entries) checkRanges(item, [...path, key], text, problems);
}
