// Test worker: fills its cache, then sleeps with it parked until there is a new round; `gone` ends it.
import { parentPort, workerData } from 'node:worker_threads';

import { BuddyAllocator } from '../../dist/index.js';

const { handle, words } = workerData;
const pool = BuddyAllocator.attach(handle);
for (let round = 0; ; round++) {
  const live = [];
  for (let i = 0; i < 64; i++) {
    const pfn = pool.alloc(i % 4);
    if (pfn !== undefined) live.push([pfn, i % 4]);
  }
  for (const [pfn, order] of live) pool.free(pfn, order);
  parentPort.postMessage({ thread: pool.thread, round });
  // What it gets while it is woken is whatever the others have left it.
  if (pool.wait(words, 0, round) === 'timed-out') break;
  if (Atomics.load(words, 0) < 0) break;
}
pool.close();
