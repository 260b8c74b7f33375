/**
 * Adding, reserving, removing, freeing: the families of the kernel's own suite. In the pictures `|`
 * are borders of what is there, `[ )` is the range of the call.
 */
import { expect, test } from '@jest/globals';
import { Memblock, MemFlags, PHYS_ADDR_MAX, type RegionType } from '@bootmem/memblock';
import { KIB, spans } from './helpers.js';

type Edit = (memblock: Memblock, base: number, size: number) => boolean;

const fillers: readonly (readonly [RegionType, Edit])[] = [
  ['memory', (m, base, size) => m.add(base, size)],
  ['reserved', (m, base, size) => m.reserve(base, size)],
  ['physmem', (m, base, size) => m.addPhysmem(base, size)],
];
const cutters: readonly (readonly [RegionType, Edit, Edit])[] = [
  ['memory', (m, base, size) => m.add(base, size), (m, base, size) => m.remove(base, size)],
  ['reserved', (m, base, size) => m.reserve(base, size), (m, base, size) => m.free(base, size)],
];

test('a new object is empty, allocates from the top and has no limit', () => {
  const memblock = new Memblock({ capacity: {} });
  expect(memblock.regions('memory')).toEqual([]);
  expect(memblock.regions('reserved')).toEqual([]);
  expect(memblock.regions('physmem')).toEqual([]);
  expect(memblock.arrayCapacity('memory')).toBe(128);
  expect(memblock.arrayCapacity('reserved')).toBe(128);
  expect(memblock.arrayCapacity('physmem')).toBe(4);
  expect(memblock.direction).toBe('top-down');
  expect(memblock.currentLimit).toBe(PHYS_ADDR_MAX);
  expect(memblock.hasMirror).toBe(false);
  expect(memblock.startOfDram).toBe(0);
  expect(memblock.endOfDram).toBe(0);
  expect(new Memblock().arrayCapacity('memory')).toBe(Infinity);
  memblock.verify();
});

test.each(fillers)('%s: one range is one region', (type, fill) => {
  const memblock = new Memblock({ maxNodes: 16, profile: '6.12' });
  expect(fill(memblock, 0x1000, 0x2000)).toBe(true);
  expect(memblock.regions(type)).toEqual([{ base: 0x1000, size: 0x2000, flags: 0, nid: 16 }]);
});

test.each(fillers)('%s: ranges apart stay apart, in order of address', (type, fill) => {
  const memblock = new Memblock();
  fill(memblock, 0x8000, 0x1000);
  fill(memblock, 0x1000, 0x1000);
  expect(spans(memblock.regions(type))).toEqual(['1000-2000', '8000-9000']);
});

// |-----|        |  [----)  overlapping from above, from below, inside, twice
test.each(fillers)('%s: overlapping ranges become one', (type, fill) => {
  for (const [base, size, want] of [
    [0x3000, 0x2000, '2000-5000'],
    [0x1000, 0x2000, '1000-4000'],
    [0x2800, 0x400, '2000-4000'],
    [0x2000, 0x2000, '2000-4000'],
    [0x4000, 0x1000, '2000-5000'],
    [0x1000, 0x1000, '1000-4000'],
  ] as const) {
    const memblock = new Memblock();
    fill(memblock, 0x2000, 0x2000);
    fill(memblock, base, size);
    expect(spans(memblock.regions(type))).toEqual([want]);
    memblock.verify();
  }
});

// |---|[------)|---|   the hole is filled and all three are one
test.each(fillers)('%s: filling the hole between two joins all three', (type, fill) => {
  const memblock = new Memblock();
  fill(memblock, 0x1000, 0x1000);
  fill(memblock, 0x4000, 0x1000);
  fill(memblock, 0x2000, 0x2000);
  expect(spans(memblock.regions(type))).toEqual(['1000-5000']);
  memblock.verify();
});

// [ |--| |--| |--| )   one call covers several regions and the holes between them
test.each(fillers)('%s: a range over several regions fills every gap', (type, fill) => {
  const memblock = new Memblock();
  for (const base of [0x2000, 0x4000, 0x6000]) fill(memblock, base, 0x1000);
  fill(memblock, 0x1000, 0x8000);
  expect(spans(memblock.regions(type))).toEqual(['1000-9000']);
  expect(memblock.regions(type)).toHaveLength(1);
  memblock.verify();
});

test.each(fillers)('%s: size 0 does nothing, a range beyond the top is cut there', (type, fill) => {
  const memblock = new Memblock();
  expect(fill(memblock, 0x1000, 0)).toBe(true);
  expect(memblock.regions(type)).toEqual([]);
  fill(memblock, PHYS_ADDR_MAX - 0x1000, 0x5000);
  expect(memblock.regions(type)[0]).toMatchObject({ base: PHYS_ADDR_MAX - 0x1000, size: 0x1000 });
  expect(fill(memblock, PHYS_ADDR_MAX, 1)).toBe(true);
  memblock.verify();
});

test.each(cutters)('%s: cutting keeps what lies outside', (type, fill, cut) => {
  for (const [base, size, want] of [
    [0x2000, 0x4000, []],
    [0x1000, 0x8000, []],
    [0x3000, 0x1000, ['2000-3000', '4000-6000']],
    [0x1000, 0x2000, ['3000-6000']],
    [0x5000, 0x2000, ['2000-5000']],
    [0x2000, 0x1000, ['3000-6000']],
    [0x5000, 0x1000, ['2000-5000']],
    [0x6000, 0x1000, ['2000-6000']],
    [0x1000, 0x1000, ['2000-6000']],
    [0x8000, 0x1000, ['2000-6000']],
    [0x3000, 0, ['2000-6000']],
  ] as const) {
    const memblock = new Memblock();
    fill(memblock, 0x2000, 0x4000);
    expect(cut(memblock, base, size)).toBe(true);
    expect(spans(memblock.regions(type))).toEqual(want);
    memblock.verify();
  }
});

// |----|   |----|   |----|   cut from the middle of the first to the middle of the last
test.each(cutters)('%s: cutting over several regions', (type, fill, cut) => {
  const memblock = new Memblock();
  for (const base of [0x2000, 0x6000, 0xa000]) fill(memblock, base, 0x2000);
  cut(memblock, 0x3000, 0x8000);
  expect(spans(memblock.regions(type))).toEqual(['2000-3000', 'b000-c000']);
  cut(memblock, 0, PHYS_ADDR_MAX);
  expect(memblock.regions(type)).toEqual([]);
  expect(cut(memblock, 0x1000, 0x1000)).toBe(true);
  memblock.verify();
});

test('what is there keeps its node and flags; only gaps get the new ones', () => {
  const memblock = new Memblock({ maxNodes: 16 });
  memblock.add(0x2000, 0x1000, { nid: 1, flags: MemFlags.HOTPLUG });
  memblock.add(0x1000, 0x3000, { nid: 2 });
  expect(memblock.regions('memory')).toEqual([
    { base: 0x1000, size: 0x1000, flags: 0, nid: 2 },
    { base: 0x2000, size: 0x1000, flags: 1, nid: 1 },
    { base: 0x3000, size: 0x1000, flags: 0, nid: 2 },
  ]);
  expect(memblock.physMemSize).toBe(0x3000);
});

test('touching regions of different nodes or flags stay two', () => {
  const memblock = new Memblock();
  memblock.add(0x1000, 0x1000, { nid: 0 });
  memblock.add(0x2000, 0x1000, { nid: 1 });
  memblock.add(0x3000, 0x1000, { nid: 1, flags: MemFlags.NOMAP });
  expect(memblock.regionCount('memory')).toBe(3);
  memblock.setNode(0x1000, 0x1000, 'memory', 1);
  expect(spans(memblock.regions('memory'))).toEqual(['1000-3000', '3000-4000']);
});

test('marking splits at the ends of the range and clearing joins again', () => {
  const memblock = new Memblock({ mirroredKernelcore: true });
  memblock.add(0x1000, 0x9000);
  memblock.reserve(0x1000, 0x9000);
  for (const flag of [
    MemFlags.HOTPLUG,
    MemFlags.MIRROR,
    MemFlags.NOMAP,
    MemFlags.DRIVER_MANAGED,
    MemFlags.KHO_SCRATCH,
  ]) {
    memblock.mark(0x3000, 0x2000, flag);
    expect(spans(memblock.regions('memory'))).toEqual(['1000-3000', '3000-5000', '5000-a000']);
    expect(memblock.regions('memory')[1]!.flags).toBe(flag);
    memblock.clear(0x3000, 0x2000, flag);
    expect(spans(memblock.regions('memory'))).toEqual(['1000-a000']);
  }
  for (const flag of [MemFlags.RSRV_NOINIT, MemFlags.RSRV_KERN]) {
    memblock.mark(0x3000, 0x2000, flag);
    expect(memblock.regions('reserved')[1]).toMatchObject({ base: 0x3000, flags: flag });
    memblock.clear(0x1000, 0x9000, flag);
    expect(memblock.regionCount('reserved')).toBe(1);
  }
  memblock.verify();
});

test('marking a range without regions is success and changes nothing', () => {
  const memblock = new Memblock();
  expect(memblock.mark(0x1000, 0x1000, MemFlags.NOMAP)).toBe(true);
  memblock.add(0x8000, 0x1000);
  expect(memblock.mark(0x1000, 0x1000, MemFlags.NOMAP)).toBe(true);
  expect(memblock.mark(0x8000, 0, MemFlags.NOMAP)).toBe(true);
  expect(memblock.mark(0x9000, 0x1000, MemFlags.NOMAP)).toBe(true);
  expect(memblock.regions('memory')[0]!.flags).toBe(0);
});

test('marking mirrored memory does nothing unless it is wanted', () => {
  const plain = new Memblock();
  plain.add(0x1000, 0x1000);
  plain.mark(0x1000, 0x1000, MemFlags.MIRROR);
  expect(plain.hasMirror).toBe(false);
  expect(plain.regions('memory')[0]!.flags).toBe(0);
  const wanted = new Memblock({ mirroredKernelcore: true });
  wanted.mark(0x1000, 0x1000, MemFlags.MIRROR);
  expect(wanted.hasMirror).toBe(true);
});

test('marking joins with a like neighbour on either side', () => {
  const memblock = new Memblock();
  memblock.add(0x1000, 0x1000, { nid: 0, flags: MemFlags.NOMAP });
  memblock.add(0x2000, 0x1000, { nid: 0 });
  memblock.add(0x3000, 0x1000, { nid: 0, flags: MemFlags.NOMAP });
  memblock.mark(0x2000, 0x1000, MemFlags.NOMAP);
  expect(spans(memblock.regions('memory'))).toEqual(['1000-4000']);
});

test('without NUMA every node reads 0 and setting one does nothing', () => {
  const memblock = new Memblock({ numa: false });
  memblock.add(0x1000, 0x1000, { nid: 3 });
  memblock.add(0x2000, 0x1000);
  expect(memblock.setNode(0x1000, 0x1000, 'memory', 5)).toBe(true);
  expect(memblock.regions('memory')).toEqual([{ base: 0x1000, size: 0x2000, flags: 0, nid: 0 }]);
  expect([...memblock.freeRanges({ nid: 7 })]).toHaveLength(1);
  expect(memblock.dump()).not.toContain('on node');
});

test('a reservation without a node is -1 from 6.15 on and "unknown" before', () => {
  const late = new Memblock({ maxNodes: 16 });
  late.reserve(0x1000, 0x1000);
  late.reserveKern(0x3000, 0x1000);
  expect(late.regions('reserved')).toEqual([
    { base: 0x1000, size: 0x1000, flags: 0, nid: -1 },
    { base: 0x3000, size: 0x1000, flags: MemFlags.RSRV_KERN, nid: -1 },
  ]);
  const early = new Memblock({ maxNodes: 16, profile: '6.12' });
  early.reserveKern(0x1000, 0x1000);
  expect(early.regions('reserved')[0]).toMatchObject({ nid: 16, flags: 0 });
});

test('adding over another node or other flags warns, as the release does', () => {
  const heard: string[] = [];
  const warn = ({ kind }: { kind: string }): void => {
    heard.push(kind);
  };
  const memblock = new Memblock({ warn });
  memblock.add(0x2000, 0x1000, { nid: 1, flags: MemFlags.HOTPLUG });
  memblock.add(0x1000, 0x2000, { nid: 2, flags: MemFlags.NOMAP });
  expect(heard).toEqual(['node-mismatch', 'flags-mismatch']);
  heard.length = 0;
  const old = new Memblock({ warn, profile: '6.12' });
  old.add(0x2000, 0x1000, { nid: 1, flags: MemFlags.HOTPLUG });
  old.add(0x1000, 0x2000, { nid: 1 });
  expect(heard).toEqual(['flags-mismatch']);
  heard.length = 0;
  memblock.add(0x8000, 0x1000, { nid: 1 });
  memblock.add(0x7000, 4 * KIB, { nid: 1 });
  expect(heard).toEqual([]);
});
