import { expect, test } from '@jest/globals';
import { PageState } from '@bootmem/memmap';

import { Random } from '../../../tools/kit/random.mjs';
import { ZoneWord } from '../dist/machine.js';
import { codeOf, expectSound, listOf, oneZone } from './model/machine.js';

const MOVABLE = { migratetype: 1 } as const;

test('a 4 MiB block split for one page leaves one block of each order, ascending', () => {
  // [1024 .. 2048) -> 1024 taken; 1025 1026 1028 1032 ... 1536 remain.
  const { allocator, zone } = oneZone({ start: 1024, end: 2048 });
  expect(allocator.allocPages(0, MOVABLE)).toBe(1024);
  expect(zone.freeBlocks()).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
  expect(Array.from({ length: 10 }, (_, o) => listOf(zone, o, 1))).toEqual(
    [1025, 1026, 1028, 1032, 1040, 1056, 1088, 1152, 1280, 1536].map((p) => [p]),
  );
  expectSound(allocator);
  allocator.freePages(1024, 0);
  expect(zone.freeBlocks()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  expectSound(allocator);
});

test('worked number: 1024 and 1025 allocated, 1025 freed: merge likely, so it goes to the tail', () => {
  const { allocator, zone } = oneZone({ start: 0, end: 4096 });
  const pages = Array.from({ length: 6 }, () => allocator.allocPages(0, MOVABLE)!);
  expect(pages).toEqual([0, 1, 2, 3, 4, 5]);
  // 0..5 used, [6,8) free as order 1. Free 2: its pair [2,4) would not merge on; 3 is used.
  allocator.freePages(2, 0);
  // Combined block of 5's pair is [4,6), whose buddy [6,8) is free: 5 goes to the tail.
  allocator.freePages(5, 0);
  expect(listOf(zone, 0, 1)).toEqual([2, 5]);
  // 0's combined block [0,2) has the buddy [2,4), not a free block of order 1: head.
  allocator.freePages(0, 0);
  expect(listOf(zone, 0, 1)).toEqual([0, 2, 5]);
  expectSound(allocator);
});

test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])(
  'order %i: both halves merge again in either order',
  (order) => {
    for (const lowFirst of [true, false]) {
      const { allocator, zone } = oneZone({ start: 0, end: 1024 });
      const low = allocator.allocPages(order, MOVABLE)!;
      const high = allocator.allocPages(order, MOVABLE)!;
      expect(high).toBe(low + 2 ** order);
      for (const pfn of lowFirst ? [low, high] : [high, low]) allocator.freePages(pfn, order);
      expect(zone.freeBlocks()[10]).toBe(1);
      expectSound(allocator);
    }
  },
);

test('free all in random order rebuilds the blocks', () => {
  const { allocator, zone } = oneZone();
  const pages: number[] = [];
  for (
    let p = allocator.allocPages(0, MOVABLE);
    p !== undefined;
    p = allocator.allocPages(0, MOVABLE)
  ) {
    pages.push(p);
  }
  expect(pages.length).toBe(8192);
  const random = new Random(7);
  for (let i = pages.length - 1; i > 0; i--) {
    const k = random.below(i + 1);
    [pages[i], pages[k]] = [pages[k]!, pages[i]!];
  }
  for (const p of pages) allocator.freePages(p, 0);
  expect(zone.freeBlocks()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8]);
  expectSound(allocator);
});

test('two blocks of the maximum order next to each other stay apart', () => {
  const { allocator, zone } = oneZone({ start: 0, end: 2048 });
  const [a, b] = [allocator.allocPages(10, MOVABLE)!, allocator.allocPages(10, MOVABLE)!];
  allocator.freePages(a, 10);
  allocator.freePages(b, 10);
  expect(listOf(zone, 10, 1)).toEqual([b, a]);
  expectSound(allocator);
});

test('bug 5: a zone that starts inside a pair does not merge across its start', () => {
  // Zone [0x300, 0x800): pfn 0x300 of order 8 has the buddy 0x200, outside.
  const { allocator, zone } = oneZone({ start: 0x300, end: 0x800 });
  expect(zone.freeBlocks()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1]);
  const [block] = listOf(zone, 8, 1);
  expect(block).toBe(0x300);
  expectSound(allocator);
});

test('blocks of two zones that meet inside a max-order block never merge', async () => {
  const { Memmap } = await import('@bootmem/memmap');
  const { PageAllocator } = await import('../dist/machine.js');
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 2048 }] });
  const allocator = PageAllocator.create(memmap, [
    { nid: 0, zone: 'Normal', startPfn: 0, endPfn: 1536, presentPages: 1536 },
    { nid: 1, zone: 'Normal', startPfn: 1536, endPfn: 2048, presentPages: 512 },
  ]);
  memmap.initRange(0, 1536, memmap.zones.idOf(0, 2)!);
  memmap.initRange(1536, 2048, memmap.zones.idOf(1, 2)!);
  memmap.pageblocks.setRange(0, 2048, 1);
  allocator.freeBlocks(0, 1536);
  allocator.freeBlocks(1536, 2048);
  expect(allocator.zones.map((z) => z.core.freeBlocks().slice(9))).toEqual([
    [1, 1],
    [1, 0],
  ]);
  expect(allocator.verify()).toEqual([]);
  expect(codeOf(() => allocator.freeBlocks(0, 4))).toBe('ERR_BUDDY_NOT_ALLOCATED');
  allocator.close();
  expect(codeOf(() => allocator.allocPages(0))).toBe('ERR_BUDDY_CLOSED');
  allocator.close();
});

test('merging at order 9 retypes the other half; bug 3: not into HighAtomic, bug 2: not into Isolate', () => {
  const { allocator, zone, memmap } = oneZone({ start: 0, end: 1024 });
  const [a, b] = [allocator.allocPages(9, MOVABLE)!, allocator.allocPages(9, MOVABLE)!];
  memmap.pageblocks.setMigratetype(a, 0);
  allocator.freePages(b, 9);
  allocator.freePages(a, 9);
  expect(zone.freeBlocks()[10]).toBe(1);
  expect([memmap.pageblocks.migratetype(a), memmap.pageblocks.migratetype(b)]).toEqual([0, 0]);
  expectSound(allocator);
  const [c, d] = [allocator.allocPages(9)!, allocator.allocPages(9)!];
  memmap.pageblocks.setMigratetype(c, 3);
  allocator.freePages(d, 9);
  allocator.freePages(c, 9);
  expect(zone.freeBlocks().slice(9)).toEqual([2, 0]);
  expect(zone.get(ZoneWord.FREE_HIGHATOMIC)).toBe(512);
  expectSound(allocator);
});

test('isolation moves free blocks off the free count and back; types are restored', () => {
  const { allocator, zone, memmap } = oneZone({ start: 0, end: 2048 });
  const used = allocator.allocPages(3)!;
  expect(allocator.isolate(600)).toBe(true);
  expect(allocator.isolate(600)).toBe(false);
  expect(zone.get(ZoneWord.ISOLATED)).toBe(512);
  expect(zone.freePages).toBe(2048 - 512 - 8);
  expectSound(allocator);
  // A page freed into an isolated pageblock stays isolated.
  const inside = memmap.pageblocks.isIsolated(used) ? used : undefined;
  expect(inside).toBeUndefined();
  expect(allocator.isolate(used)).toBe(true);
  allocator.freePages(used, 3);
  expect(zone.get(ZoneWord.ISOLATED)).toBe(1024);
  expectSound(allocator);
  expect(allocator.unisolate(used)).toBe(true);
  expect(allocator.unisolate(600)).toBe(true);
  expect(allocator.unisolate(600)).toBe(false);
  expect(zone.freePages).toBe(2048);
  expect(zone.freeBlocks()[10]).toBe(2);
  expectSound(allocator);
});

test('contiguous range across a max-order boundary: taken exactly, the rest stays free', () => {
  const { allocator, zone, memmap } = oneZone({ start: 0, end: 4096 });
  expect(allocator.allocContigRange(1000, 1100)).toBe(true);
  expect(zone.freePages).toBe(4096 - 100);
  expect(memmap.state(1000) & 0x7f).toBe(PageState.ALLOCATED);
  expectSound(allocator);
  // Used pages without a callback: refused, nothing held.
  expect(allocator.allocContigRange(900, 1001)).toBe(false);
  expect(zone.freePages).toBe(4096 - 100);
  expectSound(allocator);
  // With a callback the used pages move.
  const moves: number[][] = [];
  expect(
    allocator.allocContigRange(900, 1200, (from, to, pages) => {
      moves.push([from, to, pages]);
      return true;
    }),
  ).toBe(true);
  expect(moves.length).toBe(100);
  expect(moves.every(([, to]) => to! < 900 || to! >= 1200)).toBe(true);
  expectSound(allocator);
  expect(allocator.allocContigRange(900, 950, () => false)).toBe(false);
  for (let p = 900; p < 1200; p++) allocator.freePages(p, 0);
  for (const [, to] of moves) allocator.freePages(to!, 0);
  expect(zone.freeBlocks()[10]).toBe(4);
  expect(codeOf(() => allocator.allocContigRange(4000, 5000))).toBe('ERR_BUDDY_OUT_OF_ZONE');
});

test('exact: five pages of eight, the tail is free again page by page', () => {
  const { allocator, zone } = oneZone({ start: 0, end: 1024 });
  expect(allocator.allocExact(5)).toBe(0);
  expect(zone.freePages).toBe(1024 - 5);
  expectSound(allocator);
  for (let p = 0; p < 5; p++) allocator.freePages(p, 0);
  expect(zone.freeBlocks()[10]).toBe(1);
  expect(allocator.allocExact(1024)).toBe(0);
  expect(allocator.allocExact(1)).toBeUndefined();
  expect(codeOf(() => allocator.allocExact(1025))).toBe('ERR_BUDDY_ARGUMENT');
  expect(codeOf(() => allocator.allocExact(0))).toBe('ERR_BUDDY_ARGUMENT');
});

test.each([true, false])(
  'every wrong free has its code and changes nothing (caches %s)',
  (caches) => {
    const { allocator, zone, memmap } = oneZone({ start: 0, end: 4096, caches });
    memmap.setRange(100, 100 + 1, PageState.BODY);
    const block = allocator.allocPages(3, MOVABLE)!;
    const before = zone.freePages;
    expect(
      codeOf(() => {
        allocator.freePages(block, 2);
      }),
    ).toBe('ERR_BUDDY_WRONG_ORDER');
    expect(
      codeOf(() => {
        allocator.freePages(block + 1, 0);
      }),
    ).toBe('ERR_BUDDY_NOT_HEAD');
    expect(
      codeOf(() => {
        allocator.freePages(2048, 0);
      }),
    ).toBe('ERR_BUDDY_DOUBLE_FREE');
    expect(
      codeOf(() => {
        allocator.freePages(2050, 0);
      }),
    ).toBe('ERR_BUDDY_DOUBLE_FREE');
    expect(
      codeOf(() => {
        allocator.freePages(99999999, 0);
      }),
    ).toBe('ERR_BUDDY_OUT_OF_ZONE');
    expect(
      codeOf(() => {
        allocator.freePages(-1, 0);
      }),
    ).toBe('ERR_BUDDY_OUT_OF_ZONE');
    expect(
      codeOf(() => {
        allocator.freePages(block, 11);
      }),
    ).toBe('ERR_BUDDY_ARGUMENT');
    expect(
      codeOf(() => {
        allocator.freePages(block, 1.5);
      }),
    ).toBe('ERR_BUDDY_ARGUMENT');
    expect(codeOf(() => allocator.allocPages(11))).toBe('ERR_BUDDY_ARGUMENT');
    expect(
      codeOf(() => {
        zone.free(0, 16);
      }),
    ).toBe('ERR_BUDDY_ARGUMENT');
    expect(
      codeOf(() => {
        zone.free(0.5, 0);
      }),
    ).toBe('ERR_BUDDY_OUT_OF_ZONE');
    expect(zone.freePages).toBe(before);
    allocator.freePages(block, 3);
    expect(
      codeOf(() => {
        allocator.freePages(block, 3);
      }),
    ).toBe('ERR_BUDDY_DOUBLE_FREE');
    allocator.drain();
    expectSound(allocator);
  },
);

test('reserved and boot-owned pages cannot be freed', () => {
  const { allocator, memmap } = oneZone({ start: 0, end: 1024 });
  const zoneId = memmap.zones.idOf(0, 2)!;
  expect(
    codeOf(() => {
      allocator.freePages(5000, 0);
    }),
  ).toBe('ERR_BUDDY_OUT_OF_ZONE');
  memmap.initReservedRange(2048, 2050, zoneId);
  memmap.initRange(2050, 2060, zoneId);
  expect(
    codeOf(() => {
      allocator.freePages(2048, 0);
    }),
  ).toBe('ERR_BUDDY_RESERVED');
  expect(
    codeOf(() => {
      allocator.freePages(2051, 0);
    }),
  ).toBe('ERR_BUDDY_NOT_ALLOCATED');
  expect(codeOf(() => allocator.freeBlocks(3000, 3100))).toBe('ERR_BUDDY_UNINITIALISED');
  expect(codeOf(() => allocator.freeBlocks(2050, 2051))).toBe('ERR_BUDDY_OUT_OF_ZONE');
});

test('unaccepted blocks: parked FIFO, counted free, taken in order and out of order', () => {
  const { allocator, zone, memmap } = oneZone({ end: 8192, boot: 1024 });
  const zoneId = memmap.zones.idOf(0, 2)!;
  for (const pfn of [4096, 5120, 6144, 7168]) allocator.parkUnaccepted(zoneId, pfn);
  expect(allocator.unacceptedPages(zoneId)).toBe(4096);
  expect(zone.freePages).toBe(1024 + 4096);
  expect(allocator.acceptState(zoneId, 1)).toEqual({ promo: 0, acceptedFree: 1024, unusable: 1 });
  expect(
    codeOf(() => {
      allocator.parkUnaccepted(zoneId, 4096);
    }),
  ).toBe('ERR_BUDDY_ARGUMENT');
  expect(allocator.takeUnacceptedAt(5120)).toBe(true);
  expect(allocator.takeUnacceptedAt(5120)).toBe(false);
  expect(allocator.takeUnaccepted(zoneId)).toBe(4096);
  expect(allocator.takeUnacceptedAt(7168)).toBe(true);
  expect(allocator.takeUnaccepted(zoneId)).toBe(6144);
  expect(allocator.takeUnaccepted(zoneId)).toBeUndefined();
  expect(allocator.takeUnacceptedAt(99999)).toBe(false);
  expect(allocator.freeAccepted(6144, 10)).toBe(true);
  expect(allocator.freeAccepted(6144, 10)).toBe(false);
  expect(codeOf(() => allocator.freeAccepted(6145, 10))).toBe('ERR_BUDDY_ARGUMENT');
  expect(codeOf(() => allocator.freeAccepted(4096, 9))).toBe('ERR_BUDDY_ARGUMENT');
  for (const pfn of [0, 3073, 8192, 1024 * 9999]) {
    // Free, no block's begin, outside.
    expect(
      codeOf(() => {
        allocator.parkUnaccepted(zoneId, pfn);
      }),
    ).toBe('ERR_BUDDY_ARGUMENT');
  }
  expect(codeOf(() => allocator.freeAccepted(1024 * 99999, 10))).toBe('ERR_BUDDY_ARGUMENT');
  expect(zone.freePages).toBe(2048);
  expect(codeOf(() => allocator.unacceptedPages(9))).toBe('ERR_BUDDY_ARGUMENT');
});

test('compaction moves used blocks to the high end and restores large blocks', () => {
  const { allocator, zone } = oneZone({ start: 0, end: 8192 });
  const live: number[] = [];
  for (
    let p = allocator.allocPages(0, MOVABLE);
    p !== undefined;
    p = allocator.allocPages(0, MOVABLE)
  ) {
    live.push(p);
  }
  const kept = new Map<number, number>();
  for (const p of live) {
    if (p % 16 === 3) kept.set(p, p);
    else allocator.freePages(p, 0);
  }
  expect(zone.freeBlocks()[10]).toBe(0);
  const result = allocator.compact(0, 'Normal', (from, to) => {
    const id = kept.get(from)!;
    kept.delete(from);
    kept.set(to, id);
    return true;
  });
  expect(result.movedPages).toBe(result.moved);
  expect(zone.freeBlocks()[10]).toBeGreaterThanOrEqual(7);
  expectSound(allocator);
  expect(new Set(kept.values()).size).toBe(512);
  for (const p of kept.keys()) allocator.freePages(p, 0);
  expect(zone.freeBlocks()[10]).toBe(8);
  expect(allocator.allocContigRange(5, 6)).toBe(true);
  expect(allocator.compact(0, 'Normal', () => false)).toMatchObject({ moved: 0, refused: 1 });
  allocator.freePages(5, 0);
  expectSound(allocator);
  expect(codeOf(() => allocator.compact(1, 'Normal', () => true))).toBe('ERR_BUDDY_ARGUMENT');
});

test.each([true, false])(
  'guard blocks: left-overs are kept from use and merge back (caches %s)',
  (caches) => {
    const { allocator, zone } = oneZone({ start: 0, end: 1024, guardMinOrder: 3, caches });
    // Split for one page: orders 0, 1, 2 become guards; 3..9 are free.
    const page = allocator.allocPages(0, MOVABLE)!;
    expect(page).toBe(0);
    expect(zone.get(ZoneWord.GUARD)).toBe(7);
    expect(zone.freeBlocks().slice(0, 4)).toEqual([0, 0, 0, 1]);
    expect(zone.freePages).toBe(1024 - 8);
    expectSound(allocator);
    const second = allocator.allocPages(0, MOVABLE)!;
    expect(second).toBe(8);
    allocator.freePages(page, 0);
    allocator.freePages(second, 0);
    allocator.drain();
    expect(zone.get(ZoneWord.GUARD)).toBe(0);
    expect(zone.freeBlocks()[10]).toBe(1);
    expectSound(allocator);
  },
);

test.each([true, false])(
  'contiguous-memory areas serve movable requests only, first when they are most of what is free (caches %s)',
  (caches) => {
    const { allocator, zone, memmap } = oneZone({ start: 0, end: 1024, caches });
    const all = [allocator.allocPages(9, MOVABLE)!, allocator.allocPages(9, MOVABLE)!];
    memmap.pageblocks.setMigratetype(all[1]!, 4);
    for (const block of all) allocator.freePages(block, 9);
    expect(zone.get(ZoneWord.FREE_CMA)).toBe(512);
    // Half is not more than half: the ordinary pageblock first, then the area.
    expect(allocator.allocPages(0, MOVABLE)).toBe(0);
    expect(allocator.allocPages(0, MOVABLE)).toBe(512);
    expectSound(allocator);
    // Unmovable requests never get the area, even when nothing else is left.
    let unmovable = 0;
    while (allocator.allocPages(0) !== undefined) unmovable++;
    expect(unmovable).toBe(511);
    expect(zone.get(ZoneWord.FREE_CMA)).toBe(511);
    expect(allocator.allocPages(3, MOVABLE)).toBe(520);
    expectSound(allocator);
  },
);
