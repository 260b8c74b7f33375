// Two threads that free one and the same block in the same instant, over many rounds.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';

import { BuddyAllocator, type BuddyAllocatorOptions } from '../dist/index.js';
import { claimSingles } from '../dist/zone/claim.js';
import { codeOf } from './model/machine.js';

const ROUNDS = 500;
const PAGES = 4096;
const [ROUND, PFN, RESULT, READY] = [0, 1, 2, 3] as const;

interface Case {
  readonly options: BuddyAllocatorOptions;
  readonly order: number;
  /** Pages freed together by `freeExact`; 0: a block by `free`. */
  readonly run: number;
}

/** Runs the rounds. @returns how many frees succeeded in each */
async function race({ options, order, run }: Case): Promise<Map<number, number>> {
  const pool = BuddyAllocator.create({ pages: PAGES, data: null, threads: 2, ...options });
  const words = new Int32Array(new SharedArrayBuffer(16));
  const worker = new Worker(new URL('./workers/double-free.mjs', import.meta.url), {
    workerData: { handle: pool.toHandle(), words, order, run },
  });
  const exit = once(worker, 'exit');
  await once(worker, 'online');
  const counts = new Map<number, number>();
  const attempt = (pfn: number): boolean => {
    if (run === 0) return pool.tryFree(pfn, order) === 'ok';
    return (
      codeOf(() => {
        pool.freeExact(pfn, run);
      }) === 'none'
    );
  };
  for (let round = 1; round <= ROUNDS; round++) {
    const pfn = run === 0 ? pool.allocOrThrow(order) : pool.allocExact(run)!;
    Atomics.store(words, PFN, pfn);
    Atomics.store(words, RESULT, 0);
    while (Atomics.load(words, READY) !== round);
    Atomics.store(words, ROUND, round);
    const mine = attempt(pfn);
    while (Atomics.load(words, RESULT) === 0);
    const freed = Number(mine) + Number(Atomics.load(words, RESULT) === 1);
    counts.set(freed, (counts.get(freed) ?? 0) + 1);
  }
  Atomics.store(words, ROUND, -1);
  await exit;
  pool.drain();
  expect(pool.verify()).toEqual([]);
  expect(pool.stats()).toMatchObject({ freePages: PAGES, cachedPages: 0 });
  return counts;
}

const CASES: readonly (readonly [string, Case])[] = [
  ['blocks that go to the caches', { options: {}, order: 0, run: 0 }],
  ['larger blocks', { options: {}, order: 3, run: 0 }],
  ['blocks that go to the lists', { options: {}, order: 10, run: 0 }],
  ['an allocator without caches', { options: { caches: false }, order: 1, run: 0 }],
  ['runs of pages', { options: {}, order: 0, run: 37 }],
];

test.each(CASES)('%s: in a checked allocator exactly one succeeds', async (_, given) => {
  const options = { ...given.options, checked: true };
  expect(await race({ ...given, options })).toEqual(new Map([[1, ROUNDS]]));
});

test.each(CASES)('%s: otherwise at least one does, and the lists stay sound', async (_, given) => {
  const counts = await race(given);
  expect(counts.get(0)).toBeUndefined();
  expect((counts.get(1) ?? 0) + (counts.get(2) ?? 0)).toBe(ROUNDS);
});

const checked = (options = {}): BuddyAllocator =>
  BuddyAllocator.create({ pages: PAGES, data: null, checked: true, ...options });

test('a checked allocator takes and gives what others do', () => {
  for (const options of [{}, { caches: false }, { poison: true, data: 'shared' as const }]) {
    const pool = checked(options);
    for (let order = 0; order <= 10; order++) {
      const list = Array.from({ length: 3 }, () => pool.alloc(order)).filter(
        (p) => p !== undefined,
      );
      for (const pfn of list) pool.free(pfn, order);
      for (const pfn of list) expect(pool.tryFree(pfn, order)).toBe('ERR_BUDDY_DOUBLE_FREE');
    }
    const run = pool.allocExact(100)!;
    expect(pool.tryFree(run, 1)).toBe('ERR_BUDDY_WRONG_ORDER');
    pool.freeExact(run, 100);
    for (const [pfn, order] of [
      ['5', 0],
      [5, '0'],
    ] as const) {
      expect(pool.tryFree(pfn as never, order as never)).toBe('ERR_BUDDY_ARGUMENT');
    }
    expect(pool.allocContigRange(1024, 2048)).toBe(true);
    pool.freeExact(1024, 1024);
    pool.drain();
    expect(pool.verify()).toEqual([]);
    expect(pool.stats().freePages).toBe(PAGES);
  }
});

test('a claim that is lost leaves the block to the other thread, wherever it comes from', () => {
  for (const caches of [true, false]) {
    const pool = checked({ caches });
    const { state } = pool.memmap.columns();
    for (const order of [0, 4, 10]) {
      const pfn = pool.allocOrThrow(order);
      const seen = state[pfn]!;
      const { compareExchange } = Atomics;
      // The other thread comes in between: freed, and allocated again by a third.
      Atomics.compareExchange = ((words: Uint8Array, at: number, ...values: [number, number]) =>
        at === pfn && words === state
          ? seen ^ 0xff
          : compareExchange(words, at, ...values)) as never;
      try {
        expect(pool.tryFree(pfn, order)).toBe('ERR_BUDDY_DOUBLE_FREE');
      } finally {
        Atomics.compareExchange = compareExchange;
      }
      expect(state[pfn]).toBe(seen);
      expect(pool.verify()).toEqual([]);
      pool.free(pfn, order);
    }
  }
});

test('of a run in which one page is not its own, nothing is claimed', () => {
  const pool = checked();
  const run = pool.allocExact(10)!;
  pool.free(run + 7, 0);
  expect(claimSingles(pool.zone, run, run + 10)).toBe(run + 7);
  expect(pool.verify()).toEqual([]);
  expect(
    codeOf(() => {
      pool.freeExact(run, 10);
    }),
  ).toBe('ERR_BUDDY_DOUBLE_FREE');
  pool.freeExact(run, 7);
  pool.freeExact(run + 8, 2);
  pool.drain();
  expect(pool.stats().freePages).toBe(PAGES);
});

test('a block that is freed while an older entry of it goes back is freed once', () => {
  const pool = BuddyAllocator.create({ pages: PAGES, data: null, threads: 2 });
  const other = BuddyAllocator.attach(pool.toHandle());
  const { state } = pool.memmap.columns();
  const block = pool.allocOrThrow(3);
  const before = state[block]!;
  // Each time the other thread saw the byte that this one had not changed yet: its cache fills with one block.
  for (let i = 0; i < 200; i++) {
    state[block] = before;
    if (other.tryFree(block, 3) !== 'ok') break;
  }
  pool.drain();
  other.drain();
  expect(pool.verify()).toEqual([]);
  expect(pool.stats()).toMatchObject({ freePages: PAGES, cachedPages: 0 });
});
