import { expect, test } from '@jest/globals';
import { boostWatermark, highatomicCap, type ManagedZone } from '../dist/marks/watermarks.js';
import { memmapPages } from '../dist/marks/managed.js';
import { totalReservePages } from '../dist/marks/lowmem-reserve.js';
import {
  bootManagedPages,
  dmaReserve,
  hugePageMinFreeKbytes,
  lowmemKbytes,
  lowmemReserve,
  minFreeKbytes,
  pcpBatch,
  pcpHigh,
  profileForRelease,
  statThreshold,
  zoneWatermarks,
} from '@bootmem/buddy-allocator/zones';

// The worked example: 4 CPUs, one node.
const PROFILE = profileForRelease('6.19');
const DMA = { zone: 'DMA', managedPages: 3840 } as const;
const DMA32 = { zone: 'DMA32', managedPages: 770048 } as const;
const NORMAL = { zone: 'Normal', managedPages: 262144 } as const;
const ZONES: readonly ManagedZone[] = [DMA, DMA32, NORMAL];
const WITH_EMPTY: readonly ManagedZone[] = [
  ...ZONES,
  { zone: 'Movable', managedPages: 0 },
  { zone: 'Device', managedPages: 0 },
];
const MARKS = zoneWatermarks(ZONES, { minFreeKbytes: 8142, profile: PROFILE });

test('min_free_kbytes of the worked example is 8142', () => {
  expect(lowmemKbytes(ZONES)).toBe(4144128);
  expect(minFreeKbytes({ lowmemKbytes: 4144128 })).toBe(8142);
});

test('marks of the worked example', () => {
  expect(MARKS).toEqual([
    { min: 7, low: 10, high: 13, promo: 16 },
    { min: 1512, low: 2282, high: 3052, promo: 3822 },
    { min: 514, low: 776, high: 1038, promo: 1300 },
  ]);
});

test.each([
  ['DMA', DMA, 1, 4, 120, 512, 0, 6],
  ['DMA32', DMA32, 63, 570, 24064, 4578, 8192, 36],
  ['Normal', NORMAL, 63, 252, 8192, 1557, 3072, 30],
])('cache sizes, boost and caps of %s in the worked example', (...row) => {
  const [, zone, batch, highMin, highMax, maxBoost, cap, threshold] = row;
  const { managedPages } = zone;
  const marks = MARKS[ZONES.indexOf(zone)]!;
  expect(pcpBatch(managedPages, PROFILE)).toBe(batch);
  expect(pcpHigh({ managedPages, low: marks.low, workers: 4, batch, profile: PROFILE })).toEqual({
    highMin,
    highMax,
  });
  expect(highatomicCap(managedPages)).toBe(cap);
  expect(statThreshold(managedPages, 4)).toBe(threshold);
  // Boosting again and again ends at the largest boost; a tiny DMA zone would end at one pageblock.
  let boost = 0;
  for (let i = 0; i < 20; i += 1) boost = boostWatermark({ boost, high: marks.high, managedPages });
  expect(boost).toBe(maxBoost);
});

test('lowmem reserve of the worked example repeats for empty zones above', () => {
  expect(lowmemReserve(WITH_EMPTY)).toEqual([
    [0, 3008, 4032, 4032, 4032],
    [0, 0, 1024, 1024, 1024],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
    [0, 0, 0, 0, 0],
  ]);
});

test('lowmem reserve: an empty zone and a ratio of 0 reserve nothing', () => {
  const reserve = lowmemReserve(
    [
      { zone: 'DMA', managedPages: 0 },
      { zone: 'DMA32', managedPages: 1000 },
      { zone: 'Normal', managedPages: 5000 },
      { zone: 'Movable', managedPages: 7000 },
    ],
    { DMA: 1, DMA32: 10, Normal: 0 },
  );
  expect(reserve).toEqual([
    [0, 0, 0, 0],
    [0, 0, 500, 1200],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
});

test('totalreserve is the reserve plus the high mark, but never more than the zone has', () => {
  const reserve = lowmemReserve(WITH_EMPTY);
  const zones = ZONES.map((zone, i) => ({
    managedPages: zone.managedPages,
    high: MARKS[i]!.high,
    lowmemReserve: reserve[i]!,
  }));
  expect(totalReservePages(zones)).toBe(3840 + (1024 + 3052) + 1038);
  expect(totalReservePages([])).toBe(0);
});

// 4 * sqrt(lowmem in KiB), floored to whole KiB.
test.each([
  ['1 MiB', 1024, 128],
  ['16 MiB', 16 * 1024, 512],
  ['64 MiB', 64 * 1024, 1024],
  ['256 MiB', 256 * 1024, 2048],
  ['1 GiB', 1024 ** 2, 4096],
  ['4 GiB', 4 * 1024 ** 2, 8192],
  ['16 GiB', 16 * 1024 ** 2, 16384],
  ['64 GiB', 64 * 1024 ** 2, 32768],
  ['256 GiB', 256 * 1024 ** 2, 65536],
  ['16 TiB', 16 * 1024 ** 3, 262144 * 2],
])('min_free_kbytes of %s', (_size, lowmem, expected) => {
  expect(minFreeKbytes({ lowmemKbytes: lowmem })).toBe(Math.min(expected, 262144));
});

test('min_free_kbytes set by hand is kept when it is larger, and not clamped', () => {
  expect(minFreeKbytes({ lowmemKbytes: 1024 ** 2, userKbytes: 500000 })).toBe(500000);
  expect(minFreeKbytes({ lowmemKbytes: 1024 ** 2, userKbytes: 4000 })).toBe(4096);
  expect(() => minFreeKbytes({ lowmemKbytes: -4 })).toThrow(
    expect.objectContaining({ code: 'ERR_ZONE_ARGUMENT' }),
  );
});

test('lowmem leaves out Movable, HighMem and what is below the high mark', () => {
  expect(
    lowmemKbytes([
      { ...NORMAL, high: 144 },
      { zone: 'DMA', managedPages: 10, high: 20 },
      { zone: 'Movable', managedPages: 1000 },
      { zone: 'HighMem', managedPages: 1000 },
    ]),
  ).toBe((262144 - 144) * 4);
});

test('huge pages raise the minimum by zones, at most to a twentieth of low memory', () => {
  const many = { current: 8142, populatedZones: 3, freeBufferPages: 1_000_000 };
  expect(hugePageMinFreeKbytes(many)).toBe(512 * 11 * 3 * 4);
  expect(hugePageMinFreeKbytes({ ...many, freeBufferPages: 100_000 })).toBe(5000 * 4);
  expect(hugePageMinFreeKbytes({ ...many, current: 200_000 })).toBe(200_000);
});

test('Movable gets a fixed MIN in newer kernels, a share in 6.1; HighMem a fixed one always', () => {
  const zones: ManagedZone[] = [
    { zone: 'Normal', managedPages: 100_000 },
    { zone: 'Movable', managedPages: 100_000 },
  ];
  const options = { minFreeKbytes: 8000, watermarkScaleFactor: 10 };
  const [, fixed] = zoneWatermarks(zones, { ...options, profile: profileForRelease('6.12') });
  expect(fixed).toEqual({ min: 97, low: 597, high: 1097, promo: 1597 });
  const [normal, share] = zoneWatermarks(zones, { ...options, profile: profileForRelease('6.1') });
  expect(share).toEqual({ min: 1000, low: 1250, high: 1500, promo: 1750 });
  expect(normal).toEqual(share);
  for (const [managedPages, min] of [
    [0, 32],
    [32 * 1024, 32],
    [64 * 1024, 64],
    [1_000_000, 128],
  ] as const) {
    const [high] = zoneWatermarks([{ zone: 'HighMem', managedPages }], {
      ...options,
      profile: profileForRelease('6.1'),
    });
    expect(high!.min).toBe(min);
  }
});

test('marks are 0 on a machine without low memory, and exact beyond 2 ** 53', () => {
  const [dma] = zoneWatermarks([{ zone: 'DMA', managedPages: 0 }], {
    minFreeKbytes: 128,
    profile: PROFILE,
  });
  expect(dma).toEqual({ min: 0, low: 0, high: 0, promo: 0 });
  const huge = 2 ** 45;
  const [normal] = zoneWatermarks([{ zone: 'Normal', managedPages: huge }], {
    minFreeKbytes: 262144,
    profile: PROFILE,
  });
  expect(normal!.min).toBe(65536);
  expect(normal!.low - normal!.min).toBe(Number((2n ** 45n * 10n) / 10000n));
});

test.each([0, 3001, Number.NaN])('a scale factor of %d is refused', (watermarkScaleFactor) => {
  expect(() =>
    zoneWatermarks(ZONES, { minFreeKbytes: 8142, watermarkScaleFactor, profile: PROFILE }),
  ).toThrow(expect.objectContaining({ code: 'ERR_ZONE_ARGUMENT' }));
});

test('boost: off, too small a zone, no marks yet, and at least a pageblock', () => {
  const zone = { boost: 0, high: 3052, managedPages: 770048 };
  expect(boostWatermark(zone)).toBe(512);
  expect(boostWatermark({ ...zone, factor: 0 })).toBe(0);
  expect(boostWatermark({ ...zone, managedPages: 2047 })).toBe(0);
  expect(boostWatermark({ ...zone, high: 0 })).toBe(0);
  expect(boostWatermark({ ...zone, high: 13 })).toBe(512);
  expect(boostWatermark({ ...zone, high: 13, boost: 512 })).toBe(512);
});

test('highatomic: nothing below a pageblock, then whole pageblocks', () => {
  expect(highatomicCap(51199)).toBe(0);
  expect(highatomicCap(51200)).toBe(512);
  expect(highatomicCap(51300)).toBe(1024);
});

// The old rule doubles steps at a quarter of the memory: managed / 4096 against managed / 4096 capped.
test.each([
  [1000, 1, 1],
  [4096, 1, 1],
  [8192, 1, 1],
  [12288, 3, 3],
  [32768, 7, 7],
  [65536, 15, 15],
  [131072, 31, 31],
  [262144, 63, 63],
  [10_000_000, 63, 63],
])('batch of a zone of %d pages', (managedPages, now, before) => {
  expect(pcpBatch(managedPages, profileForRelease('6.19'))).toBe(now);
  expect(pcpBatch(managedPages, profileForRelease('6.1'))).toBe(before);
});

test('cache high marks: fixed in 6.1, a fraction of the zone on request, at least four batches', () => {
  const zone = { managedPages: 262144, low: 776, workers: 4, batch: 63 };
  expect(pcpHigh({ ...zone, profile: profileForRelease('6.1') })).toEqual({
    highMin: 252,
    highMax: 252,
  });
  expect(pcpHigh({ ...zone, fraction: 16, profile: PROFILE })).toEqual({
    highMin: 4096,
    highMax: 4096,
  });
  expect(pcpHigh({ ...zone, workers: 0, profile: PROFILE }).highMin).toBe(776);
});

test('before 4.6 marks lie quarters of MIN apart, however large the zone', () => {
  const zone = [{ zone: 'Normal', managedPages: 4_000_000 }] as const;
  const marks = (release: string) =>
    zoneWatermarks(zone, { minFreeKbytes: 16_000, profile: profileForRelease(release) })[0];
  expect(marks('4.5')).toMatchObject({ min: 4000, low: 5000, high: 6000 });
  // 4 000 000 / 1000 is more than a quarter of 4000.
  expect(marks('4.6')).toMatchObject({ min: 4000, low: 8000, high: 12000 });
});

test('older kernels: smaller batches before 4.19, six of them a cache before 5.14, 64 MiB at most before 5.7', () => {
  expect(pcpBatch(NORMAL.managedPages, profileForRelease('4.18'))).toBe(31);
  expect(pcpBatch(NORMAL.managedPages, profileForRelease('4.19'))).toBe(63);
  const zone = { managedPages: 262144, low: 7760, workers: 4, batch: 63 };
  const high = (release: string) => pcpHigh({ ...zone, profile: profileForRelease(release) });
  expect(high('5.13')).toEqual({ highMin: 378, highMax: 378 });
  expect(high('5.14')).toEqual({ highMin: 1940, highMax: 1940 });
  // A batch of 0 is made 1, and the cache stays at six times 0.
  const small = { managedPages: 3977, low: 30, workers: 1, batch: 1 };
  const smallHigh = (release: string) =>
    pcpHigh({ ...small, profile: profileForRelease(release) }).highMin;
  expect([smallHigh('5.13'), smallHigh('5.14')]).toEqual([0, 30]);
  expect(pcpHigh({ ...small, managedPages: 8192, profile: profileForRelease('5.13') })).toEqual({
    highMin: 6,
    highMax: 6,
  });
  const memory = { lowmemKbytes: 2 ** 30 };
  expect(minFreeKbytes({ ...memory, profile: profileForRelease('5.6') })).toBe(65_536);
  expect(minFreeKbytes({ ...memory, profile: profileForRelease('5.7') })).toBe(131_072);
});

test('before 5.8 a zone without pages has a reserve like any other', () => {
  const zones = [
    { zone: 'DMA', managedPages: 0 },
    { zone: 'Normal', managedPages: 25_600 },
  ] as const;
  const reserve = (release: string) =>
    lowmemReserve(zones, undefined, profileForRelease(release).emptyZoneReserve);
  expect(reserve('5.7')[0]).toEqual([0, 100]);
  expect(reserve('5.8')[0]).toEqual([0, 0]);
});

test('counter threshold grows with workers and memory up to 125', () => {
  expect(statThreshold(0, 1)).toBe(2);
  expect(statThreshold(32768, 1)).toBe(4);
  expect(statThreshold(2 ** 30, 256)).toBe(125);
});

test('managed before the hand-over: less the memory map in 6.1, all present later', () => {
  const span = {
    nid: 0,
    zone: 'DMA',
    zoneIndex: 0,
    startPfn: 1,
    endPfn: 4096,
    spannedPages: 4095,
    presentPages: 3998,
    absentPages: 97,
  } as const;
  expect(memmapPages(span)).toBe(64);
  expect(bootManagedPages(span, profileForRelease('6.1'), 158)).toBe(3998 - 64 - 158);
  expect(bootManagedPages(span, profileForRelease('6.1'), 5000)).toBe(3998 - 64);
  expect(bootManagedPages(span, profileForRelease('6.12'), 158)).toBe(3998);
  // Holes of more than a sixteenth: only what is present needs descriptors.
  expect(memmapPages({ spannedPages: 1044480, presentPages: 782304 })).toBe(12224);
  expect(memmapPages({ spannedPages: 1062, presentPages: 1000 })).toBe(17);
  expect(memmapPages({ spannedPages: 1063, presentPages: 1000 })).toBe(16);
  const tiny = { ...span, presentPages: 3, spannedPages: 4095 };
  expect(bootManagedPages(tiny, profileForRelease('6.1'))).toBe(2);
  const highmem = { ...span, zone: 'HighMem', zoneIndex: 2 } as const;
  expect(bootManagedPages(highmem, profileForRelease('6.1'))).toBe(3998);
});

test('the DMA reserve is memory below the limit that is not free', () => {
  const memory = [
    { startPfn: 1, endPfn: 0x9f, nid: 0 },
    { startPfn: 0x100, endPfn: 0x8000, nid: 0 },
  ];
  expect(dmaReserve(memory, [{ startPfn: 0x100, endPfn: 0x2000 }])).toBe(0x9e);
  expect(dmaReserve(memory, [], 0x1000)).toBe(0x9e + 0xf00);
});

test('a release gets the newest profile that is not newer', () => {
  expect(
    ['5.10.1', '6.1.0-50-amd64', '6.11', '6.12.100+deb12-amd64', '6.18', '6.19', '7.1.5'].map(
      (release) => profileForRelease(release).release,
    ),
  ).toEqual(['5.8', '5.19', '6.10', '6.12', '6.18', '6.19', '7.1']);
});
