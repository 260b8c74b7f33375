import { expect, test } from '@jest/globals';

import { type Geometry, Memmap, PageState, SectionFlag, X86_64 } from '../dist/index.js';
import { start as startWorker } from './workers/run.js';

const S = 32768;
const SUB = 512;
/** 128 subsections a section: several words a bitmap. */
const FINE: Geometry = { ...X86_64, subsectionOrder: 8, pageblockOrder: 9 };

/** Sections 0..63; 0 is boot memory. */
function machine(geometry: Geometry = X86_64): { map: Memmap; zone: number } {
  const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: S }], maxPfn: 64 * S, geometry });
  return { map, zone: map.defineZone(0, 5) };
}

test('whole sections come and go without a look at their descriptors; others keep theirs', () => {
  const { map, zone } = machine();
  map.addMemory(10 * S, 50 * S);
  expect(map.usage().sections).toBe(1);
  expect(map.sectionFlags(49)).toBe(SectionFlag.PRESENT | SectionFlag.FULL);
  expect(map.pageblocks.migratetype(49 * S)).toBe(0);
  map.initDeviceRange(20 * S, 22 * S, zone, 7);
  const index = map.indexOf(20 * S);
  map.removeMemory(15 * S, 40 * S);
  expect(map.firstInState(10 * S, 15 * S, 0)).toBe(10 * S);
  for (const pfn of [15 * S, 20 * S, 21 * S + 5, 40 * S - 1]) {
    expect(map.isPresent(pfn)).toBe(false);
    expect(map.indexOf(pfn)).toBe(-1);
    expect(map.describe(pfn)).toEqual({ kind: 'absent' });
  }
  expect([map.isPresent(15 * S - 1), map.isPresent(40 * S)]).toEqual([true, true]);
  // The bytes are as they were: nobody has cleared them.
  expect(map.columns().state[index]).toBe(PageState.DEVICE);
  map.addMemory(20 * S, 21 * S);
  expect(map.describe(20 * S)).toEqual({ kind: 'uninitialised' });
  expect(map.countInState(20 * S, 21 * S, PageState.UNINITIALISED)).toBe(S);
  map.initRange(20 * S + 100, 20 * S + 200, zone);
  expect(map.indexOf(20 * S)).toBe(index);
  expect(map.countInState(20 * S, 21 * S, PageState.BODY)).toBe(100);
});

test('links, references, zones, page maps and pageblocks of removed memory are gone when it is back', () => {
  const { map, zone } = machine();
  const other = map.defineZone(1, 5);
  map.addMemory(4 * S, 6 * S);
  map.initDeviceRange(4 * S, 6 * S, zone, 9);
  map.setDriverWord(4 * S + 3, -77);
  map.getRef(5 * S + 8);
  map.pageblocks.setMigratetype(4 * S, 1);
  map.removeMemory(4 * S, 6 * S);
  map.addMemory(4 * S, 6 * S);
  map.initDeviceRange(4 * S, 4 * S + 1, other, 10);
  expect(map.pgmapIndex(4 * S)).toBe(10);
  expect(map.zoneId(4 * S)).toBe(other);
  expect(map.pageblocks.migratetype(4 * S)).toBe(0);
  map.initDeviceRange(4 * S, 6 * S, other, 10);
  expect([map.driverWord(4 * S + 3), map.refcount(5 * S + 8)]).toEqual([0, 1]);
  // What an allocator wrote into the columns itself, too.
  map.removeMemory(4 * S, 6 * S);
  map.addMemory(4 * S, 6 * S);
  map.initRange(4 * S, 6 * S, zone);
  map.columns().links[2 * map.indexOf(5 * S + 1)] = 1234;
  map.columns().topLinks[2 * (map.indexOf(5 * S) >>> 10)] = 99;
  map.removeMemory(4 * S, 6 * S);
  map.addMemory(4 * S, 6 * S);
  map.initDeviceRange(4 * S, 6 * S, zone, 11);
  expect(map.driverWord(5 * S + 1)).toBe(0);
  expect(map.columns().topLinks[2 * (map.indexOf(5 * S) >>> 10)]).toBe(0);
});

test('a removed section that comes back in parts: each owner clears its own part when it begins', () => {
  const { map, zone } = machine();
  map.addMemory(8 * S, 9 * S);
  map.initRange(8 * S, 9 * S, zone);
  // A block over all of the lower half, as an allocator would leave it.
  map.columns().state[map.indexOf(8 * S)] = PageState.FREE | 10;
  map.removeMemory(8 * S, 9 * S);
  map.addMemory(8 * S, 8 * S + SUB);
  map.addMemory(8 * S + SUB, 8 * S + 3 * SUB);
  map.initRange(8 * S + SUB, 8 * S + 2 * SUB, zone);
  expect(map.isPresent(8 * S + 3 * SUB)).toBe(false);
  expect(map.state(8 * S)).toBe(PageState.UNINITIALISED);
  expect(map.state(8 * S + SUB)).toBe(PageState.BODY);
  expect(map.state(8 * S + 2 * SUB)).toBe(PageState.UNINITIALISED);
  // The old head is not that of the new page, though its byte is still there.
  expect(map.coveringHead(8 * S + SUB)).toBeUndefined();
  expect(map.firstInState(8 * S, 8 * S + 3 * SUB, PageState.BODY)).toBe(8 * S + SUB);
  expect(map.countInState(8 * S, 8 * S + 3 * SUB, PageState.UNINITIALISED)).toBe(2 * SUB);
  // Clearing again what nobody has used since changes nothing for the neighbour.
  map.clearRange(8 * S, 8 * S + SUB);
  map.initDeviceRange(8 * S, 8 * S + 1, zone, 3);
  expect(map.state(8 * S + 1)).toBe(PageState.UNINITIALISED);
  expect(map.state(8 * S + SUB)).toBe(PageState.BODY);
});

test.each([
  ['64 subsections a section', X86_64, SUB],
  ['128 subsections a section', FINE, SUB / 2],
] as const)('parts of whole sections go and come, to a subsection: %s', (_name, geometry, sub) => {
  const { map, zone } = machine(geometry);
  map.addMemory(3 * S, 7 * S);
  map.initDeviceRange(3 * S, 7 * S, zone, 1);
  // From the middle of section 3 to the middle of section 5, across section 4.
  const [start, end] = [3 * S + 40 * sub, 5 * S + 33 * sub];
  map.removeMemory(start, end);
  const there = [start - 1, start, 4 * S, end - 1, end].map((pfn) => map.isPresent(pfn));
  expect(there).toEqual([true, false, false, false, true]);
  expect(map.sectionFlags(3) & (SectionFlag.PRESENT | SectionFlag.FULL)).toBe(SectionFlag.PRESENT);
  expect(map.sectionFlags(4)).toBe(0);
  expect(map.state(end)).toBe(PageState.DEVICE);
  map.addMemory(start, end);
  expect(map.sectionFlags(3) & SectionFlag.FULL).toBe(SectionFlag.FULL);
  expect(map.countInState(3 * S, 7 * S, PageState.UNINITIALISED)).toBe(end - start);
  // All of section 3 in two parts, then as a whole.
  map.removeMemory(3 * S, start);
  map.removeMemory(start, 4 * S);
  expect(map.sectionFlags(3) & SectionFlag.PRESENT).toBe(0);
  map.addMemory(2 * S, 4 * S);
  expect(map.sectionFlags(3) & SectionFlag.FULL).toBe(SectionFlag.FULL);
  expect(map.countInState(3 * S, 4 * S, PageState.UNINITIALISED)).toBe(S);
  map.removeMemory(2 * S, 7 * S);
  for (let section = 2; section < 7; section++) expect(map.isPresent(section * S)).toBe(false);
});

test('boot memory can go, section by section and in parts; its flags go with its last subsection', () => {
  const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 70 * S }] });
  map.setSectionFlags(1, SectionFlag.ONLINE, true);
  map.removeMemory(S, S + SUB);
  expect(map.sectionFlags(1) & SectionFlag.EARLY).toBe(SectionFlag.EARLY);
  map.removeMemory(S + SUB, 2 * S);
  expect(map.sectionFlags(1) & ~SectionFlag.POPULATED).toBe(0);
  map.removeMemory(2 * S, 69 * S);
  expect([map.isPresent(0), map.isPresent(2 * S), map.isPresent(69 * S)]).toEqual([
    true,
    false,
    true,
  ]);
  expect(map.sectionFlags(40)).toBe(0);
});

test('adding finds what is there at any place, removing what is not', () => {
  const { map } = machine();
  map.addMemory(40 * S + 5 * SUB, 40 * S + 6 * SUB);
  for (const [start, end, at] of [
    [1, 64, 40 * S + 5 * SUB],
    [0, 30, 0],
  ] as const) {
    expect(() => {
      map.addMemory(start * S, end * S);
    }).toThrow(expect.objectContaining({ code: 'ERR_MEMMAP_PRESENT', details: { pfn: at } }));
  }
  expect(map.isPresent(S)).toBe(false);
  map.addMemory(S, 40 * S);
  expect(() => {
    map.removeMemory(0, 41 * S);
  }).toThrow(expect.objectContaining({ code: 'ERR_MEMMAP_ABSENT', details: { pfn: 40 * S } }));
  expect(map.isPresent(0)).toBe(true);
  map.removeMemory(0, 40 * S);
  expect(map.isPresent(39 * S)).toBe(false);
});

test('slots: taken from any thread that asks, kept over removal, and told when they are used up', () => {
  const map = Memmap.create({ ranges: [], maxPfn: 9 * S, capacitySections: 2, minPfn: 0 });
  map.addMemory(0, 9 * S);
  map.populate(8 * S, 9 * S);
  map.populate(3 * S, 4 * S);
  expect(() => {
    map.populate(0, S);
  }).toThrow(expect.objectContaining({ code: 'ERR_MEMMAP_CAPACITY' }));
  expect(map.isPopulated(0)).toBe(false);
  map.removeMemory(3 * S, 9 * S);
  expect(map.usage().sections).toBe(2);
  map.addMemory(3 * S, 9 * S);
  map.populate(3 * S, 4 * S);
  expect([map.indexOf(8 * S), map.indexOf(3 * S)]).toEqual([-1, S]);
  const again = Memmap.attach(map.toHandle());
  again.populate(8 * S, 9 * S);
  expect([map.pfnOf(0), map.pfnOf(S)]).toEqual([8 * S, 3 * S]);
});

test('owners of ranges that meet inside sections add, use and remove them at the same time', async () => {
  const map = Memmap.create({ ranges: [], minPfn: 0, maxPfn: 64 * S, storage: 'shared' });
  const zoneId = map.defineZone(0, 5);
  const borders = [4 * S, 5 * S + 10 * SUB, 7 * S + 50 * SUB, 7 * S + 51 * SUB, 9 * S];
  const runs = borders.slice(1).map((endPfn, i) =>
    startWorker({
      job: 'own',
      handle: map.toHandle(),
      zoneId,
      pgmap: 100 + i,
      startPfn: borders[i],
      endPfn,
      rounds: 12,
    }),
  );
  expect(await Promise.all(runs.map((run) => run.result))).toEqual([[], [], [], []]);
  await Promise.all(runs.map((run) => run.worker.terminate()));
  expect(map.countInState(4 * S, 9 * S, PageState.DEVICE)).toBe(5 * S);
  expect(borders.slice(0, -1).map((pfn) => map.pgmapIndex(pfn))).toEqual([100, 101, 102, 103]);
  expect(map.usage().sections).toBe(5);
  for (let section = 4; section < 9; section++) {
    expect(map.sectionFlags(section) & SectionFlag.FULL).toBe(SectionFlag.FULL);
  }
}, 60_000);
