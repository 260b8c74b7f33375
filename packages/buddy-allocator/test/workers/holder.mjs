// Test worker: attaches, and stays inside the allocator for ever.
import { parentPort, workerData } from 'node:worker_threads';

import { BuddyAllocator } from '../../dist/index.js';

const { handle, thread } = workerData;
const allocator = BuddyAllocator.attach(handle, { thread });
const taken = allocator.alloc(0);
allocator.zone.lock();
parentPort.postMessage({ thread: allocator.thread, taken });
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
