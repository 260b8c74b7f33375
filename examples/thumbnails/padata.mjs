import { createWorkPool, orderedMap } from '@bootmem/padata';
import { WINDOW } from './pictures.mjs';

const fn = { module: new URL('./jobs.mjs', import.meta.url), name: 'thumbnail' };

/** The thumbnails of these pictures, in order, as they come. */
export async function* thumbnails(pictures, threads) {
  const pool = createWorkPool({ threads });
  try {
    // sharp takes no views of shared memory.
    yield* orderedMap(pool, pictures, fn, { window: WINDOW, inputBytes: 'copy' });
  } finally {
    await pool.close();
  }
}
