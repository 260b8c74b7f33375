/** Counts words by a range job: the text lies in shared memory once, each thread counts chunks, the counts are added up. */
import { openSync, readSync, closeSync, fstatSync } from 'node:fs';

/** Reads a file straight into shared memory. */
export function readShared(path) {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const buffer = new SharedArrayBuffer(Math.max(size, 1));
    const bytes = new Uint8Array(buffer);
    let length = 0;
    for (let got = 1; got > 0 && length < size; length += got)
      got = readSync(file, bytes, length, Math.min(size - length, 1 << 26), length);
    return { buffer, length };
  } finally {
    closeSync(file);
  }
}

/**
 * Word → how often it occurs in `[0, length)` of the shared text (UTF-8; words are letters and apostrophes, case folded).
 * @param {import('@bootmem/padata').WorkPool} pool
 * @param {{ buffer: SharedArrayBuffer, length: number }} text
 */
export async function wordCount(pool, text) {
  const { value } = await pool.runMultithreaded({
    threadFn: { module: new URL('./jobs.mjs', import.meta.url), name: 'countWords' },
    arg: text,
    start: 0,
    size: text.length,
    minChunk: 64 * 1024,
    initial: new Map(),
    reduce: (sum, counts) => {
      for (const [word, count] of counts) sum.set(word, (sum.get(word) ?? 0) + count);
      return sum;
    },
  });
  return value ?? new Map();
}
