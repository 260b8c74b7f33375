/**
 * What the blocks of an xz file claim: their dictionary.
 *
 * ```
 * magic 6 │ flags 2 │ crc 4 │ block header, LZMA2 chunks, padding, check │ block … │ 0, index …
 *                             size │ flags │ sizes 0..2 │ filters, the last of them LZMA2 with its dictionary │ … │ crc 4
 * ```
 * Source: The .xz File Format 1.1.0; LZMA2 as its reference implementation describes the chunks
 */
import { skip, take } from './follow.js';
import type { Walk, Want } from './follow.js';

const LZMA2 = 0x21;
/** Bytes of a check, by its kind / 3 rounded up. */
const CHECK_BYTES = [0, 4, 8, 16, 32, 64];

/**
 * Reads up to the index.
 * @param claim  told the dictionary of each block, bytes, before its first chunk; throws
 */
export function* xzWalk(claim: (bytes: number) => void): Walk {
  const head = yield* take(12);
  const check = CHECK_BYTES[Math.ceil((head[7]! & 15) / 3)]!;
  for (;;) {
    const [size] = yield* take(1);
    if (size === 0) return;
    claim(dictionaryOf(yield* take((size! + 1) * 4 - 1)));
    const bytes = yield* chunks();
    yield* skip(((4 - (bytes % 4)) % 4) + check);
  }
}

/** Gets past the chunks of a block; returns how many bytes they were. */
function* chunks(): Generator<Want, number, Uint8Array> {
  let bytes = 0;
  for (;;) {
    const [control] = yield* take(1);
    bytes += 1;
    if (control === 0) return bytes;
    if (control! > 2 && control! < 0x80) throw new Error('a chunk of LZMA2 of no kind there is');
    const isPacked = control! >= 0x80;
    const sizes = yield* take(isPacked ? 4 : 2);
    // From 0xc0 on a byte of properties follows.
    const body = sizes.at(-2)! * 256 + sizes.at(-1)! + 1 + Number(control! >= 0xc0);
    yield* skip(body);
    bytes += sizes.byteLength + body;
  }
}

/** Bytes of the dictionary that a block header claims, which is without its first byte here. */
function dictionaryOf(header: Uint8Array): number {
  let at = 1;
  const number = (): number => {
    let value = 0;
    for (let bits = 0; bits < 63; bits += 7) {
      const byte = header[at++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** bits;
      if (byte < 0x80) return value;
    }
    throw new Error('a block header of xz that is cut');
  };
  const flags = header[0]!;
  for (const flag of [0x40, 0x80]) if ((flags & flag) !== 0) number();
  for (let filters = (flags & 3) + 1; filters > 0; filters--) {
    const id = number();
    const properties = number();
    if (filters === 1 && id === LZMA2) {
      const code = header[at] ?? 0;
      return (2 + (code % 2)) * 2 ** (Math.floor(code / 2) + 11);
    }
    at += properties;
  }
  throw new Error('a block of xz that is not packed by LZMA2');
}
