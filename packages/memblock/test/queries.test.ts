/** Questions and walks. */
import { expect, test } from '@jest/globals';
import { Memblock, MemFlags, PHYS_ADDR_MAX } from '@bootmem/memblock';
import { rangesOverlap } from '../dist/parts/queries.js';
import { codeOf, KIB, MIB } from './helpers.js';

function sample(): Memblock {
  const memblock = new Memblock({ maxNodes: 8 });
  memblock.add(0x1000, 0x4000, { nid: 0 });
  memblock.add(0x5000, 0x3000, { nid: 1 });
  memblock.add(0xa000, 0x2000, { nid: 1, flags: MemFlags.NOMAP });
  memblock.add(0xe000, 0x1800);
  memblock.reserve(0x2000, 0x1000);
  memblock.reserve(0x4800, 0x1000);
  return memblock;
}

// |====0====|===1===|    |=NOMAP=|   |==?==|       with |r| at 0x2000 and over the border at 0x5000
test('free ranges forward and reverse, with node and flags', () => {
  const memblock = sample();
  const forward = [...memblock.freeRanges()];
  expect(forward).toEqual([
    { start: 0x1000, end: 0x2000, nid: 0 },
    { start: 0x3000, end: 0x4800, nid: 0 },
    { start: 0x5800, end: 0x8000, nid: 1 },
    { start: 0xe000, end: 0xf800, nid: 8 },
  ]);
  expect([...memblock.freeRanges({ reverse: true })].reverse()).toEqual(forward);
  expect([...memblock.freeRanges({ nid: 1, flags: MemFlags.NOMAP })]).toEqual([
    { start: 0x5800, end: 0x8000, nid: 1 },
    { start: 0xa000, end: 0xc000, nid: 1 },
  ]);
  // A number that is no node means all of them.
  expect([...memblock.freeRanges({ nid: 8 })]).toEqual(forward);
  expect([...memblock.freeRanges({ flags: MemFlags.MIRROR })]).toEqual([]);
});

test('between touching reservations that are not alike lies an empty range', () => {
  const memblock = new Memblock();
  memblock.add(0x1000, 0x4000);
  memblock.reserve(0x2000, 0x1000, { nid: 0 });
  memblock.reserve(0x3000, 0x1000, { nid: 1 });
  const ranges = [...memblock.freeRanges()].map(({ start, end }) => [start, end]);
  expect(ranges).toEqual([
    [0x1000, 0x2000],
    [0x3000, 0x3000],
    [0x4000, 0x5000],
  ]);
});

test('walks over one list', () => {
  const memblock = sample();
  expect([...memblock.memRanges()].map(({ start }) => start)).toEqual([0x1000, 0x5000, 0xe000]);
  expect([...memblock.memRanges({ reverse: true })].map(({ start }) => start)).toEqual([
    0xe000, 0x5000, 0x1000,
  ]);
  expect([...memblock.reservedRanges()].map(({ start }) => start)).toEqual([0x2000, 0x4800]);
  expect([...memblock.reservedRanges({ reverse: true })].map(({ end }) => end)).toEqual([
    0x5800, 0x3000,
  ]);
  const reserved = memblock.rangeCursor('reserved', 'memory', { reverse: true });
  // Only the empty gap between two touching regions of memory lies in a reservation.
  expect(reserved.next() && [reserved.start, reserved.end]).toEqual([0x5000, 0x5000]);
  expect(reserved.next()).toBe(false);
});

test('whole pages, region by region', () => {
  const memblock = sample();
  memblock.add(0x20400, 0x800, { nid: 2 });
  memblock.add(0x30400, 0x1800, { nid: 2 });
  expect([...memblock.pfnRanges()]).toEqual([
    { startPfn: 1, endPfn: 5, nid: 0 },
    { startPfn: 5, endPfn: 8, nid: 1 },
    { startPfn: 0xa, endPfn: 0xc, nid: 1 },
    { startPfn: 0xe, endPfn: 0xf, nid: 8 },
  ]);
  expect([...memblock.pfnRanges({ nid: 1 })]).toHaveLength(2);
  expect(memblock.regionPfns('memory')[4]).toEqual({ startPfn: 0x21, endPfn: 0x20, nid: 2 });
  expect(memblock.regionPfns('reserved')[1]).toEqual({ startPfn: 4, endPfn: 6, nid: -1 });
});

test('points and ranges', () => {
  const memblock = sample();
  expect([0xfff, 0x1000, 0x4fff, 0x8000].map((at) => memblock.isMemory(at))).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect([0x1fff, 0x2000, 0x2fff, 0x3000].map((at) => memblock.isReserved(at))).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect(memblock.isMapMemory(0x1000)).toBe(true);
  expect(memblock.isMapMemory(0xa000)).toBe(false);
  expect(memblock.isMapMemory(0x9000)).toBe(false);
  expect(memblock.isMapMemory(0x90000)).toBe(false);
  expect(memblock.isRegionMemory(0x1000, 0x4000)).toBe(true);
  // Touching regions of two nodes are not one region.
  expect(memblock.isRegionMemory(0x1000, 0x4001)).toBe(false);
  expect(memblock.isRegionMemory(0x90000, 1)).toBe(false);
  expect(memblock.isRegionReserved(0x1000, 0x1000)).toBe(false);
  expect(memblock.isRegionReserved(0x1000, 0x1001)).toBe(true);
  expect(memblock.regionAt('memory', 0x5000)).toEqual({
    base: 0x5000,
    size: 0x3000,
    flags: 0,
    nid: 1,
  });
  expect(memblock.regionAt('memory', 0x9000)).toBeUndefined();
  expect(memblock.regionAt('physmem', 0)).toBeUndefined();
  expect(memblock.startOfDram).toBe(0x1000);
  expect(memblock.endOfDram).toBe(0xf800);
});

// far below, touching, partly, equal, inside, around, far above
test('overlap', () => {
  const memblock = new Memblock();
  memblock.add(0x4000, 0x4000);
  for (const [base, size, want] of [
    [0x1000, 0x1000, false],
    [0x3000, 0x1000, false],
    [0x3000, 0x1001, true],
    [0x4000, 0x4000, true],
    [0x5000, 0x1000, true],
    [0x1000, 0x9000, true],
    [0x7fff, 0x1000, true],
    [0x8000, 0x1000, false],
    [0xa000, 0x1000, false],
    [0x5000, 0, false],
  ] as const) {
    if (size > 0) expect(memblock.overlaps('memory', base, size)).toBe(want);
  }
  expect(rangesOverlap({ base: 0, size: 2 }, { base: 2, size: 1 })).toBe(false);
  expect(rangesOverlap({ base: 0, size: 3 }, { base: 2, size: 1 })).toBe(true);
});

test('the region of a page, rounded down at both ends', () => {
  const memblock = sample();
  expect(memblock.searchPfnNid(5)).toEqual({ nid: 1, startPfn: 5, endPfn: 8 });
  expect(memblock.searchPfnNid(0xe)).toEqual({ nid: 8, startPfn: 0xe, endPfn: 0xf });
  expect(memblock.searchPfnNid(9)).toBeUndefined();
  expect(memblock.searchPfnNid(PHYS_ADDR_MAX)).toBeUndefined();
});

test('coverage by nodes', () => {
  const printed: string[] = [];
  const memblock = new Memblock({ log: (text) => printed.push(text) });
  memblock.add(0, 16 * MIB, { nid: 0 });
  memblock.add(32 * MIB, 4 * MIB);
  memblock.add(64 * MIB + 100, 100);
  expect(memblock.validateNumaCoverage(4 * MIB)).toBe(true);
  expect(memblock.validateNumaCoverage(4 * MIB - 1)).toBe(false);
  expect(printed).toEqual(['NUMA: no nodes coverage for 4MB of 20MB RAM\n']);
});

test('a cursor goes on by index when the lists change under it', () => {
  const memblock = new Memblock();
  memblock.add(0x1000, 0x9000);
  memblock.reserve(0x3000, 0x1000);
  memblock.reserve(0x6000, 0x1000);
  const cursor = memblock.freeRangeCursor();
  const seen: number[][] = [];
  while (cursor.next()) {
    seen.push([cursor.start, cursor.end]);
    // Takes the front half: joins with the reservation before, or is a new one.
    memblock.reserve(cursor.start, (cursor.end - cursor.start) / 2);
  }
  expect(seen).toEqual([
    [0x1000, 0x3000],
    [0x2000, 0x3000],
    [0x4000, 0x6000],
    [0x7000, 0xa000],
  ]);
  const emptied = memblock.freeRangeCursor({ reverse: true });
  expect(emptied.next()).toBe(true);
  memblock.free(0, PHYS_ADDR_MAX);
  expect(emptied.next()).toBe(true);
  memblock.remove(0, PHYS_ADDR_MAX);
  expect(memblock.freeRangeCursor().next()).toBe(false);
  expect(memblock.freeRangeCursor({ reverse: true }).next()).toBe(false);
});

// |==|r|   |====|   the first region ends where the reservation begins, which is then given back
test('a cursor that has left a region keeps its gap', () => {
  const memblock = new Memblock();
  memblock.add(0x1000, 0x2000);
  memblock.add(0x5000, 0x4000);
  memblock.reserve(0x3000, 0x1000);
  const cursor = memblock.freeRangeCursor();
  expect(cursor.next()).toBe(true);
  memblock.free(0x3000, 0x1000);
  expect(cursor.next() && [cursor.start, cursor.end]).toEqual([0x5000, 0x9000]);
  expect(cursor.next()).toBe(false);
});

test('walks over lists of many chunks, both ways, agree with each other', () => {
  const memblock = new Memblock();
  for (let k = 0; k < 700; k++) {
    memblock.add(MIB + k * 64 * KIB, 48 * KIB, { nid: k % 3 });
    memblock.reserve(MIB + k * 64 * KIB + 8 * KIB, 4 * KIB);
    memblock.reserve(MIB + k * 64 * KIB + 40 * KIB, 24 * KIB);
  }
  const forward = [...memblock.freeRanges()];
  expect(forward).toHaveLength(1400);
  expect([...memblock.freeRanges({ reverse: true })].reverse()).toEqual(forward);
  const single = [...memblock.freeRanges({ nid: 2, reverse: true })];
  expect(single).toHaveLength(466);
  expect([...memblock.memRanges({ reverse: true })]).toHaveLength(700);
  memblock.verify();
});

test('a cursor resumes in the middle of many chunks after an edit', () => {
  const memblock = new Memblock();
  memblock.add(MIB, 64 * MIB);
  for (let k = 0; k < 600; k++) memblock.reserve(MIB + k * 64 * KIB, KIB);
  for (const reverse of [false, true]) {
    const cursor = memblock.freeRangeCursor({ reverse });
    for (let k = 0; k < 300; k++) cursor.next();
    const at = cursor.start;
    memblock.addPhysmem(0, 1);
    memblock.reserve(128 * MIB, KIB);
    memblock.free(128 * MIB, KIB);
    expect(cursor.next()).toBe(true);
    expect(cursor.start).toBe(reverse ? at - 64 * KIB : at + 64 * KIB);
  }
});

test('flags of a walk must be bits', () => {
  expect(codeOf(() => sample().freeRangeCursor({ flags: -1 }))).toBe('ERR_MEMBLOCK_ARGUMENT');
});
