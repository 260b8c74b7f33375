/**
 * The JSON form of a description: written, read back, and checked against the published schema.
 *
 * Besides the shape, ranges must not be empty or turned around: code that takes a description may rely on it.
 */
import { checkValue } from './check-value.js';
import { lineOfOffset, linesOfPaths } from './json-locate.js';
import type { JsonPath } from './json-locate.js';
import { MAX_PROBLEMS_PER_CODE } from '../base/constants.js';
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
  const complaints = checkValue(value, DESCRIPTION_SCHEMA);
  const lines = linesOfPaths(
    text,
    complaints.map(({ path }) => path),
  );
  for (const [index, { path, message }] of complaints.entries()) {
    problems.error('BAD_JSON', lines[index]!, `/${path.join('/')}: ${message}`);
  }
  if (!problems.has('error')) reportRanges(value, text, problems);
  if (problems.has('error')) return { ok: false, problems: problems.list() };
  return { ok: true, description: value as MachineDescription };
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value).slice(0, 60);
}

/** A range that is none. */
interface BadRange {
  readonly path: JsonPath;
  readonly message: string;
}

// Every object with both `start` and `end` is a range. Only those that are listed get their lines, and the last, which the
// summary names.
function reportRanges(value: unknown, text: string, problems: ProblemList): void {
  const bad: BadRange[] = [];
  let count = 0;
  visitRanges(value, [], (range) => {
    if (count > MAX_PROBLEMS_PER_CODE) bad.pop();
    bad.push(range);
    count++;
  });
  const lines = linesOfPaths(
    text,
    bad.map(({ path }) => path),
  );
  for (const [index, { path, message }] of bad.entries()) {
    problems.error('BAD_RANGE', lines[index]!, `/${path.join('/')}: ${message}`);
  }
  for (let left = count - bad.length; left > 0; left--) {
    problems.error('BAD_RANGE', lines.at(-1)!, bad.at(-1)!.message);
  }
}

function visitRanges(value: unknown, path: JsonPath, found: (range: BadRange) => void): void {
  if (typeof value !== 'object' || value === null) return;
  const { start, end } = value as { start?: unknown; end?: unknown };
  if (typeof start === 'number' && typeof end === 'number' && end <= start) {
    const message = `the range ends at ${end}, before it starts or where it starts (${start})`;
    found({ path, message });
  }
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, item] of entries) {
    if (typeof item === 'object' && item !== null) visitRanges(item, [...path, key], found);
  }
}
