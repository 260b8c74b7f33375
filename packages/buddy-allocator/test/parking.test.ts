// Page caches that their threads have parked: others may have what they hold.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';
import { PageAllocator } from '../dist/machine.js';
import { Park } from '../dist/cache/parking.js';
import { Cache } from '../dist/base/cache-layout.js';
import { codeOf, expectSound, oneZone } from './model/machine.js';

const PAGES = 16384;
const never = { parkAfterMs: Infinity } as const;
const create = (options = {}): BuddyAllocator =>
  BuddyAllocator.create({ pages: PAGES, data: null, threads: 4, ...never, ...options });

/** Fills the allocator's cache with blocks of several orders; all is free afterwards. */
function warm(allocator: BuddyAllocator): number {
  const live: [number, number][] = [];
  for (let i = 0; i < 200; i++) live.push([allocator.allocOrThrow(i % 5), i % 5]);
  for (const [pfn, order] of live) allocator.free(pfn, order);
  return allocator.zone.cachedPages();
}

function takeAll(allocator: BuddyAllocator): number[] {
  const pfns: number[] = [];
  for (let pfn = allocator.alloc(0); pfn !== undefined; pfn = allocator.alloc(0)) pfns.push(pfn);
  return pfns;
}

const parkWord = ({ zone }: BuddyAllocator): number => zone.words[zone.cacheAt! + Cache.PARK]!;

test('who is short of memory gets what others have parked, to the last page', () => {
  const allocator = create();
  const others = [1, 2, 3].map(() => BuddyAllocator.attach(allocator.toHandle(), never));
  for (const other of others) {
    expect(warm(other)).toBeGreaterThan(100);
    other.park();
    // A second time changes nothing.
    other.park();
  }
  const all = takeAll(allocator);
  expect(all).toHaveLength(PAGES);
  expect(new Set(all).size).toBe(PAGES);
  expect(allocator.verify()).toEqual([]);
  for (const pfn of all) allocator.free(pfn, 0);
  for (const other of others) other.close();
  allocator.drain();
  expect(allocator.stats()).toMatchObject({ freePages: PAGES, cachedPages: 0 });
  expect(allocator.verify()).toEqual([]);
});

test('with parked threads every pageblock can be had in one piece', () => {
  const allocator = create();
  const other = BuddyAllocator.attach(allocator.toHandle(), never);
  warm(other);
  other.park();
  for (let pfn = 0; pfn < PAGES; pfn += 512) {
    expect(allocator.allocContigRange(pfn, pfn + 512)).toBe(true);
  }
  expect(allocator.stats().freePages).toBe(0);
  expect(other.alloc(0)).toBeUndefined();
  expect(allocator.verify()).toEqual([]);
});

test('calls go on as before: the first that needs the cache makes it the own one again', () => {
  const allocator = create();
  const held = warm(allocator);
  const [a, b] = [allocator.allocOrThrow(0), allocator.allocOrThrow(3)];
  allocator.park();
  expect(parkWord(allocator)).toBe(Park.PARKED);
  // Nobody took: what was freed last comes first, by a free and by an allocation.
  allocator.free(a, 0);
  expect(parkWord(allocator)).toBe(Park.OWNED);
  expect(allocator.alloc(0)).toBe(a);
  allocator.park();
  const c = allocator.allocOrThrow(0);
  expect(parkWord(allocator)).toBe(Park.OWNED);
  allocator.free(c, 0);
  allocator.free(a, 0);
  allocator.free(b, 3);
  expect(allocator.zone.cachedPages()).toBeGreaterThanOrEqual(held);
  expect(allocator.verify()).toEqual([]);
  allocator.park();
  expect(allocator.verify()).toEqual([]);
  allocator.unpark();
  allocator.unpark();
  expect(parkWord(allocator)).toBe(Park.OWNED);
  expect(allocator.verify()).toEqual([]);
  allocator.park();
  allocator.close();
  const next = BuddyAllocator.attach(allocator.toHandle());
  expect(next.stats()).toMatchObject({ freePages: PAGES, cachedPages: 0 });
});

test('a cache is not used before its thread needs it', () => {
  const allocator = create();
  expect(parkWord(allocator)).toBe(Park.PARKED);
  allocator.alloc(10);
  expect(parkWord(allocator)).toBe(Park.PARKED);
  allocator.alloc(0);
  expect(parkWord(allocator)).toBe(Park.OWNED);
});

test('a request to drain that came before the thread parked is heeded', () => {
  const allocator = create();
  const other = BuddyAllocator.attach(allocator.toHandle(), never);
  warm(other);
  allocator.drain();
  expect(other.zone.cachedPages()).toBeGreaterThan(0);
  other.park();
  expect(other.zone.cachedPages()).toBe(0);
  expect(allocator.stats().freePages).toBe(PAGES);
});

test('a thread that ends while it is parked, or while somebody takes, loses nothing', () => {
  for (const taken of [false, true]) {
    const allocator = create();
    const other = BuddyAllocator.attach(allocator.toHandle(), never);
    const held = warm(other);
    other.park();
    const third = BuddyAllocator.attach(allocator.toHandle(), never);
    if (taken) {
      // The third died in the middle of it.
      third.zone.lock();
      other.zone.words[other.zone.cacheAt! + Cache.PARK] = Park.TAKEN;
      allocator.registry.markDead(third.thread);
      const page = other.allocOrThrow(0);
      expect(allocator.stats().recoveries).toBe(1);
      other.free(page, 0);
      other.park();
    }
    expect(allocator.reclaimThreads([other.thread, third.thread])).toBe(held);
    expect(allocator.stats()).toMatchObject({ freePages: PAGES, cachedPages: 0 });
    expect(allocator.verify()).toEqual([]);
  }
});

test('another goes on where a dead taker stopped', () => {
  const allocator = create();
  const [other, third] = [1, 2].map(() => BuddyAllocator.attach(allocator.toHandle(), never));
  warm(other!);
  other!.park();
  third!.zone.lock();
  other!.zone.words[other!.zone.cacheAt! + Cache.PARK] = Park.TAKEN;
  allocator.registry.markDead(third!.thread);
  expect(takeAll(allocator)).toHaveLength(PAGES);
  expect(parkWord(other!)).toBe(Park.PARKED);
  expect(other!.alloc(0)).toBeUndefined();
  expect(allocator.verify()).toEqual([]);
});

test('a thread that is slow to take keeps the owner waiting, who gets the coded error and may try again', () => {
  const allocator = create({ lockTimeoutMs: 0 });
  const options = { ...never, lockTimeoutMs: 0 };
  const [other, slow] = [1, 2].map(() => BuddyAllocator.attach(allocator.toHandle(), options));
  const held = warm(other!);
  other!.park();
  slow!.zone.lock();
  other!.zone.words[other!.zone.cacheAt! + Cache.PARK] = Park.TAKEN;
  const unpark = (): void => {
    other!.unpark();
  };
  for (const call of [unpark, (): unknown => other!.alloc(0)]) {
    expect(codeOf(call)).toBe('ERR_LOCK_TIMEOUT');
  }
  slow!.zone.unlock();
  expect(other!.alloc(0)).toBeDefined();
  expect(other!.zone.cachedPages()).toBe(held - 1);
});

test('an idle event loop parks the cache', async () => {
  const allocator = create();
  const other = BuddyAllocator.attach(allocator.toHandle(), { parkAfterMs: 0 });
  for (let round = 0; round < 3; round++) {
    warm(other);
    expect(parkWord(other)).toBe(Park.OWNED);
    while (parkWord(other) !== Park.PARKED) await new Promise((done) => setImmediate(done));
  }
  const closed = BuddyAllocator.attach(allocator.toHandle(), { parkAfterMs: 0 });
  closed.free(closed.allocOrThrow(0), 0);
  closed.close();
  await new Promise((done) => setTimeout(done, 5));
  expect(takeAll(allocator)).toHaveLength(PAGES);
});

test("the kernel's caches can be parked too, in every zone", () => {
  const { allocator, zone } = oneZone({ end: 262144, caches: true });
  allocator.setupCaches();
  const other = PageAllocator.attach(allocator.toHandle());
  const page = other.allocPages(0, { migratetype: 1 })!;
  other.freePages(page, 0);
  other.park();
  const held = other.zones[0]!.core.cachedPages();
  expect(held).toBeGreaterThan(10);
  expectSound(allocator);
  expect(zone.freePages).toBe(262144 - held);
  // Nobody took: the page freed last is the next one.
  expect(other.allocPages(0, { migratetype: 1 })).toBe(page);
  other.freePages(page, 0);
  other.park();
  allocator.drain();
  expect(zone.freePages).toBe(262144);
  expect(zone.freeBlocks()[10]).toBe(256);
  expectSound(allocator);
  expect(other.allocPages(0, { migratetype: 1 })).toBeDefined();
  other.park();
  other.close();
  expectSound(allocator);
});

test('workers that sleep with their caches parked, and others that take from them, over many rounds', async () => {
  const allocator = create();
  const words = new Int32Array(new SharedArrayBuffer(4));
  const workers = Array.from(
    { length: 3 },
    () =>
      new Worker(new URL('./workers/parker.mjs', import.meta.url), {
        workerData: { handle: allocator.toHandle(), words },
      }),
  );
  for (let round = 0; round < 30; round++) {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    if (round % 3 === 2) {
      // Without waiting for them to sleep: some are parked by now, some are not.
      allocator.drain();
    } else {
      let all = takeAll(allocator);
      // Their last step to sleep may come after this thread has looked.
      while (all.length < PAGES) all = all.concat(takeAll(allocator));
      expect(new Set(all).size).toBe(PAGES);
      for (const pfn of all) allocator.free(pfn, 0);
    }
    Atomics.store(words, 0, round + 1);
    Atomics.notify(words, 0);
  }
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const exits = workers.map((worker) => once(worker, 'exit'));
  Atomics.store(words, 0, -1);
  Atomics.notify(words, 0);
  await Promise.all(exits);
  allocator.drain();
  expect(allocator.stats()).toMatchObject({ freePages: PAGES, cachedPages: 0 });
  expect(allocator.verify()).toEqual([]);
});
