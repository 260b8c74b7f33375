/**
 * Chunks that run in the submitter: what they are given, what they give and what they throw is what it would be on a
 * worker, so that no program can tell where a chunk ran.
 */
import { PadataError } from '@bootmem/padata';
import { ownValue } from '@bootmem/padata/backend';
import { hostname } from 'node:os';
import { outcomeOf } from '../run/outcome.js';
import type { Outcome } from '../run/outcome.js';
import { textOf } from '../wire/errors.js';
import { failureItem, resultItem } from '../wire/job-answer.js';
import type { JobPlace } from '../wire/job-answer.js';
import { ItemKind, decodeValue, encodeValue } from '../wire/values.js';
import type { Item } from '../wire/values.js';

/** A chunk's function. */
export type ChunkFunction = (start: number, end: number, arg: unknown) => unknown;

/** A range job's `arg`, as it was when the job was asked for. */
export class RangeArg {
  readonly #arg: unknown;
  /** Undefined for what is its own copy. */
  readonly #item: Item | undefined;
  #here: { readonly arg: unknown } | undefined;

  /** @throws ERR_PADATA_CLONE */
  constructor(arg: unknown) {
    if (isItself(arg)) {
      this.#arg = arg;
      return;
    }
    const item = encodeValue(arg);
    const isBytes = item.kind === ItemKind.BYTES;
    this.#item = isBytes ? { kind: item.kind, bytes: new Uint8Array(item.bytes) } : item;
  }

  /** For the run's description. */
  get sent(): unknown {
    return this.#item === undefined ? this.#arg : decodeValue(this.#item);
  }

  /** What all chunks that run here see, and `undoFn`: a clone, as a worker's thread has one. */
  get here(): unknown {
    this.#here ??= { arg: this.#copy() };
    return this.#here.arg;
  }

  #copy(): unknown {
    if (this.#item?.kind !== ItemKind.BYTES) return this.sent;
    return new Uint8Array(this.#item.bytes);
  }
}

/** One chunk. */
interface OwnChunk {
  readonly index: number;
  /** Units, half open. */
  readonly span: readonly [start: number, end: number];
  readonly arg: unknown;
  /** Somebody asks for its value. */
  readonly isAsked: boolean;
}

/** Runs a chunk here. Never rejects. */
export async function runOwnChunk(fn: ChunkFunction, chunk: OwnChunk): Promise<Outcome> {
  const { index, span, arg, isAsked } = chunk;
  let value: unknown;
  try {
    value = await fn(span[0], span[1], arg);
  } catch (thrown) {
    // It is copied on its way to an item.
    const failed = new PadataError('ERR_PADATA_JOB_FAILED', textOf(thrown), {}, { cause: thrown });
    return outcomeOf(failureItem(placeOf(index), failed));
  }
  if (!isAsked) return { state: 'done', value: undefined };
  if (isItself(value)) return { state: 'done', value };
  const place = placeOf(index);
  try {
    return outcomeOf(resultItem(place, ownValue(value, index)));
  } catch (refused) {
    return outcomeOf(failureItem(place, refused));
  }
}

const placeOf = (sequence: number): JobPlace => ({ sequence, host: hostname() });

/** A copy of it is the value itself. */
function isItself(value: unknown): boolean {
  switch (typeof value) {
    case 'object':
      return value === null;
    case 'function':
    case 'symbol':
      return false;
    default:
      return true;
  }
}
