import { Piscina } from 'piscina';
import { WINDOW } from './pictures.mjs';

const filename = new URL('./jobs.mjs', import.meta.url).href;

/** The thumbnails of these pictures, in order, as they come. */
export async function* thumbnails(pictures, threads) {
  const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads });
  try {
    // The pool knows no order and no bound: a queue of promises keeps both.
    const queue = [];
    for await (const picture of pictures) {
      const result = pool.run(picture, { name: 'thumbnail' });
      result.catch(() => {}); // Told when its turn comes, which may be never.
      queue.push(result);
      if (queue.length === WINDOW) yield await queue.shift();
    }
    while (queue.length > 0) yield await queue.shift();
  } finally {
    await pool.destroy();
  }
}
