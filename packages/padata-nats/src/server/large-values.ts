/**
 * Values that do not fit a message: put into the prefix's object store, sent by name.
 *
 *     item larger than a message ─▶ object RUN.SEQ.in | RUN.SEQ.out (first byte: the item's kind) ─▶ item STORED
 *
 * An object is written again under the same name when a job is run again, and taken away with its job.
 */
import { BATCH_HEADER_BYTES, itemBytes } from '../wire/batch.js';
import { PadataNatsError, textOf } from '../wire/errors.js';
import { ItemKind } from '../wire/values.js';
import type { Item } from '../wire/values.js';
import { isNotFound } from './streams.js';
import type { Engine } from './streams.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Puts and gets large values. */
export class LargeValues {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Does the item fit a message of its own? */
  fits(item: Item): boolean {
    return BATCH_HEADER_BYTES + itemBytes(item) <= this.#engine.maxPayload;
  }

  /**
   * The item itself when it fits, else a reference to what was stored.
   * @throws ERR_PADATA_NATS_VALUE
   */
  async outgoing(item: Item, name: string): Promise<Item> {
    if (this.fits(item)) return item;
    const object = new Uint8Array(1 + item.bytes.length);
    object[0] = item.kind;
    object.set(item.bytes, 1);
    try {
      const store = await this.#engine.values();
      await store.putBlob({ name }, object);
    } catch (error) {
      throw valueError('stored', name, error);
    }
    return { kind: ItemKind.STORED, bytes: encoder.encode(name) };
  }

  /**
   * The item itself, or what its reference names.
   * @throws ERR_PADATA_NATS_VALUE
   */
  async incoming(item: Item): Promise<Item> {
    if (item.kind !== ItemKind.STORED) return item;
    const name = decoder.decode(item.bytes);
    let object: Uint8Array | null;
    try {
      const store = await this.#engine.values();
      object = await store.getBlob(name);
    } catch (error) {
      throw valueError('fetched', name, error);
    }
    if (object === null || object.length === 0) {
      throw valueError('fetched', name, new Error('it is not there any more'));
    }
    return { kind: object[0]!, bytes: object.subarray(1) };
  }

  /** Takes a stored value away; nothing happens when it is not there. */
  async forget(name: string): Promise<void> {
    try {
      const store = await this.#engine.values();
      await store.delete(name);
    } catch (error) {
      if (!isNotFound(error)) throw valueError('deleted', name, error);
    }
  }
}

function valueError(what: string, name: string, error: unknown): PadataNatsError {
  return new PadataNatsError(
    'ERR_PADATA_NATS_VALUE',
    `a large value cannot be ${what}: ${textOf(error)}`,
    { name },
    { cause: error },
  );
}
