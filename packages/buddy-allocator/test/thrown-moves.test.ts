/** Callbacks that throw inside contiguous ranges and compaction: nothing stays isolated, no page is lost. */
import { expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';

const PAGES = 4096;

function half(): { pool: BuddyAllocator; held: Set<number> } {
  const pool = BuddyAllocator.create({ pages: PAGES, data: null });
  const list = Array.from({ length: 1500 }, () => pool.allocOrThrow(0));
  const held = new Set<number>();
  for (const [i, pfn] of list.entries()) {
    if (i % 2 === 0) pool.free(pfn, 0);
    else held.add(pfn);
  }
  return { pool, held };
}

/** Moves like an owner who follows, and throws at the n-th call. */
function throwingMove(held: Set<number>, at: number): (from: number, to: number) => boolean {
  let calls = 0;
  return (from, to) => {
    if (++calls === at) throw new Error('stop');
    held.delete(from);
    held.add(to);
    return true;
  };
}

function expectWhole(pool: BuddyAllocator, held: Set<number>): void {
  for (let pfn = 0; pfn < PAGES; pfn += 512) {
    expect(pool.memmap.pageblocks.isIsolated(pfn)).toBe(false);
  }
  expect(pool.stats().allocatedPages).toBe(held.size);
  for (const pfn of held) pool.free(pfn, 0);
  pool.drain();
  expect(pool.verify()).toEqual([]);
  expect(pool.stats().freePages).toBe(PAGES);
  const whole = Array.from({ length: 4 }, () => pool.allocOrThrow(10));
  expect(whole.sort((a, b) => a - b)).toEqual([0, 1024, 2048, 3072]);
}

test.each([1, 2, 100])('allocContigRange whose callback throws at call %d', (at) => {
  const { pool, held } = half();
  expect(() => pool.allocContigRange(3, 1000, throwingMove(held, at))).toThrow('stop');
  expectWhole(pool, held);
});

test.each([1, 2, 100])('compact whose callback throws at call %d', (at) => {
  const { pool, held } = half();
  expect(() => pool.compact(throwingMove(held, at))).toThrow('stop');
  expectWhole(pool, held);
});

test('compact whose filter throws', () => {
  const { pool, held } = half();
  const filter = (): boolean => {
    throw new Error('stop');
  };
  expect(() => pool.compact(throwingMove(held, 0), filter)).toThrow('stop');
  expectWhole(pool, held);
});
