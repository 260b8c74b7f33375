// A worker that was told to end goes on for a while: until it has ended, its lock is its own.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';

const url = new URL('./workers/busy.mjs', import.meta.url);

async function hire(allocator: BuddyAllocator): Promise<{ worker: Worker; thread: number }> {
  const thread = allocator.reserveThread();
  const worker = new Worker(url, { workerData: { handle: allocator.toHandle(), thread } });
  await once(worker, 'message');
  return { worker, thread };
}

test('a thread that runs is not reclaimed, and one that was told to end is waited for', async () => {
  const allocator = BuddyAllocator.create({ pages: 4096, data: null, threads: 5 });
  const crew = [await hire(allocator), await hire(allocator)];
  const ids = crew.map(({ thread }) => thread);
  expect(() => allocator.reclaimThreads(ids)).toThrow(
    expect.objectContaining({ code: 'ERR_BUDDY_ARGUMENT', details: { thread: ids[0] } }),
  );
  // Nothing has changed: they go on.
  expect(ids.map((id) => allocator.registry.isAlive(id))).toEqual([true, true]);
  for (let round = 0; round < 3; round++) {
    const ends = crew.map(({ worker }) => worker.terminate());
    // Not awaited, as anybody may forget it.
    allocator.reclaimThreads(ids);
    expect(allocator.verify()).toEqual([]);
    allocator.walk((pfn, order, state) => {
      if (state === 'allocated') allocator.free(pfn, order);
    });
    allocator.drain();
    expect(allocator.stats()).toMatchObject({ freePages: 4096, largestFreeOrder: 10 });
    await Promise.all(ends);
    for (const i of [0, 1]) crew[i] = await hire(allocator);
    crew.forEach(({ thread }, i) => (ids[i] = thread));
  }
  await Promise.all(crew.map(({ worker }) => worker.terminate()));
  allocator.reclaimThreads(ids);
  allocator.close();
});
