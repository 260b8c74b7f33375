import { expect, test } from '@jest/globals';

import { PageAllocator, ZoneWord } from '../dist/machine.js';
import { codeOf, expectSound, listOf, oneZone } from './model/machine.js';

const MOVABLE = { migratetype: 1 } as const;
/** A zone with the kernel's numbers: 262144 pages, batch 63. */
const big = (extra = {}): ReturnType<typeof oneZone> => {
  const made = oneZone({ end: 262144, caches: true, ...extra });
  made.allocator.setupCaches();
  return made;
};

test('an empty list takes a batch under one lock and hands it out in ascending order', () => {
  const { allocator, zone } = big();
  const first = allocator.allocPages(0, MOVABLE)!;
  expect(zone.get(ZoneWord.BATCH)).toBe(63);
  const taken = 262144 - zone.freePages;
  expect(taken).toBeGreaterThanOrEqual(63);
  const rest = Array.from({ length: taken - 1 }, () => allocator.allocPages(0, MOVABLE)!);
  expect(rest).toEqual(Array.from({ length: taken - 1 }, (_, i) => first + 1 + i));
  expect(zone.cachedPages()).toBe(0);
  expectSound(allocator);
});

test('carving a batch leaves the same free lists as splitting page by page', () => {
  const { allocator, zone } = big();
  allocator.allocPages(0, MOVABLE);
  const plain = oneZone({ end: 262144 });
  const taken = 262144 - zone.freePages;
  for (let i = 0; i < taken; i++) plain.allocator.allocPages(0, MOVABLE);
  for (let order = 0; order <= 10; order++) {
    expect(listOf(zone, order, 1)).toEqual(listOf(plain.zone, order, 1));
  }
});

test('batches grow while a thread keeps allocating, up to the cap', () => {
  const { allocator, zone } = big();
  const steps: number[] = [];
  let before = zone.freePages;
  for (let i = 0; i < 4000; i++) {
    allocator.allocPages(0, MOVABLE);
    if (zone.freePages !== before) steps.push(before - zone.freePages);
    before = zone.freePages;
  }
  expect(steps[1]!).toBeGreaterThan(steps[0]!);
  expect(Math.max(...steps)).toBeLessThanOrEqual(1024);
  expectSound(allocator);
});

test('the page freed last is allocated first; the coldest go back when the cache is full', () => {
  const { allocator, zone } = big();
  const pages = Array.from({ length: 3000 }, () => allocator.allocPages(0, MOVABLE)!);
  allocator.freePages(pages[7]!, 0);
  expect(allocator.allocPages(0, MOVABLE)).toBe(pages[7]);
  for (const p of pages) allocator.freePages(p, 0);
  expect(zone.cachedPages()).toBeLessThanOrEqual(1024 + 63);
  expect(zone.cachedPages()).toBeGreaterThan(0);
  expectSound(allocator);
  expect(allocator.allocPages(0, MOVABLE)).toBe(pages.at(-1));
  allocator.freePages(pages.at(-1)!, 0);
  allocator.drain();
  expect(zone.cachedPages()).toBe(0);
  expect(zone.freeBlocks()[10]).toBe(256);
  expectSound(allocator);
});

test('bug 4: a cached page whose pageblock changed type goes to the new type at the drain', () => {
  const { allocator, zone, memmap } = big();
  const p = allocator.allocPages(0, MOVABLE)!;
  allocator.freePages(p, 0);
  allocator.isolate(p);
  allocator.drain();
  expect(zone.get(ZoneWord.ISOLATED)).toBe(512);
  expectSound(allocator);
  allocator.unisolate(p);
  const q = allocator.allocPages(0, MOVABLE)!;
  memmap.pageblocks.setIsolated(q, true);
  // Freed while isolated: past the cache, straight to the Isolate list.
  const cached = zone.cachedPages();
  allocator.freePages(q, 0);
  expect(zone.cachedPages()).toBe(cached);
  expect(zone.get(ZoneWord.ISOLATED)).toBe(1);
});

test('orders 1..3 and 9 are cached, 4..8 and 10 are not; with deep caches 4..8 too', () => {
  for (const deepCaches of [false, true]) {
    const { allocator, zone } = big({ deepCaches, workers: 1 });
    const held = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((o) => zone.cache!.holds(o));
    expect(held).toEqual([
      true,
      true,
      true,
      true,
      deepCaches,
      deepCaches,
      deepCaches,
      deepCaches,
      deepCaches,
      true,
      false,
    ]);
    for (let order = 0; order <= 10; order++) {
      const blocks = Array.from({ length: 20 }, () => allocator.allocPages(order, MOVABLE)!);
      expect(new Set(blocks).size).toBe(20);
      for (const b of blocks) expect(b % 2 ** order).toBe(0);
      for (const b of blocks) allocator.freePages(b, order);
      expectSound(allocator);
    }
    allocator.drain();
    expect(zone.freeBlocks()[10]).toBe(256);
  }
});

test('many blocks of order 1 freed in a row are given back at once', () => {
  const { allocator, zone } = big();
  const blocks = Array.from({ length: 4000 }, () => allocator.allocPages(1, MOVABLE)!);
  let most = 0;
  for (const b of blocks) {
    const before = zone.freePages;
    allocator.freePages(b, 1);
    most = Math.max(most, zone.freePages - before);
  }
  expect(most).toBeGreaterThan(63);
  expectSound(allocator);
});

test('a boot cache (batch 1, limit 0) holds nothing', () => {
  const { allocator, zone } = oneZone({ caches: true });
  const p = allocator.allocPages(0, MOVABLE)!;
  expect(zone.freePages).toBe(8191);
  allocator.freePages(p, 0);
  expect(zone.freePages).toBe(8192);
});

test('drain asks the other threads, who give back at their next call', () => {
  const { allocator, zone } = big();
  const other = PageAllocator.attach(allocator.toHandle());
  const p = other.allocPages(0, MOVABLE)!;
  other.freePages(p, 0);
  expect(other.zones[0]!.core.cachedPages()).toBeGreaterThan(0);
  allocator.drain();
  expect(other.zones[0]!.core.cachedPages()).toBeGreaterThan(0);
  const q = other.allocPages(5, MOVABLE)!;
  other.freePages(q, 5);
  const r = other.allocPages(0, MOVABLE)!;
  other.freePages(r, 0);
  allocator.drain();
  other.freePages(other.allocPages(0, MOVABLE)!, 0);
  expectSound(allocator);
  other.close();
  expect(zone.freePages + zone.cachedPages()).toBe(262144);
  expectSound(allocator);
});

test('the cache of a thread that died is taken over', () => {
  const { allocator, zone } = big();
  const other = PageAllocator.attach(allocator.toHandle());
  const mine = other.allocPages(0, MOVABLE)!;
  const held = other.zones[0]!.core.cachedPages();
  expect(held).toBeGreaterThan(10);
  // The other thread is gone without close().
  expect(allocator.reclaimThread(other.thread)).toBe(held);
  expect(allocator.reclaimThread(other.thread)).toBe(0);
  expect(zone.freePages).toBe(262144 - 1);
  allocator.freePages(mine, 0);
  allocator.drain();
  expect(zone.freeBlocks()[10]).toBe(256);
  expectSound(allocator);
});

test('a handle of something else is refused', () => {
  const { allocator } = oneZone();
  const handle = allocator.toHandle();
  expect(codeOf(() => PageAllocator.attach({ ...handle, control: new Int32Array(64) }))).toBe(
    'ERR_BUDDY_HANDLE',
  );
});
