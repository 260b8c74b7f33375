// Blocks that become larger or smaller where they are, and requests that wait without blocking.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';

import { Random } from '../../../tools/kit/random.mjs';
import { BuddyAllocator } from '../dist/index.js';
import { codeOf } from './model/machine.js';

const create = (options = {}): BuddyAllocator =>
  BuddyAllocator.create({ pages: 2048, data: null, ...options });

test('a block grows over what is free behind it, and not over what is not', () => {
  const pool = create({ maxOrder: 10 });
  const [first, second] = [pool.allocOrThrow(3), pool.allocOrThrow(3)];
  const [low, high] = first < second ? [first, second] : [second, first];
  expect([low % 16, high]).toEqual([0, low + 8]);
  expect(pool.extend(low, 3, 4)).toBe(false);
  pool.free(high, 3);
  expect(pool.extend(low, 3, 4)).toBe(true);
  expect(pool.extend(low, 4, 4)).toBe(true);
  expect(pool.extend(low, 4, 9)).toBe(low % 512 === 0);
  expect(codeOf(() => pool.extend(low, 3, 4))).toBe('ERR_BUDDY_WRONG_ORDER');
  const order = low % 512 === 0 ? 9 : 4;
  pool.shrink(low, order, 0);
  expect(
    codeOf(() => {
      pool.free(low, order);
    }),
  ).toBe('ERR_BUDDY_WRONG_ORDER');
  pool.free(low, 0);
  expect(
    codeOf(() => {
      pool.shrink(low, 0, 0);
    }),
  ).toBe('ERR_BUDDY_DOUBLE_FREE');
  pool.drain();
  expect(pool.verify()).toEqual([]);
  expect(pool.stats().freePages).toBe(2048);
});

test('a block that does not lie at a multiple of the larger size stays what it is', () => {
  const pool = create({ caches: false });
  const low = pool.allocOrThrow(0);
  const high = pool.allocOrThrow(0);
  pool.free(low, 0);
  expect(high % 2).toBe(1);
  expect(pool.extend(high, 0, 1)).toBe(false);
  pool.free(high, 0);
});

test('over pageblocks of other mobilities, and back to them', () => {
  const pool = create({ pages: 4096, caches: false });
  const block = pool.allocOrThrow(10);
  pool.shrink(block, 10, 9);
  const other = pool.allocOrThrow(9, { mobility: 'unmovable' });
  pool.free(other, 9);
  expect(pool.extend(block, 9, 10)).toBe(true);
  expect(pool.verify()).toEqual([]);
  pool.shrink(block, 10, 3);
  expect(pool.verify()).toEqual([]);
  pool.free(block, 3);
  expect(pool.stats()).toMatchObject({ freePages: 4096, largestFreeOrder: 10 });
});

test('a pageblock that is kept apart is not grown into, though all of it is free', () => {
  const pool = create({ pages: 2048, caches: false });
  const block = pool.allocOrThrow(9);
  const used = pool.allocOrThrow(0);
  expect([block, used >= 512]).toEqual([0, true]);
  const seen: boolean[] = [];
  const done = pool.allocContigRange(512, 1024, (from) => {
    pool.free(from, 0);
    seen.push(pool.extend(block, 9, 10));
    return false;
  });
  expect(seen).toEqual([false]);
  expect([done, pool.verify()]).toEqual([done, []]);
});

test('what is added is zero where that is asked for, poison is looked at, marks count', () => {
  const pool = create({ pages: 64, pageSize: 64, data: 'shared', caches: false });
  const used = pool.allocOrThrow(5);
  pool.view(used, 5, Uint8Array).fill(9);
  pool.shrink(used, 5, 2);
  expect(pool.extend(used, 2, 5, { zero: true })).toBe(true);
  const bytes = pool.view(used, 5, Uint8Array);
  expect([bytes[0], bytes[255], bytes[256], bytes.at(-1)]).toEqual([9, 9, 0, 0]);
  pool.shrink(used, 5, 0);
  pool.setWatermarks({ min: 60, low: 60, high: 60 });
  expect(pool.extend(used, 0, 3)).toBe(false);
  expect(pool.extend(used, 0, 3, { high: true })).toBe(true);

  const poisoned = create({ pages: 64, pageSize: 64, data: 'shared', poison: true });
  const block = poisoned.allocOrThrow(4);
  poisoned.shrink(block, 4, 1);
  poisoned.viewPages(block + 5, 1, Uint8Array)[3] = 1;
  expect(codeOf(() => poisoned.extend(block, 1, 4))).toBe('ERR_BUDDY_POISON');
  expect(poisoned.extend(block, 1, 4)).toBe(true);
  // What was used has poison again when it goes.
  poisoned.view(block, 4, Uint8Array).fill(3);
  poisoned.shrink(block, 4, 1);
  expect(poisoned.extend(block, 1, 4)).toBe(true);
  expect([...new Set(poisoned.view(block, 4, Uint8Array))]).toEqual([3, 0xaa]);
  poisoned.free(block, 4);
});

test.each([1, 2, 3])('as a model of single pages says, seed %i', (seed) => {
  const random = new Random(seed);
  const pool = create({ caches: seed !== 1, owners: true });
  const blocks = new Map<number, number>();
  const used = new Set<number>();
  const set = (pfn: number, from: number, to: number, on: boolean): void => {
    for (let page = pfn + from; page < pfn + to; page++) {
      if (used.has(page) === on) throw new Error(`page ${page}`);
      if (on) used.add(page);
      else used.delete(page);
    }
  };
  for (let i = 0; i < 4000; i++) {
    const held = [...blocks.keys()];
    const pfn = held.length > 0 ? random.pick(held) : undefined;
    if (pfn === undefined || random.once(3)) {
      const order = random.below(7);
      const got = pool.alloc(order, { owner: 5 });
      if (got === undefined) continue;
      set(got, 0, 2 ** order, true);
      blocks.set(got, order);
      continue;
    }
    const order = blocks.get(pfn)!;
    if (random.once(3)) {
      pool.free(pfn, order);
      set(pfn, 0, 2 ** order, false);
      blocks.delete(pfn);
    } else if (random.once(2)) {
      const to = random.below(order + 1);
      pool.shrink(pfn, order, to);
      set(pfn, 2 ** to, 2 ** order, false);
      blocks.set(pfn, to);
    } else {
      const to = Math.min(10, order + random.below(4));
      const room =
        pfn % 2 ** to === 0 &&
        ![...Array(2 ** to).keys()].slice(2 ** order).some((page) => used.has(pfn + page));
      expect(pool.extend(pfn, order, to)).toBe(room);
      if (!room) continue;
      set(pfn, 2 ** order, 2 ** to, true);
      blocks.set(pfn, to);
    }
  }
  pool.drain();
  expect(pool.verify()).toEqual([]);
  expect(pool.stats().allocatedPages).toBe(used.size);
  expect(pool.freeAllOf(5)).toBe(used.size);
});

test('allocAsync: those who wait are served in order when memory comes, whatever their size', async () => {
  const pool = create({ pages: 1024 });
  const whole = pool.allocOrThrow(10);
  const served: string[] = [];
  const want = async (name: string, order: number): Promise<number> => {
    const pfn = await pool.allocAsync(order);
    served.push(name);
    return pfn!;
  };
  const waits = [want('large', 9), want('small', 0), want('other', 7)];
  await sleep(20);
  // There is a page, but who came first is not served by it.
  pool.shrink(whole, 10, 9);
  pool.allocOrThrow(8);
  await sleep(20);
  expect(served).toEqual([]);
  pool.free(whole, 9);
  const pfns = await Promise.all(waits);
  expect(served).toEqual(['large', 'small', 'other']);
  expect(new Set(pfns).size).toBe(3);
  expect(pool.verify()).toEqual([]);
});

test('allocAsync: at once where there is memory; over when aborted, late, closed, or wrong', async () => {
  const pool = create({ pages: 1024 });
  const whole = (await pool.allocAsync(10))!;
  expect(await pool.allocAsync(0, {}, { ms: 0 })).toBeUndefined();
  expect(await pool.allocAsync(0, {}, { ms: 5 })).toBeUndefined();
  const abort = new AbortController();
  const aborted = pool.allocAsync(0, {}, { signal: abort.signal });
  const late = pool.allocAsync(3);
  abort.abort(new Error('enough'));
  await expect(aborted).rejects.toThrow('enough');
  await expect(pool.allocAsync(0, {}, { signal: abort.signal })).rejects.toThrow('enough');
  for (const call of [
    () => pool.allocAsync(11),
    () => pool.allocAsync(0, { mobility: 'none' as never }),
    () => pool.allocAsync(0, {}, { signal: {} as never }),
    () => pool.allocAsync(0, {}, { ms: -1 }),
    () => pool.allocAsync(0, {}, null as never),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'ERR_BUDDY_ARGUMENT' });
  }
  pool.free(whole, 10);
  const pfn = (await late)!;
  pool.free(pfn, 3);
  pool.allocOrThrow(10);
  const closed = pool.allocAsync(0);
  pool.close();
  await expect(closed).rejects.toMatchObject({ code: 'ERR_BUDDY_CLOSED' });
});

test('allocAsync: a callback that aborts what is tried just now gets its way, and no page is lost', async () => {
  for (const at of [1, 2, 3]) {
    const pool = create({ pages: 4, caches: false });
    const whole = pool.allocOrThrow(2);
    const abort = new AbortController();
    let calls = 0;
    pool.onPressure(() => {
      calls++;
      if (calls !== at) return false;
      abort.abort(new Error('enough'));
      if (at > 1) pool.free(whole, 2);
      return at > 1;
    });
    const aborted = pool.allocAsync(0, {}, { signal: abort.signal });
    const next = at > 1 ? pool.allocAsync(1) : undefined;
    await expect(aborted).rejects.toThrow('enough');
    if (next === undefined) pool.free(whole, 2);
    else pool.free((await next)!, 1);
    expect(pool.stats().freePages).toBe(4);
  }
});

test('allocAsync: hundreds wait on one signal, which is listened to once; a callback that closes ends all', async () => {
  const pool = create({ pages: 4, caches: false });
  pool.allocOrThrow(2);
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  Object.assign(signal, {
    addEventListener(...args: Parameters<typeof add>) {
      listeners++;
      add(...args);
    },
    removeEventListener(...args: Parameters<typeof remove>) {
      listeners--;
      remove(...args);
    },
  });
  const late = Array.from({ length: 300 }, () => pool.allocAsync(0, {}, { signal, ms: 1 }));
  expect(listeners).toBe(1);
  expect(new Set(await Promise.all(late))).toEqual(new Set([undefined]));
  expect(listeners).toBe(0);
  const other = BuddyAllocator.attach(pool.toHandle());
  const waits = Array.from({ length: 30 }, () => pool.allocAsync(0, {}, { signal }));
  pool.onPressure(() => {
    pool.close();
    return true;
  });
  for (const wait of waits) await expect(wait).rejects.toMatchObject({ code: 'ERR_BUDDY_CLOSED' });
  expect([listeners, other.stats().allocatedPages]).toEqual([0, 4]);
});
