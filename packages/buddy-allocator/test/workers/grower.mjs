// Test worker: takes pages of a WebAssembly memory that grows, writes into all of each, and looks whether they stay so.
import { parentPort, workerData } from 'node:worker_threads';

import { BuddyAllocator } from '../../dist/index.js';

const { handle, thread, gate, mode } = workerData;
const pool = BuddyAllocator.attach(handle, { thread, owner: thread });
const held = [];
let added = 0;
let wrong = 0;

function take(order) {
  const pfn = pool.alloc(order);
  if (pfn === undefined) return false;
  const words = pool.view(pfn, order, Int32Array);
  words.fill((thread << 24) | pfn);
  held.push([pfn, order]);
  return true;
}

function look() {
  for (const [pfn, order] of held) {
    const words = pool.view(pfn, order, Int32Array);
    for (let i = 0; i < words.length; i += 512) if (words[i] !== ((thread << 24) | pfn)) wrong++;
  }
}

parentPort.postMessage('here');
Atomics.wait(gate, 0, 0);
if (mode === 'once') {
  for (let n = 1; ; n = (n % 7) + 1) {
    const more = pool.grow(n);
    added += more;
    take(n & 1);
    if (more === 0) break;
  }
  while (take(0));
  look();
  pool.drain();
  parentPort.postMessage({ added, wrong, pages: held.map(([pfn, order]) => [pfn, 2 ** order]) });
} else {
  pool.onPressure(({ order }) => pool.grow(2 ** order + 3) > 0);
  for (let n = 0; ; n++) {
    if (!take(n % 3) || held.length > 40) {
      look();
      if (wrong > 0) parentPort.postMessage({ wrong });
      for (const [pfn, order] of held.splice(0, 20)) pool.free(pfn, order);
      // As far as this worker is concerned: nobody else asks for it.
      pool.grow(1);
    }
  }
}
