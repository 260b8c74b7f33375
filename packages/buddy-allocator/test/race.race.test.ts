import { Worker } from 'node:worker_threads';

import { expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';

const PAGES = 8192;
const url = new URL('./workers/churn.mjs', import.meta.url);

interface Report {
  overlaps: number;
  handOver: [number, number][];
  thread: number;
}

function start(data: object): { worker: Worker; message: Promise<Report> } {
  const worker = new Worker(url, { workerData: data });
  const message = new Promise<Report>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, message };
}

test.each([2, 4])('%i workers, 20 rounds: no page twice, nothing lost, all merges back', async (workers) => {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null, threads: 12 });
  const owners = new Int32Array(new SharedArrayBuffer(PAGES * 4));
  const rounds = workers === 2 ? 20 : 20;
  for (let round = 0; round < rounds; round++) {
    const runs = Array.from({ length: workers }, (_, i) =>
      start({ handle: allocator.toHandle(), seed: round * 16 + i + 1, steps: 3000, maxOrder: round % 10, mode: 'rounds', owners }),
    );
    for (const { message, worker } of runs) {
      const { overlaps, handOver } = await message;
      expect(overlaps).toBe(0);
      // Remote free: this thread frees what a worker allocated.
      for (const [pfn, order] of handOver) {
        owners.fill(0, pfn, pfn + 2 ** order);
        allocator.free(pfn, order);
      }
      await worker.terminate();
    }
    allocator.drain();
    expect(allocator.verify()).toEqual([]);
    expect(allocator.stats()).toMatchObject({ freePages: PAGES, cachedPages: 0, allocatedPages: 0 });
    expect(allocator.stats().freeBlocks[10]).toBe(PAGES / 1024);
  }
}, 120_000);

test('workers killed while they allocate: others go on, lists are sound, only their blocks are missing', async () => {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null, threads: 12 });
  const owners = new Int32Array(new SharedArrayBuffer(PAGES * 4));
  for (let round = 0; round < 20; round++) {
    const runs = [0, 1, 2].map((i) =>
      start({ handle: allocator.toHandle(), seed: round * 8 + i + 1, steps: 0, maxOrder: 3, mode: 'forever', owners }),
    );
    const ids = await Promise.all(runs.map(async (r) => (await r.message).thread));
    // Some work of our own against them.
    for (let i = 0; i < 2000 * (1 + (round % 3)); i++) {
      const p = allocator.alloc(i % 3, { noPressure: true });
      if (p !== undefined) allocator.free(p, i % 3);
    }
    await runs[0]!.worker.terminate();
    allocator.reclaimThread(ids[0]!);
    const p = allocator.alloc(0);
    if (p !== undefined) allocator.free(p, 0);
    await Promise.all(runs.slice(1).map((r) => r.worker.terminate()));
    for (const id of ids.slice(1)) allocator.reclaimThread(id);
    allocator.drain();
    expect(allocator.verify()).toEqual([]);
    // What the dead had allocated is theirs for ever, unless somebody who knows frees it.
    const dead: [number, number][] = [];
    allocator.walk((pfn, order, state) => {
      if (state === 'allocated') dead.push([pfn, order]);
    });
    for (const [pfn, order] of dead) allocator.free(pfn, order);
    owners.fill(0);
    allocator.drain();
    expect(allocator.verify()).toEqual([]);
    expect(allocator.stats().freePages).toBe(PAGES);
    expect(allocator.stats().freeBlocks[10]).toBe(PAGES / 1024);
  }
}, 120_000);
