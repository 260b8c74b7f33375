// Where no system tells which threads have ended: one hold keeps a call waiting for so long, then it gets the coded
// error, has changed nothing, and works when it is repeated after the owner has heard of the end.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';
import { ObjectCache } from '../dist/objects.js';

const { platform } = process;
// Before anything registers: the answer is looked up once.
Object.defineProperty(process, 'platform', { value: 'none' });
afterAll(() => {
  Object.defineProperty(process, 'platform', { value: platform });
});

test('the owner waits for a worker that ended inside, gets ERR_LOCK_TIMEOUT, and goes on after its exit', async () => {
  const allocator = BuddyAllocator.create({ pages: 4096, data: null, lockTimeoutMs: 60 });
  const thread = allocator.reserveThread();
  const worker = new Worker(new URL('./workers/holder.mjs', import.meta.url), {
    workerData: { handle: allocator.toHandle(), thread },
  });
  const [{ taken }] = (await once(worker, 'message')) as [{ taken: number }];
  const before = allocator.stats();
  // This thread hears of no event before the next `await`.
  const ended = worker.terminate();
  for (const call of [
    () => allocator.alloc(10),
    () => allocator.allocExact(3),
    () => allocator.allocContigRange(0, 8),
    () => allocator.compact(() => true),
  ]) {
    expect(call).toThrow(
      expect.objectContaining({
        code: 'ERR_LOCK_TIMEOUT',
        details: { owner: thread, timeoutMs: 60 },
      }),
    );
  }
  expect(allocator.stats()).toEqual(before);
  expect(allocator.reclaimEnded()).toBe(0);
  await ended;
  expect(allocator.reclaimThread(thread)).toBeGreaterThan(0);
  expect(allocator.stats().recoveries).toBe(1);
  const pfn = allocator.alloc(10)!;
  allocator.free(pfn, 10);
  allocator.free(taken, 0);
  allocator.drain();
  expect(allocator.verify()).toEqual([]);
  expect(allocator.stats().freePages).toBe(4096);
});

test("what gets no lock has changed nothing: blocks to be freed are their owner's still, asked for or not", () => {
  const allocator = BuddyAllocator.create({ pages: 4096, data: null, lockTimeoutMs: 20 });
  const other = BuddyAllocator.attach(allocator.toHandle());
  const run = allocator.allocExact(37)!;
  const large = allocator.allocOrThrow(10);
  const single = allocator.allocOrThrow(0);
  const walk = (): unknown[] => {
    const seen: unknown[] = [];
    allocator.walk((...block) => seen.push(block));
    return seen;
  };
  // Each comes to the lock: no cache holds the first two, and the third finds its list closed by who asks.
  const frees = [
    () => {
      allocator.freeExact(run, 37);
    },
    () => {
      allocator.free(large, 10);
    },
    () => {
      allocator.free(single, 0);
    },
  ];
  for (const free of frees) {
    other.drain();
    other.zone.lock();
    const before = walk();
    const timeout = expect.objectContaining({ code: 'ERR_LOCK_TIMEOUT' }) as unknown as Error;
    expect(free).toThrow(timeout);
    expect(walk()).toEqual(before);
    other.zone.unlock();
    free();
    expect(free).toThrow(expect.objectContaining({ code: 'ERR_BUDDY_DOUBLE_FREE' }));
  }
  allocator.drain();
  expect(allocator.verify()).toEqual([]);
  expect(allocator.stats().freePages).toBe(4096);
  other.close();
  allocator.close();
});

test.each([true, false])(
  'a move whose lock cannot be had after the callback (%j) is the caller’s to settle',
  (moved) => {
    const allocator = BuddyAllocator.create({
      pages: 1024,
      data: null,
      caches: false,
      lockTimeoutMs: 20,
    });
    const other = BuddyAllocator.attach(allocator.toHandle());
    const pfn = allocator.allocOrThrow(0);
    let to = -1;
    const move = (_: number, target: number): boolean => {
      to = target;
      // In a callback a move is at work, and nobody's to settle.
      expect(allocator.openMoves()).toEqual([]);
      other.zone.lock();
      return moved;
    };
    expect(() => allocator.allocContigRange(pfn, pfn + 1, move)).toThrow(
      expect.objectContaining({ code: 'ERR_LOCK_TIMEOUT' }),
    );
    other.zone.unlock();
    expect(allocator.openMoves()).toEqual([{ from: pfn, to, pages: 1 }]);
    expect(other.openMoves()).toEqual([]);
    expect(allocator.settleMoves(() => moved)).toBe(1);
    allocator.unisolate(pfn);
    allocator.free(moved ? to : pfn, 0);
    expect(allocator.verify()).toEqual([]);
    expect(allocator.stats().freePages).toBe(1024);
    other.close();
    allocator.close();
  },
);

test('a contiguous request that gets the lock no more has taken nothing, wherever that was', () => {
  const options = { pages: 2048, data: null, caches: false, lockTimeoutMs: 5 };
  let timeouts = 0;
  for (let holds = 1; ; holds++) {
    const allocator = BuddyAllocator.create(options);
    const other = BuddyAllocator.attach(allocator.toHandle());
    const used = allocator.allocOrThrow(0);
    const block = used - (used % 512);
    const { zone } = allocator;
    const unlock = zone.unlock.bind(zone);
    let left = holds;
    zone.unlock = (): void => {
      unlock();
      if (--left === 0) other.zone.lock();
    };
    let taken: boolean | undefined;
    try {
      taken = allocator.allocContigRange(block, block + 600, () => true);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
      timeouts++;
    }
    zone.unlock = unlock;
    if (left <= 0) other.zone.unlock();
    allocator.settleMoves(() => true);
    for (const pfn of [block, block + 512]) allocator.unisolate(pfn);
    // The block that was used, and all or nothing.
    expect(allocator.stats().allocatedPages).toBe(taken === true ? 601 : 1);
    expect(allocator.verify()).toEqual([]);
    other.close();
    allocator.close();
    if (left > 0) break;
  }
  expect(timeouts).toBeGreaterThan(3);
});

test('slabs whose pages could not be freed for want of the lock are freed by the next call', () => {
  const pool = BuddyAllocator.create({ pages: 256, data: null, caches: false, lockTimeoutMs: 5 });
  const other = BuddyAllocator.attach(pool.toHandle());
  const cache = ObjectCache.create(pool, { size: 2048, lockTimeoutMs: 5 });
  const objects = Array.from({ length: 3 * cache.objectsPerSlab }, () => cache.alloc()!);
  expect(cache.stats().slabs).toBe(3);
  for (const object of objects) cache.free(object);
  // Twice: each attempt closes a slab at most, and has one place for its pages.
  for (let i = 0; i < 2; i++) {
    other.zone.lock();
    expect(() => cache.shrink()).toThrow(expect.objectContaining({ code: 'ERR_LOCK_TIMEOUT' }));
    other.zone.unlock();
  }
  cache.shrink();
  expect(cache.verify()).toEqual([]);
  expect(pool.stats().freePages).toBe(256);
  cache.close();
  other.close();
  pool.close();
});

test('a timer that parks waits for nobody: it comes again when the lock can be had', async () => {
  const options = { lockTimeoutMs: 20, parkAfterMs: 1 };
  const allocator = BuddyAllocator.create({ pages: 4096, data: null, ...options });
  const other = BuddyAllocator.attach(allocator.toHandle(), options);
  const { words, at } = allocator.zone;
  // In use, with pages in it, and asked for; then the lock is with somebody who never gives it back.
  allocator.free(allocator.allocOrThrow(0), 0);
  other.drain();
  const lost = BuddyAllocator.attach(allocator.toHandle());
  lost.zone.lock();
  const held = allocator.stats().cachedPages;
  expect(held).toBeGreaterThan(0);
  const sleeps = Atomics.load(words, at + 2);
  while (Atomics.load(words, at + 2) === sleeps) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  // It came to nothing, and to no error that nobody could catch.
  expect(allocator.stats().cachedPages).toBe(held);
  lost.zone.unlock();
  // Parked at the next try: then it is for the taking.
  while (allocator.stats().cachedPages > 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    other.drain();
  }
  expect(allocator.verify()).toEqual([]);
  expect(allocator.stats().freePages).toBe(4096);
  lost.close();
  other.close();
});
