// What closed series and pools leave behind: memory that the next ones use, and no open files.
import { existsSync, readdirSync } from 'node:fs';
import { getEventListeners } from 'node:events';
import { expect, jest, test } from '@jest/globals';
import type { Member } from '../dist/threads/member.js';
import { liveTime } from './fixtures/live-time.js';

jest.unstable_mockModule('../dist/base/host-time.js', () => liveTime);
const { createWorkPool, map } = await import('@bootmem/padata');
const { RingStore, makeBlock } = await import('../dist/ring/ring-store.js');

const module = new URL('./fixtures/series-jobs.mjs', import.meta.url);
const fn = { module, name: 'same' };
const bytes = { module, name: 'shift' };
type Any = (input: unknown) => unknown;

/** Counts the shared buffers that are made. */
function countBuffers(): { made: number; bytes: number; stop(): void } {
  const Real = globalThis.SharedArrayBuffer;
  const count = {
    made: 0,
    bytes: 0,
    stop() {
      globalThis.SharedArrayBuffer = Real;
    },
  };
  globalThis.SharedArrayBuffer = new Proxy(Real, {
    construct(target, args: [number]) {
      count.made += 1;
      count.bytes += args[0];
      return Reflect.construct(target, args);
    },
  });
  return count;
}

test('a series per call uses the memory of those before it, and nothing of what was in there', async () => {
  const pool = createWorkPool({ threads: 2 });
  await pool.load(fn);
  const count = countBuffers();
  try {
    for (let k = 0; k < 100; k += 1) {
      const fresh = pool.series<Any>({ fn: k % 2 === 0 ? fn : bytes, window: 16 });
      expect(fresh.stats()).toMatchObject({ submitted: 0, delivered: 0, run: { count: 0 } });
      const inputs = k % 2 === 0 ? [k, `text ${k}`] : [new Uint8Array([k]), new Uint8Array(900)];
      const [one, two] = await Promise.all(inputs.map((input) => fresh.run(input)));
      if (k % 2 === 0) expect([one, two]).toEqual(inputs);
      else expect((one as Uint8Array)[0]).toBe(k + 1);
      await fresh.close();
      // Its figures are its own for good, and what it is told no longer reaches the next one.
      expect(fresh.stats()).toMatchObject({ delivered: 2, latency: { count: 2 } });
      fresh.abort(new Error('too late'));
      fresh.setWorkers([]);
    }
    expect(await map(pool, [1, 2], fn)).toEqual([1, 2]);
  } finally {
    count.stop();
  }
  // Two a series without it; how many are saved goes by how soon threads are heard.
  expect(count.made).toBeLessThan(160);
  await pool.close();
});

test.each([
  'aborted',
  'halted',
  'closed',
  'left to a pool that closes',
  'made with a signal that is over',
])('a series that is %s keeps no timer and no listener on a signal that lives on', async (how) => {
  const timers = new Set<unknown>();
  const begin = jest.spyOn(globalThis, 'setInterval').mockImplementation((() => {
    const timer = {};
    timers.add(timer);
    return timer;
  }) as never);
  const end = jest.spyOn(globalThis, 'clearInterval').mockImplementation((timer) => {
    timers.delete(timer);
  });
  const pool = createWorkPool({ threads: 1 });
  const { signal } = new AbortController();
  const options = { fn, watchdogMs: 10_000, onStall: () => undefined };
  const over = how.startsWith('made');
  try {
    const series = pool.series<Any>({
      ...options,
      signal: over ? AbortSignal.abort() : signal,
      halt: 'now,done=1',
    });
    if (!over) {
      expect(timers.size).toBe(1);
      expect(getEventListeners(signal, 'abort')).toHaveLength(1);
      const job = Promise.allSettled([series.run(1)]);
      if (how === 'aborted') series.abort();
      if (how === 'halted') await job;
      if (how === 'closed') await series.close();
      if (how.startsWith('left')) await pool.close();
      await job;
      await series.drain();
    }
    expect(timers.size).toBe(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  } finally {
    begin.mockRestore();
    end.mockRestore();
    await pool.close();
  }
});

test('map over a short list makes a ring of its length, unless a window is given', async () => {
  const pool = createWorkPool({ threads: 1 });
  await pool.load(fn);
  const bytesOf = async (
    ...args: Parameters<typeof map<Any>> extends [unknown, ...infer R] ? R : never
  ) => {
    const count = countBuffers();
    try {
      await map<Any>(pool, ...args);
    } finally {
      count.stop();
    }
    return count.bytes;
  };
  const items = [1, 2, 3];
  const short = await bytesOf(items, fn);
  expect(short).toBeLessThan(100_000);
  expect(await bytesOf(items, fn, { window: 64 })).toBeGreaterThan(short);
  // What is not a list is of any length.
  expect(await bytesOf(new Set(items), fn)).toBeGreaterThan(200_000);
  await pool.close();
});

test('memory that somebody may still look at is not used again: handles of deferred jobs, results that are kept', async () => {
  const pool = createWorkPool({ threads: 1 });
  const later = pool.series<Any>({ fn: { module, name: 'deferred' }, window: 8, graceMs: 1 });
  const handed = later.run(1).catch((error: unknown) => error);
  // Deferred now: its function has returned.
  while (later.busyJobs() > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  later.abort(new Error('enough'));
  await handed;
  await later.close();
  const views = pool.series<Any>({ fn: bytes, window: 8, bytes: 'view' });
  const iterator = views.map([new Uint8Array([1, 2, 3])]);
  const first: IteratorResult<unknown> = await iterator.next();
  await views.close();
  const count = countBuffers();
  try {
    for (let k = 0; k < 3; k += 1) {
      const next = pool.series<Any>({ fn: bytes, window: 8 });
      await next.run(new Uint8Array(100).fill(9));
      expect([...(first.value as Uint8Array)].slice(0, 3)).toEqual([2, 3, 4]);
      if (k === 0) expect(count.made).toBe(2);
      await next.close();
    }
  } finally {
    count.stop();
  }
  await pool.close();
});

test.each(['return', 'abort'])(
  'results that nobody takes any more let go of their bytes when an iteration ends early (%s)',
  async (how) => {
    const pool = createWorkPool({ threads: 1 });
    const views = pool.series<Any>({ fn: bytes, window: 4, bytes: 'view' });
    const controller = new AbortController();
    const { signal } = controller;
    const inputs = Array.from({ length: 4 }, (_, n) => new Uint8Array(900).fill(n));
    const iterator = views.map(inputs, { signal });
    await iterator.next();
    while (views.stats().delivered < 4) await new Promise((resolve) => setTimeout(resolve, 1));
    if (how === 'abort') {
      controller.abort();
      await expect(iterator.next()).rejects.toThrow();
    }
    await iterator.return!();
    await views.close();
    // The thread has answered that it looks at it no more, too.
    await pool.load({ module: bytes.module, name: 'twice' });
    const count = countBuffers();
    try {
      // Nobody looks at the memory, so the next series has it.
      const next = pool.series<Any>({ fn: bytes, window: 4, bytes: 'view' });
      await next.run(new Uint8Array(900));
      expect(count.made).toBe(0);
    } finally {
      count.stop();
    }
    await pool.close();
  },
);

const FILES = '/proc/self/fd';
(existsSync(FILES) ? test : test.skip)(
  'pools that close while their threads import leave no file open',
  async () => {
    const open = () => readdirSync(FILES).length;
    let before = 0;
    for (let k = 0; k < 25; k += 1) {
      const pool = createWorkPool({ threads: 3 });
      await pool.series<Any>({ fn }).run(1);
      await pool.close();
      if (k === 4) before = open();
    }
    expect(open()).toBeLessThanOrEqual(before + 1);
  },
);

test('whoever makes a ring after the other waits for threads to let go of those before, for a moment', async () => {
  const store = new RingStore();
  const slow = { id: 1 } as Member;
  const block = makeBlock({ window: 1024, arenaBytes: 1 << 20, capacity: 1, shared: true });
  let isOver = false;
  const room = async (): Promise<void> => {
    isOver = false;
    await store.room();
    isOver = true;
  };
  for (let ring = 0; ring < 3; ring += 1) store.put(ring, block, [slow]);
  await room();
  store.put(3, block, [slow]);
  const answered = room();
  await Promise.resolve();
  expect(isOver).toBe(false);
  store.onDropped(0, slow);
  store.onDropped(1, slow);
  await answered;
  expect(store.take(1024, 1 << 20)).toBe(block);
  // One that a function keeps answers late, or never.
  for (let ring = 4; ring < 9; ring += 1) store.put(ring, block, [slow]);
  await room();
  store.onEnd(slow);
  await room();
});

test('jobs that were asked to stop are looked at when their memory is another series’: that has all that it ran', async () => {
  const pool = createWorkPool({ threads: 2 });
  const options = { fn: { module, name: 'slow' }, order: 'none', window: 16, graceMs: 10 } as const;
  for (let round = 0; round < 400; round += 1) {
    const series = pool.series<Any>(options);
    // More than fit at a time, too short for the owner to be told of each.
    await Promise.all(Array.from({ length: 30 }, () => series.run(0)));
    const asked = new AbortController();
    const stopped = series.run(5, { signal: asked.signal });
    asked.abort('enough');
    await expect(stopped).rejects.toBe('enough');
    await series.close();
  }
  await pool.close();
});
