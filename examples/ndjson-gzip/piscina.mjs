import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { Piscina } from 'piscina';
import { BLOCK_BYTES, WINDOW, blocksOfLines } from './blocks.mjs';

export async function filterLog(from, to, threads) {
  const pool = new Piscina({
    filename: new URL('./jobs.mjs', import.meta.url).href,
    minThreads: threads,
    maxThreads: threads,
  });
  // The pool knows no order and no bound: a queue of promises keeps both.
  async function* inOrder(blocks) {
    const queue = [];
    for await (const block of blocks) {
      const result = pool.run(block, { name: 'keepFailures', transferList: [block.buffer] });
      result.catch(() => {}); // Told when its turn comes, which may be never.
      queue.push(result);
      if (queue.length === WINDOW) yield await queue.shift();
    }
    while (queue.length > 0) yield await queue.shift();
  }
  await pipeline(
    createReadStream(from, { highWaterMark: BLOCK_BYTES }),
    blocksOfLines,
    inOrder,
    createWriteStream(to),
  ).finally(() => pool.destroy());
}
