// The short ways of the page pool: what they hand out, what they refuse, how the lists behind them grow.
import { expect, test } from '@jest/globals';

import { PageState } from '@bootmem/memmap';

import { BuddyAllocator } from '../dist/index.js';
import { codeOf } from './model/machine.js';

const PAGES = 65536;
const pool = (threads = 2): BuddyAllocator =>
  BuddyAllocator.create({ pages: PAGES, data: null, threads });

/** Pages that the allocator's own cache holds. */
const cached = (allocator: BuddyAllocator): number => allocator.zone.cachedPages();

function expectWhole(allocator: BuddyAllocator): void {
  allocator.drain();
  expect(allocator.verify()).toEqual([]);
  expect(allocator.stats().freeBlocks[10]).toBe(PAGES / 1024);
}

test('what was freed last is handed out first, for every order that the cache holds', () => {
  const allocator = pool();
  expect(allocator.zone.cache!.holds(8)).toBe(true);
  for (let order = 0; order <= 8; order++) {
    const [a, b] = [allocator.allocOrThrow(order), allocator.allocOrThrow(order)];
    allocator.free(a, order);
    allocator.free(b, order);
    expect([allocator.alloc(order), allocator.alloc(order)]).toEqual([b, a]);
    allocator.free(a, order);
    allocator.free(b, order);
  }
  expectWhole(allocator);
});

test('a wrong order, a tail, a cached page and numbers that are none are refused and change nothing', () => {
  const allocator = pool();
  const block = allocator.allocOrThrow(2);
  const page = allocator.allocOrThrow(0);
  allocator.free(page, 0);
  const held = cached(allocator);
  const bad: [number, number, string][] = [
    [page, 0, 'ERR_BUDDY_DOUBLE_FREE'],
    [page, 16, 'ERR_BUDDY_ARGUMENT'],
    [block, 1, 'ERR_BUDDY_WRONG_ORDER'],
    [block, -1, 'ERR_BUDDY_ARGUMENT'],
    [block, 2.5, 'ERR_BUDDY_ARGUMENT'],
    [block + 1, 0, 'ERR_BUDDY_NOT_HEAD'],
    [block + 0.5, 2, 'ERR_BUDDY_OUT_OF_ZONE'],
    [-1, 0, 'ERR_BUDDY_OUT_OF_ZONE'],
    [PAGES, 0, 'ERR_BUDDY_OUT_OF_ZONE'],
    [NaN, 0, 'ERR_BUDDY_OUT_OF_ZONE'],
  ];
  for (const [pfn, order, code] of bad) {
    expect([
      pfn,
      order,
      codeOf(() => {
        allocator.free(pfn, order);
      }),
    ]).toEqual([pfn, order, code]);
  }
  for (const order of [-1, 0.5, 11, NaN]) {
    expect(codeOf(() => allocator.alloc(order))).toBe('ERR_BUDDY_ARGUMENT');
  }
  expect(cached(allocator)).toBe(held);
  allocator.free(block, 2);
  expectWhole(allocator);
});

test('a page of a reserved or isolated pageblock does not stay in the cache', () => {
  const allocator = pool();
  const page = allocator.allocOrThrow(0);
  const { pageblocks } = allocator.memmap;
  pageblocks.setIsolated(page, true);
  const before = cached(allocator);
  allocator.free(page, 0);
  expect(cached(allocator)).toBe(before);
  expect(allocator.memmap.state(page) & 0x70).toBe(PageState.FREE);
});

test('a thread that goes up and down gets room for it, until others ask for a drain', () => {
  const allocator = pool();
  const swing = (pages: number): number => {
    const list = Array.from({ length: pages }, () => allocator.allocOrThrow(0));
    const low = cached(allocator);
    for (const pfn of list) allocator.free(pfn, 0);
    return cached(allocator) - low;
  };
  for (let i = 0; i < 6; i++) swing(3000);
  // With room for all of it, nothing goes back to the lists any more.
  expect(swing(1500)).toBe(1500);
  expect(allocator.verify()).toEqual([]);
  const other = BuddyAllocator.attach(allocator.toHandle());
  other.drain();
  const page = allocator.allocOrThrow(0);
  allocator.free(page, 0);
  // The free noticed the request: everything went back, this page too.
  expect(cached(allocator)).toBe(0);
  // Freeing only, it may keep no more than at the start.
  const list = Array.from({ length: 3000 }, () => other.allocOrThrow(0));
  for (const pfn of list) allocator.free(pfn, 0);
  expect(cached(allocator)).toBeLessThan(300);
  other.close();
  expectWhole(allocator);
});

test('a thread that only frees keeps little', () => {
  const allocator = pool(3);
  const maker = BuddyAllocator.attach(allocator.toHandle());
  for (let round = 0; round < 5; round++) {
    const list = Array.from({ length: 8000 }, () => maker.allocOrThrow(0));
    for (const pfn of list) allocator.free(pfn, 0);
    expect(cached(allocator)).toBeLessThan(600);
  }
  maker.close();
  expectWhole(allocator);
});

test('after close nothing reaches the cache, even when its id belongs to another thread', () => {
  const allocator = pool();
  const old = BuddyAllocator.attach(allocator.toHandle());
  const pages = Array.from({ length: 3 }, () => old.allocOrThrow(0));
  const { free } = old;
  old.close();
  expect(
    codeOf(() => {
      free(pages[0]!, 0);
    }),
  ).toBe('ERR_BUDDY_CLOSED');
  const next = BuddyAllocator.attach(allocator.toHandle());
  expect(next.thread).toBe(old.thread);
  const mine = next.allocOrThrow(0);
  expect(
    codeOf(() => {
      old.free(pages[0]!, 0);
    }),
  ).toBe('ERR_BUDDY_CLOSED');
  expect(codeOf(() => old.alloc(0))).toBe('ERR_BUDDY_CLOSED');
  next.free(mine, 0);
  for (const pfn of pages) next.free(pfn, 0);
  next.close();
  expectWhole(allocator);
});

test('verify sees a list that leaves its stack', () => {
  const allocator = pool();
  allocator.free(allocator.allocOrThrow(0), 0);
  const { words, cacheAt } = allocator.zone;
  words[cacheAt! + 16 + 4] = 3;
  expect(allocator.verify().map((v) => v.invariant)).toContain('I11');
});

test('a block that two threads freed in the same instant goes back to the lists once', () => {
  const allocator = pool();
  const other = BuddyAllocator.attach(allocator.toHandle());
  const { state } = allocator.memmap.columns();
  for (const order of [0, 3]) {
    const block = allocator.allocOrThrow(order);
    const before = state[block]!;
    allocator.free(block, order);
    // What the other thread saw before this one wrote its state byte.
    state[block] = before;
    other.free(block, order);
    expect(cached(other)).toBe(2 ** order);
    other.zone.cache!.drain();
    allocator.zone.cache!.drain();
    expect(allocator.verify()).toEqual([]);
    expect(allocator.stats()).toMatchObject({ freePages: PAGES, cachedPages: 0 });
  }
  other.close();
  expectWhole(allocator);
});

test.each([0, 3])(
  'a block of order %d that two threads freed in the same instant is handed out once',
  (order) => {
    const allocator = pool();
    const other = BuddyAllocator.attach(allocator.toHandle());
    const { state } = allocator.memmap.columns();
    const block = allocator.allocOrThrow(order);
    const before = state[block]!;
    allocator.free(block, order);
    // What the other thread saw before this one wrote its state byte.
    state[block] = before;
    other.free(block, order);
    expect(other.alloc(order)).toBe(block);
    expect(allocator.alloc(order)).not.toBe(block);
    // The other way round, with a request that goes past the short way.
    const second = allocator.allocOrThrow(order);
    const held = state[second]!;
    other.free(second, order);
    state[second] = held;
    allocator.free(second, order);
    expect(other.alloc(order)).toBe(second);
    expect(allocator.alloc(order, { mobility: 'movable' })).not.toBe(second);
    expect(allocator.verify()).toEqual([]);
    other.close();
  },
);

test('runs that two threads free in the same instant are freed once', () => {
  const allocator = pool();
  const run = allocator.allocExact(600)!;
  const { zone } = allocator;
  const locked = zone.locked.bind(zone);
  let raced = false;
  // The other thread comes in between the check without the lock and the lock.
  zone.locked = <T>(body: () => T): T => {
    if (!raced) {
      raced = true;
      allocator.freeExact(run, 600);
    }
    return locked(body);
  };
  expect(
    codeOf(() => {
      allocator.freeExact(run, 600);
    }),
  ).toBe('ERR_BUDDY_DOUBLE_FREE');
  expect(raced).toBe(true);
  expect(allocator.verify()).toEqual([]);
  expect(allocator.stats().freePages).toBe(PAGES);
});
