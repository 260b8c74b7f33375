// Threads that end: who is there, who says so, and that nobody waits for them.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';
import { PageAllocator } from '../dist/machine.js';
import { codeOf, oneZone } from './model/machine.js';

const ON_LINUX = process.platform === 'linux';
const PAGES = 4096;

/** A worker that holds the zone's lock and has one page. */
async function holder(
  allocator: BuddyAllocator,
  thread?: number,
): Promise<{ worker: Worker; thread: number; taken: number }> {
  const worker = new Worker(new URL('./workers/holder.mjs', import.meta.url), {
    workerData: { handle: allocator.toHandle(), thread },
  });
  const [message] = (await once(worker, 'message')) as [{ thread: number; taken: number }];
  return { worker, ...message };
}

test('a worker dies with the lock while its owner allocates: the owner goes on, or gets the coded error', async () => {
  const allocator = BuddyAllocator.create({
    pages: PAGES,
    data: null,
    lockTimeoutMs: ON_LINUX ? 60_000 : 50,
  });
  const dead = await holder(allocator);
  // From here on this thread handles no event.
  const ended = dead.worker.terminate();
  if (ON_LINUX) {
    const pfn = allocator.alloc(10)!;
    expect(allocator.stats().recoveries).toBe(1);
    allocator.free(pfn, 10);
  } else {
    expect(codeOf(() => allocator.alloc(10))).toBe('ERR_LOCK_TIMEOUT');
  }
  await ended;
  expect(allocator.reclaimThread(dead.thread)).toBeGreaterThan(0);
  expect(allocator.verify()).toEqual([]);
  allocator.free(dead.taken, 0);
  allocator.drain();
  expect(allocator.stats()).toMatchObject({ freePages: PAGES, cachedPages: 0 });
});

test('a worker that is silent inside keeps the lock; the call can be repeated when it is gone', async () => {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null, lockTimeoutMs: 50 });
  allocator.free(allocator.allocOrThrow(0), 0);
  const silent = await holder(allocator, allocator.reserveThread());
  const before = allocator.stats();
  for (let i = 0; i < 3; i++) {
    let details: unknown;
    try {
      allocator.alloc(10);
    } catch (error) {
      ({ details } = error as { details: unknown });
    }
    expect(details).toEqual({ owner: silent.thread, timeoutMs: 50 });
    // Its cache needs the lock: it is not closed half.
    expect(
      codeOf(() => {
        allocator.close();
      }),
    ).toBe('ERR_LOCK_TIMEOUT');
  }
  expect(allocator.stats()).toEqual(before);
  await silent.worker.terminate();
  allocator.reclaimThread(silent.thread);
  const pfn = allocator.alloc(10)!;
  allocator.free(pfn, 10);
  expect(allocator.verify()).toEqual([]);
});

test('an id is known before its worker, whatever becomes of that', () => {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null, threads: 3 });
  const { thread: own } = allocator;
  const [first, second] = [allocator.reserveThread(), allocator.reserveThread()];
  expect(allocator.threads()).toEqual([own, first, second]);
  expect(codeOf(() => allocator.reserveThread())).toBe('ERR_THREADS_FULL');
  const handle = allocator.toHandle();
  expect(codeOf(() => BuddyAllocator.attach(handle))).toBe('ERR_THREADS_FULL');
  // One worker never comes, the other closes its allocator itself: both ids are the owner's until it says otherwise.
  const other = BuddyAllocator.attach(handle, { thread: second });
  expect(other.thread).toBe(second);
  expect(codeOf(() => BuddyAllocator.attach(handle, { thread: second }))).toBe(
    'ERR_THREADS_RESERVED',
  );
  const pfn = other.allocOrThrow(0);
  other.free(pfn, 0);
  other.close();
  expect(allocator.threads()).toEqual([own, first, second]);
  expect(allocator.reclaimThreads([first, second])).toBe(0);
  expect(allocator.threads()).toEqual([own]);
  // Again for nobody: nothing happens, also when the id has another owner by now.
  expect(allocator.reclaimThread(first)).toBe(0);
  for (let i = 0; i < 100; i++) {
    const id = allocator.reserveThread();
    const worker = BuddyAllocator.attach(handle, { thread: id });
    expect(worker.alloc(0)).toBeDefined();
    allocator.reclaimThread(id, { reserve: i % 2 === 0 });
    if (i % 2 === 0) allocator.reclaimThread(id);
  }
  expect(allocator.threads()).toEqual([own]);
  expect(allocator.verify()).toEqual([]);
});

test('several dead: none of them is waited for, in whichever order they are named', () => {
  for (const swap of [false, true]) {
    const allocator = BuddyAllocator.create({ pages: PAGES, data: null, lockTimeoutMs: 100 });
    const [a, b, c] = [1, 2, 3].map(() => BuddyAllocator.attach(allocator.toHandle()));
    for (const thread of [a!, b!, c!]) thread.free(thread.allocOrThrow(0), 0);
    a!.zone.lock();
    const dead = [a!.thread, b!.thread, c!.thread];
    expect(allocator.reclaimThreads(swap ? dead.reverse() : dead)).toBeGreaterThan(0);
    expect(allocator.stats()).toMatchObject({ recoveries: 1, cachedPages: 0, freePages: PAGES });
    expect(allocator.threads()).toEqual([allocator.thread]);
    expect(allocator.verify()).toEqual([]);
  }
});

test('reclaiming: ids that no thread can have, or the own one, change nothing', () => {
  const pool = BuddyAllocator.create({ pages: PAGES, data: null });
  const machine = oneZone({ end: PAGES }).allocator;
  for (const allocator of [pool, machine]) {
    const other =
      allocator === pool
        ? BuddyAllocator.attach(pool.toHandle())
        : PageAllocator.attach(machine.toHandle());
    for (const bad of [0, -1, 1.5, NaN, 2 ** 31, allocator.thread]) {
      const call = (): number => allocator.reclaimThreads([other.thread, bad]);
      expect(codeOf(call)).toBe('ERR_BUDDY_ARGUMENT');
      expect(allocator.registry.isAlive(other.thread)).toBe(true);
    }
    expect(allocator.reclaimThreads([])).toBe(0);
    expect(allocator.reclaimThread(other.thread)).toBe(0);
    expect(allocator.threads()).toEqual([allocator.thread]);
  }
});

test('ended threads are found without a word from anybody', async () => {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null });
  const dead = await holder(allocator);
  expect(allocator.reclaimEnded()).toBe(0);
  await dead.worker.terminate();
  if (ON_LINUX) expect(allocator.reclaimEnded()).toBeGreaterThan(0);
  else allocator.reclaimThread(dead.thread);
  expect(allocator.threads()).toEqual([allocator.thread]);
  expect(allocator.verify()).toEqual([]);
});
