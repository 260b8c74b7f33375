/**
 * One block of a parallel gzip stream, compressed by itself: raw deflate, primed with the last 32 KiB of the
 * block before as dictionary, ended on a byte boundary without closing the stream, so that the blocks of all
 * threads concatenate to one deflate stream (RFC 1951; the idea is pigz's).
 */
import { constants, crc32, deflateRawSync } from 'node:zlib';

/** Bytes a block may look back; the window of deflate. */
export const WINDOW = 32 * 1024;

/**
 * @param {Uint8Array} input  dictionary followed by the block's own bytes
 * @param {{ dictionaryLength: number, level: number, last: boolean }} how
 * @returns {{ deflated: Uint8Array, crc: number, length: number }} a piece of the stream; CRC and length of the block's own bytes
 */
export function compressBlock(input, { dictionaryLength, level, last }) {
  const own = input.subarray(dictionaryLength);
  return {
    deflated: deflateRawSync(own, {
      level,
      memLevel: 8,
      ...(dictionaryLength > 0 ? { dictionary: input.subarray(0, dictionaryLength) } : {}),
      finishFlush: last ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
    }),
    crc: crc32(own),
    length: own.length,
  };
}
