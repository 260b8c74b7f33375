// Where no system tells which threads have ended, a guardian does: the owner of a worker that ended inside the allocator
// blocks there, hears of no event, and goes on.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from '@jest/globals';
import { ThreadGuardian } from '@bootmem/memmap/shared';

import { BuddyAllocator } from '../dist/index.js';

const { platform } = process;
// Before anything registers: the answer is looked up once.
Object.defineProperty(process, 'platform', { value: 'none' });
afterAll(() => {
  Object.defineProperty(process, 'platform', { value: platform });
});

/** Long enough for the slowest machine: without a guardian the call would fail after it. */
const LIMIT_MS = 60_000;

async function hire(allocator: BuddyAllocator, guardian: ThreadGuardian, data: object = {}) {
  const thread = allocator.reserveThread();
  const port = guardian.watch(thread);
  const worker = new Worker(new URL('./workers/holder.mjs', import.meta.url), {
    workerData: { handle: allocator.toHandle(), thread, port, ...data },
    transferList: [port],
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  });
  worker.on('error', () => undefined);
  const [{ taken }] = (await once(worker, 'message')) as [{ taken: number }];
  // Not `once`: an error is one of the ends.
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  return { worker, thread, taken, exited };
}

test.each(['terminate', 'exit', 'throw', 'memory'])(
  'a worker that ends inside by %s is found while its owner blocks',
  async (end) => {
    const allocator = BuddyAllocator.create({ pages: 4096, data: null, lockTimeoutMs: LIMIT_MS });
    const guardian = await ThreadGuardian.start(allocator.registry);
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const { worker, thread, taken, exited } = await hire(allocator, guardian, { gate, end });
    // From here to the next `await` this thread hears of no event.
    const ended = end === 'terminate' ? worker.terminate() : exited;
    if (end !== 'terminate') {
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
    }
    const pfn = allocator.alloc(10)!;
    expect(allocator.stats().recoveries).toBe(1);
    expect(allocator.registry.isDead(thread)).toBe(true);
    allocator.free(pfn, 10);
    await ended;
    expect(allocator.reclaimThread(thread)).toBeGreaterThan(0);
    allocator.free(taken, 0);
    allocator.drain();
    expect(allocator.verify()).toEqual([]);
    expect(allocator.stats().freePages).toBe(4096);
    await guardian.close();
  },
);

test('two dead at once, one of whom waits for the lock of the other', async () => {
  const allocator = BuddyAllocator.create({ pages: 4096, data: null, lockTimeoutMs: LIMIT_MS });
  const guardian = await ThreadGuardian.start(allocator.registry);
  const first = await hire(allocator, guardian);
  const second = allocator.reserveThread();
  const port = guardian.watch(second);
  const waiting = new Worker(new URL('./workers/holder.mjs', import.meta.url), {
    workerData: { handle: allocator.toHandle(), thread: second, port },
    transferList: [port],
  });
  await once(waiting, 'online');
  const ends = [waiting.terminate(), first.worker.terminate()];
  expect(allocator.alloc(10)).toBeDefined();
  await Promise.all(ends);
  allocator.reclaimThreads([first.thread, second]);
  expect(allocator.threads()).toEqual([allocator.thread]);
  expect(allocator.verify()).toEqual([]);
  await guardian.close();
});

test('a thread that lives keeps its lock, whatever the guardian hears of others', async () => {
  const allocator = BuddyAllocator.create({ pages: 4096, data: null, lockTimeoutMs: 300 });
  const guardian = await ThreadGuardian.start(allocator.registry);
  const dead = allocator.reserveThread();
  const port = guardian.watch(dead);
  await once(new Worker('', { eval: true, workerData: port, transferList: [port] }), 'exit');
  const { worker, thread } = await hire(allocator, guardian);
  expect(() => allocator.alloc(10)).toThrow(
    expect.objectContaining({
      code: 'ERR_LOCK_TIMEOUT',
      details: { owner: thread, timeoutMs: 300 },
    }),
  );
  expect(allocator.registry.isAlive(thread)).toBe(true);
  await worker.terminate();
  await guardian.close();
});

test('ids that nobody has, or whose threads have ended, are refused', async () => {
  const allocator = BuddyAllocator.create({ pages: 64, data: null, threads: 3 });
  const guardian = await ThreadGuardian.start(allocator.registry);
  for (const id of [0, 2, 3, 4, -1, 1.5, NaN, '1', null, undefined, 2n]) {
    expect(() => guardian.watch(id as number)).toThrow(
      expect.objectContaining({ code: 'ERR_MEMMAP_ARGUMENT' }),
    );
  }
  const thread = allocator.reserveThread();
  guardian.watch(thread).close();
  allocator.registry.markDead(thread);
  expect(() => guardian.watch(thread)).toThrow();
  await guardian.close();
  await guardian.close();
});
