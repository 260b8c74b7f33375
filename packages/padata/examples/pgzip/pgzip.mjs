/**
 * Parallel gzip: any source of bytes in, one standard gzip member out (RFC 1952), in order, on all threads.
 * Blocks are compressed independently, each primed with the 32 KiB before it, so the loss against one thread is
 * about a tenth of a percent.
 */
import { orderedMap } from '@bootmem/padata';
import { WINDOW } from './block.mjs';
import { combineCrc32 } from './crc32.mjs';
import { HAS_DICTIONARY, LAST, TRAILER, outputBytes } from './jobs.mjs';

const EMPTY = new Uint8Array(0);

/** Cuts a source into the inputs of the jobs; looks one block ahead to know the last. */
export async function* blocks(source, blockBytes) {
  let dictionary = EMPTY;
  let block = new Uint8Array(blockBytes);
  let filled = 0;
  const finish = (last) => {
    const input = new Uint8Array(1 + dictionary.length + filled);
    input[0] = (last ? LAST : 0) | (dictionary.length > 0 ? HAS_DICTIONARY : 0);
    input.set(dictionary, 1);
    input.set(block.subarray(0, filled), 1 + dictionary.length);
    dictionary = filled >= WINDOW ? block.slice(filled - WINDOW, filled) : EMPTY;
    filled = 0;
    return input;
  };
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      if (filled === blockBytes) yield finish(false);
      const take = Math.min(chunk.length - at, blockBytes - filled);
      block.set(chunk.subarray(at, at + take), filled);
      filled += take;
      at += take;
    }
  }
  yield finish(true);
}

/** The ten fixed bytes of a gzip header, and the name if there is one. */
function header({ name, level, modified = 0 }) {
  const text = name === undefined ? EMPTY : Buffer.from(`${name}\0`, 'latin1');
  const bytes = Buffer.alloc(10 + text.length);
  bytes.set([0x1f, 0x8b, 8, name === undefined ? 0 : 8]);
  bytes.writeUInt32LE(Math.floor(modified) >>> 0, 4);
  bytes.set([level === 9 ? 2 : level === 1 ? 4 : 0, 3], 8);
  bytes.set(text, 10);
  return bytes;
}

/**
 * Compresses `source` on the threads of `pool`; yields the bytes of the gzip file in order.
 * @param {import('@bootmem/padata').SeriesMaker} pool  of this machine, or of many (@bootmem/padata-nats)
 * @param {AsyncIterable<Uint8Array> | Iterable<Uint8Array>} source
 * @param {{ level?: number, blockBytes?: number, name?: string, modified?: number, signal?: AbortSignal,
 *   window?: number, module?: string | URL }} [options]
 *   level 1..9, default 6; blockBytes at least 32 KiB, default 128 KiB; modified in seconds since 1970; window in
 *   blocks, default four for each thread and the caller; module: how the pool finds jobs.mjs
 */
export async function* pgzip(pool, source, options = {}) {
  const { level = 6, blockBytes = 128 * 1024, name, modified, signal } = options;
  const { window = 4 * (pool.threads + 1), module = new URL('./jobs.mjs', import.meta.url) } =
    options;
  if (blockBytes < WINDOW)
    throw new RangeError(`a block is at least ${WINDOW} bytes, got ${blockBytes}`);
  yield header({ name, level, modified });
  const inputBytes = 1 + WINDOW + blockBytes;
  let crc = 0;
  let total = 0;
  const pieces = orderedMap(
    pool,
    blocks(source, blockBytes),
    { module, name: 'deflateBlock' },
    {
      window,
      // A block whose thread or host died is compressed again: the same bytes come out.
      idempotent: true,
      slotBytes: inputBytes + outputBytes(inputBytes) + 256,
      outputBytes,
      shared: { level },
      ...(signal === undefined ? {} : { signal }),
    },
  );
  for await (const piece of pieces) {
    const end = piece.length - TRAILER;
    const trailer = new DataView(piece.buffer, piece.byteOffset + end, TRAILER);
    const length = trailer.getUint32(4, true);
    crc = combineCrc32(crc, trailer.getUint32(0, true), length);
    total += length;
    yield piece.subarray(0, end);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(total % 2 ** 32, 4);
  yield trailer;
}
