// Test worker: hammers one allocator. Rounds come as messages; in the mode `forever` it never stops.
import { parentPort, workerData } from 'node:worker_threads';

import { Random } from '../../../../tools/kit/random.mjs';
import { BuddyAllocator } from '../../dist/index.js';

const { handle, id, mode, owners } = workerData;
const allocator = BuddyAllocator.attach(handle);
const random = new Random(1, id);

const live = [];
let overlaps = 0;
function take(order) {
  const pfn = allocator.alloc(order, random.once(8) ? { mobility: 'unmovable' } : undefined);
  if (pfn === undefined) return;
  for (let p = pfn; p < pfn + (1 << order); p++) {
    if (Atomics.exchange(owners, p, id) !== 0) overlaps++;
  }
  live.push([pfn, order]);
}
function drop() {
  const k = random.below(live.length);
  const [pfn, order] = live[k];
  live[k] = live[live.length - 1];
  live.pop();
  for (let p = pfn; p < pfn + (1 << order); p++) {
    if (Atomics.exchange(owners, p, 0) !== id) overlaps++;
  }
  allocator.free(pfn, order);
}
function churn(count, maxOrder) {
  for (let i = 0; i < count; i++) {
    if (live.length > 0 && (random.next() & 1) === 0) drop();
    else take(Math.min(Math.clz32(random.next() | 1), maxOrder));
  }
}

if (mode === 'forever') {
  parentPort.postMessage({ thread: allocator.thread });
  for (;;) churn(1000, 3);
} else {
  parentPort.on('message', ({ steps, maxOrder }) => {
    churn(steps, maxOrder);
    // Half of the blocks are freed by the other side.
    const handOver = live.splice(0, live.length >> 1);
    while (live.length > 0) drop();
    allocator.drain();
    parentPort.postMessage({ overlaps, handOver });
  });
}
