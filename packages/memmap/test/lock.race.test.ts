import { expect, test } from '@jest/globals';

import { allocateWords, SharedLock, ThreadRegistry } from '../dist/shared.js';
import { CONTENDED } from '../dist/shared/lock-protocol.js';
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

test('the end of a thread is waited for, where the system tells', async () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(3);
  const { worker, result } = start({ job: 'hold', words, registry: registry.toHandle() });
  const id = (await result) as number;
  expect(registry.awaitEnd(id, 5)).toBe(process.platform !== 'linux');
  const ended = worker.terminate();
  expect(registry.awaitEnd(id, 60_000)).toBe(true);
  // The caller itself, and who is nobody: nothing to wait for.
  expect(registry.awaitEnd(registry.register(), 60_000)).toBe(true);
  expect(registry.awaitEnd(3, 60_000)).toBe(true);
  expect(registry.isAlive(id)).toBe(true);
  await ended;
  expect(registry.findEnded()).toEqual(process.platform === 'linux' ? [id] : []);
  expect(codeOf(() => registry.awaitEnd(4, 0))).toBe('ERR_MEMMAP_ARGUMENT');
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

test('a takeover that comes late finds another tag: the id was recovered and given out again in between', () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(8);
  const [dead, waiter, main] = [registry.register(), registry.register(), registry.register()];
  new SharedLock(words, 0, dead, { registry }).lock();
  registry.markDead(dead);
  let next: SharedLock | undefined;
  /** What happens between the waiter's look and its exchange: it has been told that the holder has ended. */
  const meanwhile = (): void => {
    const own = new SharedLock(words, 0, main, { registry });
    expect(own.lock()).toBe('recovered');
    own.unlock();
    registry.release(dead);
    expect(registry.register()).toBe(dead);
    next = new SharedLock(words, 0, dead, { registry });
    expect(next.lock()).toBe('acquired');
    // As it was when the waiter looked, but for the generation in the tag.
    Atomics.or(words, 0, CONTENDED);
  };
  const stopped = {
    tagOf: (id: number) => registry.tagOf(id),
    proveEnded: (tag: number) => registry.proveEnded(tag),
    hasEnded(tag: number): boolean {
      const ended = registry.hasEnded(tag);
      if (ended && next === undefined) meanwhile();
      return ended;
    },
  } as unknown as ThreadRegistry;
  Atomics.or(words, 0, CONTENDED);
  const late = new SharedLock(words, 0, waiter, { registry: stopped, timeoutMs: 20 });
  expect(codeOf(() => late.lock())).toBe('ERR_LOCK_TIMEOUT');
  expect([late.owner(), late.recoveries(), registry.isAlive(dead)]).toEqual([dead, 1, true]);
  next!.unlock();
  expect(late.lock()).toBe('acquired');
  late.unlock();
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
  for (const self of [0, -1, 1.5, 32768, NaN]) {
    expect(codeOf(() => new SharedLock(words, 0, self))).toBe('ERR_MEMMAP_ARGUMENT');
  }
  for (const timeoutMs of [-1, NaN, '5' as never]) {
    expect(codeOf(() => new SharedLock(words, 0, 1, { timeoutMs }))).toBe('ERR_MEMMAP_ARGUMENT');
  }
  // Who is not registered counts as ended, and would be robbed.
  const registry = ThreadRegistry.create(2);
  expect(codeOf(() => new SharedLock(words, 0, 1, { registry }))).toBe('ERR_MEMMAP_ARGUMENT');
});

const ON_LINUX = process.platform === 'linux';

test('a worker dies in the lock while its owner blocks on it: taken over on Linux, else a time limit', async () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(8);
  const self = registry.register();
  const { worker, result } = start({ job: 'hold', words, registry: registry.toHandle() });
  const owner = (await result) as number;
  const timeoutMs = ON_LINUX ? 60_000 : 50;
  const lock = new SharedLock(words, 0, self, { registry, timeoutMs });
  // No event is handled from here on: nobody says that the worker has exited.
  const ended = worker.terminate();
  if (ON_LINUX) {
    expect(lock.lock()).toBe('recovered');
    expect(registry.isDead(owner)).toBe(true);
    lock.unlock();
  } else {
    expect(codeOf(() => lock.lock())).toBe('ERR_LOCK_TIMEOUT');
  }
  await ended;
});

test('several die at once: each is found by the system, or all are said dead before any lock is taken', async () => {
  const words = allocateWords(24);
  const registry = ThreadRegistry.create(8);
  const self = registry.register();
  const runs = [0, 4, 8].map((offset) =>
    start({ job: 'hold', words, offset, registry: registry.toHandle() }),
  );
  const owners = (await Promise.all(runs.map((r) => r.result))) as number[];
  const locks = [0, 4, 8].map((offset) => new SharedLock(words, offset, self, { registry }));
  expect(locks.map((lock) => lock.owner())).toEqual(owners);
  expect(registry.findEnded()).toEqual([]);
  await Promise.all(runs.map((r) => r.worker.terminate()));
  for (const id of owners) registry.markDead(id);
  expect(locks.map((lock) => lock.lock())).toEqual(['recovered', 'recovered', 'recovered']);
  for (const id of owners) registry.release(id);
  expect(registry.ids()).toEqual([self]);
});

test('an owner that is silent for longer than the limit keeps its lock; the call may be repeated', async () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(8);
  const self = registry.register();
  const { worker, result } = start({ job: 'silent', words, registry: registry.toHandle() });
  while (Atomics.load(words, 8) === 0) Atomics.wait(words, 8, 0, 1000);
  const lock = new SharedLock(words, 0, self, { registry, timeoutMs: 45 });
  const owner = lock.owner();
  for (let i = 0; i < 4; i++) {
    expect(codeOf(() => lock.lock())).toBe('ERR_LOCK_TIMEOUT');
    expect(lock.owner()).toBe(owner);
  }
  expect(lock.recoveries()).toBe(0);
  Atomics.store(words, 9, 1);
  Atomics.notify(words, 9);
  expect(await result).toBe('done');
  expect(lock.lock()).toBe('acquired');
  lock.unlock();
  await worker.terminate();
});

test('the time limit is for one hold: a lock that goes round may be waited for longer', () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(4);
  const [a, b] = [registry.register(), registry.register()];
  const first = new SharedLock(words, 0, a, { registry });
  const second = new SharedLock(words, 0, b, { registry, timeoutMs: 0 });
  first.lock();
  expect(codeOf(() => second.lock())).toBe('ERR_LOCK_TIMEOUT');
  first.unlock();
  expect(second.lock()).toBe('acquired');
  second.unlock();
});

test("an id that is used again is another thread: its lock is not the dead one's", () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(4);
  const [a, main] = [registry.register(), registry.register()];
  const dead = registry.tagOf(a);
  new SharedLock(words, 0, a, { registry }).lock();
  registry.markDead(a);
  const lock = new SharedLock(words, 0, main, { registry, timeoutMs: 25 });
  expect(lock.lock()).toBe('recovered');
  lock.unlock();
  registry.release(a);
  expect(registry.register()).toBe(a);
  expect(registry.tagOf(a)).not.toBe(dead);
  expect(registry.hasEnded(dead)).toBe(true);
  expect(registry.proveEnded(dead)).toBe(true);
  expect(registry.isAlive(a)).toBe(true);
  const again = new SharedLock(words, 0, a, { registry });
  again.lock();
  expect(codeOf(() => lock.lock())).toBe('ERR_LOCK_TIMEOUT');
  again.unlock();
});

test('an owner of whom the registry knows nothing is not robbed', () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(4);
  const self = registry.register();
  new SharedLock(words, 0, 3).lock();
  const lock = new SharedLock(words, 0, self, { registry, timeoutMs: 25 });
  expect(codeOf(() => lock.lock())).toBe('ERR_LOCK_TIMEOUT');
  expect(registry.hasEnded(3)).toBe(false);
  expect(registry.proveEnded(3)).toBe(false);
});

test('a lock whose owner left or was released without giving it back is taken over', () => {
  const words = allocateWords(16);
  const registry = ThreadRegistry.create(4);
  const [a, b] = [registry.register(), registry.register()];
  const lock = new SharedLock(words, 0, b, { registry });
  new SharedLock(words, 0, a, { registry }).lock();
  registry.unregister(a);
  expect(lock.lock()).toBe('recovered');
  lock.unlock();
  registry.register();
  new SharedLock(words, 0, a, { registry }).lock();
  registry.markDead(a);
  registry.release(a);
  expect(lock.lock()).toBe('recovered');
});

test("an id reserved for a thread stays its owner's, whether the thread comes, leaves, or neither", async () => {
  const registry = ThreadRegistry.create(2);
  const id = registry.reserve();
  expect([registry.isAlive(id), registry.isDead(id), registry.ids()]).toEqual([false, false, [id]]);
  expect(registry.register()).not.toBe(id);
  expect(codeOf(() => registry.reserve())).toBe('ERR_THREADS_FULL');
  const { worker, result } = start({ job: 'join', id, registry: registry.toHandle() });
  expect(await result).toBe(id);
  await worker.terminate();
  // It has left; the id is not given out, and nothing else can be meant by it.
  expect([registry.isAlive(id), registry.isDead(id)]).toEqual([false, true]);
  expect(codeOf(() => registry.register())).toBe('ERR_THREADS_FULL');
  expect(codeOf(() => registry.register(id))).toBe('ERR_THREADS_RESERVED');
  registry.release(id);
  expect(codeOf(() => registry.register(id))).toBe('ERR_THREADS_RESERVED');
  expect(registry.reserve()).toBe(id);
  expect(registry.markDead(id)).toBe(true);
  registry.release(id, true);
  // Reserved again, for the thread that comes instead.
  expect(codeOf(() => registry.register())).toBe('ERR_THREADS_FULL');
  expect(registry.register(id)).toBe(id);
  registry.unregister(id);
  registry.release(id);
  expect(registry.register()).toBe(id);
});

test('giving an id back twice does not hit its next owner', () => {
  const registry = ThreadRegistry.create(2);
  const other = ThreadRegistry.attach(registry.toHandle());
  const id = registry.register();
  registry.markDead(id);
  registry.release(id);
  expect(other.register()).toBe(id);
  registry.unregister(id);
  expect(other.isAlive(id)).toBe(true);
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
