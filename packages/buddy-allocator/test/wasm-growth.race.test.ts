// Workers that grow one WebAssembly memory at the same time, and are killed while they do.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';
import { memoryOf } from './support/wasm.js';

const START = 32;
const MOST = 1600;

function makePool() {
  const memory = memoryOf(true, 2, 100);
  const pool = BuddyAllocator.create({
    pages: START,
    maxPages: MOST,
    data: memory,
    owners: true,
    threads: 6,
  });
  return { memory, pool };
}

async function hire(pool: BuddyAllocator, gate: Int32Array, mode: string) {
  const thread = pool.reserveThread();
  const worker = new Worker(new URL('./workers/grower.mjs', import.meta.url), {
    workerData: { handle: pool.toHandle(), thread, gate, mode },
  });
  await once(worker, 'message');
  return { worker, thread };
}

const gateOf = (): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(4));

function open(gate: Int32Array<SharedArrayBuffer>): void {
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
}

test('four threads grow at once: every page comes once, and everybody sees all of them', async () => {
  for (let round = 0; round < 3; round++) {
    const { memory, pool } = makePool();
    const gate = gateOf();
    const workers = [];
    for (let i = 0; i < 4; i++) workers.push(await hire(pool, gate, 'once'));
    const results = workers.map(({ worker }) => once(worker, 'message'));
    open(gate);
    let added = 0;
    const seen = new Set<number>();
    let taken = 0;
    for (const [{ added: more, wrong, pages }] of (await Promise.all(results)) as [
      { added: number; wrong: number; pages: [number, number][] },
    ][]) {
      expect(wrong).toBe(0);
      added += more;
      for (const [pfn, count] of pages) {
        taken += count;
        for (let p = pfn; p < pfn + count; p++) seen.add(p);
      }
    }
    expect({ added, taken, seen: seen.size }).toEqual({
      added: MOST - START,
      taken: MOST,
      seen: MOST,
    });
    expect(memory.buffer.byteLength).toBe(100 * 65_536);
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
    pool.reclaimThreads(workers.map(({ thread }) => thread));
    expect(pool.verify()).toEqual([]);
    expect(workers.reduce((sum, { thread }) => sum + pool.freeAllOf(thread), 0)).toBe(MOST);
    pool.close();
  }
});

test('workers are killed while they grow and allocate: no page is lost, none comes twice', async () => {
  for (let round = 0; round < 8; round++) {
    const { pool } = makePool();
    const gate = gateOf();
    const workers = [];
    for (let i = 0; i < 3; i++) workers.push(await hire(pool, gate, 'forever'));
    const wrong: unknown[] = [];
    for (const { worker } of workers) worker.on('message', (message) => wrong.push(message));
    open(gate);
    // Growing goes on here meanwhile, so that the end may come anywhere in it.
    const [victim, ...others] = workers;
    const ended = victim!.worker.terminate();
    for (let i = 0; i < 40; i++) pool.grow(1 + (round % 5));
    await ended;
    pool.reclaimThread(victim!.thread);
    pool.freeAllOf(victim!.thread);
    // What it left of a growth is what the next one begins with.
    pool.grow(100);
    const page = pool.alloc(0);
    if (page !== undefined) pool.free(page, 0);
    await Promise.all(others.map(({ worker }) => worker.terminate()));
    pool.reclaimThreads(others.map(({ thread }) => thread));
    expect(wrong).toEqual([]);
    expect(pool.verify()).toEqual([]);
    for (const { thread } of others) pool.freeAllOf(thread);
    pool.grow(MOST);
    pool.drain();
    expect(pool.stats()).toMatchObject({ pages: MOST, freePages: MOST, allocatedPages: 0 });
    const all = Array.from({ length: MOST }, () => pool.alloc(0));
    expect(new Set(all).size).toBe(MOST);
    expect(pool.verify()).toEqual([]);
    pool.close();
  }
});
