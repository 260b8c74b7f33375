// The benchmarked jobs: nothing; so many blocks of native hashing, which costs the same in every process however its
// JIT compiler got on; or waiting, as for a disk or another service.
import { createHash } from 'node:crypto';

const block = Buffer.alloc(4096, 7);

/** Hashes `blocks` blocks of 4 KiB. */
export function work(blocks) {
  const hash = createHash('sha256');
  for (let i = 0; i < blocks; i += 1) hash.update(block);
  return hash.digest().readInt32LE();
}

export const increment = (n) => n + 1;
export const spin = (_n, { shared }) => work(shared.blocks);
export const pause = (n, { shared }) => perform(shared, n);

/** A job of the given length on this thread. */
export function perform({ blocks, waitMs }, n) {
  if (waitMs > 0) return new Promise((resolve) => setTimeout(resolve, waitMs, n + 1));
  return blocks === 0 ? n + 1 : work(blocks);
}

/** How many blocks take a millisecond on this machine now: the best of several tries. */
export function blocksPerMs() {
  const blocks = 200;
  let best = Infinity;
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const start = performance.now();
    work(blocks);
    best = Math.min(best, performance.now() - start);
  }
  return blocks / best;
}
