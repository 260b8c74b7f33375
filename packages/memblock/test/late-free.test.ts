// Memory that is given back late: page by page through `freeLate` (to 7.0), and through `free` once the page
// allocator is there (7.1).
import { expect, test } from '@jest/globals';
import { Memblock } from '../dist/index.js';

const KIB = 1024;

/** Receives single pages; throws at one of them. */
function receiver(throwsAt = -1): {
  pages: number[];
  freePages: (pfn: number, order: number) => void;
} {
  const pages: number[] = [];
  return {
    pages,
    freePages(pfn, order) {
      if (pfn === throwsAt) throw new Error(`page ${pfn} is not ready`);
      expect(order).toBe(0);
      pages.push(pfn);
    },
  };
}

test.each([
  // [0x1800, 0x5800): pages 2, 3, 4 are whole.
  [4 * KIB, 0x1800, 0x4000, [2, 3, 4]],
  [4 * KIB, 0x2000, 0x1000, [2]],
  [4 * KIB, 0x2001, 0x1ffe, []],
  [4 * KIB, 0x2001, 0x1fff, [3]],
  [4 * KIB, 0, 1, []],
  [16 * KIB, 0x1000, 0xb000, [1, 2]],
  [64 * KIB, 0x8000, 0x10000, []],
] as const)('pages of %i bytes: base %i, size %i', (pageSize, base, size, pages) => {
  const memblock = new Memblock({ pageSize });
  memblock.reserve(0, 0x20000);
  const got = receiver();
  expect(memblock.freeLate(base, size, got)).toBe(pages.length);
  expect(got.pages).toEqual(pages);
  expect([...memblock.regions('reserved')]).toMatchObject([{ base: 0, size: 0x20000 }]);
});

test('a receiver that throws ends it where it was; the lists stay, and the rest can be given later', () => {
  const memblock = new Memblock();
  memblock.reserve(0, 0x8000);
  const got = receiver(3);
  expect(() => memblock.freeLate(0, 0x8000, got)).toThrow('page 3 is not ready');
  expect(got.pages).toEqual([0, 1, 2]);
  const rest = receiver();
  expect(memblock.freeLate(0x3000, 0x5000, rest)).toBe(5);
  expect(memblock.regionCount('reserved')).toBe(1);
});

test.each([
  [-1, 4096],
  [0, -4096],
  [0.5, 4096],
  [0, Number.NaN],
  [2 ** 53, 1],
])('base %d, size %d is refused before a page is given', (base, size) => {
  const got = receiver();
  expect(() => new Memblock().freeLate(base, size, got)).toThrow(
    expect.objectContaining({ code: 'ERR_MEMBLOCK_ARGUMENT' }),
  );
  expect(got.pages).toEqual([]);
});

test.each([
  ['7.0', [], 2],
  ['7.1', [[3, 5]], 1],
] as const)(
  'release %s: what `free` does once the page allocator is there',
  (profile, spans, regions) => {
    const memblock = new Memblock({ profile });
    memblock.reserve(0, 0x8000);
    const released: [number, number][] = [];
    memblock.setLateAllocator({
      allocate: () => undefined,
      release: (startPfn, endPfn) => released.push([startPfn, endPfn]),
    });
    // Whole pages only where they go to the allocator; to the byte where the list is cut.
    expect(memblock.free(0x2800, 0x2c00)).toBe(true);
    expect(released).toEqual(spans);
    expect(memblock.regionCount('reserved')).toBe(regions);
  },
);

test('7.1: less than a page gives nothing; an allocator without `release` takes nothing; without one the list is cut', () => {
  const memblock = new Memblock({ profile: '7.1' });
  memblock.reserve(0, 0x8000);
  const released: number[] = [];
  memblock.setLateAllocator({ allocate: () => undefined, release: (pfn) => released.push(pfn) });
  expect(memblock.free(0x2800, 0xfff)).toBe(true);
  expect(released).toEqual([]);
  memblock.setLateAllocator({ allocate: () => undefined });
  expect(memblock.free(0x2000, 0x1000)).toBe(true);
  expect(memblock.regionCount('reserved')).toBe(1);
  memblock.setLateAllocator(undefined);
  expect(memblock.free(0x2000, 0x1000)).toBe(true);
  expect(memblock.regionCount('reserved')).toBe(2);
});
