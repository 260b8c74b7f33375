// A guardian tells that a thread has ended where the system does not: to a thread that is blocked, too.
import { afterAll, expect, test } from '@jest/globals';

import { allocateWords, SharedLock, ThreadGuardian, ThreadRegistry } from '../dist/shared.js';
import { start } from './workers/run.js';

const { platform } = process;
// Before anything registers: the answer is looked up once.
Object.defineProperty(process, 'platform', { value: 'none' });
afterAll(() => {
  Object.defineProperty(process, 'platform', { value: platform });
});

test('the lock of a worker that ended is taken over by the thread that started it, which hears of no event', async () => {
  const words = allocateWords(SharedLock.WORDS);
  const registry = ThreadRegistry.create(4);
  const guardian = await ThreadGuardian.start(registry);
  const self = registry.register();
  const lock = new SharedLock(words, 0, self, { registry, timeoutMs: 60_000 });
  for (let round = 1; round <= 3; round++) {
    const id = registry.reserve();
    const port = guardian.watch(id);
    const data = { job: 'hold', words, registry: registry.toHandle(), id, port };
    const { worker, result } = start(data, [port]);
    expect(await result).toBe(id);
    expect(registry.findEnded()).toEqual([]);
    const ended = worker.terminate();
    expect(lock.lock()).toBe('recovered');
    lock.unlock();
    expect(registry.isDead(id)).toBe(true);
    await ended;
    // What its owner says afterwards is no news.
    registry.markDead(id);
    registry.release(id);
  }
  expect(lock.recoveries()).toBe(3);
  await guardian.close();
});

test('the end of one thread is not that of the next one with its id', async () => {
  const registry = ThreadRegistry.create(2);
  const guardian = await ThreadGuardian.start(registry);
  const id = registry.reserve();
  const port = guardian.watch(id);
  registry.register(id);
  const tag = registry.tagOf(id);
  registry.unregister(id);
  registry.release(id);
  expect(registry.reserve()).toBe(id);
  registry.register(id);
  // Another port's end, later than the first: when it is known, so is the first one.
  const other = registry.reserve();
  const second = guardian.watch(other);
  registry.register(other);
  port.close();
  second.close();
  while (registry.isAlive(other)) await new Promise((resolve) => setTimeout(resolve, 1));
  expect(registry.isAlive(id)).toBe(true);
  expect(registry.hasEnded(tag)).toBe(true);
  await guardian.close();
});

test('an id that no living thread has cannot be watched; without threads of Node there is no guardian', async () => {
  const registry = ThreadRegistry.create(2);
  const guardian = await ThreadGuardian.start(registry);
  const refused = expect.objectContaining({ code: 'ERR_MEMMAP_ARGUMENT' });
  for (const id of [1, 0, 3, -1, 0.5, NaN, '1', null, undefined, 1n, {}]) {
    expect(() => guardian.watch(id as number)).toThrow(refused);
  }
  await guardian.close();
  await guardian.close();
  const original = Object.getOwnPropertyDescriptor(process, 'getBuiltinModule')!;
  try {
    Object.defineProperty(process, 'getBuiltinModule', { ...original, value: undefined });
    await expect(ThreadGuardian.start(registry)).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_MEMMAP_STORAGE' }),
    );
  } finally {
    Object.defineProperty(process, 'getBuiltinModule', original);
  }
});
