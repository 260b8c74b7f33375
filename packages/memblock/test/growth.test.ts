/** The simulated arrays: they lie in the memory they describe, and move when they are full. */
import { expect, test } from '@jest/globals';
import { Memblock, MemFlags } from '@bootmem/memblock';
import { codeOf, MIB, spans } from './helpers.js';

const capacity = { resizable: true };

function filled(options: ConstructorParameters<typeof Memblock>[0] = {}): Memblock {
  const memblock = new Memblock({ capacity, ...options });
  memblock.add(MIB, 256 * MIB);
  for (let k = 0; k < 128; k++) memblock.reserve(2 * MIB + k * 0x4000, 0x1000);
  return memblock;
}

test('the 129th reservation doubles the array, which is then reserved itself', () => {
  const memblock = filled();
  expect(memblock.regionCount('reserved')).toBe(128);
  memblock.reserve(2 * MIB + 128 * 0x4000, 0x1000);
  expect(memblock.arrayCapacity('reserved')).toBe(256);
  expect(memblock.regionCount('reserved')).toBe(130);
  const array = memblock.regionAt('reserved', 257 * MIB - 0x2000);
  expect(array).toEqual({
    base: 257 * MIB - 0x2000,
    size: 0x2000,
    flags: MemFlags.RSRV_KERN,
    nid: -1,
  });
  expect(memblock.reserve(2 * MIB + 129 * 0x4000, 0x1000)).toBe(true);
  memblock.verify();
});

test('wherever the new reservation lies among 129, all are there afterwards', () => {
  for (let skipped = 0; skipped <= 128; skipped++) {
    const memblock = new Memblock({ capacity });
    memblock.add(MIB, 256 * MIB);
    const base = (k: number): number => 2 * MIB + k * 0x4000;
    for (let k = 0; k <= 128; k++) if (k !== skipped) memblock.reserve(base(k), 0x1000);
    memblock.reserve(base(skipped), 0x1000);
    expect(memblock.regionCount('reserved')).toBe(130);
    for (let k = 0; k <= 128; k++) expect(memblock.isRegionReserved(base(k), 0x1000)).toBe(true);
    memblock.verify();
  }
});

test('the new array never lies in the range that is being reserved', () => {
  const memblock = new Memblock({ capacity });
  memblock.add(MIB, 4 * MIB);
  memblock.add(100 * MIB, 0x8000);
  for (let k = 0; k < 128; k++) memblock.reserve(MIB + k * 0x4000, 0x1000);
  // The top of memory is what a search would find first.
  memblock.reserve(100 * MIB, 0x8000);
  const arrays = memblock.regions('reserved').filter(({ flags }) => flags === MemFlags.RSRV_KERN);
  expect(arrays).toHaveLength(1);
  expect(arrays[0]!.base).toBeLessThan(100 * MIB);
  memblock.verify();
});

test('above the range is tried first, below it only then', () => {
  const memblock = filled();
  memblock.reserve(100 * MIB, 0x1000);
  expect(memblock.regions('reserved').at(-1)!.base).toBe(257 * MIB - 0x2000);
});

test('growing again gives the array before back and keeps the first', () => {
  const memblock = filled();
  for (let k = 0; k < 400; k++) memblock.reserve(64 * MIB + k * 0x4000, 0x1000);
  expect(memblock.arrayCapacity('reserved')).toBe(1024);
  const arrays = memblock.regions('reserved').filter(({ flags }) => flags === MemFlags.RSRV_KERN);
  // 1024 entries of 24 bytes are 6 pages.
  expect(arrays.map(({ size }) => size)).toEqual([0x6000]);
  expect(memblock.discardedArrays()).toEqual([
    { startPfn: arrays[0]!.base / 4096, endPfn: arrays[0]!.base / 4096 + 6, nid: 1024 },
  ]);
  memblock.verify();
});

test('growing memory can grow reserved in turn', () => {
  const memblock = new Memblock({ capacity: { memory: 4, reserved: 2, resizable: true } });
  memblock.add(MIB, MIB);
  memblock.reserve(MIB, 0x1000);
  memblock.reserve(MIB + 0x4000, 0x1000);
  for (let k = 1; k < 5; k++) memblock.add(MIB * 4 * k, 0x1000);
  expect(memblock.arrayCapacity('memory')).toBe(8);
  expect(memblock.arrayCapacity('reserved')).toBeGreaterThan(2);
  expect(memblock.discardedArrays()).toHaveLength(2);
  memblock.verify();
});

test('setting a node in the middle may grow the array and is exact', () => {
  const memblock = new Memblock({ capacity });
  memblock.add(MIB, 64 * MIB);
  for (let k = 0; k < 126; k++) memblock.add(128 * MIB + k * 0x4000, 0x2000);
  memblock.setNode(128 * MIB + 0x400, 0x800, 'memory', 3);
  expect(memblock.arrayCapacity('memory')).toBe(256);
  expect(memblock.regionAt('memory', 128 * MIB + 0x400)).toMatchObject({
    base: 128 * MIB + 0x400,
    size: 0x800,
    nid: 3,
  });
  memblock.verify();
});

test('before growth is allowed the kernel panics, or fails up to 6.5', () => {
  const printed: string[] = [];
  const log = (text: string): void => {
    printed.push(text);
  };
  const memblock = filled({ capacity: {}, log });
  const before = memblock.toState();
  expect(codeOf(() => memblock.reserve(MIB * 40, 0x1000))).toBe('ERR_MEMBLOCK_RESIZE_FORBIDDEN');
  expect(printed).toEqual(['memblock: cannot resize reserved array\n']);
  expect(memblock.toState()).toEqual(before);
  memblock.allowResize();
  expect(memblock.reserve(MIB * 40, 0x1000)).toBe(true);
  const old = filled({ capacity: {}, profile: '6.1' });
  expect(old.reserve(MIB * 40, 0x1000)).toBe(false);
});

test('without room for the new array nothing is reserved and a line is printed', () => {
  const printed: string[] = [];
  const memblock = new Memblock({
    capacity: { reserved: 2, resizable: true },
    log: (text) => printed.push(text),
  });
  memblock.reserve(0x1000, 0x1000);
  memblock.reserve(0x3000, 0x1000);
  expect(memblock.reserve(0x5000, 0x1000)).toBe(false);
  expect(memblock.free(0x1000, 0x800)).toBe(false);
  expect(memblock.mark(0x1000, 0x800, MemFlags.RSRV_NOINIT)).toBe(false);
  expect(memblock.alloc(0x1000)).toBeUndefined();
  expect(spans(memblock.regions('reserved'))).toEqual(['1000-2000', '3000-4000']);
  expect(printed[0]).toBe('memblock: Failed to double reserved array from 2 to 4 entries !\n');
});

test('an allocation whose reservation cannot grow the array fails', () => {
  const memblock = new Memblock({ capacity: { reserved: 2, resizable: true } });
  // Room for the allocation, none for a page of entries.
  memblock.add(0x10000, 0x800);
  memblock.reserve(0x1000, 0x1000);
  memblock.reserve(0x3000, 0x1000);
  expect(memblock.alloc(0x100)).toBeUndefined();
  expect(memblock.allocNode(0x100, 3)).toBeUndefined();
  memblock.capMemoryRange(0x10000, 0x100);
  expect(memblock.regions('memory')).toHaveLength(1);
});

test('a grown memory array that cannot be reserved ends the object', () => {
  const memblock = new Memblock({ capacity: { memory: 2, reserved: 2, resizable: true } });
  memblock.add(MIB, 0x1000);
  memblock.reserve(0x1000, 0x1000);
  memblock.reserve(0x3000, 0x1000);
  memblock.add(2 * MIB, 0x800);
  // The only whole page becomes the new array of memory; then reserved must grow, and cannot.
  expect(codeOf(() => memblock.add(3 * MIB, 0x800))).toBe('ERR_MEMBLOCK_INVARIANT');
  expect(codeOf(() => memblock.add(MIB, 1))).toBe('ERR_MEMBLOCK_INVARIANT');
  expect(
    codeOf(() => {
      memblock.verify();
    }),
  ).toBe('ERR_MEMBLOCK_INVARIANT');
});

test('a grown array is accepted before use where the release does so', () => {
  const accepted: [number, number][] = [];
  const accept = (base: number, size: number): void => {
    accepted.push([base, size]);
  };
  filled({ accept }).reserve(MIB * 40, 0x1000);
  expect(accepted).toEqual([[257 * MIB - 0x2000, 0x2000]]);
  accepted.length = 0;
  filled({ accept, profile: '6.12' }).reserve(MIB * 40, 0x1000);
  expect(accepted).toEqual([]);
});

test('mirrored memory is taken for arrays first', () => {
  const printed: string[] = [];
  const memblock = new Memblock({
    capacity: { reserved: 2, resizable: true },
    mirroredKernelcore: true,
    log: (text) => printed.push(text),
  });
  memblock.add(MIB, MIB);
  memblock.mark(MIB, 0x1000, MemFlags.MIRROR);
  memblock.reserve(0x1000, 0x1000);
  memblock.reserve(0x3000, 0x1000);
  memblock.reserve(0x5000, 0x1000);
  expect(memblock.isReserved(MIB)).toBe(true);
  // The second time nothing mirrored is left.
  for (let k = 0; k < 4; k++) memblock.reserve(0x7000 + k * 0x2000, 0x1000);
  expect(printed[0]).toBe('Could not allocate 0x0000000000001000 bytes of mirrored memory\n');
});

test('once the slab allocator is up it serves allocations and arrays', () => {
  const heard: string[] = [];
  const released: number[][] = [];
  let next = 0x900000;
  for (const profile of ['7.1', '6.19'] as const) {
    const memblock = new Memblock({
      profile,
      capacity: { reserved: 2, resizable: true },
      warn: ({ kind }) => heard.push(kind),
    });
    memblock.add(MIB, MIB);
    memblock.reserve(MIB, 0x1000);
    memblock.reserve(MIB + 0x4000, 0x1000);
    memblock.reserve(MIB + 0x8000, 0x1000);
    expect(memblock.discardedArrays()).toHaveLength(1);
    const before = memblock.regions('reserved');
    memblock.setLateAllocator({
      allocate: (size) => (size > MIB ? undefined : (next += size)),
      release: (startPfn, endPfn) => released.push([startPfn, endPfn]),
    });
    expect(memblock.alloc(64)).toBe(next);
    expect(memblock.allocNode(2 * MIB, 0)).toBeUndefined();
    expect(memblock.regions('reserved')).toEqual(before);
    memblock.free(MIB + 0x800, 0x10);
    memblock.free(MIB + 0x4000, 0x1000);
    expect(memblock.isReserved(MIB + 0x4000)).toBe(profile === '7.1');
    // The array in memblock's own memory is given back when the next comes from elsewhere.
    for (let k = 0; k < 4; k++) memblock.reserve(MIB + 0x10000 + k * 0x4000, 0x1000);
    expect(memblock.discardedArrays()).toEqual([]);
    memblock.verify();
    memblock.setLateAllocator({ allocate: () => undefined });
    const grow = (): boolean[] =>
      Array.from({ length: 20 }, (_item, k) => memblock.reserve(MIB + 0x80000 + k * 0x2000, 1));
    expect(grow()).toContain(false);
  }
  expect(new Set(heard)).toEqual(new Set(['late-allocation']));
  expect(released.slice(0, 1)).toEqual([[0x104, 0x105]]);
});
