import { expect, test } from '@jest/globals';
import {
  arm64ZoneLimits,
  pfnRangesOf,
  unavailableHoles,
  x86ZoneLimits,
  zoneLayout,
  type ZoneLayout,
  type ZoneSpan,
} from '@bootmem/buddy-allocator/zones';
import { bootLines } from '@bootmem/buddy-allocator/reports';
import type { MemoryPfnRange, ZoneName } from '@bootmem/memmap';

const zoneOf = (layout: ZoneLayout, nid: number, name: ZoneName): ZoneSpan =>
  layout.nodes.find((node) => node.nid === nid)!.zones.find((zone) => zone.zone === name)!;

const counts = (zone: ZoneSpan): number[] => [
  zone.startPfn,
  zone.spannedPages,
  zone.presentPages,
  zone.absentPages,
];

/** The usual PC: a hole below 1 MiB, 3 GiB low, 1 GiB from 4 GiB. */
const PC: MemoryPfnRange[] = [
  { startPfn: 0x1, endPfn: 0x9f, nid: 0 },
  { startPfn: 0x100, endPfn: 0xbffe0, nid: 0 },
  { startPfn: 0x100000, endPfn: 0x140000, nid: 0 },
];

test('a PC has DMA, DMA32 and Normal with their holes, and empty Movable and Device', () => {
  const layout = zoneLayout({ memory: PC, limits: x86ZoneLimits(0x140000) });
  expect(counts(zoneOf(layout, 0, 'DMA'))).toEqual([1, 4095, 3998, 97]);
  expect(counts(zoneOf(layout, 0, 'DMA32'))).toEqual([0x1000, 1044480, 782304, 262176]);
  expect(counts(zoneOf(layout, 0, 'Normal'))).toEqual([0x100000, 0x40000, 0x40000, 0]);
  expect(counts(zoneOf(layout, 0, 'Movable'))).toEqual([0, 0, 0, 0]);
  expect(counts(zoneOf(layout, 0, 'Device'))).toEqual([0, 0, 0, 0]);
  expect(layout.lowestPfn).toEqual([1, 0x1000, 0x100000, 0, 0x140000]);
  expect(layout.highestPfn).toEqual([0x1000, 0x100000, 0x140000, 0, 0x140000]);
  expect(layout.nodes[0]).toMatchObject({ startPfn: 1, endPfn: 0x140000, spannedPages: 0x13ffff });
});

test("another node's memory in between is spanned but not present", () => {
  const layout = zoneLayout({
    memory: [
      { startPfn: 0x1000, endPfn: 0x2000, nid: 0 },
      { startPfn: 0x2000, endPfn: 0x3000, nid: 1 },
      { startPfn: 0x3000, endPfn: 0x4000, nid: 0 },
    ],
    limits: x86ZoneLimits(0x4000),
  });
  expect(counts(zoneOf(layout, 0, 'DMA32'))).toEqual([0x1000, 0x3000, 0x2000, 0x1000]);
  expect(counts(zoneOf(layout, 1, 'DMA32'))).toEqual([0x2000, 0x1000, 0x1000, 0]);
});

test('a node without memory has only empty zones', () => {
  const layout = zoneLayout({
    memory: [{ startPfn: 16, endPfn: 64, nid: 1 }],
    limits: x86ZoneLimits(64),
    memorylessNids: [0, 2],
  });
  expect(layout.nodes.map((node) => [node.nid, node.presentPages])).toEqual([
    [0, 0],
    [1, 48],
    [2, 0],
  ]);
  expect(layout.nodes[0]!.zones.every((zone) => zone.spannedPages === 0)).toBe(true);
});

test('the first pfn can lie below the first whole page', () => {
  const layout = zoneLayout({
    memory: [{ startPfn: 17, endPfn: 64, nid: 0 }],
    limits: x86ZoneLimits(64),
    firstPfn: 16,
  });
  expect(layout.lowestPfn[0]).toBe(16);
  expect(zoneOf(layout, 0, 'DMA').startPfn).toBe(17);
});

test('memory that ends below 16 MiB leaves all higher zones empty', () => {
  const layout = zoneLayout({
    memory: [{ startPfn: 1, endPfn: 0x800, nid: 0 }],
    limits: x86ZoneLimits(0x800),
  });
  expect(layout.lowestPfn).toEqual([1, 0x800, 0x800, 0, 0x800]);
  expect(layout.highestPfn).toEqual([0x800, 0x800, 0x800, 0, 0x800]);
});

test('byte regions are rounded inward, and vanish without a whole page', () => {
  expect(
    pfnRangesOf([
      { base: 0x1000, size: 0x9ec00, nid: 0 },
      { base: 0x100001, size: 0xffe, nid: 0 },
      { base: 0x200800, size: 0x2000, nid: 1, hotplug: true },
    ]),
  ).toEqual([
    { startPfn: 1, endPfn: 0x9f, nid: 0 },
    { startPfn: 0x201, endPfn: 0x202, nid: 1, hotplug: true },
  ]);
});

test('arm64 limits follow the device that reaches least', () => {
  const limits = arm64ZoneLimits({ maxPfn: 0x200000, dmaBits: 30 });
  expect(limits.map((limit) => limit.endPfn)).toEqual([0x40000, 0x100000, 0x200000, 0, 0]);
  expect(arm64ZoneLimits({ maxPfn: 0x20000, pageShift: 16 })[0]!.endPfn).toBe(0x10000);
  expect(() => arm64ZoneLimits({ maxPfn: 1, dmaBits: 33 })).toThrow(
    expect.objectContaining({ code: 'ERR_ZONE_LIMITS' }),
  );
});

test.each([
  ['no memory', [], 'ERR_ZONE_RANGES'],
  ['an empty range', [{ startPfn: 4, endPfn: 4, nid: 0 }], 'ERR_ZONE_RANGES'],
  ['a fractional pfn', [{ startPfn: 0.5, endPfn: 4, nid: 0 }], 'ERR_ZONE_RANGES'],
  ['a negative node', [{ startPfn: 0, endPfn: 4, nid: -1 }], 'ERR_ZONE_RANGES'],
  [
    'overlapping ranges',
    [
      { startPfn: 0, endPfn: 4, nid: 0 },
      { startPfn: 3, endPfn: 8, nid: 0 },
    ],
    'ERR_ZONE_RANGES',
  ],
])('zoneLayout refuses %s', (_what, memory, code) => {
  expect(() => zoneLayout({ memory, limits: x86ZoneLimits(16) })).toThrow(
    expect.objectContaining({ code }),
  );
});

test('zoneLayout refuses a zone named twice, and limits that nothing fits in', () => {
  const memory = [{ startPfn: 1, endPfn: 2, nid: 0 }];
  const limit = { zone: 'DMA' as const, endPfn: 16 };
  const code = expect.objectContaining({ code: 'ERR_ZONE_LIMITS' });
  expect(() => zoneLayout({ memory, limits: [limit, limit] })).toThrow(code);
  expect(() => zoneLayout({ memory, limits: [{ zone: 'Movable', endPfn: 0 }] })).toThrow(code);
  expect(() => x86ZoneLimits(-1)).toThrow(expect.objectContaining({ code: 'ERR_ZONE_ARGUMENT' }));
});

test('holes belong to the zone above them, the tail of the last section to the last zone', () => {
  const layout = zoneLayout({ memory: PC, limits: x86ZoneLimits(0x140000) });
  const holes = unavailableHoles(layout, PC);
  expect(bootLines.unavailable(holes)).toEqual([
    'On node 0, zone DMA: 1 pages in unavailable ranges',
    'On node 0, zone DMA: 97 pages in unavailable ranges',
    'On node 0, zone Normal: 32 pages in unavailable ranges',
  ]);
  expect(holes[2]!.ranges).toEqual([
    { nid: 0, zone: 'Normal', zoneIndex: 2, startPfn: 0xbffe0, endPfn: 0xc0000 },
  ]);
});

test('a hole across sections keeps only the parts in sections with memory', () => {
  const memory = [
    { startPfn: 0x8000, endPfn: 0x8100, nid: 0 },
    { startPfn: 0x1ff00, endPfn: 0x20100, nid: 0 },
  ];
  const layout = zoneLayout({ memory, limits: x86ZoneLimits(0x20100) });
  const holes = unavailableHoles(layout, memory);
  expect(holes.map((hole) => hole.pages)).toEqual([0x7f00 + 0x7f00, 0x7f00]);
  expect(holes[0]!.ranges.map((range) => [range.startPfn, range.endPfn])).toEqual([
    [0x8100, 0x10000],
    [0x18000, 0x1ff00],
  ]);
  expect(() => unavailableHoles(layout, memory, 1000)).toThrow(
    expect.objectContaining({ code: 'ERR_ZONE_ARGUMENT' }),
  );
});
