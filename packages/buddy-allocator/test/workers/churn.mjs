// Test worker: hammers one allocator. Rounds come as messages; in the mode `forever` it never stops.
import { parentPort, workerData } from 'node:worker_threads';

import { BuddyAllocator } from '../../dist/index.js';

const { handle, id, mode, owners } = workerData;
const allocator = BuddyAllocator.attach(handle);
let x = (Math.imul(id, 0x9e3779b1) ^ 0x5bd1e995) | 1;
const next = () => {
  x ^= x << 13;
  x ^= x >>> 17;
  x ^= x << 5;
  return x >>> 0;
};

const live = [];
let overlaps = 0;
function take(order) {
  const pfn = allocator.alloc(order, next() % 8 === 0 ? { mobility: 'unmovable' } : undefined);
  if (pfn === undefined) return;
  for (let p = pfn; p < pfn + (1 << order); p++) {
    if (Atomics.exchange(owners, p, id) !== 0) overlaps++;
  }
  live.push([pfn, order]);
}
function drop() {
  const k = next() % live.length;
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
    if (live.length > 0 && (next() & 1) === 0) drop();
    else take(Math.min(Math.clz32(next() | 1), maxOrder));
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
