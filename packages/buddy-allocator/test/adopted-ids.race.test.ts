// Ids of threads that ended without a word, where all are taken; and waiting where no system tells who has ended.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';
import { codeOf } from './model/machine.js';

const ON_LINUX = process.platform === 'linux';
const PAGES = 4096;
const HOLDER = new URL('./workers/holder.mjs', import.meta.url);

interface Started {
  readonly worker: Worker;
  readonly thread: number;
  readonly taken: number;
}

/** A worker that has a page, a cache, and the lock. */
async function holder(allocator: BuddyAllocator, thread?: number): Promise<Started> {
  const workerData = { handle: allocator.toHandle(), thread };
  const worker = new Worker(HOLDER, { workerData });
  const [message] = (await once(worker, 'message')) as [{ thread: number; taken: number }];
  return { worker, ...message };
}

test('where all ids are taken, that of an ended thread is adopted with all that it left', async () => {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null, threads: 3 });
  const [kept] = [allocator.reserveThread()];
  const dead = await holder(allocator);
  expect(codeOf(() => BuddyAllocator.attach(allocator.toHandle()))).toBe('ERR_THREADS_FULL');
  await dead.worker.terminate();
  if (!ON_LINUX) return;
  const next = BuddyAllocator.attach(allocator.toHandle());
  expect(next.thread).toBe(dead.thread);
  expect(allocator.registry.wasAdopted(next.thread)).toBe(true);
  expect(next.stats()).toMatchObject({ cachedPages: 0, recoveries: 1 });
  expect(next.verify()).toEqual([]);
  // A late word about the one who had the id before hits nobody; reserved ids are their owner's.
  expect(allocator.reclaimThread(dead.thread)).toBe(0);
  expect(next.alloc(0)).toBeDefined();
  expect(allocator.threads()).toEqual([allocator.thread, kept, next.thread]);
  expect(codeOf(() => BuddyAllocator.attach(allocator.toHandle()))).toBe('ERR_THREADS_FULL');
  next.close();
  expect(allocator.threads()).toEqual([allocator.thread, kept]);
  const last = BuddyAllocator.attach(allocator.toHandle());
  expect(allocator.registry.wasAdopted(last.thread)).toBe(false);
  // Not adopted: the owner's word counts.
  allocator.reclaimThread(last.thread);
  expect(allocator.threads()).toEqual([allocator.thread, kept]);
  expect(allocator.verify()).toEqual([]);
});

test('an ended thread whose id is reserved is left to its owner', async () => {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null, threads: 2 });
  const dead = await holder(allocator, allocator.reserveThread());
  await dead.worker.terminate();
  expect(codeOf(() => BuddyAllocator.attach(allocator.toHandle()))).toBe('ERR_THREADS_FULL');
  expect(allocator.reclaimThread(dead.thread)).toBeGreaterThan(0);
  BuddyAllocator.attach(allocator.toHandle()).close();
});
