// Test worker: attaches, and stays inside the allocator for ever, or until the gate opens; then it ends there by itself.
import { parentPort, workerData } from 'node:worker_threads';

import { BuddyAllocator } from '../../dist/index.js';

const { handle, thread, gate, end } = workerData;
const allocator = BuddyAllocator.attach(handle, { thread });
const taken = allocator.alloc(0);
allocator.zone.lock();
parentPort.postMessage({ thread: allocator.thread, taken });
Atomics.wait(gate ?? new Int32Array(new SharedArrayBuffer(4)), 0, 0);
if (end === 'exit') process.exit(1);
if (end === 'memory') for (const held = []; ;) held.push(new Array(10_000).fill(held.length));
throw new Error('ended inside');
