import { expect, test } from '@jest/globals';
import { bootLines } from '@bootmem/buddy-allocator/reports';
import {
  x86ZoneLimits,
  zoneLayout,
  type MovablePolicy,
  type ZoneLayout,
} from '@bootmem/buddy-allocator/zones';
import type { MemoryPfnRange, ZoneName } from '@bootmem/memmap';

const GIB = 0x40000;

const layoutOf = (memory: MemoryPfnRange[], movable: MovablePolicy): ZoneLayout =>
  zoneLayout({ memory, limits: x86ZoneLimits(memory.at(-1)!.endPfn), movable });

const starts = (memory: MemoryPfnRange[], movable: MovablePolicy): [number, number][] => [
  ...layoutOf(memory, movable).movableStart,
];

const present = (layout: ZoneLayout, nid: number, name: ZoneName): number =>
  layout.nodes[nid]!.zones.find((zone) => zone.zone === name)!.presentPages;

/** Two nodes of 2 GiB with the hole below 4 GiB. */
const TWO: MemoryPfnRange[] = [
  { startPfn: 1, endPfn: 0x80000, nid: 0 },
  { startPfn: 0x80000, endPfn: 0xbffe0, nid: 1 },
  { startPfn: 0x100000, endPfn: 0x140000, nid: 1 },
];

/** Two nodes of 4 GiB, all of the second above 4 GiB. */
const BIG: MemoryPfnRange[] = [
  { startPfn: 1, endPfn: 0x100000, nid: 0 },
  { startPfn: 0x100000, endPfn: 0x180000, nid: 0 },
  { startPfn: 0x180000, endPfn: 0x280000, nid: 1 },
];

test('kernelcore= counts the low zones as kernel memory first', () => {
  expect(starts(TWO, { kind: 'size', kernelcore: { pages: GIB } })).toEqual([[1, 0x100000]]);
});

test('kernelcore= beyond the low zones is dealt out evenly', () => {
  // Node 0's low 4 GiB (less page 0) count first. The rest, 1 GiB and a page, is halved: node 1 gives
  // its half, and node 0 the other half in the next round, up to a block of the largest order.
  const layout = layoutOf(BIG, { kind: 'size', kernelcore: { pages: 5 * GIB } });
  expect([...layout.movableStart]).toEqual([
    [0, 0x120400],
    [1, 0x1a0000],
  ]);
});

test('movablecore= leaves that much movable, rounded to blocks of the largest order', () => {
  const layout = layoutOf(BIG, { kind: 'size', movablecore: { pages: GIB + 1 } });
  const movable = present(layout, 0, 'Movable') + present(layout, 1, 'Movable');
  expect(movable).toBeLessThanOrEqual(GIB + 1024);
  expect(movable).toBeGreaterThan(GIB - 2 * 1024);
});

test('of kernelcore= and movablecore= the larger kernel part wins', () => {
  const small: MovablePolicy = {
    kind: 'size',
    kernelcore: { pages: 1024 },
    movablecore: { pages: GIB },
  };
  const large: MovablePolicy = {
    kind: 'size',
    kernelcore: { pages: 9 * GIB },
    movablecore: { pages: 5 * GIB },
  };
  expect(starts(BIG, small)).toEqual(starts(BIG, { kind: 'size', movablecore: { pages: GIB } }));
  expect(starts(BIG, large)).toEqual(starts(BIG, { kind: 'size', kernelcore: { pages: 9 * GIB } }));
});

test('per cent are of all memory', () => {
  const total = BIG.reduce((sum, range) => sum + range.endPfn - range.startPfn, 0);
  expect(starts(BIG, { kind: 'size', kernelcore: { percent: 60 } })).toEqual(
    starts(BIG, { kind: 'size', kernelcore: { pages: Math.floor((total * 60) / 100) } }),
  );
});

test('a kernel part that covers everything makes no Movable zone and says so', () => {
  const layout = layoutOf(BIG, { kind: 'size', kernelcore: { pages: 100 * GIB } });
  expect([...layout.movableStart]).toEqual([]);
  expect(layout.warnings).toEqual(['KERNELCORE_COVERS_ALL']);
  expect(starts(BIG, { kind: 'size' })).toEqual([]);
});

test('a start rounded up past the end of the node makes no Movable zone', () => {
  const memory = [
    { startPfn: 0x1000, endPfn: 0x101f00, nid: 0 },
    { startPfn: 0x101f00, endPfn: 0x102100, nid: 1 },
  ];
  const layout = layoutOf(memory, { kind: 'size', kernelcore: { pages: 0x101000 } });
  expect(layout.movableStart.has(1)).toBe(false);
});

test('movable_node takes hot-pluggable memory only, wherever it starts', () => {
  const memory = BIG.map((range) => ({ ...range, hotplug: range.nid === 1 }));
  expect(starts(memory, { kind: 'node' })).toEqual([[1, 0x180000]]);
  expect(starts(BIG, { kind: 'node' })).toEqual([]);
});

test('a Movable start below the highest zone empties the zones above it', () => {
  const memory = [
    { startPfn: 1, endPfn: 0x40000, nid: 0 },
    { startPfn: 0x80000, endPfn: 0xbffe0, nid: 1, hotplug: true },
    { startPfn: 0x100000, endPfn: 0x140000, nid: 1, hotplug: true },
  ];
  const layout = layoutOf(memory, { kind: 'node' });
  const node = layout.nodes[1]!;
  expect(node.zones.map((zone) => [zone.zone, zone.startPfn, zone.presentPages])).toEqual([
    ['DMA', 0, 0],
    ['DMA32', 0, 0],
    ['Normal', 0, 0],
    ['Movable', 0x80000, 0x3ffe0 + 0x40000],
    ['Device', 0, 0],
  ]);
});

test('a hole at the Movable start counts in no zone as present', () => {
  // The kernel part ends in front of a hole; managed must never exceed present.
  const memory = [
    { startPfn: 0x1000, endPfn: 0x100400, nid: 0 },
    { startPfn: 0x100800, endPfn: 0x101000, nid: 0 },
  ];
  const layout = layoutOf(memory, { kind: 'size', kernelcore: { pages: 0x100400 - 0x1000 } });
  expect(layout.movableStart.get(0)).toBe(0x100400);
  const [movable] = layout.nodes[0]!.zones.filter((zone) => zone.zone === 'Movable');
  expect(movable).toMatchObject({
    startPfn: 0x100400,
    spannedPages: 0xc00,
    presentPages: 0x800,
    absentPages: 0x400,
  });
});

test('kernelcore=mirror lets Normal and Movable share one span', () => {
  const memory = [
    { startPfn: 1, endPfn: 0x80000, nid: 0, mirror: true },
    { startPfn: 0x100000, endPfn: 0x120000, nid: 0, mirror: true },
    { startPfn: 0x120000, endPfn: 0x160000, nid: 0 },
    { startPfn: 0x160000, endPfn: 0x180000, nid: 0, mirror: true },
  ];
  const layout = layoutOf(memory, { kind: 'mirror' });
  const zones = new Map(layout.nodes[0]!.zones.map((zone) => [zone.zone, zone]));
  expect(zones.get('Normal')).toMatchObject({
    startPfn: 0x100000,
    spannedPages: 0x80000,
    presentPages: 0x40000,
  });
  expect(zones.get('Movable')).toMatchObject({
    startPfn: 0x120000,
    spannedPages: 0x60000,
    presentPages: 0x40000,
    absentPages: 0x20000,
  });
  expect(layout.warnings).toEqual([]);
});

test('kernelcore=mirror is ignored without mirrored memory, and notes plain memory below 4 GiB', () => {
  expect(layoutOf(BIG, { kind: 'mirror' }).warnings).toEqual(['NO_MIRRORED_MEMORY']);
  const memory = BIG.map((range) => ({ ...range, mirror: range.nid === 1 }));
  const layout = layoutOf(memory, { kind: 'mirror' });
  expect(layout.warnings).toEqual(['UNMIRRORED_BELOW_4G']);
  expect([...layout.movableStart]).toEqual([[0, 0x100000]]);
});

test('to 6.5 kernelcore=mirror moves what lies above 4 GiB though nothing is mirrored', () => {
  const layout = layoutOf(BIG, { kind: 'mirror', always: true });
  expect(layout.warnings).toEqual(['UNMIRRORED_BELOW_4G']);
  expect(layout.movableStart.size).toBeGreaterThan(0);
  const zones = new Map(layout.nodes[0]!.zones.map((zone) => [zone.zone, zone]));
  expect(zones.get('Normal')).toMatchObject({ spannedPages: 0x0, presentPages: 0 });
});

test('boot lines name Movable starts, and nodes without memory', () => {
  const layout = zoneLayout({
    memory: TWO,
    limits: x86ZoneLimits(0x140000),
    movable: { kind: 'size', kernelcore: { pages: GIB } },
    memorylessNids: [2],
  });
  expect(bootLines.movableStart(layout)).toEqual([
    'Movable zone start for each node',
    '  Node 1: 0x0000000100000000',
  ]);
  expect(bootLines.initmem(layout)).toEqual([
    'Initmem setup node 0 [mem 0x0000000000001000-0x000000007fffffff]',
    'Initmem setup node 1 [mem 0x0000000080000000-0x000000013fffffff]',
    'Initmem setup node 2 as memoryless',
  ]);
});

test('amounts must be whole', () => {
  const code = expect.objectContaining({ code: 'ERR_ZONE_ARGUMENT' });
  expect(() => starts(BIG, { kind: 'size', kernelcore: { pages: -1 } })).toThrow(code);
  expect(() => starts(BIG, { kind: 'size', movablecore: { percent: 1.5 } })).toThrow(code);
});
