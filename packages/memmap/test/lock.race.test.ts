import { expect, test } from '@jest/globals';

import { allocateWords, SharedLock, ThreadRegistry } from '../dist/shared.js';
import { start } from './workers/run.js';

const codeOf = (body: () => unknown): string => {
  try {
    body();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
};

test('a plain counter under the lock is exact with 4 threads, 20 rounds', async () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(8);
  let expected = 0;
  for (let round = 0; round < 20; round++) {
    const rounds = 200;
    const runs = Array.from({ length: 4 }, () =>
      start({ job: 'count', words, registry: registry.toHandle(), rounds }),
    );
    await Promise.all(runs.map((r) => r.result));
    await Promise.all(runs.map((r) => r.worker.terminate()));
    expected += 4 * rounds;
    expect(words[8]).toBe(expected);
  }
  expect(new SharedLock(words, 0, 1).owner()).toBe(0);
}, 60_000);

test('a lock whose owner died is taken over and says so', async () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(8);
  const self = registry.register();
  const { worker, result } = start({ job: 'hold', words, registry: registry.toHandle() });
  const owner = (await result) as number;
  const lock = new SharedLock(words, 0, self, { registry });
  expect(lock.owner()).toBe(owner);
  expect(lock.tryLock()).toBe(false);
  await worker.terminate();
  expect(registry.markDead(owner)).toBe(true);
  expect(lock.lock()).toBe('recovered');
  expect(lock.recoveries()).toBe(1);
  lock.unlock();
  expect(lock.owner()).toBe(0);
  registry.release(owner);
  expect(lock.lock()).toBe('acquired');
  lock.unlock();
});

test('a live owner is not robbed: the wait ends at the time limit with the owner in the error', () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(4);
  const [a, b] = [registry.register(), registry.register()];
  const first = new SharedLock(words, 0, a, { registry });
  const second = new SharedLock(words, 0, b, { registry, timeoutMs: 30 });
  first.lock();
  let details: unknown;
  try {
    second.lock();
  } catch (error) {
    details = (error as { details: { owner: number } }).details.owner;
  }
  expect(details).toBe(a);
  expect(second.sleeps()).toBeGreaterThan(0);
  first.unlock();
  expect(second.withLock((r) => r)).toBe('acquired');
});

test('misuse of the lock throws a code and changes nothing', () => {
  const words = allocateWords(16);
  const a = new SharedLock(words, 4, 1);
  const b = new SharedLock(words, 4, 2);
  a.lock();
  expect(codeOf(() => a.lock())).toBe('ERR_LOCK_RECURSIVE');
  expect(
    codeOf(() => {
      b.unlock();
    }),
  ).toBe('ERR_LOCK_NOT_OWNER');
  expect(a.owner()).toBe(1);
  a.unlock();
  expect(
    codeOf(() => {
      a.unlock();
    }),
  ).toBe('ERR_LOCK_NOT_OWNER');
  expect(codeOf(() => new SharedLock(words, 0, 0))).toBe('ERR_MEMMAP_ARGUMENT');
});

test('the lock works over a plain ArrayBuffer on one thread', () => {
  const words = allocateWords(8, false);
  const a = new SharedLock(words, 0, 1, { timeoutMs: 5 });
  const b = new SharedLock(words, 0, 2, { timeoutMs: 5 });
  expect(a.lock()).toBe('acquired');
  expect(codeOf(() => b.lock())).toBe('ERR_LOCK_TIMEOUT');
  a.unlock();
});

test('ids are given out once, returned, and kept after death until released', () => {
  const registry = ThreadRegistry.create(2);
  const other = ThreadRegistry.attach(registry.toHandle());
  expect(other.maxThreads).toBe(2);
  const [a, b] = [registry.register(), other.register()];
  expect([a, b]).toEqual([1, 2]);
  expect(codeOf(() => registry.register())).toBe('ERR_THREADS_FULL');
  registry.unregister(a);
  expect(registry.isAlive(a)).toBe(false);
  expect(registry.register()).toBe(1);
  expect(registry.markDead(2)).toBe(true);
  expect(registry.markDead(2)).toBe(false);
  expect(registry.isDead(2)).toBe(true);
  expect(codeOf(() => registry.register())).toBe('ERR_THREADS_FULL');
  registry.release(2);
  expect(registry.register()).toBe(2);
  expect(codeOf(() => registry.isAlive(3))).toBe('ERR_MEMMAP_ARGUMENT');
  expect(codeOf(() => ThreadRegistry.create(0))).toBe('ERR_MEMMAP_ARGUMENT');
  expect(
    codeOf(() =>
      ThreadRegistry.attach({ type: 'bootmem.thread-registry', words: allocateWords(8) }),
    ),
  ).toBe('ERR_MEMMAP_HANDLE');
});
