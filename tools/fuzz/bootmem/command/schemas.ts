/** The schemas that the package ships, for what `--json` prints: a number that is none would be null there. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const PACKAGE = new URL('../../../../packages/bootmem/', import.meta.url);

/** As much of ajv as is used. */
interface Validator {
  addSchema(schema: object, name: string): void;
  validate(name: string, value: unknown): boolean;
  readonly errors?: readonly unknown[] | null;
}

// Of the package's own tests.
const { Ajv } = createRequire(new URL('package.json', PACKAGE))('ajv') as {
  Ajv: new (options: object) => Validator;
};
const validator = new Ajv({ strict: false });
const SCHEMAS = new URL('schema/', PACKAGE);
for (const file of readdirSync(SCHEMAS)) {
  if (!file.endsWith('.schema.json')) continue;
  validator.addSchema(JSON.parse(readFileSync(new URL(file, SCHEMAS), 'utf8')) as object, file);
}

/**
 * Compares a value with the schema that it names.
 * @returns what is wrong, or `undefined`
 */
export function wrongBySchema(value: unknown): string | undefined {
  const { schema = '', version = 0 } = (value ?? {}) as { schema?: string; version?: number };
  const name = `${schema.replace(/^bootmem\//, '')}-${version}.schema.json`;
  return validator.validate(name, value)
    ? undefined
    : JSON.stringify(validator.errors?.slice(0, 2) ?? []).slice(0, 400);
}
