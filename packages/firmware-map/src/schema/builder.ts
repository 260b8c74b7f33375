/** How the schema is written down: a small language for objects, lists and numbers. */
import { MAX_FLAGS } from '../base/regions.js';

/** The part of JSON Schema that is used here. */
export interface Schema {
  readonly [keyword: `$${string}`]: unknown;
  readonly title?: string;
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly const?: string | number | boolean;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

/** A count, an address or a size. */
export const NATURAL: Schema = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
/** Any text. */
export const TEXT: Schema = { type: 'string' };
/** Yes or no. */
export const FLAG: Schema = { type: 'boolean' };
/** A node. */
export const NID: Schema = { type: 'integer', minimum: 0, maximum: 1023 };
/** Marks of a region of memblock. */
export const MARKS: Schema = { type: 'integer', minimum: 0, maximum: MAX_FLAGS };
/** A list of counts. */
export const NUMBERS: Schema = { type: 'array', items: NATURAL, maxItems: 65_536 };
/** Counts by name. */
export const COUNTS: Schema = { type: 'object', additionalProperties: NATURAL };
/** A zone by name. */
export const ZONE: Schema = { enum: ['DMA', 'DMA32', 'Normal', 'HighMem', 'Movable', 'Device'] };
/** A kind of memory. */
export const KIND: Schema = {
  enum: [
    'usable',
    'reserved',
    'acpi-data',
    'acpi-nvs',
    'unusable',
    'persistent',
    'soft-reserved',
    'unaccepted',
    'gap',
    'other',
  ],
};

/** An object with these fields and no others; names that end in "?" are optional. */
export function object(fields: Readonly<Record<string, Schema>>): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const [name, schema] of Object.entries(fields)) {
    const plain = name.replace(/\?$/, '');
    properties[plain] = schema;
    if (plain === name) required.push(name);
  }
  return { type: 'object', properties, required, additionalProperties: false };
}

/** A list of a bounded length. */
export function list(items: Schema): Schema {
  return { type: 'array', items, maxItems: 1 << 17 };
}

/** A reference to one of the definitions. */
export function ref(name: string): Schema {
  return { $ref: `#/$defs/${name}` };
}

/** Fields of a range. */
export const RANGE = { start: NATURAL, end: NATURAL };
/** The place in the input. */
export const LINE = { line: NATURAL };
/** Fields of a range with its place. */
export const RANGE_AT = { ...RANGE, ...LINE };
/** A range of a node. */
export const NODE_RANGE = object({ ...RANGE_AT, nid: NID });
