// The decoder thread of pipeline.mjs: fills frames and hands over their page numbers.
import { workerData } from 'node:worker_threads';
import { BuddyAllocator } from '@bootmem/buddy-allocator';

const { handle, ringPage, frames, order } = workerData;
const pool = BuddyAllocator.attach(handle);
const ring = pool.view(ringPage, 0, Int32Array);
const slots = ring.length - 2;

for (let i = 0; i < frames; i += 1) {
  // At most a ring of frames is under way.
  for (let read = Atomics.load(ring, 1); i - read >= slots; read = Atomics.load(ring, 1)) {
    Atomics.wait(ring, 1, read);
  }
  let pfn = pool.alloc(order);
  while (pfn === undefined) {
    // Memory is short: wait until the reader has freed something.
    Atomics.wait(ring, 1, Atomics.load(ring, 1), 10);
    pfn = pool.alloc(order);
  }
  pool.view(pfn, order, Uint32Array).fill(i);
  ring[2 + (i % slots)] = pfn;
  Atomics.store(ring, 0, i + 1);
  Atomics.notify(ring, 0);
}
pool.close();
