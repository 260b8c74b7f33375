/**
 * The JSON form of a description: written, read back, and checked against the published schema.
 *
 * Besides the shape, ranges must not be empty or turned around: code that takes a description may rely on it.
 */
import { checkValue } from './check-value.js';
import { lineOfOffset, linesOfPaths } from './json-locate.js';
import type { JsonPath } from './json-locate.js';
import { MAX_PROBLEMS_PER_CODE } from '../base/constants.js';
import { parseJson } from '../base/parse-json.js';
import { ProblemList } from '../base/problem-list.js';
import { areRegions, isAlignment } from '../base/regions.js';
import { atOnce, isStep } from '../base/steps.js';
import type { Steps } from '../base/steps.js';
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
  return atOnce(fromJsonSteps(text));
}

/** The same, to be interrupted. */
export function* fromJsonSteps(text: string): Steps<ReadResult> {
  const problems = new ProblemList();
  let value: unknown;
  try {
    value = yield* parseJson(text);
  } catch (error) {
    const message = (error as Error).message.slice(0, 200);
    const offset = /position (\d+)/.exec(message)?.[1];
    const line = yield* lineOfOffset(text, offset === undefined ? text.length : Number(offset));
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
  const complaints = yield* checkValue(value, DESCRIPTION_SCHEMA);
  const lines = yield* linesOfPaths(
    text,
    complaints.map(({ path }) => path),
  );
  for (const [index, { path, message }] of complaints.entries()) {
    problems.error('BAD_JSON', lines[index]!, `/${path.join('/')}: ${message}`);
  }
  if (!problems.has('error')) yield* reportRanges(value, text, problems);
  if (!problems.has('error')) {
    yield* reportRegions(value as MachineDescription, text, problems);
  }
  if (problems.has('error')) return { ok: false, problems: problems.list() };
  return { ok: true, description: value as MachineDescription };
}

/** Lists of memblock that are none, and requests that it would refuse; the first few. */
function* reportRegions(
  { memblock, proc }: MachineDescription,
  text: string,
  problems: ProblemList,
): Steps<void> {
  const bad: BadRange[] = [];
  const lists = [
    ...memblock.dumps
      .map((dump, index) => ({ dump, path: ['memblock', 'dumps', index] }))
      .filter(({ dump }) => dump.complete)
      .flatMap(({ dump, path }) => [
        { list: dump.memory, path: [...path, 'memory'] },
        { list: dump.reserved, path: [...path, 'reserved'] },
      ]),
    { list: proc.memblock?.memory ?? [], path: ['proc', 'memblock', 'memory'] },
    { list: proc.memblock?.reserved ?? [], path: ['proc', 'memblock', 'reserved'] },
  ];
  for (const { list, path } of lists) {
    yield;
    if (!areRegions(list)) bad.push({ path, message: 'regions are out of order or overlap' });
  }
  for (const [index, one] of memblock.operations.entries()) {
    if (isStep(index)) yield;
    if (one.op !== 'alloc' || isAlignment(one.align)) continue;
    const path = ['memblock', 'operations', index, 'align'];
    bad.push({ path, message: `an alignment is a power of two, found ${one.align}` });
  }
  bad.length = Math.min(bad.length, MAX_PROBLEMS_PER_CODE);
  const lines = yield* linesOfPaths(
    text,
    bad.map(({ path }) => path),
  );
  for (const [index, { path, message }] of bad.entries()) {
    problems.error('BAD_JSON', lines[index]!, `/${path.join('/')}: ${message}`);
  }
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
function* reportRanges(value: unknown, text: string, problems: ProblemList): Steps<void> {
  const bad: BadRange[] = [];
  let count = 0;
  yield* visitRanges({ values: 0 }, value, [], (range) => {
    if (count > MAX_PROBLEMS_PER_CODE) bad.pop();
    bad.push(range);
    count++;
  });
  const lines = yield* linesOfPaths(
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

function* visitRanges(
  progress: { values: number },
  value: unknown,
  path: JsonPath,
  found: (range: BadRange) => void,
): Steps<void> {
  if (typeof value !== 'object' || value === null) return;
  if (isStep(progress.values++)) yield;
  const { start, end } = value as { start?: unknown; end?: unknown };
  if (typeof start === 'number' && typeof end === 'number' && end <= start) {
    const message = `the range ends at ${end}, before it starts or where it starts (${start})`;
    found({ path, message });
  }
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, item] of entries) {
    if (typeof item === 'object' && item !== null) {
      yield* visitRanges(progress, item, [...path, key], found);
    }
  }
}
