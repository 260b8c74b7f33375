import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createWorkPool } from '@bootmem/padata';
import { BLOCK_BYTES, WINDOW, blocksOfLines } from './blocks.mjs';

export async function filterLog(from, to, threads) {
  const pool = createWorkPool({ threads });
  const fn = { module: new URL('./jobs.mjs', import.meta.url), name: 'keepFailures' };
  await pipeline(
    createReadStream(from, { highWaterMark: BLOCK_BYTES }),
    blocksOfLines,
    pool.series({ fn, window: WINDOW }).duplex(),
    createWriteStream(to),
  ).finally(() => pool.close());
}
