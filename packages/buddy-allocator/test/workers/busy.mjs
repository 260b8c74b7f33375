// Test worker: takes and gives back without end.
import { parentPort, workerData } from 'node:worker_threads';

import { BuddyAllocator } from '../../dist/index.js';

const { handle, thread, owner } = workerData;
const allocator = BuddyAllocator.attach(handle, { thread, owner });
parentPort.postMessage('at work');
for (;;) {
  const run = allocator.allocExact(300);
  if (run !== undefined) allocator.freeExact(run, 300);
  const block = allocator.alloc(9, { mobility: 'unmovable' });
  if (block !== undefined) allocator.free(block, 9);
}
