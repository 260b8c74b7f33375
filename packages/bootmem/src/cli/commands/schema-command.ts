/**
 * `bootmem schema`: prints the JSON schema (draft 2020-12) of an output, as shipped in `schema/`.
 */
import { readFileSync } from 'node:fs';
import { ExitCode } from '../exit-codes.js';
import type { ExitCodeValue } from '../exit-codes.js';
import type { CommandIo } from '../io.js';

/** Outputs with a schema. */
export const SCHEMA_NAMES: readonly string[] = [
  'boot',
  'check',
  'explain',
  'explain-comparison',
  'what-if',
  'numa',
  'lsmem',
  'at',
  'phases',
  'replay',
  'bench',
  'bench-model',
  'report',
];

/**
 * @param name  one of {@link SCHEMA_NAMES}
 * @param io    where to print
 */
export function runSchema(name: string, io: CommandIo): ExitCodeValue {
  io.out(readFileSync(new URL(`../../../schema/${name}-1.schema.json`, import.meta.url), 'utf8'));
  return ExitCode.OK;
}
