/**
 * Seals: who does not know a run's key can write nothing that is taken for a message or a large value of that run.
 *
 *     batch │ seal (16): the first half of HMAC-SHA256 by the run's key
 *
 * The key (32 random bytes) is a part of the run's description: it is as secret as the server's permissions make the
 * stream of runs.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { decodeBatch, encodeBatch } from './batch.js';
import type { Batch } from './batch.js';
import { PadataNatsError } from './errors.js';

/** Bytes of a run's key. */
const KEY_BYTES = 32;
export const SEAL_BYTES = 16;

/** A key for a new run. */
export function newKey(): Uint8Array {
  return new Uint8Array(randomBytes(KEY_BYTES));
}

/** Whether a value can be a run's key. */
export function isKey(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === KEY_BYTES;
}

const tags = new WeakMap<Uint8Array, string>();

/**
 * A run by its name and a word of its key, for message ids: the server remembers those of an earlier run of the same name, and would
 * take this one's messages for theirs. The word says nothing of the key.
 */
export function taggedRun(run: string, key: Uint8Array): string {
  let tag = tags.get(key);
  if (tag === undefined) {
    tag = createHmac('sha256', key).update('message ids').digest('hex').slice(0, 16);
    tags.set(key, tag);
  }
  return `${run}:${tag}`;
}

/** The message of a batch, sealed. O(bytes). */
export function sealBatch(batch: Batch, key: Uint8Array): Uint8Array {
  const message = encodeBatch(batch, SEAL_BYTES);
  const end = message.length - SEAL_BYTES;
  message.set(sealOf(message.subarray(0, end), key), end);
  return message;
}

/**
 * The batch of a message whose seal is not looked at: its key is not known yet.
 * @param type what is expected
 * @throws ERR_PADATA_NATS_WIRE
 */
export function peekBatch(message: Uint8Array, type: number): Batch {
  return decodeBatch(message, type, SEAL_BYTES);
}

/** @throws ERR_PADATA_NATS_WIRE unless the message was sealed with this key */
export function checkSeal(message: Uint8Array, key: Uint8Array): void {
  const end = message.length - SEAL_BYTES;
  const isOurs =
    end >= 0 && timingSafeEqual(message.subarray(end), sealOf(message.subarray(0, end), key));
  if (isOurs) return;
  throw new PadataNatsError(
    'ERR_PADATA_NATS_WIRE',
    `a message of ${message.length} bytes was sealed by somebody who does not know the run's key`,
    { length: message.length },
  );
}

/**
 * The batch of a sealed message; items are views of it.
 * @param type what is expected
 * @throws ERR_PADATA_NATS_WIRE
 */
export function openBatch(message: Uint8Array, type: number, key: Uint8Array): Batch {
  checkSeal(message, key);
  return peekBatch(message, type);
}

/** Seal of bytes under a name: what is stored elsewhere cannot take another's place. */
export function sealNamed(name: string, bytes: Uint8Array, key: Uint8Array): Uint8Array {
  return createHmac('sha256', key)
    .update(name)
    .update('\0')
    .update(bytes)
    .digest()
    .subarray(0, SEAL_BYTES);
}

/** Bytes that were stored with their seal behind them, without it; undefined when it is another's. */
export function openNamed(
  name: string,
  stored: Uint8Array,
  key: Uint8Array,
): Uint8Array | undefined {
  const end = stored.length - SEAL_BYTES;
  if (end < 0) return undefined;
  const bytes = stored.subarray(0, end);
  return timingSafeEqual(stored.subarray(end), sealNamed(name, bytes, key)) ? bytes : undefined;
}

function sealOf(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(bytes).digest().subarray(0, SEAL_BYTES);
}
