/**
 * Values that do not fit a message: put into the prefix's object store, sent by name.
 *
 *     item larger than a message ─▶ object RUN.SEQ.in | RUN.SEQ.out: kind (1), bytes, seal ─▶ item STORED
 *
 * An object is written again under the same name when a job is run again, and taken away with its job.
 */
import type { ObjectStore } from '@nats-io/obj';
import { BATCH_HEADER_BYTES, itemBytes } from '../wire/batch.js';
import { PadataNatsError, textOf } from '../wire/errors.js';
import { SEAL_BYTES, openNamed, sealNamed } from '../wire/seal.js';
import { ItemKind } from '../wire/values.js';
import type { Item } from '../wire/values.js';
import { Pause, isPassing } from './passing.js';
import { Patience } from './pulse.js';
import { readObject } from './stored-object.js';
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
   * @param key the run's, which the object is sealed with; none for the description that holds it
   * @throws ERR_PADATA_NATS_VALUE
   */
  async outgoing(item: Item, name: string, key?: Uint8Array): Promise<Item> {
    if (this.fits(item)) return item;
    const object = encodeObject(item, name, key);
    try {
      await this.#untilDone((store) => store.putBlob({ name }, object));
    } catch (error) {
      throw valueError('stored', name, error);
    }
    return { kind: ItemKind.STORED, bytes: encoder.encode(name) };
  }

  /**
   * The item itself, or what its reference names.
   * @param key as it was stored with
   * @throws ERR_PADATA_NATS_VALUE; its `details.isGone` is true where another try would be in vain
   */
  async incoming(item: Item, key?: Uint8Array): Promise<Item> {
    if (item.kind !== ItemKind.STORED) return item;
    const name = decoder.decode(item.bytes);
    let object: Uint8Array | null;
    try {
      const { jsm, names } = this.#engine;
      object = await this.#untilDone((store) =>
        readObject({ name: names.bucket, store, jsm }, name),
      );
    } catch (error) {
      throw valueError('fetched', name, error);
    }
    if (object === null) {
      throw valueError('fetched', name, new Error('it is not there any more'), true);
    }
    const plain = key === undefined ? object : openNamed(name, object, key);
    if (plain === undefined || plain.length === 0) {
      throw valueError('fetched', name, new Error('somebody else put it there'), true);
    }
    return { kind: plain[0]!, bytes: plain.subarray(1) };
  }

  /** Takes a stored value away; nothing happens when it is not there. */
  async forget(name: string): Promise<void> {
    try {
      await this.#engine.values.use((store) => store.delete(name));
    } catch (error) {
      if (!isNotFound(error)) throw valueError('deleted', name, error);
    }
  }

  /** Waits for a server that is away; a bucket that is gone is made again. @throws what the server says, or does not say for a minute */
  async #untilDone<R>(work: (store: ObjectStore) => Promise<R>): Promise<R> {
    const { nc, pulse, values } = this.#engine;
    const patience = new Patience(pulse);
    const pause = new Pause();
    for (;;) {
      try {
        return await values.use(work);
      } catch (error) {
        const isFinal = nc.isClosed() || !(isPassing(error) || isNotFound(error));
        if (isFinal || (await patience.isOver())) throw error;
      }
      await pause.next();
    }
  }
}

function encodeObject({ kind, bytes }: Item, name: string, key?: Uint8Array): Uint8Array {
  const object = new Uint8Array(1 + bytes.length + (key === undefined ? 0 : SEAL_BYTES));
  const plain = object.subarray(0, 1 + bytes.length);
  plain[0] = kind;
  plain.set(bytes, 1);
  if (key !== undefined) object.set(sealNamed(name, plain, key), plain.length);
  return object;
}

function valueError(what: string, name: string, error: unknown, isGone = false): PadataNatsError {
  return new PadataNatsError(
    'ERR_PADATA_NATS_VALUE',
    `a large value cannot be ${what}: ${textOf(error)}`,
    { name, isGone },
    { cause: error },
  );
}
