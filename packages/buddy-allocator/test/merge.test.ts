// What merging must keep: whose zone a block is in, and that memory which was used is zeroed where that is asked for.
import { expect, test } from '@jest/globals';
import { Memmap, ZoneIndex } from '@bootmem/memmap';

import { BuddyAllocator } from '../dist/index.js';
import { PageAllocator } from '../dist/machine.js';

/** Two zones side by side; pageblocks of 8 pages, blocks up to 64. */
function twoZones(border: number, guardMinOrder = 0): PageAllocator {
  const memmap = Memmap.create({
    ranges: [{ startPfn: 0, endPfn: 128 }],
    geometry: {
      pageShift: 12,
      sectionOrder: 9,
      pageblockOrder: 3,
      maxOrder: 6,
      subsectionOrder: 6,
    },
  });
  const spans = [
    { zone: 'DMA32', startPfn: 0, endPfn: border },
    { zone: 'Normal', startPfn: border, endPfn: 128 },
  ] as const;
  const specs = spans.map((span) => ({
    nid: 0,
    presentPages: span.endPfn - span.startPfn,
    ...span,
  }));
  const allocator = PageAllocator.create(memmap, specs, { caches: false, guardMinOrder });
  const ids = [ZoneIndex.DMA32, ZoneIndex.NORMAL];
  for (const [i, { startPfn, endPfn }] of specs.entries()) {
    memmap.initRange(startPfn, endPfn, memmap.zones.idOf(0, ids[i]!)!);
  }
  memmap.pageblocks.setRange(0, 128, 1);
  for (const { startPfn, endPfn } of specs) allocator.freeBlocks(startPfn, endPfn);
  return allocator;
}

test.each([
  // The pair at the border is smaller than a pageblock, one, larger.
  [4, 0],
  [60, 0],
  [8, 0],
  [40, 0],
  [32, 0],
  [60, 2],
])(
  'blocks of two zones never become one: border at %d, guard blocks below order %d',
  (border, guard) => {
    const allocator = twoZones(border, guard);
    const [low, high] = allocator.zones.map(({ core }) => core);
    for (let round = 0; round < 2; round++) {
      const taken = (['DMA32', 'Normal'] as const).flatMap((zone) =>
        Array.from({ length: 128 }, () => allocator.allocPages(0, { migratetype: 1, zone })),
      );
      for (const pfn of taken) if (pfn !== undefined) allocator.freePages(pfn, 0);
      expect(allocator.verify()).toEqual([]);
      expect([low!.freePages, high!.freePages]).toEqual([border, 128 - border]);
    }
  },
);

/** Bytes of a block that was asked for as zero. */
function zeroed(pool: BuddyAllocator, order: number): Uint8Array {
  return pool.view(pool.allocOrThrow(order, { zero: true }), order, Uint8Array);
}

test('a page that was used makes the block it merges into dirty', () => {
  const pool = BuddyAllocator.create({ pages: 4096, pageSize: 16, maxOrder: 12, threads: 2 });
  const other = BuddyAllocator.attach(pool.toHandle());
  const pfn = pool.allocOrThrow(0);
  // Its neighbours came to the cache with it, and nobody has used them.
  expect(pool.stats().cachedPages).toBeGreaterThan(0);
  pool.view(pfn, 0, Uint8Array).fill(7);
  other.free(pfn, 0);
  other.drain();
  // Clean, beside the used page on the lists.
  pool.drain();
  expect(pool.stats().freeBlocks[12]).toBe(1);
  expect(zeroed(pool, 12).every((byte) => byte === 0)).toBe(true);
});

test.each<[string, (pool: BuddyAllocator) => void]>([
  ['a page', (pool) => void pool.allocOrThrow(0)],
  ['a page of another mobility', (pool) => void pool.alloc(0, { mobility: 'unmovable' })],
  ['pages for a cache', (pool) => void pool.allocBulk(3, [])],
  ['some pages in a row', (pool) => void pool.allocExact(5)],
  ['pages by place', (pool) => void pool.allocRange({ pages: 3, min: 9 })],
  ['a contiguous range', (pool) => void pool.allocContigRange(3, 6)],
])('what is left of used memory when %s is cut off is dirty', (_, cut) => {
  for (const caches of [true, false]) {
    const pool = BuddyAllocator.create({
      pages: 4096,
      pageSize: 16,
      maxOrder: 12,
      threads: 2,
      caches,
    });
    const whole = pool.allocOrThrow(12);
    pool.view(whole, 12, Uint8Array).fill(7);
    pool.free(whole, 12);
    cut(pool);
    for (let order = 11; order >= 0; order--) {
      const pfn = pool.alloc(order, { zero: true });
      if (pfn === undefined) continue;
      expect(pool.view(pfn, order, Uint8Array).every((byte) => byte === 0)).toBe(true);
    }
  }
});

test('memory that comes online clean beside used memory: the whole is dirty', () => {
  const pool = BuddyAllocator.create({ pages: 4, maxPages: 2048, pageSize: 16, maxOrder: 11 });
  for (const pages of [4, 508, 512, 1024]) {
    const all = pool.stats().pages;
    const used = pool.allocExact(all)!;
    pool.viewPages(used, all, Uint8Array).fill(7);
    pool.freeExact(used, all);
    pool.drain();
    pool.grow(pages === 4 ? 0 : pages);
  }
  expect(pool.stats().freeBlocks[11]).toBe(1);
  expect(zeroed(pool, 11).every((byte) => byte === 0)).toBe(true);
});

test('a block that was in flight when its thread died is dirty', () => {
  const pool = BuddyAllocator.create({ pages: 64, pageSize: 16, maxOrder: 6, caches: false });
  const dying = BuddyAllocator.attach(pool.toHandle());
  const pfn = dying.allocOrThrow(2);
  dying.view(pfn, 2, Uint8Array).fill(7);
  // As if it had ended right after the begin of the free.
  dying.zone.lock();
  dying.zone.area.journal(pfn, 3);
  pool.reclaimThread(dying.thread);
  expect(pool.stats()).toMatchObject({ freePages: 64, recoveries: 1 });
  expect(zeroed(pool, 6).every((byte) => byte === 0)).toBe(true);
});
