import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { BLOCK_BYTES, blocksOfLines } from './blocks.mjs';
import { keepFailures } from './jobs.mjs';

export async function filterLog(from, to) {
  await pipeline(
    createReadStream(from, { highWaterMark: BLOCK_BYTES }),
    blocksOfLines,
    async function* (blocks) {
      for await (const block of blocks) yield keepFailures(block);
    },
    createWriteStream(to),
  );
}
