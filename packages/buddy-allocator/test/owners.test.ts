// Owners of blocks: who has what, and all of it back at once.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';

import { Random } from '../../../tools/kit/random.mjs';
import { BuddyAllocator } from '../dist/index.js';
import { codeOf } from './model/machine.js';

const create = (options = {}): BuddyAllocator =>
  BuddyAllocator.create({ pages: 4096, data: null, owners: true, ...options });

function expectAllFree(pool: BuddyAllocator): void {
  pool.drain();
  expect(pool.verify()).toEqual([]);
  expect(pool.stats()).toMatchObject({ freePages: 4096, largestFreeOrder: 10 });
}

test.each([{}, { caches: false }, { checked: true }])(
  'blocks of every kind have the owner of the request, or of the thread: %j',
  (options) => {
    const pool = create({ ...options, owner: 3 });
    const other = BuddyAllocator.attach(pool.toHandle(), { owner: 8 });
    for (let i = 0; i < 5; i++) pool.alloc(0);
    pool.alloc(2, { owner: 5 });
    other.alloc(9);
    other.allocExact(37);
    other.allocRange({ pages: 11, topDown: true, owner: 5 });
    other.allocBulk(4, [], { owner: 6 });
    expect(other.allocContigRange(2048, 2100)).toBe(true);
    expect(pool.owners()).toEqual([
      { owner: 3, blocks: 5, pages: 5 },
      { owner: 5, blocks: 12, pages: 15 },
      { owner: 6, blocks: 4, pages: 4 },
      { owner: 8, blocks: 90, pages: 601 },
    ]);
    expect([pool.freeAllOf(5), pool.freeAllOf(5), other.freeAllOf(8)]).toEqual([15, 0, 601]);
    expect(pool.owners().map(({ owner }) => owner)).toEqual([3, 6]);
    expect(pool.freeAllOf(3) + pool.freeAllOf(6)).toBe(9);
    other.close();
    expectAllFree(pool);
  },
);

test('walk tells owners; a block that moves keeps its owner, one that goes to somebody else gets another', () => {
  const pool = create();
  const seen = new Map<number, number>();
  const taken = Array.from({ length: 600 }, (_, i) => pool.allocOrThrow(0, { owner: 1 + (i % 3) }));
  for (const pfn of taken) if (pfn % 2 === 0) pool.free(pfn, 0);
  pool.drain();
  const before = pool.owners();
  expect(pool.compact(() => true).moved).toBeGreaterThan(0);
  expect(pool.owners()).toEqual(before);
  pool.walk((pfn, order, state, owner) => {
    if (state === 'allocated') seen.set(pfn, owner);
    else expect(owner).toBe(0);
  });
  expect([...seen.values()].sort()[0]).toBe(1);
  const [pfn, owner] = [...seen][0]!;
  pool.setOwner(pfn, 0, 77);
  expect(pool.freeAllOf(77)).toBe(1);
  expect(
    codeOf(() => {
      pool.setOwner(pfn, 0, 1);
    }),
  ).toBe('ERR_BUDDY_DOUBLE_FREE');
  expect(
    codeOf(() => {
      pool.setOwner([...seen.keys()][1]!, 1, 1);
    }),
  ).toBe('ERR_BUDDY_WRONG_ORDER');
  const rest = [1, 2, 3].map((id) => pool.freeAllOf(id));
  expect(rest.reduce((sum, n) => sum + n)).toBe(seen.size - 1);
  expect(owner).toBeLessThan(4);
  expectAllFree(pool);
});

test('without the option nothing has an owner, and nobody can ask for one', () => {
  const pool = BuddyAllocator.create({ pages: 64, data: null });
  pool.alloc(3);
  expect(pool.owners()).toEqual([{ owner: 0, blocks: 1, pages: 8 }]);
  for (const call of [
    () => pool.alloc(0, { owner: 1 }),
    () => pool.allocExact(3, { owner: 1 }),
    () => pool.allocBulk(3, [], { owner: 1 }),
    () => pool.freeAllOf(1),
    () => BuddyAllocator.attach(pool.toHandle(), { owner: 1 }),
    () => BuddyAllocator.create({ pages: 4, owner: 1 }),
  ]) {
    expect(codeOf(call)).toBe('ERR_BUDDY_ARGUMENT');
  }
  expect(pool.stats().allocatedPages).toBe(8);
});

test('four bytes a page, and only when asked for', () => {
  const bytes = (owners: boolean): number =>
    BuddyAllocator.create({ pages: 4096, data: null, owners }).toHandle().control.byteLength;
  expect(bytes(true) - bytes(false)).toBe(4 * 4096);
});

test('owners come back with a snapshot', () => {
  const pool = create();
  pool.alloc(4, { owner: 9 });
  pool.alloc(0, { owner: 2 });
  const copy = BuddyAllocator.restore(pool.snapshot());
  expect(copy.owners()).toEqual(pool.owners());
  expect(copy.freeAllOf(9)).toBe(16);
  expect(pool.owners()).toHaveLength(2);
  const snapshot = pool.snapshot();
  new Int32Array(snapshot.control)[11] = 100;
  expect(codeOf(() => BuddyAllocator.restore(snapshot))).toBe('ERR_BUDDY_HANDLE');
});

test.each([1, 2, 3])('the books of an owner are those of a model, seed %i', (seed) => {
  const random = new Random(seed);
  const pool = create({ caches: seed !== 2 });
  const books = new Map<number, { order: number; owner: number }>();
  for (let i = 0; i < 3000; i++) {
    const held = [...books.keys()];
    const pick = held.length > 0 ? random.pick(held) : undefined;
    const owner = random.below(5);
    if (random.once(150)) {
      const mine = held.filter((pfn) => books.get(pfn)!.owner === 1 + owner);
      const pages = mine.reduce((sum, pfn) => sum + 2 ** books.get(pfn)!.order, 0);
      expect(pool.freeAllOf(1 + owner)).toBe(pages);
      for (const pfn of mine) books.delete(pfn);
    } else if (pick !== undefined && random.once(6)) {
      const block = books.get(pick)!;
      pool.setOwner(pick, block.order, owner);
      books.set(pick, { ...block, owner });
    } else if (pick !== undefined && random.once(2)) {
      pool.free(pick, books.get(pick)!.order);
      books.delete(pick);
    } else {
      const order = random.below(5);
      const pfn = owner === 0 ? pool.alloc(order) : pool.alloc(order, { owner });
      if (pfn !== undefined) books.set(pfn, { order, owner });
    }
  }
  const wanted = [...books].map(([pfn, { order, owner }]) => `${pfn} ${order} ${owner}`).sort();
  const found: string[] = [];
  pool.walk((pfn, order, state, owner) => {
    if (state === 'allocated') found.push(`${pfn} ${order} ${owner}`);
  });
  expect(found.sort()).toEqual(wanted);
});

test('the pages of a worker that was killed are found and given back, and no others', async () => {
  const pool = create({ threads: 3, owner: 100 });
  const kept = Array.from({ length: 20 }, () => pool.allocOrThrow(1));
  const thread = pool.reserveThread();
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(new URL('./workers/busy.mjs', import.meta.url), {
      workerData: { handle: pool.toHandle(), thread, owner: thread },
    });
    await once(worker, 'message');
    await worker.terminate();
    pool.reclaimThread(thread, { reserve: true });
    pool.freeAllOf(thread);
    expect(pool.owners()).toEqual([{ owner: 100, blocks: 20, pages: 40 }]);
  }
  for (const pfn of kept) pool.free(pfn, 1);
  expectAllFree(pool);
});
