// Worker of the kill soak: every kind of request in turns until it is ended, which may be anywhere. Pages that it
// holds carry its mark in `owners`, so that
//
//     marked  =>  allocated                    marked after the request, unmarked before the free
//     a move: the new place marked, then the old one unmarked from its first page on: that page is the turning point
//
// In some lives blocks have owners, the thread's number, and there are small objects, marked in `objectOwners` likewise.
// It stands still between two requests while the gate is closed.
import { workerData } from 'node:worker_threads';
import { Random } from '../../kit/random.mjs';

const { handle, owners, gate, thread, seed, pages, proof, objects } = workerData;
// Before the packages look: as on a system that does not tell which threads have ended.
if (!proof) Object.defineProperty(process, 'platform', { value: 'none' });
const { BuddyAllocator } = await import('@bootmem/buddy-allocator');
const { ObjectCache } = await import('@bootmem/buddy-allocator/objects');

const { exchange, load, store, wait, notify } = Atomics;
const lockTimeoutMs = proof ? 1000 : 60;
const owner = objects === undefined ? undefined : thread;
const pool = BuddyAllocator.attach(handle, { thread, lockTimeoutMs, owner });
const random = new Random(seed, thread);
/** Small objects of this thread. */
const small = [];
let cache;
const MOBILITIES = ['movable', 'movable', 'unmovable', 'reclaimable'];
/** First page -> { pages, order }; order -1: single pages. */
const live = new Map();
let held = 0;
const [OPEN, FAULTS, LONGEST] = [0, 1, 2];
const MINE = 8 + thread;
const STANDING = 1;

const fault = () => Atomics.add(gate, FAULTS, 1);
const mark = (pfn, count, from, to) => {
  for (let p = pfn; p < pfn + count; p++) if (exchange(owners, p, to) !== from) fault();
};
const claim = (pfn, count, order) => {
  if (pfn === undefined) return;
  mark(pfn, count, 0, thread);
  live.set(pfn, { count, order });
  held += count;
};
const forget = (pfn) => {
  const { count } = live.get(pfn);
  live.delete(pfn);
  held -= count;
};
const pickLive = () => {
  let left = random.below(live.size);
  for (const pfn of live.keys()) if (left-- === 0) return pfn;
  return undefined;
};

function move(from, to, count) {
  const block = live.get(from);
  // Only its own whole blocks: a run must not be torn apart.
  if (block === undefined || block.count !== count || block.order < 0) return false;
  mark(to, count, 0, thread);
  mark(from, count, thread, 0);
  live.delete(from);
  live.set(to, block);
  return true;
}

const requests = [
  () => claim(pool.alloc(0), 1, 0),
  () => {
    const order = random.below(6);
    const mobility = random.pick(MOBILITIES);
    claim(pool.alloc(order, { mobility }), 1 << order, order);
  },
  () => {
    const count = 1 + random.below(pages >> 4);
    claim(pool.allocExact(count), count, -1);
  },
  () => {
    const count = 1 + random.below(pages >> 4);
    claim(pool.allocRange({ pages: count, topDown: true, align: 4 }), count, -1);
  },
  () => {
    const start = random.below(pages - (pages >> 3));
    const count = 1 + random.below(pages >> 3);
    if (pool.allocContigRange(start, start + count, move)) claim(start, count, -1);
  },
  () => pool.compact(move, () => true),
  () => pool.drain(),
  () => pool.park(),
];
// Two of three requests are for blocks by order.
const WEIGHTS = [0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 4, 4, 5, 6, 7];

function claimObject() {
  const object = cache.alloc();
  if (object === undefined) return;
  if (exchange(objects.owners, object, thread) !== 0) fault();
  small.push(object);
}

function dropObject() {
  const at = random.below(small.length);
  const object = small[at];
  small[at] = small[small.length - 1];
  small.pop();
  if (exchange(objects.owners, object, 0) !== thread) fault();
  try {
    cache.free(object);
  } catch (error) {
    if (proof || error.code !== 'ERR_LOCK_TIMEOUT') throw error;
    if (exchange(objects.owners, object, thread) !== 0) fault();
    small.push(object);
  }
}

/** Some requests for small objects in a row, more or fewer than go back. */
function objectStep() {
  const up = random.once(2);
  for (let i = random.below(60); i >= 0; i--) {
    if (small.length > 0 && random.once(up ? 3 : 2)) dropObject();
    else claimObject();
  }
  if (random.once(10)) cache.shrink();
}

function drop() {
  const pfn = pickLive();
  const { count, order } = live.get(pfn);
  mark(pfn, count, thread, 0);
  forget(pfn);
  try {
    if (order < 0) pool.freeExact(pfn, count);
    else pool.free(pfn, order);
  } catch (error) {
    if (proof || error.code !== 'ERR_LOCK_TIMEOUT') throw error;
    // Nothing has changed, so it is this thread's still. Not tried again here: the owner of the lock has ended, and is
    // reclaimed when all the others stand.
    claim(pfn, count, order);
  }
}

function step() {
  if (live.size > 0 && (held > pages >> 2 || (random.next() & 1) === 0)) {
    drop();
    return;
  }
  try {
    if (cache !== undefined && random.once(3)) objectStep();
    else requests[random.pick(WEIGHTS)]();
  } catch (error) {
    if (proof || error.code !== 'ERR_LOCK_TIMEOUT') throw error;
  }
}

try {
  if (objects !== undefined) {
    cache = ObjectCache.attach(pool, objects.handle, { thread: objects.thread, lockTimeoutMs });
  }
  for (;;) {
    // Looked at again after every stand: a thread that wakes late must not go on when the gate is closed once more, for
    // whoever closed it has seen it stand.
    while (load(gate, OPEN) === 0) {
      store(gate, MINE, STANDING);
      notify(gate, MINE);
      wait(gate, OPEN, 0);
      store(gate, MINE, 0);
    }
    const began = performance.now();
    step();
    const ms = Math.ceil(performance.now() - began);
    if (ms > load(gate, LONGEST)) store(gate, LONGEST, ms);
  }
} catch (error) {
  console.log(`thread ${thread}, seed ${seed}: ${error.code ?? ''} ${error.stack}`);
  fault();
  store(gate, MINE, STANDING);
  wait(gate, OPEN, -1);
}
