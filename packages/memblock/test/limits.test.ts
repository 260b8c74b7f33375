/** Trimming, limits, hand-over and named reservations. */
import { expect, test } from '@jest/globals';
import { coverWithBlocks, Memblock, MemFlags, PHYS_ADDR_MAX } from '@bootmem/memblock';
import { parseMemorySize, RESERVATION_ERRNO } from '../dist/parts/named.js';
import { Random } from '../../../tools/kit/random.mjs';
import { codeOf, GIB, KIB, MIB, spans } from './helpers.js';

test('trimming: aligned stays, unaligned shrinks inward, too small goes', () => {
  const memblock = new Memblock();
  memblock.add(0x1000, 0x1000);
  memblock.trimMemory(0x1000);
  expect(spans(memblock.regions('memory'))).toEqual(['1000-2000']);
  memblock.add(0x3800, 0x1800);
  memblock.add(0x6000, 0x1800);
  memblock.add(0x8800, 0x400);
  memblock.trimMemory(0x1000);
  expect(spans(memblock.regions('memory'))).toEqual(['1000-2000', '4000-5000', '6000-7000']);
  // The kernel lowers its total only for what has gone entirely.
  expect(memblock.physMemSize).toBe(0x1000 + 0x1800 + 0x1800);
  memblock.verify();
  memblock.remove(0x4000, 0x1000);
  memblock.verify();
});

test('a list that becomes empty with a wrong total warns, and again when it is filled', () => {
  const heard: string[] = [];
  const memblock = new Memblock({ warn: ({ kind }) => heard.push(kind) });
  memblock.add(0x1000, 0x1800);
  memblock.trimMemory(0x1000);
  memblock.remove(0, PHYS_ADDR_MAX);
  expect(memblock.physMemSize).toBe(0x800);
  memblock.add(0x1000, 0x1000);
  expect(memblock.physMemSize).toBe(0x1000);
  expect(heard).toEqual(['total-mismatch', 'total-mismatch']);
  memblock.verify();
});

test('a region in the last page is trimmed away', () => {
  const memblock = new Memblock();
  memblock.add(PHYS_ADDR_MAX - 100, 50);
  memblock.trimMemory(0x1000);
  expect(memblock.regions('memory')).toEqual([]);
});

function banks(): Memblock {
  const memblock = new Memblock();
  memblock.add(MIB, 4 * MIB);
  memblock.add(8 * MIB, 4 * MIB);
  memblock.add(16 * MIB, 4 * MIB, { flags: MemFlags.NOMAP });
  memblock.reserve(2 * MIB, KIB);
  memblock.reserve(10 * MIB, 8 * MIB);
  return memblock;
}

test('a memory limit counts bytes of RAM and cuts both lists', () => {
  const memblock = banks();
  memblock.enforceMemoryLimit(6 * MIB);
  expect(spans(memblock.regions('memory'))).toEqual(['100000-500000', '800000-a00000']);
  expect(spans(memblock.regions('reserved'))).toEqual(['200000-200400']);
  for (const limit of [0, 100 * MIB]) {
    const same = banks();
    same.enforceMemoryLimit(limit);
    same.memLimitRemoveMap(limit);
    expect(same.toState()).toEqual(banks().toState());
  }
});

test('capping keeps a range, and unmapped memory wherever it is', () => {
  const memblock = banks();
  memblock.capMemoryRange(3 * MIB, 6 * MIB);
  expect(spans(memblock.regions('memory'))).toEqual([
    '300000-500000',
    '800000-900000',
    '1000000-1400000',
  ]);
  expect(spans(memblock.regions('reserved'))).toEqual([]);
  memblock.verify();
  const limited = banks();
  limited.memLimitRemoveMap(5 * MIB);
  expect(spans(limited.regions('memory'))).toEqual([
    '100000-500000',
    '800000-900000',
    '1000000-1400000',
  ]);
});

test('an unmapped region across the border is split and stays so', () => {
  const memblock = banks();
  memblock.capMemoryRange(0, 18 * MIB);
  expect(spans(memblock.regions('memory')).slice(2)).toEqual([
    '1000000-1200000',
    '1200000-1400000',
  ]);
  memblock.verify();
});

test('capping nothing, or everything', () => {
  const printed: string[] = [];
  const empty = new Memblock({ log: (text) => printed.push(text) });
  empty.capMemoryRange(0, MIB);
  expect(printed).toEqual(['memblock_cap_memory_range: No memory registered yet\n']);
  const memblock = banks();
  memblock.capMemoryRange(MIB, 0);
  memblock.capMemoryRange(0, 64 * MIB);
  expect(memblock.regionCount('memory')).toBe(3);
  memblock.clear(0, PHYS_ADDR_MAX, MemFlags.NOMAP);
  memblock.capMemoryRange(64 * MIB, MIB);
  expect(memblock.regionCount('memory')).toBe(0);
});

test('the greedy cover is the maximal aligned one', () => {
  const random = new Random(7);
  expect(coverWithBlocks(5, 5, 10, () => undefined)).toBe(0);
  expect(coverWithBlocks(9, 5, 10, () => undefined)).toBe(0);
  for (let round = 0; round < 200; round++) {
    const start = random.below(5000);
    const end = start + random.below(5000);
    const blocks: number[][] = [];
    expect(coverWithBlocks(start, end, 10, (pfn, order) => blocks.push([pfn, order]))).toBe(
      end - start,
    );
    let at = start;
    for (const [pfn, order] of blocks as [number, number][]) {
      expect(pfn).toBe(at);
      const larger = 2 ** (order + 1);
      const fits = order < 10 && pfn % larger === 0 && pfn + larger <= end;
      expect(pfn % 2 ** order === 0 && !fits).toBe(true);
      at += 2 ** order;
    }
    expect(at).toBe(end);
  }
});

test('hand-over: nodes of reservations, reserved ranges, free blocks', () => {
  const memblock = new Memblock({ maxNodes: 16 });
  memblock.add(0x1000, 0x7000, { nid: 1 });
  memblock.add(0x8000, 0x4000, { nid: 2, flags: MemFlags.HOTPLUG });
  memblock.add(0xc000, 0x2000, { nid: 3, flags: MemFlags.NOMAP });
  memblock.reserve(0x6800, 0x2000);
  memblock.reserve(0x20000, 0x1000);
  memblock.reserve(0x3000, 0x1000);
  memblock.mark(0x3000, 0x1000, MemFlags.RSRV_NOINIT);
  const blocks: number[][] = [];
  const reserved: number[][] = [];
  const pages = memblock.releaseFreeRanges({
    freePages: (pfn, order) => blocks.push([pfn, order]),
    reserveRange: (start, end, nid) => reserved.push([start, end, nid]),
  });
  expect(blocks).toEqual([
    [1, 0],
    [2, 0],
    [4, 1],
    [9, 0],
    [10, 1],
  ]);
  expect(pages).toBe(7);
  expect(reserved).toEqual([
    [0xc000, 0xe000, 3],
    [0x6800, 0x8000, 1],
    [0x8000, 0x8800, 2],
    [0x20000, 0x21000, 0],
  ]);
  // Nothing is marked as removable any more.
  expect(memblock.regions('memory')[1]!.flags).toBe(0);
  memblock.verify();
});

// node 0: |rr| ...... |RRRR     node 1: RRRRRRRR|     R lies over the border and is split there
test('hand-over: an array that grows while nodes are set gets its node, too', () => {
  const memblock = new Memblock({ capacity: { reserved: 4, resizable: true } });
  memblock.add(MIB, MIB, { nid: 0 });
  memblock.add(2 * MIB, MIB, { nid: 1 });
  memblock.reserve(MIB, 4096);
  memblock.reserve(1.5 * MIB, 1.5 * MIB);
  memblock.releaseFreeRanges({ freePages: () => undefined });
  expect(memblock.arrayCapacity('reserved')).toBe(8);
  // Its new home lies before the region whose node was being set.
  expect(memblock.regionAt('reserved', 1.5 * MIB - 1)).toMatchObject({
    base: 1.5 * MIB - 4096,
    nid: 0,
  });
});

test('hand-over: limits, and a look-up of nodes of its own', () => {
  const memblock = new Memblock();
  memblock.add(0x1000, 0xf000);
  memblock.reserve(0x100000, 0x1000);
  const blocks: number[][] = [];
  const nodes: number[] = [];
  const receiver = {
    freePages: (pfn: number, order: number) => blocks.push([pfn, order]),
    reserveRange: (_start: number, _end: number, nid: number) => nodes.push(nid),
  };
  const pages = memblock.releaseFreeRanges(receiver, {
    maxLowPfn: 6,
    maxOrder: 1,
    nodeOfPfn: (pfn) => pfn,
  });
  expect(blocks).toEqual([
    [1, 0],
    [2, 1],
    [4, 1],
  ]);
  expect(pages).toBe(5);
  expect(nodes).toEqual([0x100]);
  for (const maxOrder of [-1, 53, 0.5]) {
    expect(codeOf(() => memblock.releaseFreeRanges(receiver, { maxOrder }))).toBe(
      'ERR_MEMBLOCK_ARGUMENT',
    );
  }
  expect(memblock.releaseFreeRanges({ freePages: () => undefined })).toBe(15);
});

test('a page that memory and a reservation share is never handed over', () => {
  const memblock = new Memblock();
  memblock.add(0x1000, 0x3000);
  memblock.reserve(0x1800, 0x1000);
  expect(memblock.releaseFreeRanges({ freePages: () => undefined })).toBe(1);
});

test('late free: single pages, the lists stay', () => {
  const lines: string[] = [];
  const memblock = new Memblock({ debug: true, log: (text) => lines.push(text) });
  memblock.reserve(0x1000, 0x3000);
  lines.length = 0;
  const pages: number[] = [];
  const receiver = { freePages: (pfn: number) => pages.push(pfn) };
  expect(memblock.freeLate(0x1800, 0x2800, receiver)).toBe(2);
  expect(memblock.freeLate(0x1800, 0x100, receiver)).toBe(0);
  expect(pages).toEqual([2, 3]);
  expect(memblock.regionCount('reserved')).toBe(1);
  expect(lines[0]).toBe('memblock_free_late: [0x0000000000001800-0x0000000000003fff] <caller>\n');
});

test('named reservations: made, found, refused', () => {
  const memblock = new Memblock();
  memblock.add(MIB, 64 * MIB);
  const errno = (parameter: string): unknown => {
    try {
      return memblock.reserveMem(parameter);
    } catch (error) {
      return (error as { details: Record<string, unknown> }).details['errno'];
    }
  };
  const made = memblock.reserveMem('2M:4096:trace');
  expect(made).toEqual({ name: 'trace', start: 63 * MIB, size: 2 * MIB });
  expect(memblock.findReservation('trace')).toEqual(made);
  expect(memblock.findReservation('other')).toBeUndefined();
  for (const bad of ['', '2M', ':4096:x', '0:4096:x', '2M:4096', '2M:4096:', '2M:4096:   ']) {
    expect(errno(bad)).toBe(RESERVATION_ERRNO.EINVAL);
  }
  expect(errno('2M:4096:sixteen_chars_xx')).toBe(RESERVATION_ERRNO.EINVAL);
  expect(errno('2M:4096:trace')).toBe(RESERVATION_ERRNO.EBUSY);
  expect(errno('1G:4096:big')).toBeUndefined();
  // An alignment below the cache line, or none, is the cache line.
  expect(memblock.reserveMem('100::small')!.start % 64).toBe(0);
  for (let k = 2; k < 8; k++) memblock.reserveMem(`4096:0:n${k}`);
  expect(errno('4096:0:n8')).toBe(RESERVATION_ERRNO.EBUSY);
  expect(memblock.namedReservations()).toHaveLength(8);
});

test('releasing a named reservation: its pages, once; the slot is not used again', () => {
  for (const [profile, pages] of [
    ['7.1', 256],
    ['6.19', 255],
  ] as const) {
    const memblock = new Memblock({ profile });
    memblock.add(MIB, 64 * MIB, { nid: 4 });
    const { start } = memblock.reserveMem('1M:1M:area')!;
    const startPfn = start / 4096;
    expect(memblock.releaseReservation('area')).toEqual({
      startPfn,
      endPfn: startPfn + pages,
      nid: 4,
    });
    expect(memblock.releaseReservation('area')).toBeUndefined();
    expect(memblock.findReservation('area')).toBeUndefined();
    expect(memblock.namedReservations()).toEqual([{ name: 'area', start, size: 0 }]);
  }
});

test('named reservations: revived records and messages', () => {
  const printed: string[] = [];
  const memblock = new Memblock({ log: (text) => printed.push(text), debug: true });
  memblock.add(MIB, 4 * MIB);
  printed.length = 0;
  const revive = [
    { name: 'log', start: 2 * MIB + 64, size: MIB },
    { name: 'log', start: 2 * MIB, size: MIB },
  ];
  expect(memblock.reserveMem('1M:4096:log', { revive })!.start).toBe(2 * MIB);
  expect(memblock.reserveMem('1G:4096:big', { revive })).toBeUndefined();
  expect(codeOf(() => memblock.reserveMem('nonsense'))).toBe('ERR_MEMBLOCK_RESERVATION');
  expect(printed).toEqual([
    "Revived memory reservation 'log' from KHO\n",
    'memblock_phys_alloc_range: 1073741824 bytes align=0x1000 from=0x0000000000000000 max_addr=0x0000000000000000 <caller>\n',
    'reserve_mem: memblock allocation failed\n',
    'reserve_mem: empty or malformed parameter\n',
  ]);
  const old = new Memblock({ log: (text) => printed.push(text), profile: '6.12' });
  printed.length = 0;
  expect(old.reserveMem('1M:4096:log')).toBeUndefined();
  expect(codeOf(() => old.reserveMem('nonsense'))).toBe('ERR_MEMBLOCK_RESERVATION');
  expect(printed).toEqual([]);
});

test('numbers with suffixes', () => {
  expect(parseMemorySize('64k:')).toEqual({ value: 64 * KIB, length: 3 });
  expect(parseMemorySize('0x10M')).toEqual({ value: 16 * MIB, length: 5 });
  expect(parseMemorySize('010')).toEqual({ value: 8, length: 3 });
  expect(parseMemorySize('0')).toEqual({ value: 0, length: 1 });
  expect(parseMemorySize('2g')).toEqual({ value: 2 * GIB, length: 2 });
  expect(parseMemorySize('1E')).toEqual({ value: PHYS_ADDR_MAX, length: 2 });
  expect(parseMemorySize('x')).toEqual({ value: 0, length: 0 });
});
