/**
 * What the chunks of a range give, on its way to `reduce`: the same as a job's result would be, whoever has run the chunk. Plain data
 * with bytes goes encoded, so these are its own, and nothing of the buffer behind them; the rest by structured clone.
 */
import { textBytes } from '#text';
import { fromErrorRecord, messageOf, toErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { NO_BYTES } from './job-bytes.js';
import { toPost, withOwnBytes } from './own-bytes.js';
import { decodePlain } from './plain-codec.js';
import { copyPlain, encodeBytesAside, encodePlainAside, isPlain } from './slot-values.js';
import { checkTransfer, transferListOf } from './transfer.js';

/** A value on its way. */
export interface ChunkValue {
  readonly value: unknown;
  /** It is encoded. */
  readonly isPlain: boolean;
}

/**
 * What is posted of a value.
 * @param list what is handed over with it, see `transferListOf`
 * @throws what reading it throws, and what `withOwnBytes` and `checkTransfer` do
 */
export function sentValue(value: unknown, list: readonly unknown[] | undefined): ChunkValue {
  if (list !== undefined) {
    checkTransfer(list);
    return { value: withOwnBytes(value), isPlain: false };
  }
  if (!isPlain(value)) return { value: toPost(value), isPlain: false };
  const plain = encodeBytesAside(value, NO_BYTES);
  return typeof plain === 'number'
    ? { value: withOwnBytes(value), isPlain: false }
    : { value: plain, isPlain: true };
}

/**
 * What is posted instead where no clone takes it, though it can be read: a Proxy of plain data.
 * @throws the refusal, where there is nothing else
 */
export function sentAsRead(value: unknown, refusal: unknown): ChunkValue {
  const plain = isPlain(value) ? encodePlainAside(value, undefined, NO_BYTES) : undefined;
  if (typeof plain !== 'object') throw refusal;
  return { value: plain, isPlain: true };
}

/** The value that was sent. */
export function arrivedValue({ value, isPlain: isEncoded }: ChunkValue): unknown {
  if (!isEncoded) return value;
  const { buffer, byteOffset, length } = value as Uint8Array<ArrayBuffer>;
  const words = new Int32Array(buffer, byteOffset, length >> 2);
  return decodePlain({ text: textBytes(buffer, byteOffset, length), words }, 0);
}

/**
 * A value of the caller's own chunk, as a thread's would arrive.
 * @param index of the chunk
 * @throws ERR_PADATA_CLONE
 */
export function ownValue(value: unknown, index: number): unknown {
  switch (typeof value) {
    case 'object':
      return value === null ? null : ownObject(value, index);
    case 'function':
    case 'symbol':
      return ownObject(value, index);
    default:
      return value;
  }
}

function ownObject(value: unknown, index: number): unknown {
  try {
    const list = transferListOf(value);
    if (list === undefined && isPlain(value)) {
      const copy = copyPlain(value, NO_BYTES);
      if (typeof copy !== 'number') return copy;
      return structuredClone(withOwnBytes(value));
    }
    const { value: sent } = sentValue(value, list);
    return structuredClone(sent, { transfer: [...(list ?? [])] as never[] });
  } catch (cause) {
    throw valueError(index, cause);
  }
}

/** What a chunk of the caller's has thrown, as a thread's would arrive. */
export function ownError(thrown: unknown): unknown {
  return fromErrorRecord(toErrorRecord(thrown, withOwnBytes));
}

/** It could not be sent. */
export function valueError(index: number, cause: unknown): PadataError {
  return new PadataError(
    'ERR_PADATA_CLONE',
    `the value of chunk ${index} cannot be cloned: ${messageOf(cause)}`,
    { index },
    { cause },
  );
}
