// What a thread does for pgzip: one block in, one piece of the deflate stream with CRC and length out.
//
//   input   flags (1) | dictionary (0 or 32 KiB) | block         flags: 1 = last block, 2 = a dictionary leads
//   output  deflated bytes | CRC-32 of the block (4) | length of the block (4), little endian
import { WINDOW, compressBlock } from './block.mjs';

export const LAST = 1;
export const HAS_DICTIONARY = 2;
export const TRAILER = 8;

/** Room for the result of an input: deflate grows incompressible data by 5 bytes in 16 KiB, plus the flush. */
export const outputBytes = (inputBytes) => inputBytes + 5 * Math.ceil(inputBytes / 16_383) + 32;

export function deflateBlock(input, context) {
  const flags = input[0];
  const { deflated, crc, length } = compressBlock(input.subarray(1), {
    dictionaryLength: flags & HAS_DICTIONARY ? WINDOW : 0,
    level: context.shared.level,
    last: (flags & LAST) !== 0,
  });
  const output = context.output(deflated.length + TRAILER);
  output.set(deflated);
  const trailer = new DataView(output.buffer, output.byteOffset + deflated.length, TRAILER);
  trailer.setUint32(0, crc, true);
  trailer.setUint32(4, length, true);
  return output;
}
