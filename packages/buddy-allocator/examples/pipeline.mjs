// Use 1: frames go from a decoder thread to this one as page numbers; nothing is copied, nothing serialised.
// Run: node examples/pipeline.mjs
import { Worker } from 'node:worker_threads';
import { BuddyAllocator } from '@bootmem/buddy-allocator';

const FRAMES = 2000;
const FRAME_ORDER = 4; // 16 pages, 64 KiB

const pool = BuddyAllocator.create({ bytes: 16 << 20 });
// The ring that carries the page numbers lies in a page of the same memory.
const ringPage = pool.allocOrThrow(0, { mobility: 'unmovable', zero: true });
const ring = pool.view(ringPage, 0, Int32Array);

const decoder = new Worker(new URL('./pipeline-decoder.mjs', import.meta.url), {
  workerData: { handle: pool.toHandle(), ringPage, frames: FRAMES, order: FRAME_ORDER },
});
const finished = new Promise((resolve, reject) => {
  decoder.once('error', reject);
  decoder.once('exit', resolve);
});

const SLOTS = ring.length - 2; // word 0: frames written, word 1: frames read
let sum = 0;
for (let read = 0; read < FRAMES; read += 1) {
  // A main thread must not block: it waits for the count of written frames to change.
  while (Atomics.load(ring, 0) === read) {
    const wait = Atomics.waitAsync(ring, 0, read);
    if (wait.async) await wait.value;
  }
  const pfn = ring[2 + (read % SLOTS)];
  const frame = pool.view(pfn, FRAME_ORDER, Uint32Array);
  if (frame[0] !== read || frame.at(-1) !== read) throw new Error(`frame ${read} is torn`);
  sum += frame[frame.length >> 1];
  pool.free(pfn, FRAME_ORDER); // freed here, allocated there
  Atomics.store(ring, 1, read + 1);
  Atomics.notify(ring, 1);
}
await finished;

pool.free(ringPage, 0);
pool.drain();
const { allocatedPages, pages } = pool.stats();
console.log(`${FRAMES} frames of 64 KiB through ${pages} pages, sum ${sum}`);
console.log(`pages still allocated: ${allocatedPages}, invariants broken: ${pool.verify().length}`);
pool.close();
