/**
 * Containers of xz and zstd that hold their bytes as they are: enough to be unpacked like any other, written without a
 * packer.
 *
 * Source: the .xz file format 1.2.1; RFC 8878 (Zstandard)
 */
import { crc32 } from './crc32.js';

const BLOCK = 0xffff;

function words(...numbers: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * numbers.length);
  const view = new DataView(bytes.buffer);
  for (const [index, number] of numbers.entries()) view.setUint32(4 * index, number, true);
  return bytes;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** A zstd frame of raw blocks. */
export function zstdStored(bytes: Uint8Array): Uint8Array {
  // One segment, its size in four bytes, no checksum.
  const parts = [words(0xfd2fb528), Uint8Array.of(0xa0), words(bytes.length)];
  for (let at = 0; at === 0 || at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    const isLast = at + BLOCK >= bytes.length;
    const head = (block.length << 3) | (isLast ? 1 : 0);
    parts.push(Uint8Array.of(head & 0xff, (head >>> 8) & 0xff, (head >>> 16) & 0xff), block);
  }
  return joined(parts);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

function padded(bytes: Uint8Array): Uint8Array {
  return joined([bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)]);
}

/** An xz stream with one block of uncompressed chunks of LZMA2, checked by CRC32. */
export function xzStored(bytes: Uint8Array): Uint8Array {
  const flags = Uint8Array.of(0, 1);
  const head = joined([Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), flags, words(crc32(flags))]);
  // Size 2 x 4 + 4 bytes; one filter, LZMA2 with a dictionary of 64 KiB.
  const blockHead = Uint8Array.of(2, 0, 0x21, 1, 8, 0, 0, 0);
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const chunk = bytes.subarray(at, at + BLOCK);
    const size = chunk.length - 1;
    chunks.push(Uint8Array.of(at === 0 ? 1 : 2, size >>> 8, size & 0xff), chunk);
  }
  const data = joined([...chunks, Uint8Array.of(0)]);
  const unpadded = 12 + data.length + 4;
  const index = padded(Uint8Array.from([0, 1, ...varint(unpadded), ...varint(bytes.length)]));
  const tail = joined([words((index.length + 4) / 4 - 1), flags]);
  return joined([
    head,
    blockHead,
    words(crc32(blockHead)),
    padded(data),
    words(crc32(bytes)),
    index,
    words(crc32(index)),
    words(crc32(tail)),
    tail,
    Uint8Array.of(0x59, 0x5a),
  ]);
}
