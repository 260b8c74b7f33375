// One zone of a buddy allocator in shared memory, as small as it can be: the stage on which the designs of the
// seed discussion are compared, and the port that the zone policy is tested on. Not for use as an allocator.
//
//   words   lock, counters, list heads and tails per order, parked blocks (FIFO)
//   pages   next, prev: pfn + 1 of list neighbours, 0 = none;  state: one byte a page
//   blocks  parked: one byte a block
//
// Every list operation happens under the zone lock; counters are read without it.
const { add, compareExchange, exchange, load, notify, store, wait } = Atomics;

export const MAX_ORDER = 10;
const W = {
  LOCK: 0,
  FREE: 1,
  PARKED: 2,
  PROMO: 3,
  FIFO_HEAD: 4,
  FIFO_TAIL: 5,
  BITMAP_LOCK: 6,
  MANAGED: 7,
  LISTS: 8,
};
const FIFO = W.LISTS + (MAX_ORDER + 1) * 2;
const FREE_HEAD = 0x10;
const USED_HEAD = 0x20;
const OFFLINE = 0x80; // v1 and v2: a free block that is not accepted yet

function lockWord(words, at) {
  if (compareExchange(words, at, 0, 1) === 0) return;
  for (let spin = 0; spin < 100; spin += 1)
    if (load(words, at) === 0 && compareExchange(words, at, 0, 1) === 0) return;
  while (exchange(words, at, 2) !== 0) wait(words, at, 2);
}
function unlockWord(words, at) {
  if (exchange(words, at, 0) === 2) notify(words, at, 1);
}

export class SharedZone {
  /** @param {{ pages: number, buffer?: SharedArrayBuffer, zone?: number, parkOrder?: number }} config */
  constructor({ pages, buffer, zone = 1, parkOrder = MAX_ORDER }) {
    this.pages = pages;
    this.zone = zone;
    /** Order of the blocks that are handed over and parked; freed ones merge up to MAX_ORDER. */
    this.parkOrder = parkOrder;
    const blocks = Math.ceil(pages / (1 << parkOrder));
    const fixed = FIFO + blocks;
    this.buffer = buffer ?? new SharedArrayBuffer((fixed + pages * 2) * 4 + pages + blocks);
    this.words = new Int32Array(this.buffer, 0, fixed);
    this.next = new Int32Array(this.buffer, fixed * 4, pages);
    this.prev = new Int32Array(this.buffer, (fixed + pages) * 4, pages);
    this.state = new Uint8Array(this.buffer, (fixed + pages * 2) * 4, pages);
    /** One byte a block: 1 while it is parked, 2 between taken and freed. (Not a page state: parking a large arena must touch little.) */
    this.parked = new Uint8Array(this.buffer, (fixed + pages * 2) * 4 + pages, blocks);
    /** Called under the lock when a block that is not accepted leaves the free list (v1, v2). */
    this.onTakeOffline = undefined;
    /** The gate of the final design. */
    this.gate = undefined;
    this.holding = false;
    this.holds = 0;
    this.heldMs = 0;
    this.longestHoldMs = 0;
    this.acquiredAt = 0;
  }
  toHandle() {
    return { pages: this.pages, buffer: this.buffer, zone: this.zone, parkOrder: this.parkOrder };
  }

  lock() {
    lockWord(this.words, W.LOCK);
    this.holding = true;
    this.acquiredAt = performance.now();
  }
  unlock() {
    const held = performance.now() - this.acquiredAt;
    this.holding = false;
    this.holds += 1;
    this.heldMs += held;
    if (held > this.longestHoldMs) this.longestHoldMs = held;
    unlockWord(this.words, W.LOCK);
  }
  withBitmapLock(run) {
    lockWord(this.words, W.BITMAP_LOCK);
    try {
      run();
    } finally {
      unlockWord(this.words, W.BITMAP_LOCK);
    }
  }

  // Lists, under the lock.
  push(pfn, order, tail, flags = 0) {
    const head = W.LISTS + order * 2;
    const { words, next, prev } = this;
    if (tail) {
      const last = words[head + 1];
      next[pfn] = 0;
      prev[pfn] = last;
      if (last === 0) words[head] = pfn + 1;
      else next[last - 1] = pfn + 1;
      words[head + 1] = pfn + 1;
    } else {
      const first = words[head];
      prev[pfn] = 0;
      next[pfn] = first;
      if (first === 0) words[head + 1] = pfn + 1;
      else prev[first - 1] = pfn + 1;
      words[head] = pfn + 1;
    }
    this.state[pfn] = FREE_HEAD + order + flags;
  }
  unlink(pfn, order) {
    const head = W.LISTS + order * 2;
    const { words, next, prev } = this;
    if (prev[pfn] === 0) words[head] = next[pfn];
    else next[prev[pfn] - 1] = next[pfn];
    if (next[pfn] === 0) words[head + 1] = prev[pfn];
    else prev[next[pfn] - 1] = prev[pfn];
    const offline = (this.state[pfn] & OFFLINE) !== 0;
    this.state[pfn] = 0;
    if (offline) this.onTakeOffline?.(pfn, order);
  }
  takeLocked(order) {
    for (let from = order; from <= MAX_ORDER; from += 1) {
      const first = this.words[W.LISTS + from * 2];
      if (first === 0) continue;
      const pfn = first - 1;
      this.unlink(pfn, from);
      for (let half = from - 1; half >= order; half -= 1) this.push(pfn + (1 << half), half, false);
      this.state[pfn] = USED_HEAD + order;
      add(this.words, W.FREE, -(1 << order));
      return pfn;
    }
    return undefined;
  }
  freeLocked(pfn, order, tail) {
    const count = 1 << order;
    this.state[pfn] = 0;
    let block = pfn;
    let at = order;
    while (at < MAX_ORDER) {
      const buddy = block ^ (1 << at);
      if (buddy >= this.pages || this.state[buddy] !== FREE_HEAD + at) break;
      this.unlink(buddy, at);
      block = Math.min(block, buddy);
      at += 1;
    }
    this.push(block, at, tail);
    add(this.words, W.FREE, count);
  }

  /** Boot hands over [start, end): to the gate's rules, or as "offline" free blocks for v1 and v2. */
  handOver(start, end, { offline = false } = {}) {
    const blocks = [];
    for (let pfn = start; pfn < end;) {
      let order = this.parkOrder;
      while (pfn % (1 << order) !== 0 || pfn + (1 << order) > end) order -= 1;
      blocks.push(pfn, this.gate?.holdBack(pfn, order) ? -1 : order);
      pfn += 1 << order;
    }
    this.lock();
    for (let at = 0; at < blocks.length; at += 2) {
      const pfn = blocks[at];
      const order = blocks[at + 1];
      if (order < 0) this.parkLocked(pfn);
      else if (offline) {
        this.push(pfn, order, true, OFFLINE);
        add(this.words, W.FREE, 1 << order);
      } else this.freeLocked(pfn, order, true);
    }
    add(this.words, W.MANAGED, end - start);
    this.unlock();
  }
  /** @returns {number | undefined} */
  alloc(order, options) {
    const { gate } = this;
    for (;;) {
      gate?.condAccept(this.zone, order, 'before', options);
      this.lock();
      const pfn = this.takeLocked(order);
      this.unlock();
      if (pfn !== undefined) return pfn;
      if (!gate?.condAccept(this.zone, order, 'empty', options)) return undefined;
    }
  }
  free(pfn, order) {
    if (this.state[pfn] !== USED_HEAD + order)
      throw new Error(`page ${pfn} is not allocated at order ${order}`);
    this.lock();
    this.freeLocked(pfn, order, false);
    this.unlock();
  }

  // The port of the final design.
  parkUnaccepted(_zone, pfn) {
    this.lock();
    this.parkLocked(pfn);
    this.unlock();
  }
  parkLocked(pfn) {
    const { words } = this;
    const count = 1 << this.parkOrder;
    words[FIFO + words[W.FIFO_TAIL]] = pfn + 1;
    words[W.FIFO_TAIL] += 1;
    this.parked[pfn >>> this.parkOrder] = 1;
    add(words, W.FREE, count);
    add(words, W.PARKED, count);
  }
  takeUnaccepted(_zone, named) {
    if (load(this.words, W.PARKED) === 0) return undefined;
    this.lock();
    const { words } = this;
    let pfn;
    while (words[W.FIFO_HEAD] < words[W.FIFO_TAIL] && pfn === undefined) {
      const entry = words[FIFO + words[W.FIFO_HEAD]];
      words[W.FIFO_HEAD] += 1;
      if (entry > 0) pfn = entry - 1;
    }
    if (pfn !== undefined) {
      named?.(pfn);
      this.unparkLocked(pfn);
    }
    this.unlock();
    return pfn;
  }
  takeUnacceptedAt(pfn, named) {
    this.lock();
    const found = this.parked[pfn >>> this.parkOrder] === 1;
    if (found) {
      const at = this.words.indexOf(pfn + 1, FIFO + this.words[W.FIFO_HEAD]);
      this.words[at] = 0;
      named?.(pfn);
      this.unparkLocked(pfn);
    }
    this.unlock();
    return found;
  }
  unparkLocked(pfn) {
    this.parked[pfn >>> this.parkOrder] = 2;
    add(this.words, W.FREE, -(1 << this.parkOrder));
    add(this.words, W.PARKED, -(1 << this.parkOrder));
  }
  freeAccepted(pfn, order) {
    this.lock();
    const block = pfn >>> this.parkOrder;
    const taken = this.parked[block] === 2;
    if (taken) {
      this.parked[block] = 0;
      this.freeLocked(pfn, order, true);
    }
    this.unlock();
    return taken;
  }
  unacceptedPages() {
    return load(this.words, W.PARKED);
  }
  acceptState(_zone, order) {
    const acceptedFree = load(this.words, W.FREE) - load(this.words, W.PARKED);
    return { promo: load(this.words, W.PROMO), acceptedFree, unusable: (1 << order) - 1 };
  }

  setPromo(pages) {
    store(this.words, W.PROMO, pages);
  }
  get freePages() {
    return load(this.words, W.FREE);
  }
  get managedPages() {
    return load(this.words, W.MANAGED);
  }
  /** Free blocks by order, as /proc/buddyinfo counts them. */
  freeCounts() {
    const counts = new Array(MAX_ORDER + 1).fill(0);
    for (let order = 0; order <= MAX_ORDER; order += 1) {
      for (let at = this.words[W.LISTS + order * 2]; at !== 0; at = this.next[at - 1])
        counts[order] += 1;
    }
    return counts;
  }
  /** Pages on free lists, walked. */
  listedPages() {
    return this.freeCounts().reduce((sum, count, order) => sum + count * (1 << order), 0);
  }
  /** First pages and orders of everything on a free list or allocated. */
  *usableBlocks() {
    for (let pfn = 0; pfn < this.pages; pfn += 1) {
      const state = this.state[pfn];
      if (state === 0 || (state & OFFLINE) !== 0) continue;
      yield { pfn, order: state & 15, used: (state & USED_HEAD) !== 0 };
    }
  }
}
