import { expect, test } from '@jest/globals';

import {
  ARM64_64K,
  type Geometry,
  Memmap,
  type MemmapHandle,
  Migratetype,
  PageState,
  SectionFlag,
  X86_64,
} from '../dist/index.js';
import { checkGeometry, headOrder } from '../dist/shared.js';
import { start } from './workers/run.js';

const S = 32768;
const codeOf = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
};
const storages = ['wasm', 'shared', 'local'] as const;

test('the order of a head is in its state byte; other states have none', () => {
  expect(headOrder(PageState.FREE | 7)).toBe(7);
  expect(headOrder(PageState.RESERVED)).toBeUndefined();
});

test('ranges are rounded out to sections exactly, up to the highest pfn', () => {
  const map = Memmap.create({
    ranges: [{ startPfn: 2 ** 40 - S + 1, endPfn: 2 ** 40 - 1 }],
    populate: 'ondemand',
  });
  expect([map.startPfn, map.endPfn]).toEqual([2 ** 40 - S, 2 ** 40]);
  const refused = [
    [-1, 1],
    [0.5, 1],
    [0, 2 ** 40 + 1],
  ] as const;
  for (const [startPfn, endPfn] of refused) {
    expect(codeOf(() => Memmap.create({ ranges: [{ startPfn, endPfn }] }))).toBe(
      'ERR_MEMMAP_ARGUMENT',
    );
  }
});

test('geometry: the three machines hold, every broken relation is refused', () => {
  for (const good of [X86_64, ARM64_64K]) {
    expect(() => {
      checkGeometry(good);
    }).not.toThrow();
  }
  const wrong: Partial<Geometry>[] = [
    { pageShift: 31 },
    { maxOrder: 16 },
    { pageblockOrder: 11 },
    { maxOrder: 15, sectionOrder: 14 },
    { subsectionOrder: 16 },
    { sectionOrder: 25 },
    { pageShift: 1.5 },
  ];
  for (const part of wrong) {
    expect(
      codeOf(() => {
        checkGeometry({ ...X86_64, ...part });
      }),
    ).toBe('ERR_MEMMAP_GEOMETRY');
  }
});

test.each(storages)(
  '%s: fresh pages are uninitialised, init fills exactly the range',
  (storage) => {
    // [S .. 2S) present; 100 pages in the middle belong to zone b between two of zone a.
    const map = Memmap.create({ ranges: [{ startPfn: S, endPfn: 2 * S }], storage });
    const [a, b] = [map.defineZone(0, 2), map.defineZone(1, 2)];
    expect(map.state(S)).toBe(PageState.UNINITIALISED);
    expect(map.describe(S)).toEqual({ kind: 'uninitialised' });
    expect(map.describe(0)).toEqual({ kind: 'absent' });
    map.initRange(S + 7, S + 1000, a);
    map.initReservedRange(S + 1000, S + 1100, b);
    map.initRange(S + 1100, 2 * S, a);
    expect(map.firstUninitialised(S, 2 * S)).toBe(S);
    expect(map.countInState(S, 2 * S, PageState.UNINITIALISED)).toBe(7);
    expect(map.countInState(S, 2 * S, PageState.RESERVED)).toBe(100);
    expect(map.firstInState(S, 2 * S, PageState.RESERVED)).toBe(S + 1000);
    expect(map.isRangeInitialised(S + 7, 2 * S)).toBe(true);
    expect([map.nid(S + 999), map.nid(S + 1000), map.nid(S + 1099), map.nid(S + 1100)]).toEqual([
      0, 1, 1, 0,
    ]);
    expect(map.zoneId(S)).toBe(0);
    expect(map.isReserved(S + 1050)).toBe(true);
    expect(map.isInitialised(S + 6)).toBe(false);
    expect(map.describe(S + 1001)).toMatchObject({ kind: 'reserved', nid: 1, refcount: 1 });
    expect(map.describe(S + 8)).toMatchObject({
      kind: 'boot',
      nid: 0,
      refcount: 1,
      migratetype: 0,
    });
  },
);

test('errors come before any change', () => {
  const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: S }], maxPfn: 3 * S });
  const zone = map.defineZone(0, 2);
  expect(
    codeOf(() => {
      map.initRange(S - 5, S + 5, zone);
    }),
  ).toBe('ERR_MEMMAP_ABSENT');
  expect(map.countInState(0, S, PageState.UNINITIALISED)).toBe(S);
  expect(
    codeOf(() => {
      map.initRange(0, 1, zone + 1);
    }),
  ).toBe('ERR_MEMMAP_ZONES');
  expect(
    codeOf(() => {
      map.initRange(5, 5, zone);
    }),
  ).toBe('ERR_MEMMAP_ARGUMENT');
  expect(codeOf(() => map.state(S))).toBe('ERR_MEMMAP_ABSENT');
  expect(
    codeOf(() => {
      map.setRange(0, 4, PageState.RESERVED);
    }),
  ).toBe('ERR_MEMMAP_UNINITIALISED');
  expect(
    codeOf(() => {
      map.initDeviceRange(0, 512, zone, 0);
    }),
  ).toBe('ERR_MEMMAP_ARGUMENT');
  expect(codeOf(() => map.driverWord(0))).toBe('ERR_MEMMAP_ARGUMENT');
  expect(codeOf(() => map.defineZone(1024, 0))).toBe('ERR_MEMMAP_ARGUMENT');
  expect(codeOf(() => map.defineZone(0, 16))).toBe('ERR_MEMMAP_ARGUMENT');
  expect(
    codeOf(() => {
      map.setSectionFlags(9, 1, true);
    }),
  ).toBe('ERR_MEMMAP_ABSENT');
  expect(codeOf(() => Memmap.create({ ranges: [{ startPfn: 5, endPfn: 5 }] }))).toBe(
    'ERR_MEMMAP_ARGUMENT',
  );
  expect(codeOf(() => Memmap.create({ ranges: [], maxPfn: S, capacitySections: 2 ** 17 }))).toBe(
    'ERR_MEMMAP_CAPACITY',
  );
  expect(codeOf(() => Memmap.attach({} as MemmapHandle))).toBe('ERR_MEMMAP_HANDLE');
  const handle = map.toHandle();
  expect(codeOf(() => Memmap.attach({ ...handle, table: new SharedArrayBuffer(4096) }))).toBe(
    'ERR_MEMMAP_HANDLE',
  );
});

test('zone ids: idempotent, 255 at most, any of 16 zone numbers', () => {
  const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: S }] });
  expect(map.defineZone(3, 15)).toBe(1);
  expect(map.defineZone(3, 15)).toBe(1);
  expect(map.zones.info(1)).toEqual({ nid: 3, zoneIndex: 15 });
  expect(map.zones.info(2)).toBeUndefined();
  expect(map.zones.idOf(3, 14)).toBeUndefined();
  for (let nid = 100; nid < 354; nid++) map.defineZone(nid, 2);
  expect(map.zones.count).toBe(255);
  expect(codeOf(() => map.defineZone(500, 2))).toBe('ERR_MEMMAP_ZONES');
});

test('memory is added and removed by subsection; a section may be partly present', () => {
  const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: S }], maxPfn: 4 * S });
  const zone = map.defineZone(0, 5);
  map.addMemory(2 * S + 512, 2 * S + 1536);
  expect([
    map.isPresent(2 * S + 511),
    map.isPresent(2 * S + 512),
    map.isPresent(2 * S + 1535),
    map.isPresent(2 * S + 1536),
  ]).toEqual([false, true, true, false]);
  expect(
    codeOf(() => {
      map.addMemory(2 * S + 1024, 2 * S + 2048);
    }),
  ).toBe('ERR_MEMMAP_PRESENT');
  expect(map.isPresent(2 * S + 1536)).toBe(false);
  expect(
    codeOf(() => {
      map.addMemory(2 * S + 1, 2 * S + 512);
    }),
  ).toBe('ERR_MEMMAP_ARGUMENT');
  expect(
    codeOf(() => {
      map.addMemory(3 * S, 3 * S + 511);
    }),
  ).toBe('ERR_MEMMAP_ARGUMENT');
  expect(
    codeOf(() => {
      map.addMemory(4 * S, 5 * S);
    }),
  ).toBe('ERR_MEMMAP_ARGUMENT');
  map.initDeviceRange(2 * S + 512, 2 * S + 1024, zone, 77);
  map.initDeviceRange(2 * S + 1024, 2 * S + 1536, zone, 78, PageState.DEVICE_IDLE);
  map.setDriverWord(2 * S + 600, -5);
  expect(map.describe(2 * S + 600)).toMatchObject({
    kind: 'device',
    pgmap: 77,
    driverWord: -5,
    refcount: 1,
  });
  expect(map.describe(2 * S + 1024)).toMatchObject({ kind: 'device-idle', pgmap: 78, refcount: 0 });
  expect(map.pgmapIndex(0)).toBe(0);
  map.removeMemory(2 * S + 512, 2 * S + 1024);
  expect(map.isPresent(2 * S + 600)).toBe(false);
  expect(map.pgmapIndex(2 * S + 1024)).toBe(78);
  map.addMemory(2 * S + 512, 2 * S + 1024);
  map.initDeviceRange(2 * S + 512, 2 * S + 1024, zone, 79, PageState.DEVICE_TAIL);
  expect(map.describe(2 * S + 600)).toMatchObject({
    kind: 'device-tail',
    pgmap: 79,
    driverWord: 0,
  });
  map.removeMemory(2 * S + 512, 2 * S + 1536);
  expect(map.sectionFlags(map.sectionOf(2 * S)) & SectionFlag.PRESENT).toBe(0);
  expect(map.sectionFlags(99)).toBe(0);
  expect(map.sectionFlags(0) & SectionFlag.FULL).toBe(SectionFlag.FULL);
  map.addMemory(3 * S, 4 * S);
  expect(map.sectionFlags(3) & SectionFlag.FULL).toBe(SectionFlag.FULL);
});

test('references: implied by state, counted with atomics, never below zero', () => {
  const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: S }] });
  const zone = map.defineZone(0, 2);
  expect(map.refcount(3)).toBe(0);
  expect(codeOf(() => map.getRef(3))).toBe('ERR_MEMMAP_UNINITIALISED');
  map.initRange(0, 64, zone);
  expect(map.refcount(3)).toBe(1);
  expect(map.getRef(3)).toBe(2);
  expect(map.putRef(3)).toBe(1);
  expect(map.putRef(3)).toBe(0);
  expect(codeOf(() => map.putRef(3))).toBe('ERR_MEMMAP_REFCOUNT');
  expect(codeOf(() => map.putRef(70))).toBe('ERR_MEMMAP_REFCOUNT');
  map.columns().state[8] = PageState.FREE | 3;
  expect(map.refcount(8)).toBe(0);
  expect(map.refcount(15)).toBe(0);
  expect(map.coveringHead(15)).toEqual({ pfn: 8, state: PageState.FREE, order: 3 });
  expect(map.coveringHead(16)).toBeUndefined();
  map.columns().state[8] = PageState.ALLOCATED | PageState.DIRTY | 2;
  expect(map.refcount(8)).toBe(1);
  expect(map.describe(11)).toMatchObject({ kind: 'allocated', head: 8, order: 2, refcount: 0 });
  expect(map.coveringHead(12)).toBeUndefined();
  map.setRange(20, 22, PageState.HWPOISON);
  map.setRange(22, 24, PageState.OFFLINE);
  expect([map.describe(20).kind, map.describe(22).kind]).toEqual(['hwpoison', 'offline']);
  expect(map.coveringHead(20)).toBeUndefined();
  map.clearRange(0, 64);
  expect(map.countInState(0, 64, PageState.UNINITIALISED)).toBe(64);
});

test('pageblocks: types by range, isolation beside the type, skip', () => {
  const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 2 * S }] });
  const { pageblocks } = map;
  // Only pageblocks whose first page is inside: [100, 1600) covers the starts 512, 1024, 1536.
  pageblocks.setRange(100, 1600, Migratetype.MOVABLE);
  expect([0, 512, 1024, 1536, 2048].map((p) => pageblocks.migratetype(p))).toEqual([0, 1, 1, 1, 0]);
  pageblocks.setRange(S - 512, S + 512, Migratetype.RECLAIMABLE);
  expect([pageblocks.migratetype(S - 1), pageblocks.migratetype(S)]).toEqual([2, 2]);
  pageblocks.setRange(5, 6, Migratetype.MOVABLE);
  pageblocks.setIsolated(600, true);
  pageblocks.setSkipped(600, true);
  expect(pageblocks.migratetype(1023)).toBe(Migratetype.ISOLATE);
  expect(pageblocks.storedMigratetype(600)).toBe(Migratetype.MOVABLE);
  pageblocks.setMigratetype(600, Migratetype.CMA);
  expect(pageblocks.isIsolated(512)).toBe(true);
  pageblocks.setIsolated(600, false);
  expect(pageblocks.migratetype(512)).toBe(Migratetype.CMA);
  expect([pageblocks.isSkipped(512), pageblocks.isSkipped(0)]).toEqual([true, false]);
  pageblocks.setSkipped(512, false);
  expect(pageblocks.isSkipped(512)).toBe(false);
  for (const bad of [5, -1, 6, 1.5]) {
    expect(
      codeOf(() => {
        pageblocks.setMigratetype(0, bad);
      }),
    ).toBe('ERR_MEMMAP_ARGUMENT');
  }
  expect(codeOf(() => pageblocks.migratetype(2 * S))).toBe('ERR_MEMMAP_ABSENT');
  expect(
    codeOf(() => {
      pageblocks.setRange(0, 3 * S, 1);
    }),
  ).toBe('ERR_MEMMAP_ABSENT');
});

test('a descriptor takes at most 16 bytes, everything included, for every geometry', () => {
  for (const geometry of [X86_64, ARM64_64K]) {
    const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: S }], geometry });
    expect(map.overheadBytesPerPage()).toBeLessThanOrEqual(16);
    const handle = map.toHandle();
    const pages = map.usage().capacitySections * map.pagesPerSection;
    const bytes =
      Math.min(handle.columns.bytes.byteLength, 2 * pages) +
      handle.columns.links.byteLength +
      handle.columns.refs.byteLength;
    expect(bytes / pages).toBeLessThanOrEqual(16);
  }
});

test('12 TiB with a hole is described on demand; only touched sections take slots', () => {
  const TiB = 2 ** 28;
  const map = Memmap.create({
    ranges: [
      { startPfn: 0, endPfn: 4 * TiB },
      { startPfn: 5 * TiB, endPfn: 12 * TiB },
    ],
    populate: 'ondemand',
    capacitySections: 64,
  });
  const zone = map.defineZone(0, 2);
  expect(map.usage()).toMatchObject({ sections: 0, capacitySections: 64 });
  const last = 12 * TiB - 100;
  expect(map.isPresent(4 * TiB)).toBe(false);
  expect(map.state(last)).toBe(0);
  expect(map.isPopulated(last)).toBe(false);
  expect(map.firstInState(last, last + 1, 0)).toBe(last);
  map.initRange(last, last + 100, zone);
  map.initRange(0, 10, zone);
  expect(map.usage().sections).toBe(2);
  expect(map.pfnOf(map.indexOf(last))).toBe(last);
  expect(map.countInState(12 * TiB - S, 12 * TiB, PageState.BODY)).toBe(100);
  expect(map.countInState(11 * TiB, 11 * TiB + S, PageState.UNINITIALISED)).toBe(S);
  // Descriptors of sections out of order: one call, two runs.
  const runs: number[][] = [];
  map.forEachRun(12 * TiB - S - 5, 12 * TiB - S + 5, (index, pages, at) =>
    runs.push([index, pages, at]),
  );
  expect(runs.map((r) => r[1])).toEqual([5, 5]);
  expect(
    codeOf(() => {
      map.initRange(0, 70 * S, zone);
    }),
  ).toBe('ERR_MEMMAP_CAPACITY');
  map.addMemory(4 * TiB, 4 * TiB + 512);
  expect(map.isPopulated(4 * TiB)).toBe(false);
});

test('a handle attached on other threads sees the same descriptors; populate assigns each slot once', async () => {
  const sections = 24;
  for (const job of ['init', 'populate'] as const) {
    const map = Memmap.create({
      ranges: [{ startPfn: 0, endPfn: sections * S }],
      populate: 'ondemand',
      storage: 'wasm',
    });
    const zoneId = map.defineZone(0, 2);
    const runs = [0, 1, 2].map((first) =>
      start({ job, handle: map.toHandle(), zoneId, first, step: 3, sections }),
    );
    await Promise.all(runs.map((r) => r.result));
    await Promise.all(runs.map((r) => r.worker.terminate()));
    expect(map.usage().sections).toBe(sections);
    const indices = new Set<number>();
    for (let s = 0; s < sections; s++) {
      indices.add(map.indexOf(s * S));
      expect(map.pfnOf(map.indexOf(s * S + 5))).toBe(s * S + 5);
    }
    expect(indices.size).toBe(sections);
    if (job === 'init') expect(map.isRangeInitialised(0, sections * S)).toBe(true);
  }
}, 30_000);
