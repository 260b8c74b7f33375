/** Calls that do several things: what was done when one of them goes wrong. */
import { expect, test } from '@jest/globals';
import { Memmap } from '@bootmem/memmap';

import { BuddyAllocator } from '../dist/index.js';
import { PageAllocator } from '../dist/machine.js';

test('freeBulk says which page was wrong; those before it are free', () => {
  const pool = BuddyAllocator.create({ pages: 64, data: null });
  const list = [pool.allocOrThrow(0), pool.allocOrThrow(0), pool.allocOrThrow(0)];
  const [a, b, c] = list as [number, number, number];
  expect(() => {
    pool.freeBulk([a, a, b]);
  }).toThrow(
    expect.objectContaining({
      code: 'ERR_BUDDY_DOUBLE_FREE',
      details: expect.objectContaining({ index: 1, pfn: a }),
    }),
  );
  pool.freeBulk([b, c]);
  pool.drain();
  expect(pool.stats().freePages).toBe(64);
});

test('a short Int32Array is refused before a page is taken', () => {
  const pool = BuddyAllocator.create({ pages: 64, data: null });
  const out = new Int32Array(4);
  expect(() => pool.allocBulk(10, out)).toThrow(
    expect.objectContaining({ code: 'ERR_BUDDY_ARGUMENT' }),
  );
  expect(pool.stats().allocatedPages).toBe(0);
  expect(pool.allocBulk(4, out)).toBe(4);
  expect(pool.allocBulk(100, new Int32Array(100))).toBe(60);
});

test('a callback that throws in the middle of allocBulk leaves no page behind', () => {
  const pool = BuddyAllocator.create({ pages: 64, data: null });
  pool.onPressure(() => {
    throw new Error('stop');
  });
  expect(() => pool.allocBulk(65, [])).toThrow('stop');
  expect(pool.stats().allocatedPages).toBe(0);
  const out: number[] = [];
  expect(pool.allocBulk(64, out)).toBe(64);
  pool.freeBulk(out);
  pool.drain();
  expect(pool.verify()).toEqual([]);
});

test('zones of a node do not overlap, but for Movable', () => {
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 65536 }] });
  const zone = (name: 'DMA' | 'Normal' | 'Movable', startPfn: number, endPfn: number, nid = 0) => ({
    nid,
    zone: name,
    startPfn,
    endPfn,
    presentPages: 0,
  });
  const make = (...zones: ReturnType<typeof zone>[]): PageAllocator =>
    PageAllocator.create(memmap, zones);
  const refused = expect.objectContaining({ code: 'ERR_BUDDY_ARGUMENT' });
  expect(() => make(zone('DMA', 0, 40000), zone('Normal', 30000, 65536))).toThrow(refused);
  expect(() => make(zone('Normal', 30000, 65536), zone('DMA', 0, 30001))).toThrow(refused);
  expect(() => make(zone('Normal', 0, 100), zone('Normal', 200, 300))).toThrow(refused);
  make(zone('DMA', 0, 30000), zone('Normal', 30000, 65536));
  make(zone('Normal', 0, 65536), zone('Movable', 1024, 2048));
  make(zone('Normal', 0, 40000), zone('Normal', 30000, 65536, 1));
});
