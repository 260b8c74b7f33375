/**
 * The JSON form of a description: written, read back, and checked.
 */
import { ProblemList } from './problem-list.js';
import type { MachineDescription } from './types.js';
import type { ReadResult } from './reader.js';

/** The description as JSON text, two blanks a level. */
export function toJson(description: MachineDescription): string {
  return JSON.stringify(description, undefined, 2);
}

/** Reads a description back; `ok: false` with reasons when the text is not one. */
export function descriptionFromJson(text: string): ReadResult {
  const problems = new ProblemList();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    problems.error('BAD_JSON', 1, `no JSON: ${(error as Error).message.slice(0, 200)}`);
    return { ok: false, problems: problems.list() };
  }
  const { schema, version } = value as { schema?: unknown; version?: unknown };
  if (schema !== 'bootmem/machine-description' || version !== 1) {
    problems.error('UNSUPPORTED_VERSION', 1, 'expected a bootmem/machine-description of version 1');
    return { ok: false, problems: problems.list() };
  }
  return { ok: true, description: value as MachineDescription };
}
