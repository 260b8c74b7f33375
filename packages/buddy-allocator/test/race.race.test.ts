import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';

const PAGES = 8192;
const ROUNDS = 20;
const url = new URL('./workers/churn.mjs', import.meta.url);

interface Report {
  overlaps: number;
  handOver: [number, number][];
}

test.each([2, 4, 8])(
  '%i workers, 20 rounds: no page twice, nothing lost, all merges back',
  async (workers) => {
    const allocator = BuddyAllocator.create({ pages: PAGES, data: null, threads: 12 });
    const owners = new Int32Array(new SharedArrayBuffer(PAGES * 4));
    const crew = Array.from(
      { length: workers },
      (_, i) =>
        new Worker(url, {
          workerData: { handle: allocator.toHandle(), id: i + 1, mode: 'rounds', owners },
        }),
    );
    for (let round = 0; round < ROUNDS; round++) {
      const reports = crew.map((worker) => once(worker, 'message') as Promise<[Report]>);
      for (const worker of crew)
        worker.postMessage({ steps: 6000 / workers, maxOrder: round % 10 });
      for (const [{ overlaps, handOver }] of await Promise.all(reports)) {
        expect(overlaps).toBe(0);
        // Remote free: this thread frees what a worker allocated.
        for (const [pfn, order] of handOver) {
          owners.fill(0, pfn, pfn + 2 ** order);
          allocator.free(pfn, order);
        }
      }
      allocator.drain();
      expect(allocator.verify()).toEqual([]);
      expect(allocator.stats()).toMatchObject({
        freePages: PAGES,
        cachedPages: 0,
        allocatedPages: 0,
      });
      expect(allocator.stats().freeBlocks[10]).toBe(PAGES / 1024);
    }
    await Promise.all(crew.map((worker) => worker.terminate()));
  },
  120_000,
);

test('workers killed while they allocate: others go on, lists are sound, only their blocks are missing', async () => {
  const allocator = BuddyAllocator.create({ pages: PAGES, data: null, threads: 12 });
  const owners = new Int32Array(new SharedArrayBuffer(PAGES * 4));
  for (let round = 0; round < ROUNDS; round++) {
    const crew = [1, 2].map(
      (id) =>
        new Worker(url, {
          workerData: { handle: allocator.toHandle(), id: 2 * round + id, mode: 'forever', owners },
        }),
    );
    const started = await Promise.all(
      crew.map((worker) => once(worker, 'message') as Promise<[{ thread: number }]>),
    );
    // Some work of our own against them.
    for (let i = 0; i < 1000 * (1 + (round % 3)); i++) {
      const p = allocator.alloc(i % 3, { noPressure: true });
      if (p !== undefined) allocator.free(p, i % 3);
    }
    await crew[0]!.terminate();
    allocator.reclaimThread(started[0]![0].thread);
    const p = allocator.alloc(0);
    if (p !== undefined) allocator.free(p, 0);
    await crew[1]!.terminate();
    allocator.reclaimThread(started[1]![0].thread);
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
    expect(allocator.stats()).toMatchObject({ freePages: PAGES, cachedPages: 0 });
    expect(allocator.stats().freeBlocks[10]).toBe(PAGES / 1024);
  }
}, 120_000);
