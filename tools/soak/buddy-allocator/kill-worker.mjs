// Worker of the kill soak: every kind of request in turns until it is ended, which may be anywhere. Pages that it
// holds carry its mark in `owners`, so that
//
//     marked  =>  allocated                    marked after the request, unmarked before the free
//     a move: the new place marked, then the old one unmarked from its first page on: that page is the turning point
//
// In some lives blocks have owners, the thread's number, and there are small objects, marked in `objectOwners` likewise.
// It stands still between two requests while the gate is closed. A move that got no lock after its callback is this thread's
// to settle: when the gate says so, and before anything else is done.
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
const [GATE, FAULTS, LONGEST] = [0, 1, 2];
const MINE = 8 + thread;
/** The gate: a state in these bits, and how often it was changed. */
const GATE_STATE = 3;
const [, OPEN, SETTLE] = [0, 1, 2];
/** This thread, while the gate is not open. */
const [STANDING, SETTLED, FAILED] = [1, 2, 3];
const PAGEBLOCK = 512;
/** A request with moves got no lock: its range, empty for one that has none. */
let interrupted;

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

/** Runs a request that moves blocks and isolates those of its range. */
function moving(start, end, request) {
  try {
    return request();
  } catch (error) {
    interrupted = { start, end };
    throw error;
  }
}

/** Ends what a request left that got no lock. */
function settle() {
  if (interrupted === undefined) return;
  // Only `move` enters a new place, as its last act.
  pool.settleMoves((from, to, count) => {
    if (live.get(to)?.count === count) return true;
    if (owners[to] !== 0) fault();
    return false;
  });
  for (let pfn = interrupted.start; pfn < interrupted.end; pfn += PAGEBLOCK) pool.unisolate(pfn);
  interrupted = undefined;
}

/** Makes one of its blocks larger or smaller where it is. */
function resize() {
  const pfn = live.size > 0 ? pickLive() : undefined;
  const { count, order } = live.get(pfn) ?? { order: -1 };
  if (order < 0) return;
  if (order === 0 || random.once(2)) {
    const to = Math.min(order + 1 + random.below(2), 9);
    if (to <= order || !pool.extend(pfn, order, to)) return;
    forget(pfn);
    mark(pfn + count, 2 ** to - count, 0, thread);
    live.set(pfn, { count: 2 ** to, order: to });
    held += 2 ** to;
    return;
  }
  const to = random.below(order);
  const rest = count - 2 ** to;
  mark(pfn + 2 ** to, rest, thread, 0);
  try {
    pool.shrink(pfn, order, to);
  } catch (error) {
    if (proof || error.code !== 'ERR_LOCK_TIMEOUT') throw error;
    mark(pfn + 2 ** to, rest, 0, thread);
    return;
  }
  forget(pfn);
  live.set(pfn, { count: 2 ** to, order: to });
  held += 2 ** to;
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
    const first = start - (start % PAGEBLOCK);
    const end = start + count;
    if (moving(first, end, () => pool.allocContigRange(start, end, move))) claim(start, count, -1);
  },
  () => moving(0, 0, () => pool.compact(move, () => true)),
  () => pool.drain(),
  () => pool.park(),
  () => pool.grow(random.below(pages >> 7)),
  resize,
];
// More than half of the requests are for blocks by order.
const WEIGHTS = [0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 9, 9];

/** Without a lock to be had there are no small objects in this thread's life: its id there is to be reclaimed first. */
function attachObjects() {
  try {
    cache = ObjectCache.attach(pool, objects.handle, { thread: objects.thread, lockTimeoutMs });
  } catch (error) {
    if (proof || error.code !== 'ERR_LOCK_TIMEOUT') throw error;
  }
}

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
  if (objects !== undefined) attachObjects();
  for (;;) {
    // Looked at again after every stand: a thread that wakes late must not go on when the gate is closed once more, for
    // whoever closed it has seen it stand.
    let now = load(gate, GATE);
    for (; (now & GATE_STATE) !== OPEN; now = load(gate, GATE)) {
      const settles = (now & GATE_STATE) === SETTLE;
      if (settles) settle();
      store(gate, MINE, settles ? SETTLED : STANDING);
      notify(gate, MINE);
      wait(gate, GATE, now);
      store(gate, MINE, 0);
    }
    if (interrupted !== undefined) {
      // The owner of the lock has ended, and is reclaimed when all the others stand.
      wait(gate, GATE, now);
      continue;
    }
    const began = performance.now();
    step();
    const ms = Math.ceil(performance.now() - began);
    if (ms > load(gate, LONGEST)) store(gate, LONGEST, ms);
  }
} catch (error) {
  console.log(`thread ${thread}, seed ${seed}: ${error.code ?? ''} ${error.stack}`);
  fault();
  store(gate, MINE, FAILED);
}
