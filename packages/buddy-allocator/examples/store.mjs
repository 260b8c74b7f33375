// Use 4: a cache in shared memory that gives way under pressure. A worker puts columns in; when free
// memory falls below the low mark, this thread drops the oldest ones, whoever caused it.
// Run: node examples/store.mjs
import { Worker } from 'node:worker_threads';
import { BuddyAllocator } from '@bootmem/buddy-allocator';

const COLUMN_ORDER = 5; // 32 pages, 128 KiB
const COLUMNS = 500;

const store = BuddyAllocator.create({ bytes: 16 << 20 });
const MARKS = { min: 128, low: 1024, high: 2048 };
store.setWatermarks(MARKS);
// One word that counts what was dropped, for the writer to wait on.
const statePage = store.allocOrThrow(0, { mobility: 'unmovable', zero: true });
const state = store.view(statePage, 0, Int32Array);

const oldest = [];
let dropped = 0;
let events = 0;
const dropOldest = () => {
  const free = () => store.stats().freePages + store.stats().cachedPages;
  while (oldest.length > 0 && free() < MARKS.high) {
    store.free(oldest.shift(), COLUMN_ORDER);
    dropped += 1;
  }
  store.drain(); // not into this thread's cache: the writer needs it
  Atomics.add(state, 0, 1);
  Atomics.notify(state, 0);
};
const stop = store.onLow(() => {
  events += 1;
  dropOldest();
});

const writer = new Worker(new URL('./store-writer.mjs', import.meta.url), {
  workerData: { handle: store.toHandle(), statePage, columns: COLUMNS, order: COLUMN_ORDER },
});
writer.on('message', (pfn) => {
  oldest.push(pfn);
  // Also when the event came before the column's message.
  if (store.stats().freePages < MARKS.low) dropOldest();
});
await new Promise((resolve, reject) => {
  writer.once('error', reject);
  writer.once('exit', resolve);
});
stop();

const kept = oldest.length;
const newestIsWhole = store
  .view(oldest.at(-1), COLUMN_ORDER, Int32Array)
  .every((v) => v === COLUMNS - 1);
for (const pfn of oldest) store.free(pfn, COLUMN_ORDER);
store.free(statePage, 0);
store.drain();
console.log(`columns: ${kept + dropped}, all of them were stored; newest whole: ${newestIsWhole}`);
console.log(`memory ran low: ${events > 0}, oldest dropped: ${dropped > 0}`);
console.log(`pages still allocated: ${store.stats().allocatedPages}`);
store.close();
