/**
 * What the frames of a zstd file claim: their window, and how often it is moved.
 *
 * ```
 * magic 4 │ descriptor 1 │ window 0..1 │ dictionary 0..4 │ content size 0..8 │ block, block, … │ checksum 0..4 │ next frame
 *                                                       block: last 1 bit │ type 2 │ size 21 │ body
 * ```
 * Source: RFC 8878, section 3.1
 */
import { littleEndian, skip, take } from './follow.js';
import type { Walk } from './follow.js';

const MAGIC = 0xfd2fb528;
/** Sixteen magic numbers, the last four bits free. */
const SKIPPABLE = 0x184d2a50;
/** Most bytes that a block stands for. */
const MAX_BLOCK = 2 ** 17;
/** A block that stands for its one byte again and again. */
const RLE = 1;

/**
 * Reads frame after frame.
 * @param claim  told the window of each frame, bytes, before its first block; throws
 * @param move   told the bytes that a block makes the unpacker move, before it; throws
 */
export function* zstdWalk(claim: (bytes: number) => void, move: (bytes: number) => void): Walk {
  for (;;) {
    const magic = littleEndian(yield* take(4));
    if (magic >= SKIPPABLE && magic < SKIPPABLE + 16) {
      yield* skip(littleEndian(yield* take(4)));
    } else if (magic === MAGIC) yield* frame(claim, move);
    else throw new Error('what follows a zstd frame is none');
  }
}

function* frame(claim: (bytes: number) => void, move: (bytes: number) => void): Walk {
  const [descriptor] = yield* take(1);
  const isSingle = (descriptor! & 0x20) !== 0;
  const [exponent] = isSingle ? [undefined] : yield* take(1);
  yield* take([0, 1, 2, 4][descriptor! & 3]!);
  const sizeFlag = descriptor! >> 6;
  const size = littleEndian(yield* take(sizeFlag === 0 ? Number(isSingle) : 2 ** sizeFlag));
  // A content of one segment is its own window; sizes of two bytes begin at 256.
  const window =
    exponent === undefined
      ? size + (sizeFlag === 1 ? 256 : 0)
      : 2 ** (10 + (exponent >> 3)) * (1 + (exponent & 7) / 8);
  claim(window);
  for (let isLast = false; !isLast;) {
    const header = littleEndian(yield* take(3));
    isLast = (header & 1) !== 0;
    move(window + MAX_BLOCK);
    yield* skip(((header >> 1) & 3) === RLE ? 1 : header >> 3);
  }
  if ((descriptor! & 4) !== 0) yield* skip(4);
}
