// The writer thread of store.mjs.
import { parentPort, workerData } from 'node:worker_threads';
import { BuddyAllocator } from '@bootmem/buddy-allocator';

const { handle, statePage, columns, order } = workerData;
const store = BuddyAllocator.attach(handle);
const state = store.view(statePage, 0, Int32Array);

// Called when a request cannot be served: wait for the other thread to drop something, then try again.
store.onPressure(() => {
  store.drain();
  Atomics.wait(state, 0, Atomics.load(state, 0), 20);
  return true;
});
for (let i = 0; i < columns; i += 1) {
  let pfn = store.alloc(order);
  while (pfn === undefined) pfn = store.alloc(order);
  store.view(pfn, order, Int32Array).fill(i);
  parentPort.postMessage(pfn); // four bytes, no copy
}
store.close();
