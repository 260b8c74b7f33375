/** Checks of `--json` output against the schemas that are shipped. */
import { readFile } from 'node:fs/promises';
import { expect } from '@jest/globals';
import { Ajv } from 'ajv';
import { SCHEMA_NAMES } from '../../dist/cli/commands/schema-command.js';

/** Expects a value to be what the schema of `name` describes, and no more. */
export async function validate(name: string, value: unknown): Promise<void> {
  const ajv = new Ajv({ strict: false });
  for (const part of SCHEMA_NAMES) {
    const url = new URL(`../../schema/${part}-1.schema.json`, import.meta.url);
    ajv.addSchema(JSON.parse(await readFile(url, 'utf8')) as object, `${part}-1.schema.json`);
  }
  const valid = ajv.validate(`${name}-1.schema.json`, value);
  expect({ valid, errors: ajv.errors?.slice(0, 3) ?? [] }).toEqual({ valid: true, errors: [] });
}
