/**
 * Errors as they cross between threads: plain data on the way, errors again on the other side.
 *
 * Kept is what structured clone keeps of an error (class of the built-in ones, name, message, stack, causes) and more:
 * its code, the errors of an AggregateError, its own fields that can be cloned. Whatever was thrown is looked at with
 * suspicion: reading a property may throw, so each is read by itself, and none of the functions here throws.
 */
import { defineOwn } from './own-property.js';

/** An error on its way. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly isError: boolean;
  /** A thrown value that is not an error, when it can be cloned; else its text is in `message`. */
  readonly value?: unknown;
  /** Built-in class, when it is not plain Error. */
  readonly type?: string;
  readonly cause?: ErrorRecord;
  /** Of an AggregateError. */
  readonly errors?: readonly ErrorRecord[];
  /** Its own enumerable properties that can be cloned. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

const BUILT_IN = {
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
  DOMException,
} as const;
/** What the record names by itself. */
const NAMED = new Set(['name', 'message', 'stack', 'cause', 'errors']);
/** Causes of causes, and errors in errors, that are kept. */
const MAX_DEPTH = 8;
const MAX_ERRORS = 256;
const MAX_FIELDS = 32;

/** What is to be cloned in place of a value; what it throws for is left out. */
type Own = (value: unknown) => unknown;

/**
 * Plain description of anything that was thrown; never throws.
 * @param thrown any value; errors of other realms are recognised by shape
 * @param own    for fields and for values that are no errors: a clone shares shared memory
 */
export function toErrorRecord(thrown: unknown, own: Own = (value) => value): ErrorRecord {
  return record(thrown, 0, own);
}

function record(thrown: unknown, depth: number, own: Own): ErrorRecord {
  if (typeof thrown !== 'object' || thrown === null || !has(thrown, 'message')) {
    const clone = cloned(thrown, own);
    return {
      name: 'Error',
      message: textOf(thrown),
      stack: undefined,
      code: undefined,
      isError: false,
      ...(clone === undefined ? {} : { value: clone.value }),
    };
  }
  const { name, stack, code } = {
    name: read(thrown, 'name'),
    stack: read(thrown, 'stack'),
    code: read(thrown, 'code'),
  };
  const deeper = depth + 1 < MAX_DEPTH;
  const cause = deeper ? read(thrown, 'cause') : undefined;
  const errors = deeper ? listOf(read(thrown, 'errors')) : undefined;
  const type = builtIn(thrown, name);
  const fields = fieldsOf(thrown, own);
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: textOf(read(thrown, 'message', 'an error whose message cannot be read')),
    stack: typeof stack === 'string' ? stack : undefined,
    code: typeof code === 'string' ? code : undefined,
    isError: true,
    ...(type === undefined ? {} : { type }),
    ...(cause === undefined ? {} : { cause: record(cause, depth + 1, own) }),
    ...(errors === undefined
      ? {}
      : { errors: errors.map((error) => record(error, depth + 1, own)) }),
    ...(fields === undefined ? {} : { fields }),
  };
}

/** The same without values of the program's own: no fields, and of a value that is no error the text alone. */
export function withoutValues(record: ErrorRecord): ErrorRecord {
  const { name, message, stack, code, isError, type, cause, errors } = record;
  return {
    name,
    message,
    stack,
    code,
    isError,
    ...(type === undefined ? {} : { type }),
    ...(cause === undefined ? {} : { cause: withoutValues(cause) }),
    ...(errors === undefined ? {} : { errors: errors.map(withoutValues) }),
  };
}

/**
 * The thrown value again: an Error as like the original as it can be, or the plain value.
 * @param record what `toErrorRecord` made on the other side
 */
export function fromErrorRecord(record: ErrorRecord): unknown {
  if (!record.isError && Object.hasOwn(record, 'value')) return record.value;
  const error = make(record);
  if (error.name !== record.name) hide(error, 'name', record.name);
  if (record.stack !== undefined) hide(error, 'stack', record.stack);
  if (record.cause !== undefined) hide(error, 'cause', fromErrorRecord(record.cause));
  for (const [key, value] of Object.entries(record.fields ?? {})) {
    defineOwn(error, key, value);
  }
  if (record.code !== undefined && (error as { code?: unknown }).code !== record.code) {
    defineOwn(error, 'code', record.code);
  }
  return error;
}

function make({ type, message, name, errors }: ErrorRecord): Error {
  if (type === 'DOMException') return new DOMException(message, name);
  if (type === 'AggregateError') {
    return new AggregateError((errors ?? []).map(fromErrorRecord), message);
  }
  const known = BUILT_IN[type as 'TypeError'] as (new (text: string) => Error) | undefined;
  return new (known ?? Error)(message);
}

/** As V8 has them: not enumerable. */
function hide(error: Error, key: string, value: unknown): void {
  const known = { __proto__: null, value, configurable: true, writable: true };
  Object.defineProperty(error, key, known as PropertyDescriptor);
}

/** Text of anything that was thrown; never throws. */
export function messageOf(thrown: unknown): string {
  return toErrorRecord(thrown).message;
}

function has(value: object, key: string): boolean {
  try {
    return key in value;
  } catch {
    return false;
  }
}

function read(value: object, key: string, otherwise?: unknown): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return otherwise;
  }
}

/** Built-in class: that of its name, as structured clone decides, else the one that it extends. */
function builtIn(thrown: object, name: unknown): string | undefined {
  try {
    if (thrown instanceof DOMException) return 'DOMException';
    const named = typeof name === 'string' && Object.hasOwn(BUILT_IN, name);
    if (named && name !== 'DOMException') return name;
    return Object.entries(BUILT_IN).find(([, type]) => thrown instanceof type)?.[0];
  } catch {
    return undefined;
  }
}

function listOf(value: unknown): unknown[] | undefined {
  try {
    return Array.isArray(value) ? Array.from(value.slice(0, MAX_ERRORS) as unknown[]) : undefined;
  } catch {
    return undefined;
  }
}

function fieldsOf(thrown: object, own: Own): Record<string, unknown> | undefined {
  let keys: string[];
  try {
    keys = Object.keys(thrown);
  } catch {
    return undefined;
  }
  let fields: Record<string, unknown> | undefined;
  for (const key of keys.slice(0, MAX_FIELDS)) {
    if (NAMED.has(key) || key === '__proto__') continue;
    const clone = cloned(read(thrown, key, unreadable), own);
    if (clone === undefined) continue;
    fields ??= Object.create(null) as Record<string, unknown>;
    fields[key] = clone.value;
  }
  return fields;
}

/** Cannot be cloned. */
const unreadable = (): undefined => undefined;

/** A clone; undefined = there is none. */
function cloned(value: unknown, own: Own): { readonly value: unknown } | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return { value };
  try {
    return { value: structuredClone(own(value)) };
  } catch {
    return undefined;
  }
}

/** Text of any value, without throwing. */
function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'a value without text';
  }
}
