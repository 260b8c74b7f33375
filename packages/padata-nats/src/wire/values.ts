/**
 * Values as bytes: bytes travel as they are, everything else by V8's serialisation, which is structured clone
 * without transfer lists. What only makes sense inside a process (shared memory, ports, functions) is refused.
 */
import { PadataError } from '@bootmem/padata';
import type { PadataErrorCode } from '@bootmem/padata';
import { fromErrorRecord, toErrorRecord } from '@bootmem/padata/backend';
import type { ErrorRecord } from '@bootmem/padata/backend';
import { fromClone, toClone } from './clone.js';
import { PadataNatsError, textOf } from './errors.js';
import type { PadataNatsErrorCode } from './errors.js';

/** What an item's bytes are. */
export const ItemKind = {
  UNDEFINED: 0,
  /** A Uint8Array, as it is. */
  BYTES: 1,
  /** V8 serialisation. */
  CLONE: 2,
  /** Name in the object store; the value's own kind is the first byte of the object. */
  STORED: 3,
  /** An error record, serialised. */
  ERROR: 4,
  /** The job was not begun because its run was aborted. */
  SKIPPED: 5,
} as const;

/** One value on the wire. */
export interface Item {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Not begun. */
export const SKIPPED: Item = { kind: ItemKind.SKIPPED, bytes: NOTHING };

/**
 * A value for the wire; bytes are not copied.
 * @throws PadataError ERR_PADATA_CLONE when the value cannot leave the process
 */
export function encodeValue(value: unknown): Item {
  if (value === undefined) return { kind: ItemKind.UNDEFINED, bytes: NOTHING };
  if (isBytes(value)) return { kind: ItemKind.BYTES, bytes: value };
  try {
    return { kind: ItemKind.CLONE, bytes: toClone(value) };
  } catch (error) {
    throw new PadataError(
      'ERR_PADATA_CLONE',
      `the value cannot leave the process: ${textOf(error)}`,
      {},
      { cause: error },
    );
  }
}

// By shape: values may come from another realm.
function isBytes(value: unknown): value is Uint8Array {
  return (
    ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]'
  );
}

/**
 * The value again; bytes are a view of the message.
 * @throws ERR_PADATA_NATS_WIRE
 */
export function decodeValue({ kind, bytes }: Item): unknown {
  switch (kind) {
    case ItemKind.UNDEFINED:
      return undefined;
    case ItemKind.BYTES:
      return bytes;
    case ItemKind.CLONE:
      try {
        return fromClone(bytes);
      } catch (error) {
        throw new PadataNatsError(
          'ERR_PADATA_NATS_WIRE',
          'a value is damaged',
          {},
          { cause: error },
        );
      }
    default:
      throw new PadataNatsError('ERR_PADATA_NATS_WIRE', `no value has kind ${kind}`, { kind });
  }
}

interface CrossingError {
  readonly of: 'padata' | 'padata-nats' | 'other';
  readonly record: ErrorRecord;
  readonly details: Readonly<Record<string, unknown>>;
  readonly cause: ErrorRecord | undefined;
}

/** An error for the wire: class, code, details, and its cause. */
export function encodeError(error: unknown): Item {
  const own = error instanceof PadataError || error instanceof PadataNatsError ? error : undefined;
  const of = own === undefined ? 'other' : own instanceof PadataError ? 'padata' : 'padata-nats';
  const crossing: CrossingError = {
    of,
    record: toErrorRecord(error, crossed),
    details: own?.details ?? {},
    cause: own?.cause === undefined ? undefined : toErrorRecord(own.cause, crossed),
  };
  try {
    return { kind: ItemKind.ERROR, bytes: toClone(crossing) };
  } catch {
    return { kind: ItemKind.ERROR, bytes: toClone({ ...crossing, details: {} }) };
  }
}

/** What is left of a field; what cannot leave the process (shared memory, say) throws, and is left out. */
function crossed(value: unknown): unknown {
  return fromClone(toClone(value));
}

function isRecord(value: unknown): value is ErrorRecord {
  const record = Object(value) as Partial<ErrorRecord>;
  return typeof record.message === 'string' && typeof record.name === 'string';
}

/** Whether a value is what `encodeError` writes: whoever may publish may have written it. */
function isCrossing(value: unknown): value is CrossingError {
  const { of, record, details, cause } = Object(value) as Partial<
    Record<keyof CrossingError, unknown>
  >;
  return (
    ['padata', 'padata-nats', 'other'].includes(of as string) &&
    isRecord(record) &&
    (of === 'other' || String(record.code).startsWith('ERR_PADATA_')) &&
    typeof details === 'object' &&
    details !== null &&
    (cause === undefined || isRecord(cause))
  );
}

/** The error again, an instance of the class that it was, where that is one of the two. */
export function decodeError({ bytes }: Item): unknown {
  let crossing: unknown;
  try {
    crossing = fromClone(bytes);
  } catch (error) {
    return new PadataNatsError(
      'ERR_PADATA_NATS_WIRE',
      'an error came damaged',
      {},
      { cause: error },
    );
  }
  if (!isCrossing(crossing)) {
    return new PadataNatsError('ERR_PADATA_NATS_WIRE', 'an error came that is none');
  }
  const { of, record, details, cause } = crossing;
  const behind = cause === undefined ? undefined : fromErrorRecord(cause);
  if (of === 'padata') {
    return new PadataError(record.code as PadataErrorCode, record.message, details, {
      cause: behind,
    });
  }
  if (of === 'padata-nats') {
    return new PadataNatsError(record.code as PadataNatsErrorCode, record.message, details, {
      cause: behind,
    });
  }
  return fromErrorRecord(record);
}
