/**
 * Checks a value against a {@link Schema}: the few keywords that this package uses, nothing more. Stops at a bounded
 * number of complaints, and at a depth that no description reaches.
 */
import { isStep } from '../base/steps.js';
import type { Steps } from '../base/steps.js';
import type { Schema } from '../schema/schema.js';

/** What is wrong, and where. */
interface Complaint {
  /** Names and indices from the top. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const MAX_COMPLAINTS = 20;

/**
 * Complaints about a value; none when it fits.
 * @param value   anything that JSON can hold
 * @param schema  with `$defs` for the `$ref`s in it
 */
export function* checkValue(value: unknown, schema: Schema): Steps<Complaint[]> {
  const complaints: Complaint[] = [];
  yield* check(value, schema, {
    path: [],
    complaints,
    defs: schema.$defs ?? {},
    progress: { values: 0 },
  });
  return complaints;
}

interface Context {
  readonly path: readonly (string | number)[];
  readonly complaints: Complaint[];
  readonly defs: Readonly<Record<string, Schema>>;
  /** Values that have been looked at. */
  readonly progress: { values: number };
}

function* check(value: unknown, schema: Schema, context: Context): Steps<void> {
  if (context.complaints.length >= MAX_COMPLAINTS) return;
  if (isStep(context.progress.values++)) yield;
  if (schema.$ref !== undefined) {
    yield* check(value, context.defs[schema.$ref.replace('#/$defs/', '')]!, context);
    return;
  }
  if (schema.anyOf !== undefined) {
    let fits = false;
    for (const option of schema.anyOf) {
      const trial: Context = { ...context, complaints: [] };
      yield* check(value, option, trial);
      fits = trial.complaints.length === 0;
      if (fits) break;
    }
    if (!fits) complain(context, 'fits none of the forms that are allowed here');
    return;
  }
  if (schema.const !== undefined && value !== schema.const) {
    complain(context, `expected ${JSON.stringify(schema.const)}`);
  }
  if (schema.enum !== undefined && !schema.enum.includes(value as string)) {
    complain(context, `expected one of ${schema.enum.join(', ')}`);
  }
  if (schema.type === 'object') yield* checkObject(value, schema, context);
  else if (schema.type === 'array') yield* checkArray(value, schema, context);
  else if (schema.type === 'integer') checkInteger(value, schema, context);
  else if (schema.type === 'string' || schema.type === 'boolean') {
    if (typeof value !== schema.type) complain(context, `expected a ${schema.type}`);
  }
}

function checkInteger(value: unknown, schema: Schema, context: Context): void {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = schema;
  const fits = Number.isSafeInteger(value) && Number(value) >= minimum && Number(value) <= maximum;
  if (!fits) complain(context, `expected an integer from ${minimum} to ${maximum}`);
}

function* checkArray(value: unknown, schema: Schema, context: Context): Steps<void> {
  if (!Array.isArray(value)) {
    complain(context, 'expected an array');
    return;
  }
  const { maxItems = Infinity } = schema;
  if (value.length > maxItems) complain(context, `expected at most ${maxItems} items`);
  for (let index = 0; index < Math.min(value.length, maxItems); index++) {
    yield* check(value[index], schema.items!, { ...context, path: [...context.path, index] });
    if (context.complaints.length >= MAX_COMPLAINTS) return;
  }
}

function* checkObject(value: unknown, schema: Schema, context: Context): Steps<void> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    complain(context, 'expected an object');
    return;
  }
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name)) complain(context, `"${name}" is missing`);
  }
  for (const [name, item] of Object.entries(value)) {
    const inner = { ...context, path: [...context.path, name] };
    const known = Object.hasOwn(schema.properties ?? {}, name)
      ? schema.properties![name]
      : undefined;
    const other = schema.additionalProperties;
    if (known !== undefined) yield* check(item, known, inner);
    else if (typeof other === 'object') yield* check(item, other, inner);
    else if (other === false) complain(inner, 'is not known here');
    if (context.complaints.length >= MAX_COMPLAINTS) return;
  }
}

function complain(context: Context, message: string): void {
  context.complaints.push({ path: context.path, message });
}
