/**
 * Batches: consecutive jobs of a run, or their results, in one message.
 *
 *     0  version (1)   1  type: 1 jobs, 2 results   2  1 = again, after a delivery that came to nothing
 *     3  epoch: times the run was resumed, modulo 256
 *     4  items (4)     8  sequence number of the first (8, float)
 *    16  results: run time of an item, microseconds (8, float); jobs: 0
 *    24  items: kind (1), length (4), bytes …                     little endian throughout
 *   end  the seal (seal.ts), but for a run's description, which holds the key
 *
 * A batch is the unit of acknowledgement and of redelivery. Messages come from outside: whatever does not add up
 * is ERR_PADATA_NATS_WIRE, never a crash.
 */
import { PadataNatsError } from './errors.js';
import type { Item } from './values.js';

const VERSION = 2;
const HEADER = 24;
const ITEM_HEADER = 5;

/** What a batch holds. */
export const BatchType = { JOBS: 1, RESULTS: 2 } as const;

/** A batch in memory. */
export interface Batch {
  readonly type: number;
  /** Sequence number of the first item. */
  readonly first: number;
  /** Time an item took, in microseconds; 0 for jobs. */
  readonly micros: number;
  /** Times the run was resumed, modulo 256; part of message ids, which the server remembers across a resume. */
  readonly epoch?: number;
  /** Results of jobs that were delivered before without an answer. */
  readonly again?: boolean;
  readonly items: readonly Item[];
}

/** Bytes that an item takes in a message. */
export function itemBytes({ bytes }: Item): number {
  return ITEM_HEADER + bytes.length;
}

/** Bytes of a message without items. */
export const BATCH_HEADER_BYTES = HEADER;

/**
 * The message of a batch. O(bytes).
 * @param room bytes left free at the end
 */
export function encodeBatch(
  { type, first, micros, epoch = 0, again = false, items }: Batch,
  room = 0,
): Uint8Array {
  let length = HEADER + room;
  for (const item of items) length += itemBytes(item);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  bytes[0] = VERSION;
  bytes[1] = type;
  bytes[2] = again ? 1 : 0;
  bytes[3] = epoch;
  view.setUint32(4, items.length, true);
  view.setFloat64(8, first, true);
  view.setFloat64(16, micros, true);
  let at = HEADER;
  for (const item of items) {
    bytes[at] = item.kind;
    view.setUint32(at + 1, item.bytes.length, true);
    bytes.set(item.bytes, at + ITEM_HEADER);
    at += ITEM_HEADER + item.bytes.length;
  }
  return bytes;
}

/**
 * The batch of a message; items are views of it.
 * @param type what is expected
 * @param room bytes at the end that are not the batch's
 * @throws ERR_PADATA_NATS_WIRE
 */
export function decodeBatch(bytes: Uint8Array, type: number, room = 0): Batch {
  const end = bytes.length - room;
  if (end < HEADER) throw broken('shorter than its header', bytes.length);
  if (bytes[0] !== VERSION) throw broken(`of version ${bytes[0]!}, not ${VERSION}`, bytes.length);
  if (bytes[1] !== type) throw broken(`of type ${bytes[1]!}, not ${type}`, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(4, true);
  const first = view.getFloat64(8, true);
  const micros = view.getFloat64(16, true);
  if (!Number.isSafeInteger(first) || first < 0) throw broken('without a place', bytes.length);
  const items: Item[] = [];
  let at = HEADER;
  for (let i = 0; i < count; i += 1) {
    if (at + ITEM_HEADER > end) throw broken(`cut in item ${i}`, bytes.length);
    const length = view.getUint32(at + 1, true);
    const start = at + ITEM_HEADER;
    if (start + length > end) throw broken(`cut in item ${i}`, bytes.length);
    items.push({ kind: bytes[at]!, bytes: bytes.subarray(start, start + length) });
    at = start + length;
  }
  if (at !== end) throw broken('longer than its items', bytes.length);
  const again = bytes[2] === 1;
  const epoch = bytes[3]!;
  return { type, first, micros: Number.isFinite(micros) ? micros : 0, epoch, again, items };
}

function broken(how: string, length: number): PadataNatsError {
  return new PadataNatsError('ERR_PADATA_NATS_WIRE', `a message of ${length} bytes is ${how}`, {
    length,
  });
}

/** Cuts items into batches that fit `maxBytes` each; an item alone may exceed it. Order is kept. */
export function splitBySize(items: readonly Item[], maxBytes: number): Item[][] {
  const parts: Item[][] = [];
  let part: Item[] = [];
  let bytes = HEADER;
  for (const item of items) {
    const more = itemBytes(item);
    if (part.length > 0 && bytes + more > maxBytes) {
      parts.push(part);
      part = [];
      bytes = HEADER;
    }
    part.push(item);
    bytes += more;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
