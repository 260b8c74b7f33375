// Worker of the buddy soak: random requests against the shared allocator, round by round. Every page it
// holds carries its mark in `owners`; a page that carries another's mark was given out twice.
import { parentPort, workerData } from 'node:worker_threads';
import { BuddyAllocator } from '@bootmem/buddy-allocator';
import { Random } from '../../kit/random.mjs';

const { handle, owners } = workerData;
const { exchange } = Atomics;
const allocator = BuddyAllocator.attach(handle);
const me = allocator.thread;
let live = [];
let violations = 0;
let random = new Random(1);

const mark = (pfn, pages, from, to) => {
  for (let p = pfn; p < pfn + pages; p += 1) {
    if (exchange(owners, p, to) !== from) violations += 1;
  }
};

function take() {
  // Geometric: half of the requests are single pages.
  const order = Math.min(Math.clz32(random.next() | 1), 10);
  const kind = random.next() & 15;
  const mobility = kind < 12 ? undefined : kind < 14 ? 'unmovable' : 'reclaimable';
  const pfn = allocator.alloc(order, mobility === undefined ? undefined : { mobility });
  if (pfn === undefined) return false;
  mark(pfn, 1 << order, 0, me);
  live.push(pfn, order);
  return true;
}

function drop() {
  const at = random.below(live.length >> 1) << 1;
  const [pfn, order] = [live[at], live[at + 1]];
  live[at] = live[live.length - 2];
  live[at + 1] = live[live.length - 1];
  live.length -= 2;
  mark(pfn, 1 << order, me, 0);
  allocator.free(pfn, order);
}

parentPort.on('message', ({ seed, operations, given }) => {
  random = new Random(seed);
  // What another thread allocated is ours now.
  for (let i = 0; i < given.length; i += 2) {
    for (let p = given[i]; p < given[i] + (1 << given[i + 1]); p += 1) Atomics.store(owners, p, me);
    live.push(given[i], given[i + 1]);
  }
  for (let done = 0; done < operations; done += 1) {
    if (live.length > 0 && (random.next() & 1) === 0) drop();
    else if (!take() && live.length > 0) drop();
  }
  const keep = (live.length >> 2) << 1;
  const handOver = live.slice(keep);
  live = live.slice(0, keep);
  const report = { thread: me, violations, handOver, kept: live };
  violations = 0;
  parentPort.postMessage(report);
});
parentPort.postMessage({ thread: me, violations: 0, handOver: [], kept: [] });
