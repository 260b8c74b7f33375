// What page caches may hold, one alone and all together, and the room that they take for it.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { BuddyAllocator } from '../dist/index.js';
import { Header } from '../dist/base/control-layout.js';

const MOBILITIES = ['movable', 'unmovable', 'reclaimable'] as const;

const shareOf = ({ zone }: BuddyAllocator): number => zone.words[Header.CACHE_SHARE]!;

test.each([
  [64, 16],
  [2048, 16],
  [8192, 2],
  [16384, 16],
  [20000, 3],
])('%d pages, %d threads: no thread holds more than its share of an eighth', (pages, threads) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(9), fc.nat(2), fc.nat(1), fc.nat(40)), { maxLength: 60 }),
      (bursts) => {
        const first = BuddyAllocator.create({ pages, threads, data: null });
        const second = BuddyAllocator.attach(first.toHandle());
        const live: [BuddyAllocator, number, number][] = [];
        const share = Math.floor(pages / 8 / threads);
        for (const [order, mobility, who, count] of bursts) {
          const own = who === 0 ? first : second;
          for (let i = 0; i < count; i++) {
            const pfn = own.alloc(order, { mobility: MOBILITIES[mobility]! });
            if (pfn !== undefined) live.push([own, pfn, order]);
          }
          for (const [owner, pfn, size] of live.splice(0, live.length >> 1)) owner.free(pfn, size);
          expect(first.zone.cachedPages()).toBeLessThanOrEqual(share);
          expect(second.zone.cachedPages()).toBeLessThanOrEqual(share);
        }
        for (const [owner, pfn, size] of live) owner.free(pfn, size);
        expect(first.stats().cachedPages).toBeLessThanOrEqual(2 * share);
        second.drain();
        first.drain();
        expect(first.verify()).toEqual([]);
        expect(first.zone.cachedPages()).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('a thread that uses one size has all of its share there', () => {
  const allocator = BuddyAllocator.create({ pages: 65536, threads: 2, data: null });
  const swing = (order: number, count: number): void => {
    const list = Array.from({ length: count }, () => allocator.allocOrThrow(order));
    for (const pfn of list) allocator.free(pfn, order);
  };
  for (let i = 0; i < 12; i++) swing(0, 6000);
  expect(allocator.zone.cachedPages()).toBeGreaterThan(3000);
  // Another size gets a part of it, and gives some back when the first is used again.
  for (let i = 0; i < 12; i++) swing(2, 1500);
  expect(allocator.zone.cachedPages()).toBeLessThanOrEqual(4096);
  allocator.drain();
  expect(allocator.verify()).toEqual([]);
});

test('`cachePages` keeps caches smaller, never larger; 0 is none', () => {
  const made = (cachePages: number): BuddyAllocator =>
    BuddyAllocator.create({ pages: 16384, threads: 2, data: null, cachePages });
  expect(shareOf(made(100))).toBe(100);
  expect(shareOf(made(2 ** 20))).toBe(1024);
  const none = made(0);
  const pages = Array.from({ length: 50 }, () => none.allocOrThrow(0));
  for (const pfn of pages) none.free(pfn, 0);
  expect(none.stats()).toMatchObject({ cachedPages: 0, freePages: 16384 });
  const some = made(100);
  const list = Array.from({ length: 3000 }, () => some.allocOrThrow(0));
  for (const pfn of list) {
    some.free(pfn, 0);
    expect(some.zone.cachedPages()).toBeLessThanOrEqual(100);
  }
  expect(some.zone.cachedPages()).toBeGreaterThan(0);
});

test('an allocator that grows has larger caches; the share of what is online counts', () => {
  const allocator = BuddyAllocator.create({ pages: 4096, maxPages: 65536, threads: 2, data: null });
  const fill = (): number => {
    const list = Array.from({ length: 3000 }, () => allocator.allocOrThrow(0));
    for (const pfn of list) allocator.free(pfn, 0);
    return allocator.zone.cachedPages();
  };
  for (let i = 0; i < 10; i++) expect(fill()).toBeLessThanOrEqual(256);
  allocator.grow(65536 - 4096);
  for (let i = 0; i < 10; i++) fill();
  expect(allocator.zone.cachedPages()).toBeGreaterThan(1000);
  expect(allocator.verify()).toEqual([]);
});

/** Bytes of everything but the managed memory, by page. */
function metadata(pages: number, threads = 16): number {
  const allocator = BuddyAllocator.create({ pages, threads, data: null });
  const buffers = Object.values(allocator.snapshot({ data: false })) as unknown[];
  const bytes = buffers.map((value) => (value instanceof ArrayBuffer ? value.byteLength : 0));
  return bytes.reduce((a, b) => a + b) / pages;
}

test('metadata is in proportion: at most 24 bytes a page at 64 MiB, 28 at 8 MiB, 18 at 1 GiB', () => {
  expect(metadata(16384)).toBeLessThanOrEqual(24);
  expect(metadata(2048)).toBeLessThanOrEqual(28);
  expect(metadata(262144)).toBeLessThanOrEqual(18);
  // Sizes that are no power of two do not pay for the next one.
  expect(metadata(20000)).toBeLessThanOrEqual(24);
  expect(metadata(140000)).toBeLessThanOrEqual(19);
});
