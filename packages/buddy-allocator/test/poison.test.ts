/** Poison: no false alarm, whatever free memory has been through; an alarm costs no page. */
import { expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';

const make = (pages: number): BuddyAllocator =>
  BuddyAllocator.create({ pages, pageSize: 256, poison: true });

/** Everything can be allocated, page by page, without an alarm. */
function expectQuiet(pool: BuddyAllocator, free = pool.stats().pages): void {
  let got = 0;
  while (pool.alloc(0) !== undefined) got++;
  expect(got).toBe(free);
  pool.drain();
  expect(pool.verify()).toEqual([]);
}

test.each([0, 3, 9])('a used block of order %d merges with memory that never was', (order) => {
  const pool = make(1024);
  pool.free(pool.allocOrThrow(order), order);
  pool.drain();
  expect(pool.alloc(10)).toBe(0);
});

test('a run over used and new memory', () => {
  const pool = make(1024);
  const first = pool.allocOrThrow(0);
  pool.allocOrThrow(0);
  pool.free(first, 0);
  pool.drain();
  const run = pool.allocRange({ pages: 100 })!;
  pool.view(run, 0, Uint8Array).fill(1);
  pool.freeExact(run, 100);
  expectQuiet(pool, 1023);
});

test('after compaction, with moved, refused and thrown-out blocks', () => {
  const pool = make(4096);
  const list = Array.from({ length: 1500 }, () => pool.allocOrThrow(0));
  for (const pfn of list) pool.view(pfn, 0, Uint8Array).fill(1);
  for (let i = 0; i < list.length; i += 2) pool.free(list[i]!, 0);
  let calls = 0;
  const move = (from: number, to: number, pages: number): boolean => {
    pool.viewPages(to, pages, Uint8Array).set(pool.viewPages(from, pages, Uint8Array));
    calls++;
    if (calls === 20) throw new Error('stop');
    return calls % 3 !== 0;
  };
  expect(() => pool.compact(move)).toThrow('stop');
  expect(pool.compact(move).moved).toBeGreaterThan(0);
  expectQuiet(pool, 4096 - 750);
});

test('after a contiguous range that was emptied by moving', () => {
  const pool = make(4096);
  for (let i = 0; i < 300; i++) pool.view(pool.allocOrThrow(0), 0, Uint8Array).fill(1);
  const copy = (from: number, to: number, pages: number): boolean => {
    pool.viewPages(to, pages, Uint8Array).set(pool.viewPages(from, pages, Uint8Array));
    return true;
  };
  expect(pool.allocContigRange(0, 200, copy)).toBe(true);
  pool.viewPages(0, 200, Uint8Array).fill(2);
  pool.freeExact(0, 200);
  expectQuiet(pool, 4096 - 300);
});

test('zeroed memory is zero although free memory is not', () => {
  const pool = make(64);
  const pfn = pool.allocOrThrow(2, { zero: true });
  expect(pool.view(pfn, 2, Uint8Array).every((byte) => byte === 0)).toBe(true);
});

test('memory that came later is filled as well; a snapshot keeps it', () => {
  const pool = BuddyAllocator.create({ pages: 64, maxPages: 128, pageSize: 256, poison: true });
  pool.free(pool.allocOrThrow(3), 3);
  expect(pool.grow(64)).toBe(64);
  expectQuiet(BuddyAllocator.restore(pool.snapshot()), 128);
  expectQuiet(BuddyAllocator.restore(pool.snapshot({ data: false })), 128);
  expectQuiet(pool, 128);
});

test.each(['a block', 'a run'])('an alarm about %s is raised once and costs no page', (kind) => {
  const pool = make(64);
  const pfn = pool.allocOrThrow(0);
  const view = pool.view(pfn, 0, Uint8Array);
  pool.free(pfn, 0);
  pool.drain();
  view[9] = 1;
  const take = (): unknown => (kind === 'a run' ? pool.allocRange({ pages: 64 }) : pool.alloc(6));
  expect(take).toThrow(expect.objectContaining({ code: 'ERR_BUDDY_POISON' }));
  expect(pool.stats().allocatedPages).toBe(0);
  expectQuiet(pool, 64);
});
