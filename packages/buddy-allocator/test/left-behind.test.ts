// What a thread leaves behind that ended in the middle of something: it is told, stops nothing, and there is a way back.
import { expect, test } from '@jest/globals';
import { Memmap, ZoneIndex } from '@bootmem/memmap';

import { BuddyAllocator } from '../dist/index.js';
import { PageAllocator, ZoneWord } from '../dist/machine.js';
import { codeOf, oneZone } from './model/machine.js';

const PAGES = 4096;

test('isolated pageblocks belong to a thread: told when it has ended, lifted when it is reclaimed', () => {
  const { allocator, zone } = oneZone({ end: PAGES });
  const [first, second] = [1, 2].map(() => PageAllocator.attach(allocator.toHandle()));
  expect(first!.isolate(512)).toBe(true);
  expect(second!.isolate(1024)).toBe(true);
  expect(allocator.isolate(512)).toBe(false);
  expect(allocator.verify()).toEqual([]);
  allocator.registry.markDead(first!.thread);
  const [orphan, ...others] = allocator.verify();
  expect(orphan).toMatchObject({ invariant: 'I13' });
  expect(others).toEqual([]);
  // Nothing is broken: requests go on.
  allocator.freePages(allocator.allocPages(0)!, 0);
  allocator.reclaimThread(first!.thread);
  expect(allocator.memmap.pageblocks.isIsolated(512)).toBe(false);
  expect(allocator.memmap.pageblocks.isIsolated(1024)).toBe(true);
  second!.close();
  expect(allocator.memmap.pageblocks.isIsolated(1024)).toBe(false);
  expect(zone.freePages).toBe(PAGES);
  expect(allocator.verify()).toEqual([]);
});

test('an isolation is not its owner’s who got the id afterwards', () => {
  const { allocator } = oneZone({ end: PAGES });
  const first = PageAllocator.attach(allocator.toHandle());
  first.isolate(0);
  const { registry } = allocator;
  registry.markDead(first.thread);
  registry.release(first.thread);
  const next = PageAllocator.attach(allocator.toHandle());
  expect(next.thread).toBe(first.thread);
  expect(allocator.verify().map(({ invariant }) => invariant)).toEqual(['I13']);
  next.close();
  expect(allocator.memmap.pageblocks.isIsolated(0)).toBe(true);
  expect(allocator.unisolate(0)).toBe(true);
  expect(allocator.unisolate(0)).toBe(false);
  expect(allocator.verify()).toEqual([]);
});

test('a block that a thread took to accept it is parked again when the thread has ended', () => {
  const { allocator, zone } = oneZone({ end: 3072, boot: 1024 });
  allocator.setHooks({
    accept: { holdBack: () => true, condAccept: () => false, acceptBlock: () => false },
  });
  allocator.freeBlocks(1024, 3072);
  const [first, second] = [1, 2].map(() => PageAllocator.attach(allocator.toHandle()));
  expect(first!.takeUnaccepted(zone.zoneId)).toBe(1024);
  expect(second!.takeUnaccepted(zone.zoneId)).toBe(2048);
  expect(zone.freePages).toBe(1024);
  // In good hands: nothing to tell.
  expect(allocator.verify()).toEqual([]);
  expect(
    codeOf(() => {
      allocator.freePages(1024, 10);
    }),
  ).toBe('ERR_BUDDY_NOT_ALLOCATED');
  expect(allocator.openMoves()).toEqual([]);
  allocator.registry.markDead(first!.thread);
  expect(allocator.verify()).toMatchObject([{ invariant: 'I13' }]);
  allocator.reclaimThread(first!.thread);
  expect(allocator.unacceptedPages(zone.zoneId)).toBe(1024);
  // Who helped the ended thread comes late: nothing is freed twice.
  expect(allocator.freeAccepted(1024, 10)).toBe(false);
  expect(allocator.takeUnaccepted(zone.zoneId)).toBe(1024);
  // Any thread may end what another one has taken.
  expect(allocator.freeAccepted(1024, 10)).toBe(true);
  expect(allocator.withdraw(2048, 10)).toBe(true);
  second!.close();
  expect(zone.freePages).toBe(2048);
  expect(zone.get(ZoneWord.LEAKED)).toBe(1024);
  expect(allocator.verify()).toEqual([]);
});

test('a closing thread parks what it has taken to accept', () => {
  const { allocator, zone } = oneZone({ end: 2048, boot: 1024 });
  const other = PageAllocator.attach(allocator.toHandle());
  other.setHooks({
    accept: { holdBack: () => true, condAccept: () => false, acceptBlock: () => false },
  });
  other.freeBlocks(1024, 2048);
  expect(other.takeUnaccepted(zone.zoneId)).toBe(1024);
  other.close();
  expect(allocator.unacceptedPages(zone.zoneId)).toBe(1024);
  expect(allocator.verify()).toEqual([]);
});

test('the rest of a large block whose pageblock is isolated stays as large as it can be', () => {
  const pool = BuddyAllocator.create({ pages: PAGES, maxOrder: 12, data: null });
  for (const pfn of [512, 3584]) {
    expect(pool.allocContigRange(pfn, pfn + 1)).toBe(true);
    expect(pool.verify()).toEqual([]);
    pool.free(pfn, 0);
    pool.drain();
    expect(pool.stats().freeBlocks[12]).toBe(1);
  }
});

test('a pageblock of two zones cannot be isolated: its type would count in both', () => {
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 2048 }] });
  const specs = [
    { nid: 0, zone: 'DMA32', startPfn: 0, endPfn: 768, presentPages: 768 },
    { nid: 0, zone: 'Normal', startPfn: 768, endPfn: 2048, presentPages: 1280 },
  ] as const;
  const allocator = PageAllocator.create(memmap, specs, { caches: false });
  memmap.initRange(0, 768, memmap.zones.idOf(0, ZoneIndex.DMA32)!);
  memmap.initRange(768, 2048, memmap.zones.idOf(0, ZoneIndex.NORMAL)!);
  memmap.pageblocks.setRange(0, 2048, 1);
  allocator.freeBlocks(0, 768);
  allocator.freeBlocks(768, 2048);
  expect([600, 900, 100, 1100].map((pfn) => allocator.isolate(pfn))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(allocator.verify()).toEqual([]);
  expect(allocator.allocContigRange(600, 700)).toBe(false);
  expect(allocator.verify()).toEqual([]);
});

test.each([true, false])(
  'a move that ended in the callback waits for its owner: moved %s',
  (moved) => {
    const pool = BuddyAllocator.create({ pages: PAGES, data: null, caches: false });
    const pfns = [pool.allocOrThrow(0), pool.allocOrThrow(2)];
    const mover = BuddyAllocator.attach(pool.toHandle());
    const seen: number[] = [];
    // The callback never comes back: here it throws, and what would clean up finds its allocator closed.
    const move = (from: number, to: number): boolean => {
      seen.push(from, to);
      expect(
        codeOf(() => {
          pool.free(to, 0);
        }),
      ).toBe('ERR_BUDDY_NOT_ALLOCATED');
      mover.close();
      throw new Error('ended');
    };
    expect(codeOf(() => mover.compact(move))).toBe('ERR_BUDDY_CLOSED');
    const [from, to] = seen as [number, number];
    expect(pool.openMoves()).toEqual([{ from, to, pages: 1 }]);
    expect(pool.verify().map(({ invariant }) => invariant)).toEqual(['I13']);
    const states: string[] = [];
    pool.walk((_, __, state) => states.push(state));
    expect(states.filter((state) => state === 'moving')).toHaveLength(1);
    expect(
      pool.settleMoves((...args) => {
        expect(args).toEqual([from, to, 1]);
        return moved;
      }),
    ).toBe(1);
    expect(pool.openMoves()).toEqual([]);
    expect(pool.settleMoves(() => true)).toBe(0);
    expect(pool.verify()).toEqual([]);
    expect(pool.tryFree(moved ? from : to, 0)).toBe('ERR_BUDDY_DOUBLE_FREE');
    pool.free(moved ? to : from, 0);
    pool.free(pfns[1]!, 2);
    expect(pool.stats().freePages).toBe(PAGES);
  },
);

test('a move whose thread is at it is nobody else’s', () => {
  const pool = BuddyAllocator.create({ pages: PAGES, data: null, caches: false });
  const mover = BuddyAllocator.attach(pool.toHandle());
  pool.allocOrThrow(0);
  let calls = 0;
  const move = (): boolean => {
    calls++;
    expect(pool.openMoves()).toEqual([]);
    expect(pool.settleMoves(() => true)).toBe(0);
    expect(pool.verify()).toEqual([]);
    return true;
  };
  expect(mover.compact(move)).toMatchObject({ moved: 1 });
  expect(calls).toBe(1);
  expect(pool.verify()).toEqual([]);
});

test('pages in the cache of a thread that has ended are told until it is reclaimed', () => {
  const pool = BuddyAllocator.create({ pages: PAGES, data: null });
  const other = BuddyAllocator.attach(pool.toHandle());
  other.free(other.allocOrThrow(0), 0);
  pool.registry.markDead(other.thread);
  expect(pool.verify().map(({ invariant }) => invariant)).toEqual(['I13']);
  expect(pool.reclaimThread(other.thread)).toBeGreaterThan(0);
  expect(pool.verify()).toEqual([]);
});

test('a block that its owner frees while it is moved is not freed twice', () => {
  const pool = BuddyAllocator.create({ pages: PAGES, data: null, caches: false });
  const pfn = pool.allocOrThrow(0);
  let target = -1;
  const move = (from: number, to: number): boolean => {
    pool.free(from, 0);
    target = to;
    return true;
  };
  expect(codeOf(() => pool.compact(move))).toBe('ERR_BUDDY_DOUBLE_FREE');
  expect(pool.verify()).toEqual([]);
  pool.free(target, 0);
  expect(pfn).not.toBe(target);
  expect(pool.stats().freePages).toBe(PAGES);
});

test('a callback for pressure that allocates does with what there is', () => {
  const pool = BuddyAllocator.create({ pages: 512, data: null });
  let calls = 0;
  let nested = 0;
  pool.onPressure(({ order }) => {
    calls++;
    if (pool.alloc(order) !== undefined) nested++;
    return true;
  });
  while (pool.alloc(0) !== undefined);
  expect([calls, nested]).toEqual([16, 0]);
  const { allocator } = oneZone({ end: 512 });
  calls = 0;
  allocator.setHooks({
    onPressure: () => {
      calls++;
      expect(allocator.allocPages(0)).toBeUndefined();
      return true;
    },
  });
  while (allocator.allocPages(0) !== undefined);
  expect(calls).toBe(16);
});
