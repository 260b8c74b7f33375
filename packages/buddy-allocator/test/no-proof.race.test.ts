// Where no system tells which threads have ended: one hold keeps a call waiting for so long, then it gets the coded
// error, has changed nothing, and works when it is repeated after the owner has heard of the end.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';

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
