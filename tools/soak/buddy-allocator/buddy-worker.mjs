// Worker of the soak: random allocations and frees on a shared allocator, checking that no page is owned
// twice. Posts the number of operations and of violations after each batch.
import { parentPort, workerData } from 'node:worker_threads';
import { BuddyAllocator } from '@bootmem/buddy-allocator';
import { Random } from '../../kit/random.mjs';

const { handle, owners, id, seed } = workerData;
const allocator = BuddyAllocator.attach(handle);
const random = new Random(seed, id);
const mobilities = ['movable', 'unmovable', 'reclaimable'];
const live = [];
let pages = 0;
let violations = 0;

function take(limit) {
  const kind = random.below(256);
  const order = Math.min(Math.clz32(random.next() | 1), 10);
  if (pages + (1 << order) > limit) return;
  let pfn;
  let count = 1 << order;
  if (kind === 0) {
    count = 1 + random.below(40);
    pfn = allocator.allocExact(count);
  } else if (kind < 64) pfn = allocator.alloc(order, { mobility: mobilities[kind % 3] });
  else pfn = allocator.alloc(order);
  if (pfn === undefined) return;
  for (let p = pfn; p < pfn + count; p++) {
    if (Atomics.exchange(owners, p, id) !== 0) violations++;
  }
  live.push({ pfn, order, count, exact: kind === 0 });
  pages += count;
}

function drop() {
  const k = random.below(live.length);
  const { pfn, order, count, exact } = live[k];
  live[k] = live[live.length - 1];
  live.pop();
  for (let p = pfn; p < pfn + count; p++) {
    if (Atomics.exchange(owners, p, 0) !== id) violations++;
  }
  if (exact) allocator.freeExact(pfn, count);
  else allocator.free(pfn, order);
  // A block that is free already, or part of somebody else's: always refused.
  if (random.below(512) === 0 && live.length > 0) {
    const other = live[random.below(live.length)];
    if (!other.exact && other.order > 0 && allocator.tryFree(other.pfn + 1, 0) === 'ok')
      violations++;
  }
  pages -= count;
}

parentPort.on('message', ({ steps, limit, finish }) => {
  for (let i = 0; i < steps; i++) {
    if (live.length > 0 && (random.next() & 1) === 0) drop();
    else take(limit);
  }
  while (finish && live.length > 0) drop();
  allocator.drain();
  parentPort.postMessage({ operations: steps, violations });
  violations = 0;
});
