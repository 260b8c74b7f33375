/**
 * Packed files made by hand: every header is right but for what is meant to be odd, so that unpackers get to the odd thing. Contents are not
 * compressed; claims are.
 */
import { crc32, gzipSync } from 'node:zlib';
import type { Random } from '../../../kit/random.mjs';

/** A number, its lowest byte first. */
function little(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, at) => Math.floor(value / 256 ** at) % 256);
}

/** Blocks of zstd that stand for the bytes; a few stand for one byte many times. */
function zstdBlocks(bytes: Uint8Array, random: Random): number[] {
  const most = random.pick([1, 7, 100, 4096, 2 ** 17]);
  const blocks: number[] = [];
  const least = Math.max(1, Math.ceil(bytes.byteLength / 2000));
  for (let at = 0; at < bytes.byteLength;) {
    const size = Math.max(least, 1 + random.below(most));
    const part = bytes.subarray(at, at + size);
    at += size;
    append(blocks, little(8 * part.byteLength, 3), part);
    if (random.once(40)) blocks.push(...little(2 + 8 * random.below(2 ** 17), 3), 10);
  }
  return [...blocks, ...little(1, 3)];
}

/** Frames of zstd that stand for a text, with windows of any size. */
export function zstd(text: string, random: Random): Uint8Array {
  const bytes = Buffer.from(text);
  const frames = Array.from({ length: 1 + random.below(3) }, () => {
    const window = random.once(3) ? random.below(32) : 4 + random.below(12);
    const size = random.once(6) ? random.next() * random.below(2 ** 21) : bytes.byteLength;
    const header = random.once(4)
      ? [0xe0, ...little(size, 8)]
      : [random.once(8) ? random.below(256) : 0, window * 8 + random.below(8)];
    const skipped = random.once(4) ? [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3] : [];
    return [...skipped, 0x28, 0xb5, 0x2f, 0xfd, ...header, ...zstdBlocks(bytes, random)];
  });
  return Uint8Array.from(frames.flat());
}

const withSum = (bytes: number[]): number[] => [
  ...bytes,
  ...little(crc32(Uint8Array.from(bytes)), 4),
];
const padded = (bytes: number[]): number[] => [
  ...bytes,
  ...Array<number>((4 - (bytes.length % 4)) % 4).fill(0),
];

/** Adds bytes to others; a call cannot take so many arguments. */
function append(to: number[], ...parts: readonly Iterable<number>[]): void {
  for (const part of parts) for (const byte of part) to.push(byte);
}

/** A number of xz: seven bits a byte. */
function variable(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...variable(Math.floor(value / 128))];
}

/** A file of xz that stands for a text, in blocks with dictionaries of any size. */
export function xz(text: string, random: Random): Uint8Array {
  const bytes = Buffer.from(text);
  const flags = [0, 0];
  const file = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, ...withSum(flags)];
  const records: number[] = [];
  const blocks = 1 + random.below(3);
  for (let block = 0; block < blocks; block++) {
    const dictionary = random.once(3) ? random.below(48) : random.below(20);
    const header = withSum([2, 0, 0x21, 1, dictionary, 0, 0, 0]);
    const data: number[] = [];
    for (let at = 0; at < bytes.byteLength; at += 2 ** 16) {
      const part = bytes.subarray(at, at + 2 ** 16);
      const [low, high] = little(part.byteLength - 1, 2);
      append(data, [at === 0 ? 1 : 2, high!, low!], part);
    }
    data.push(random.once(20) ? random.below(256) : 0);
    records.push(...variable(header.length + data.length), ...variable(bytes.byteLength));
    append(file, header, padded(data));
  }
  const index = withSum(padded([0, ...variable(blocks), ...records]));
  const backward = [...little(index.length / 4 - 1, 4), ...flags];
  const sum = little(crc32(Uint8Array.from(backward)), 4);
  return Uint8Array.from([...file, ...index, ...sum, ...backward, 0x59, 0x5a]);
}

/** Members of gzip, the last of them of much that is nothing. */
export function gzip(text: string, random: Random): Uint8Array {
  const members = Array.from({ length: 1 + random.below(3) }, () => gzipSync(text));
  if (random.once(4)) {
    const filler = random.pick(['\n', 'x', '\0', 'some words in a line\n']);
    members.push(gzipSync(filler.repeat(Math.floor(2 ** 22 / filler.length))));
  }
  return Buffer.concat(members);
}
