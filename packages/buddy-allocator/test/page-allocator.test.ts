// PageAllocator: which zone serves a request, what the marks hold back, what hooks are asked.
import { expect, test } from '@jest/globals';
import { Memmap, PageState } from '@bootmem/memmap';
import {
  PageAllocator,
  ZoneWord,
  type AcceptGate,
  type AllocOptions,
  type Pressure,
} from '@bootmem/buddy-allocator/machine';
import type { ZoneName } from '@bootmem/memmap';
import { recoverZone } from '../dist/lists/recovery.js';
import { smallMachine, take } from './support/small-machine.js';

const zoneOf = (allocator: PageAllocator, pfn: number): ZoneName =>
  allocator.zones.find(({ core }) => pfn >= core.startPfn && pfn < core.endPfn)!.zone;

const code = (value: string): unknown => expect.objectContaining({ code: value });

/** Takes single pages until the request is refused; returns them. */
function exhaust(allocator: PageAllocator, options: AllocOptions = {}): number[] {
  const pages: number[] = [];
  for (;;) {
    const pfn = allocator.allocPages(0, options);
    if (pfn === undefined) return pages;
    pages.push(pfn);
  }
}

const threeZones = (): PageAllocator =>
  smallMachine([
    { zone: 'DMA', pages: 1024 },
    { zone: 'DMA32', pages: 4096 },
    { zone: 'Normal', pages: 8192 },
  ]);

test('a request is served from the highest zone it may use', () => {
  const allocator = threeZones();
  const serve = (zone?: ZoneName): ZoneName =>
    zoneOf(allocator, allocator.allocPages(0, zone === undefined ? {} : { zone })!);
  expect([serve(), serve('Movable'), serve('DMA32'), serve('DMA')]).toEqual([
    'Normal',
    'Normal',
    'DMA32',
    'DMA',
  ]);
});

test('a range that another thread hands over meanwhile is handed over once', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 4096, keep: [[0, 2048]] }]);
  const other = PageAllocator.attach(allocator.toHandle());
  let asked = 0;
  allocator.setHooks({
    accept: {
      // Between the first look and the lock.
      holdBack: () => asked++ === 0 && other.freeBlocks(0, 2048) === 0,
      condAccept: () => false,
      acceptBlock: () => false,
    },
  });
  expect(() => allocator.freeBlocks(0, 2048)).toThrow(code('ERR_BUDDY_NOT_ALLOCATED'));
  expect(allocator.zones[0]!.core.managedPages).toBe(4096);
  expect(allocator.verify()).toEqual([]);
});

test('a block that cannot be accepted is withdrawn: counted, bad, and never free', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 4096, keep: [[0, 2048]] }]);
  const { core } = allocator.zones[0]!;
  allocator.setHooks({
    accept: {
      holdBack: (pfn) => pfn === 1024,
      condAccept: () => false,
      acceptBlock: () => false,
    },
  });
  allocator.freeBlocks(0, 2048);
  expect(allocator.withdraw(1024, 10)).toBe(false);
  expect(allocator.takeUnaccepted(core.zoneId)).toBe(1024);
  expect(allocator.withdraw(1024, 10)).toBe(true);
  expect(allocator.withdraw(1024, 10)).toBe(false);
  expect(allocator.freeAccepted(1024, 10)).toBe(false);
  expect(allocator.memmap.describe(1500)).toMatchObject({ kind: 'hwpoison' });
  expect(allocator.verify()).toEqual([]);
  expect([core.freePages, core.managedPages]).toEqual([3072, 4096]);
  expect(() => allocator.withdraw(1025, 10)).toThrow(code('ERR_BUDDY_ARGUMENT'));
  expect(() => allocator.withdraw(2 ** 40, 10)).toThrow(code('ERR_BUDDY_ARGUMENT'));
});

/** A machine with one shared block of order 9, and its first page. */
function withShared(): { allocator: PageAllocator; pfn: number } {
  const allocator = smallMachine([{ zone: 'Normal', pages: 4096 }]);
  const pfn = allocator.allocPages(9)!;
  expect(allocator.markShared(pfn, pfn + 512, 512)).toBeUndefined();
  return { allocator, pfn };
}

test('a shared block is neither freed, nor split, nor moved, nor taken; its state survives recovery', () => {
  const { allocator, pfn } = withShared();
  const { core } = allocator.zones[0]!;
  expect(allocator.memmap.state(pfn)).toBe(PageState.SHARED | 9);
  for (const [at, order] of [
    [pfn, 9],
    [pfn, 0],
    [pfn + 7, 0],
  ] as const) {
    expect(() => {
      allocator.freePages(at, order);
    }).toThrow(code('ERR_BUDDY_SHARED'));
  }
  const move = (): boolean => true;
  expect(allocator.allocContigRange(pfn - (pfn % 1024), pfn - (pfn % 1024) + 1024, move)).toBe(
    false,
  );
  expect(allocator.compact(0, 'Normal', move).movedPages).toBe(0);
  recoverZone(core);
  expect(allocator.memmap.state(pfn)).toBe(PageState.SHARED | 9);
  expect(allocator.verify()).toEqual([]);
  allocator.unmarkShared(pfn, pfn + 512, () => true);
  expect(allocator.memmap.state(pfn)).toBe(PageState.SHARED | 9);
  const asked: unknown[] = [];
  allocator.unmarkShared(pfn + 511, pfn + 512, (start, end) => {
    asked.push([start, end]);
    return false;
  });
  expect(asked).toEqual([[pfn, pfn + 512]]);
  allocator.freePages(pfn, 9);
  expect(core.freePages).toBe(4096);
});

test('blocks are marked all or none; a unit must lie in one of them', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 4096 }]);
  const pfn = allocator.allocPages(10)!;
  const state = (): number => allocator.memmap.state(pfn);
  // The next block is free; a unit of two blocks; beyond the zone.
  expect(allocator.markShared(pfn, pfn + 2048, 512)).toBe(pfn % 2048 === 0 ? pfn + 1024 : pfn);
  expect(allocator.markShared(pfn - (pfn % 2048), pfn - (pfn % 2048) + 2048, 2048)).toBeDefined();
  expect(allocator.markShared(4096, 4608, 512)).toBe(4096);
  expect(state()).toBe(PageState.ALLOCATED | 10);
  expect(allocator.markShared(pfn + 512, pfn + 1024, 512)).toBeUndefined();
  expect(allocator.markShared(pfn, pfn + 512, 512)).toBeUndefined();
  expect(state()).toBe(PageState.SHARED | 10);
  allocator.unmarkShared(0, 4096, () => false);
  expect(state()).toBe(PageState.ALLOCATED | 10);
  allocator.freePages(pfn, 10);
  // What was handed out before keeps that mark.
  const again = allocator.allocPages(10)!;
  const before = allocator.memmap.state(again);
  allocator.markShared(again, again + 512, 512);
  allocator.unmarkShared(again, again + 512, () => false);
  expect(allocator.memmap.state(again)).toBe(before);
});

test('lower zones serve when higher ones are used up, without marks to the last page', () => {
  const allocator = threeZones();
  const pages = exhaust(allocator);
  expect(pages).toHaveLength(1024 + 4096 + 8192);
  expect(zoneOf(allocator, pages[0]!)).toBe('Normal');
  expect(zoneOf(allocator, pages[8192]!)).toBe('DMA32');
  expect(zoneOf(allocator, pages.at(-1)!)).toBe('DMA');
  expect(new Set(pages).size).toBe(pages.length);
});

test('the lowmem reserve keeps low zones for those who need them', () => {
  const allocator = threeZones();
  allocator.setupMarks({ minFreeKbytes: 256 });
  const dma = allocator.zone(0, 'DMA')!.core;
  exhaust(allocator, { noPressure: true });
  // DMA keeps 1/256 of the memory above it, on top of its mark.
  const reserve = Math.floor((4096 + 8192) / 256);
  const left = dma.freePages;
  expect(left).toBeGreaterThanOrEqual(reserve);
  expect(exhaust(allocator, { zone: 'DMA' }).length).toBeGreaterThanOrEqual(reserve);
  expect(dma.freePages).toBe(dma.get(ZoneWord.MARK_MIN));
});

const twoNodes = (distance?: (a: number, b: number) => number): PageAllocator =>
  smallMachine(
    [
      { zone: 'Normal', pages: 2048, nid: 0 },
      { zone: 'Normal', pages: 2048, nid: 1 },
      { zone: 'Normal', pages: 2048, nid: 2 },
    ],
    distance === undefined ? {} : { distance },
  );

test('the preferred node first, then by distance; only the node itself on request', () => {
  const allocator = twoNodes((a, b) => (a === b ? 10 : 20 + Math.abs(a - b) * 5));
  expect(exhaust(allocator, { nid: 2, thisNode: true })).toHaveLength(2048);
  const next = allocator.allocPages(0, { nid: 2 })!;
  expect(allocator.memmap.nid(next)).toBe(1);
  expect(allocator.allocPages(0, { nid: 2, thisNode: true })).toBeUndefined();
  expect(() => allocator.allocPages(0, { nid: 7 })).toThrow(code('ERR_BUDDY_ARGUMENT'));
});

test('zonelists can be rebuilt for other distances', () => {
  const allocator = twoNodes();
  exhaust(allocator, { nid: 0, thisNode: true });
  allocator.buildZonelists((a, b) => (a === b ? 10 : b === 2 ? 15 : 30));
  expect(allocator.memmap.nid(allocator.allocPages(0, { nid: 0 })!)).toBe(2);
});

test('distances are asked for when a node is; one that throws is told, and asked again', () => {
  let calls = 0;
  let broken = true;
  const distance = (a: number, b: number): number => {
    calls += 1;
    if (broken) throw new RangeError('no distance yet');
    return a === b ? 10 : 20 + Math.abs(a - b) * 5;
  };
  const allocator = twoNodes(distance);
  expect(calls).toBe(0);
  expect(() => allocator.allocPages(0, { nid: 2 })).toThrow(new RangeError('no distance yet'));
  broken = false;
  expect(allocator.memmap.nid(allocator.allocPages(0, { nid: 2 })!)).toBe(2);
  const asked = calls;
  allocator.allocPages(0, { nid: 2 });
  allocator.allocPages(0, { nid: 0 });
  expect(calls).toBe(asked);
});

// One zone, marks known: how far each kind of request may go down.
test.each<[string, AllocOptions, (min: number) => number]>([
  ['an ordinary request stops at MIN', { noPressure: true }, (min) => min],
  ['one with a reserve at half of it', { high: true, noPressure: true }, (min) => min - (min >> 1)],
  [
    'one that cannot wait, with a reserve, at three eighths',
    { high: true, canReclaim: false },
    (min) => {
      const half = min - (min >> 1);
      return half - (half >> 2);
    },
  ],
  ['one that frees memory takes the last page', { memalloc: true }, () => 0],
])('%s', (_what, options, floor) => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 8192 }]);
  allocator.setupMarks({ minFreeKbytes: 1600 });
  const { core } = allocator.zones[0]!;
  expect(core.get(ZoneWord.MARK_MIN)).toBe(400);
  exhaust(allocator, options);
  expect(core.freePages).toBe(floor(400));
});

test('a request that must not take locks for long stops at LOW', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 8192 }]);
  allocator.setupMarks({ minFreeKbytes: 1600 });
  const { core } = allocator.zones[0]!;
  exhaust(allocator, { tryLock: true });
  expect(core.freePages).toBe(core.get(ZoneWord.MARK_LOW));
});

test('marks, reserves and caches follow from managed pages', () => {
  const allocator = threeZones();
  allocator.setupMarks({ minFreeKbytes: 1024, watermarkScaleFactor: 100 });
  const { core } = allocator.zone(0, 'Normal')!;
  const min = Math.floor((256 * 8192) / (1024 + 4096 + 8192));
  expect(core.get(ZoneWord.MARK_MIN)).toBe(min);
  expect(core.get(ZoneWord.MARK_LOW)).toBe(min + Math.max(min >> 2, 81));
  expect(allocator.zone(0, 'DMA')!.core.get(ZoneWord.RESERVE + 2)).toBe(48);
});

test('onPressure is asked while it frees, at most 16 times, and not by those who cannot wait', () => {
  const rounds: Pressure[] = [];
  const held: number[] = [];
  const allocator = smallMachine([{ zone: 'Normal', pages: 512 }], {
    onPressure: (pressure) => {
      rounds.push(pressure);
      const pfn = held.pop();
      if (pfn !== undefined) allocator.freePages(pfn, 0);
      return pfn !== undefined;
    },
  });
  held.push(...take(allocator, 512, 0, 1));
  // Order 3 needs buddies: freeing from the end of an ascending list gives one after 8 rounds.
  held.sort((a, b) => a - b);
  const pfn = allocator.allocPages(3, { migratetype: 1 });
  expect(pfn).toBe(504);
  expect(rounds.map(({ order, migratetype, round }) => [order, migratetype, round])).toEqual(
    Array.from({ length: 8 }, (_, round) => [3, 1, round]),
  );
  rounds.length = 0;
  expect(allocator.allocPages(5, { migratetype: 1 })).toBeUndefined();
  expect(rounds).toHaveLength(16);
  rounds.length = 0;
  for (const options of [{ noPressure: true }, { canReclaim: false }, { tryLock: true }]) {
    expect(allocator.allocPages(9, options)).toBeUndefined();
  }
  expect(rounds).toEqual([]);
});

test('the grow hook is asked for a zone that is short, and the request is tried again', () => {
  const asked: [number, number][] = [];
  const allocator = smallMachine([{ zone: 'Normal', pages: 2048, keep: [[1024, 2048]] }]);
  const { core } = allocator.zones[0]!;
  allocator.setHooks({
    grow: (zoneId, order) => {
      asked.push([zoneId, order]);
      if (core.managedPages === 2048) return false;
      allocator.freeBlocks(1024, 2048);
      return true;
    },
  });
  take(allocator, 1, 10, 1);
  expect(asked).toEqual([]);
  expect(allocator.allocPages(10)).toBe(1024);
  expect(asked).toEqual([[core.zoneId, 10]]);
  expect(allocator.allocPages(0)).toBeUndefined();
});

test('the accept gate holds blocks back, and is asked before, below the mark and when empty', () => {
  const stages: string[] = [];
  const parked: number[] = [];
  const allocator = smallMachine([{ zone: 'Normal', pages: 4096, keep: [[0, 4096]] }]);
  const { core } = allocator.zones[0]!;
  const gate: AcceptGate = {
    holdBack: (pfn, order) => {
      if (order === 10) parked.push(pfn);
      return order === 10;
    },
    condAccept: (zoneId, _order, stage) => {
      stages.push(stage);
      if (stage === 'before') return false;
      const pfn = allocator.takeUnaccepted(zoneId);
      if (pfn !== undefined) allocator.freeAccepted(pfn, 10);
      return pfn !== undefined;
    },
    acceptBlock: () => false,
  };
  allocator.setHooks({ accept: gate });
  allocator.freeBlocks(0, 512);
  allocator.freeBlocks(512, 4096);
  expect(parked).toEqual([1024, 2048, 3072]);
  expect(allocator.unacceptedPages(core.zoneId)).toBe(3072);
  expect([core.freePages, core.managedPages]).toEqual([4096, 4096]);
  expect(allocator.verify()).toEqual([]);
  // The halves of the first block merged; they are all there is on lists.
  expect(allocator.allocPages(10)).toBe(0);
  expect(stages).toEqual(['before']);
  stages.length = 0;
  expect(allocator.allocPages(10)).toBe(1024);
  // Enough counts as free, yet no list has a block.
  expect(stages).toEqual(['before', 'watermark']);
  expect(allocator.unacceptedPages(core.zoneId)).toBe(2048);
  expect(allocator.verify()).toEqual([]);
});

test('parked blocks leave in order of arrival, or by name', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 4096, keep: [[0, 4096]] }]);
  const { zoneId } = allocator.zones[0]!.core;
  for (const pfn of [1024, 0, 3072, 2048]) allocator.parkUnaccepted(zoneId, pfn);
  // Each is named before it leaves its list, so that a thread that dies there has left its name.
  const named: [number, boolean][] = [];
  const name = (pfn: number): void => {
    named.push([pfn, (allocator.memmap.state(pfn) & 0x70) === PageState.UNACCEPTED]);
  };
  expect(allocator.takeUnacceptedAt(3072, name)).toBe(true);
  expect(allocator.takeUnacceptedAt(3072, name)).toBe(false);
  expect(allocator.takeUnacceptedAt(99999, name)).toBe(false);
  expect([1, 2, 3, 4].map(() => allocator.takeUnaccepted(zoneId, name))).toEqual([
    1024,
    0,
    2048,
    undefined,
  ]);
  expect(named).toEqual([
    [3072, true],
    [1024, true],
    [0, true],
    [2048, true],
  ]);
  expect(allocator.unacceptedPages(zoneId)).toBe(0);
  expect(allocator.freeAccepted(1024, 10)).toBe(true);
  // Whoever helped with the block may come as well: freed once.
  expect(allocator.freeAccepted(1024, 10)).toBe(false);
  expect(() => {
    allocator.parkUnaccepted(zoneId, 1024);
  }).toThrow(code('ERR_BUDDY_ARGUMENT'));
  expect(() => {
    allocator.parkUnaccepted(200, 0);
  }).toThrow(code('ERR_BUDDY_ARGUMENT'));
});

test('acceptState gives what a gate compares', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 4096, keep: [[0, 1024]] }]);
  const { core } = allocator.zones[0]!;
  expect(allocator.acceptState(core.zoneId, 3)).toEqual({
    promo: 0,
    acceptedFree: 3072,
    unusable: 7,
  });
  allocator.parkUnaccepted(core.zoneId, 0);
  allocator.setupMarks({ minFreeKbytes: 400 });
  expect(allocator.acceptState(core.zoneId, 0)).toEqual({
    promo: core.get(ZoneWord.MARK_PROMO),
    acceptedFree: 3072,
    unusable: 0,
  });
});

// What is freed, given an allocated block of order 2: page and order.
test.each<[string, (pfn: number) => [pfn: number, order: number], string]>([
  ['a page inside', (pfn) => [pfn + 1, 0], 'ERR_BUDDY_NOT_HEAD'],
  ['with another order', (pfn) => [pfn, 1], 'ERR_BUDDY_WRONG_ORDER'],
  ['a free page', () => [512, 0], 'ERR_BUDDY_DOUBLE_FREE'],
  ['a page that was never given out', () => [1023, 0], 'ERR_BUDDY_NOT_ALLOCATED'],
  ['a reserved page', () => [1000, 0], 'ERR_BUDDY_RESERVED'],
  ['a page of no zone', () => [20000, 0], 'ERR_BUDDY_OUT_OF_ZONE'],
  ['with an order that does not exist', (pfn) => [pfn, 11], 'ERR_BUDDY_ARGUMENT'],
])('freeing %s is refused and changes nothing', (_what, freed, expected) => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 1024, keep: [[960, 1024]] }]);
  allocator.memmap.setRange(992, 1008, PageState.RESERVED);
  const block = allocator.allocPages(2)!;
  const [pfn, order] = freed(block);
  expect(() => {
    allocator.freePages(pfn, order);
  }).toThrow(code(expected));
  expect(allocator.verify()).toEqual([]);
  allocator.freePages(block, 2);
  expect(allocator.zones[0]!.core.freePages).toBe(960);
  expect(() => {
    allocator.freePages(block, 2);
  }).toThrow(code('ERR_BUDDY_DOUBLE_FREE'));
  expect(allocator.verify()).toEqual([]);
});

test('exact requests give back what a power of two would waste', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 1024 }]);
  const pfn = allocator.allocExact(100)!;
  expect(allocator.zones[0]!.core.freePages).toBe(1024 - 100);
  expect(allocator.verify()).toEqual([]);
  for (let i = 0; i < 100; i += 1) allocator.freePages(pfn + i, 0);
  expect(allocator.zones[0]!.core.freeBlocks()[10]).toBe(1);
  expect(allocator.allocExact(1024)).toBe(0);
  expect(allocator.allocExact(1)).toBeUndefined();
  for (const pages of [0, 1025, 1.5]) {
    expect(() => allocator.allocExact(pages)).toThrow(code('ERR_BUDDY_ARGUMENT'));
  }
});

test('bulk requests stop where memory ends', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 512 }]);
  const first = [7];
  const second: number[] = [];
  expect(allocator.allocBulk(300, first)).toBe(300);
  expect(allocator.allocBulk(300, second)).toBe(212);
  expect([first.length, second.length]).toEqual([300, 212]);
  expect(new Set([...first, ...second]).size).toBe(512);
});

test('an isolated pageblock serves nobody, and comes back with its type', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 1024, typeOf: () => 2 }]);
  const { core } = allocator.zones[0]!;
  expect(allocator.isolate(600)).toBe(true);
  expect(core.freePages).toBe(512);
  expect(exhaust(allocator, { migratetype: 2 })).toHaveLength(512);
  expect(allocator.unisolate(600)).toBe(true);
  expect(core.freePages).toBe(512);
  expect(allocator.memmap.pageblocks.migratetype(600)).toBe(2);
  expect(allocator.verify()).toEqual([]);
});

test.each([100, 600])(
  'a largest block of which one half was isolated meanwhile is freed half by half (pfn %d)',
  (pfn) => {
    const allocator = smallMachine([{ zone: 'Normal', pages: 2048 }]);
    const { core } = allocator.zones[0]!;
    const [block] = take(allocator, 1, 10, 1);
    expect(block).toBe(0);
    allocator.isolate(pfn);
    allocator.freePages(0, 10);
    expect(allocator.verify()).toEqual([]);
    expect(core.freePages).toBe(1536);
    expect(exhaust(allocator, { migratetype: 1 })).toHaveLength(1536);
    allocator.unisolate(pfn);
    expect(core.freePages).toBe(512);
    expect(allocator.verify()).toEqual([]);
  },
);

test('a contiguous range is emptied by moving, or left alone', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 4096 }]);
  const used = new Set(take(allocator, 700, 0, 1));
  expect(allocator.allocContigRange(300, 900)).toBe(false);
  expect(allocator.verify()).toEqual([]);
  const moved = allocator.allocContigRange(300, 900, (from, to) => {
    used.delete(from);
    used.add(to);
    return true;
  });
  expect(moved).toBe(true);
  expect(used.size).toBe(700);
  expect([...used].some((pfn) => pfn >= 300 && pfn < 900)).toBe(false);
  for (let pfn = 300; pfn < 900; pfn += 1) allocator.freePages(pfn, 0);
  for (const pfn of used) allocator.freePages(pfn, 0);
  expect(allocator.zones[0]!.core.freeBlocks()[10]).toBe(4);
  for (const [start, end] of [
    [10, 10],
    [4000, 5000],
  ] as const) {
    expect(() => allocator.allocContigRange(start, end)).toThrow(code('ERR_BUDDY_OUT_OF_ZONE'));
  }
});

test('compaction through the page allocator', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 2048 }]);
  const pages = take(allocator, 2048, 0, 1);
  for (const pfn of pages) if (pfn % 4 !== 0) allocator.freePages(pfn, 0);
  expect(allocator.allocPages(9)).toBeUndefined();
  const result = allocator.compact(0, 'Normal', () => true);
  expect(result.moved).toBeGreaterThan(0);
  expect(allocator.allocPages(9)).toBeDefined();
  expect(allocator.verify()).toEqual([]);
  expect(() => allocator.compact(5, 'DMA', () => true)).toThrow(code('ERR_BUDDY_ARGUMENT'));
});

test('falling below LOW counts an event once until HIGH is reached again', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 8192 }]);
  allocator.setupMarks({ minFreeKbytes: 1600 });
  const { words, index } = allocator.lowEvents();
  const pages = exhaust(allocator, { noPressure: true });
  expect(words[index]).toBe(1);
  for (const pfn of pages) allocator.freePages(pfn, 0);
  exhaust(allocator, { noPressure: true });
  expect(words[index]).toBe(2);
});

test('another thread attaches by handle and sees the same memory', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 1024 }], { caches: true });
  const other = PageAllocator.attach(allocator.toHandle());
  expect(other.thread).not.toBe(allocator.thread);
  const pfn = other.allocPages(3)!;
  allocator.freePages(pfn, 3);
  allocator.drain();
  other.close();
  other.close();
  expect(() => other.allocPages(0)).toThrow(code('ERR_BUDDY_CLOSED'));
  expect(allocator.zones[0]!.core.freePages).toBe(1024);
  const handle = { ...allocator.toHandle(), control: new Int32Array(16) };
  expect(() => PageAllocator.attach(handle)).toThrow(code('ERR_BUDDY_HANDLE'));
});

test('pages in the cache of a thread that died come back', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 8192 }], { caches: true });
  allocator.setupMarks({ minFreeKbytes: 400 });
  const dead = PageAllocator.attach(allocator.toHandle());
  const [pfn, ...freed] = take(dead, 3, 0, 0);
  for (const page of freed) dead.freePages(page, 0);
  const { core } = allocator.zones[0]!;
  const cached = 8192 - 1 - core.freePages;
  expect(cached).toBeGreaterThan(0);
  // As its worker's exit would tell.
  expect(allocator.reclaimThread(dead.thread)).toBe(cached);
  expect(core.freePages).toBe(8191);
  allocator.freePages(pfn!, 0);
  allocator.drain();
  expect(allocator.verify()).toEqual([]);
});

test.each<[string, Partial<Parameters<typeof PageAllocator.create>[1][number]>]>([
  ['outside the memmap', { endPfn: 1e6 }],
  ['with more present than spanned', { presentPages: 5000 }],
  ['that ends before it starts', { startPfn: 2000, endPfn: 1000, presentPages: 0 }],
])('a zone %s is refused', (_what, changes) => {
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 4096 }] });
  const zone = {
    nid: 0,
    zone: 'Normal' as const,
    startPfn: 0,
    endPfn: 4096,
    presentPages: 4096,
  };
  const create = (): unknown => PageAllocator.create(memmap, [{ ...zone, ...changes }]);
  expect(create).toThrow(code('ERR_BUDDY_ARGUMENT'));
});

test('no zones, and the same zone twice, are refused', () => {
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 4096 }] });
  const zone = { nid: 0, zone: 'DMA' as const, startPfn: 0, endPfn: 10, presentPages: 10 };
  expect(() => PageAllocator.create(memmap, [])).toThrow(code('ERR_BUDDY_ARGUMENT'));
  expect(() => PageAllocator.create(memmap, [zone, zone])).toThrow(code('ERR_BUDDY_ARGUMENT'));
});

test('a hand-over of pages that are not initialised, or not in one zone, is refused', () => {
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 4096 }] });
  const allocator = PageAllocator.create(memmap, [
    { nid: 0, zone: 'DMA', startPfn: 0, endPfn: 1024, presentPages: 1024 },
    { nid: 0, zone: 'Normal', startPfn: 1024, endPfn: 4096, presentPages: 3072 },
  ]);
  expect(() => allocator.freeBlocks(0, 1024)).toThrow(code('ERR_BUDDY_UNINITIALISED'));
  memmap.initRange(0, 1024, allocator.zone(0, 'DMA')!.core.zoneId);
  memmap.initRange(1024, 2048, allocator.zone(0, 'Normal')!.core.zoneId);
  expect(() => allocator.freeBlocks(512, 1536)).toThrow(code('ERR_BUDDY_OUT_OF_ZONE'));
  expect(() => allocator.freeBlocks(1024, 3000)).toThrow(code('ERR_BUDDY_UNINITIALISED'));
  expect(allocator.freeBlocks(0, 1024)).toBe(1024);
  expect(() => allocator.freeBlocks(0, 1024)).toThrow(code('ERR_BUDDY_NOT_ALLOCATED'));
  expect(allocator.zones.map(({ core }) => core.managedPages)).toEqual([1024, 0]);
});

test('hooks that request pages themselves, or say "again" for ever, end', () => {
  const machine = smallMachine([{ zone: 'Normal', pages: 1024 }]);
  while (machine.allocPages(0) !== undefined);
  let calls = 0;
  const nested = (): boolean => {
    calls++;
    return machine.allocPages(0) !== undefined || true;
  };
  machine.setHooks({ grow: nested });
  expect(machine.allocPages(0)).toBeUndefined();
  expect(calls).toBeGreaterThan(999);
  calls = 0;
  const accept = { holdBack: () => false, condAccept: nested, acceptBlock: nested };
  machine.setHooks({ accept, onPressure: nested });
  expect(machine.allocPages(0)).toBeUndefined();
  expect(calls).toBeGreaterThan(999);
  machine.setHooks({
    grow: () => {
      throw new Error('mine');
    },
  });
  expect(() => machine.allocPages(0)).toThrow('mine');
  expect(() => machine.allocPages(0)).toThrow('mine');
  expect(machine.verify()).toEqual([]);
});
