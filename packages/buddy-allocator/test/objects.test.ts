// Small objects in the pages of a pool.
import { expect, test } from '@jest/globals';

import { Random } from '../../../tools/kit/random.mjs';
import { BuddyAllocator } from '../dist/index.js';
import { formatSlabinfo, ObjectCache, type ObjectCacheOptions } from '../dist/objects.js';
import { slabShape } from '../dist/objects/slab-shape.js';
import { codeOf } from './model/machine.js';

const createPool = (options = {}): BuddyAllocator =>
  BuddyAllocator.create({ pages: 256, threads: 3, ...options });

function expectAllFree(pool: BuddyAllocator, cache: ObjectCache): void {
  cache.shrink();
  expect(cache.verify()).toEqual([]);
  expect(cache.stats()).toMatchObject({ slabs: 0, objects: 0, activeObjects: 0 });
  pool.drain();
  expect(pool.verify()).toEqual([]);
  expect(pool.stats().freePages).toBe(pool.stats().pages);
}

test.each([
  [1, 1, 4096, { slabOrder: 0, perSlab: 512, idShift: 9 }],
  [64, 8, 4096, { slabOrder: 0, perSlab: 64, idShift: 6, stride: 64 }],
  [48, 8, 4096, { slabOrder: 0, perSlab: 85, idShift: 7, stride: 48 }],
  [33, 16, 4096, { slabOrder: 0, perSlab: 85, stride: 48 }],
  [1500, 8, 4096, { slabOrder: 2, perSlab: 10, idShift: 4, stride: 1504 }],
  [4096, 4096, 4096, { slabOrder: 3, perSlab: 8, idShift: 3 }],
  [4097, 1, 4096, { slabOrder: 3, perSlab: 7, idShift: 3 }],
  [2 ** 21, 8, 4096, { slabOrder: 9, perSlab: 1, idShift: 0 }],
  [5, 1, 1, { slabOrder: 4, perSlab: 3, idShift: 2 }],
])('%i bytes at multiples of %i in pages of %i: %j', (size, align, pageSize, shape) => {
  expect(slabShape(size, align, pageSize, 9)).toMatchObject(shape);
});

test.each<ObjectCacheOptions>([
  { size: 64 },
  { size: 48, align: 16 },
  { size: 1000 },
  { size: 5, align: 1, maxObjects: 700 },
  { size: 9000, align: 4096 },
])('objects are aligned, inside, apart, and all come back: %j', (options) => {
  const pool = createPool();
  const cache = ObjectCache.create(pool, options);
  const objects: number[] = [];
  for (let object = cache.alloc(); object !== undefined; object = cache.alloc())
    objects.push(object);
  const { align = 8, size, maxObjects } = options;
  const starts = objects.map((object) => cache.offset(object)).sort((a, b) => a - b);
  expect(objects.length).toBeGreaterThan(0);
  if (maxObjects !== undefined) expect(objects.length).toBeGreaterThanOrEqual(maxObjects);
  expect(new Set(objects).size).toBe(objects.length);
  starts.forEach((start, i) => {
    const next = starts[i + 1] ?? pool.buffer!.byteLength;
    const fits = start % align === 0 && start + size <= next;
    if (!fits) expect([start, next]).toBe('an object of its own');
  });
  for (const object of objects) {
    if (cache.objectAt(cache.offset(object) + size - 1) !== object) expect(object).toBe('found');
  }
  expect(cache.stats()).toMatchObject({ activeObjects: objects.length, cachedObjects: 0 });
  expect(cache.verify()).toEqual([]);
  const random = new Random(5);
  while (objects.length > 0) {
    const at = random.below(objects.length);
    cache.free(objects[at]!);
    objects[at] = objects.at(-1)!;
    objects.pop();
  }
  expectAllFree(pool, cache);
});

test('what an object holds stays from a free to the next use, as `construct` made it', () => {
  const pool = createPool();
  const made: number[] = [];
  const bytes = new Uint8Array(pool.buffer!);
  const cache = ObjectCache.create(pool, {
    size: 32,
    construct: (offset) => {
      made.push(offset);
      bytes.fill(7, offset, offset + 32);
    },
  });
  const objects = Array.from({ length: 200 }, () => cache.alloc()!);
  expect(objects.every((object) => cache.view(object, Uint8Array).every((b) => b === 7))).toBe(
    true,
  );
  expect(made).toHaveLength(2 * cache.objectsPerSlab);
  for (const object of objects) cache.free(object);
  Array.from({ length: 200 }, () => cache.alloc());
  expect(made).toHaveLength(2 * cache.objectsPerSlab);
});

test('a `construct` that throws leaves no pages behind', () => {
  const pool = createPool();
  let fail = true;
  const cache = ObjectCache.create(pool, {
    size: 100,
    construct: () => {
      if (fail) throw new Error('not now');
    },
  });
  expect(() => cache.alloc()).toThrow('not now');
  expectAllFree(pool, cache);
  fail = false;
  cache.free(cache.alloc()!);
  expectAllFree(pool, cache);
});

test('`construct` may make requests of its own: the pages of its slab stay, whatever these lead to', () => {
  const pool = createPool();
  const taken: number[] = [];
  let shrunk = 0;
  const cache: ObjectCache = ObjectCache.create(pool, {
    size: 512,
    construct: (offset) => {
      new Uint8Array(pool.buffer!, offset, 512).fill(7);
      shrunk += cache.shrink();
      for (let pfn; taken.length < 200 && (pfn = pool.alloc(0)) !== undefined;) taken.push(pfn);
    },
  });
  pool.onPressure(() => cache.shrink() > 0);
  const objects: number[] = [];
  for (let object; (object = cache.alloc()) !== undefined;) objects.push(object);
  const pages = new Set(objects.map((object) => Math.floor(cache.offset(object) / 4096)));
  expect(objects.length).toBeGreaterThanOrEqual(2 * cache.objectsPerSlab);
  expect([shrunk, taken.filter((pfn) => pages.has(pfn))]).toEqual([0, []]);
  for (const pfn of taken) pool.view(pfn, 0, Uint8Array).fill(1);
  for (const object of objects) expect(cache.view(object, Uint8Array)[511]).toBe(7);
  for (const object of objects) cache.free(object);
  for (const pfn of taken) pool.free(pfn, 0);
  expect(cache.shrink()).toBeGreaterThan(0);
  expectAllFree(pool, cache);
});

test.each(['cache', 'pool'])('a `construct` that closes its %s leaves both sound', (what) => {
  const pool = createPool();
  const other = BuddyAllocator.attach(pool.toHandle());
  let calls = 0;
  const cache: ObjectCache = ObjectCache.create(pool, {
    size: 512,
    construct: () => {
      calls++;
      if (calls === 2) (what === 'cache' ? cache : pool).close();
      if (calls === 2 && what === 'pool') throw new Error('mine');
    },
  });
  if (what === 'cache') expect(codeOf(() => cache.alloc())).toBe('ERR_BUDDY_CLOSED');
  else expect(() => cache.alloc()).toThrow('mine');
  expect(calls).toBe(2);
  const next = ObjectCache.attach(other, cache.toHandle());
  cache.close();
  next.reclaimThreads([]);
  next.free(next.alloc()!);
  expectAllFree(other, next);
});

test('wrong frees are refused and change nothing', () => {
  const pool = createPool();
  const cache = ObjectCache.create(pool, { size: 48 });
  const object = cache.alloc()!;
  const free = (value: unknown) =>
    codeOf(() => {
      cache.free(value as number);
    });
  expect(cache.objectsPerSlab).toBe(85);
  expect(free(100)).toBe('ERR_BUDDY_UNINITIALISED');
  expect(free(200)).toBe('ERR_BUDDY_UNINITIALISED');
  expect(free(2 ** 30)).toBe('ERR_BUDDY_OUT_OF_ZONE');
  for (const value of [-1, 1.5, NaN, '0', null, undefined, 1n]) {
    expect(free(value)).toMatch(/^ERR_BUDDY_(OUT_OF_ZONE|ARGUMENT)$/);
  }
  cache.free(object);
  expect(free(object)).toBe('ERR_BUDDY_DOUBLE_FREE');
  cache.drain();
  expect(free(object)).toBe('ERR_BUDDY_DOUBLE_FREE');
  for (const value of [-1, 1.5, NaN, '0', null, undefined, 1n, Symbol('s'), {}]) {
    for (const call of [() => cache.offset(value as never), () => cache.objectAt(value as never)]) {
      expect(codeOf(call)).toBe('ERR_BUDDY_ARGUMENT');
    }
  }
  cache.shrink();
  expect(free(object)).toBe('ERR_BUDDY_NOT_ALLOCATED');
  expect(codeOf(() => cache.offset(object))).toBe('ERR_BUDDY_ARGUMENT');
  expectAllFree(pool, cache);
});

test('slabs go back when the pool is short, and the numbers are used again', () => {
  const pool = createPool({ pages: 16, maxOrder: 4 });
  const cache = ObjectCache.create(pool, { size: 512 });
  pool.onPressure(() => cache.shrink() > 0);
  for (let round = 0; round < 5; round++) {
    const objects = Array.from({ length: 128 }, () => cache.alloc());
    expect(objects).not.toContain(undefined);
    expect(cache.alloc()).toBeUndefined();
    expect(Math.max(...(objects as number[]))).toBe(127);
    expect(pool.alloc(4)).toBeUndefined();
    for (const object of objects) cache.free(object!);
    const whole = pool.alloc(4)!;
    expect(cache.alloc()).toBeUndefined();
    pool.free(whole, 4);
  }
  expectAllFree(pool, cache);
});

test('caches of several sizes share a pool; its marks count for slabs', () => {
  const pool = createPool();
  pool.setWatermarks({ min: 250, low: 250, high: 250 });
  const caches = [16, 100, 700].map((size) => ObjectCache.create(pool, { size }));
  for (const cache of caches) cache.alloc();
  expect(pool.stats().freePages).toBeGreaterThanOrEqual(250);
  for (let i = 0; i < 1000; i++) caches[2]!.alloc();
  expect(pool.stats().freePages).toBeGreaterThanOrEqual(250);
  const text = formatSlabinfo(caches.map((cache) => cache.stats()));
  expect(text.split('\n')).toHaveLength(6);
  expect(text).toMatch(/^size-16 +1|\nsize-16 +\d+ +256 +16 +256 +1 : tunables/);
  expect(caches[0]!.stats()).toMatchObject({ name: 'size-16', slabs: 1, activeObjects: 1 });
});

test('the owner of slabs is that of the option', () => {
  const pool = createPool({ owners: true });
  const cache = ObjectCache.create(pool, { size: 64, owner: 42 });
  cache.alloc();
  expect(pool.owners()).toEqual([{ owner: 42, blocks: 1, pages: 1 }]);
  expect(codeOf(() => ObjectCache.create(createPool(), { size: 64, owner: 42 }))).toBe(
    'ERR_BUDDY_ARGUMENT',
  );
});

test.each([1, 2, 3, 4])('as a model of sets says, two threads’ objects, seed %i', (seed) => {
  const random = new Random(seed);
  const pool = createPool({ pages: 32, maxOrder: 5, poison: seed === 4 });
  const first = ObjectCache.create(pool, { size: 200, magazine: seed === 2 ? 0 : 40 });
  const other = ObjectCache.attach(pool, first.toHandle());
  const owned = new Map<number, number>();
  for (let i = 0; i < 6000; i++) {
    const cache = random.once(3) ? other : first;
    const held = [...owned.keys()];
    if (random.once(200)) cache.shrink();
    else if (random.once(100)) cache.park();
    else if (held.length > 0 && random.once(i % 2000 < 1000 ? 3 : 2)) {
      const object = random.pick(held);
      // Nobody has written over it.
      if (cache.view(object, Uint8Array)[199] !== owned.get(object)) throw new Error('lost bytes');
      cache.free(object);
      owned.delete(object);
      if (random.once(4))
        expect(
          codeOf(() => {
            first.free(object);
          }),
        ).toMatch(/DOUBLE_FREE|NOT_ALLOCATED/);
    } else {
      const object = cache.alloc();
      if (object === undefined) continue;
      if (owned.has(object)) throw new Error(`object ${object} twice`);
      cache.view(object, Uint8Array)[199] = i & 255;
      owned.set(object, i & 255);
    }
  }
  expect(first.verify()).toEqual([]);
  expect(first.stats().activeObjects).toBe(owned.size);
  for (const object of owned.keys()) first.free(object);
  other.close();
  expectAllFree(pool, first);
});

test('options and handles that are none', () => {
  const pool = createPool();
  const bad: unknown[] = [0, -1, 1.5, NaN, '8', null, 2 ** 40, 1n, {}];
  for (const value of bad) {
    for (const option of ['size', 'align', 'maxObjects', 'threads', 'name', 'construct']) {
      if (option === 'name' && value === '8') continue;
      expect([
        option,
        value,
        codeOf(() => ObjectCache.create(pool, { size: 8, [option]: value })),
      ]).toEqual([option, value, 'ERR_BUDDY_ARGUMENT']);
    }
    expect(codeOf(() => ObjectCache.create(value as never, { size: 8 }))).toBe(
      'ERR_BUDDY_ARGUMENT',
    );
    expect(codeOf(() => ObjectCache.attach(pool, value as never))).toBe('ERR_BUDDY_HANDLE');
  }
  const cache = ObjectCache.create(pool, { size: 8 });
  const handle = cache.toHandle();
  expect(codeOf(() => ObjectCache.attach(createPool({ pages: 128 }), handle))).toBe(
    'ERR_BUDDY_HANDLE',
  );
  for (let word = 0; word < 12; word++) {
    const table = handle.table.slice();
    table[word] = -5;
    expect(codeOf(() => ObjectCache.attach(pool, { ...handle, table }))).toBe('ERR_BUDDY_HANDLE');
  }
  const ids = ObjectCache.create(pool, { size: 16 }).toHandle().ids;
  expect(codeOf(() => ObjectCache.attach(pool, { ...handle, ids }))).toBe('ERR_BUDDY_HANDLE');
  expect(pool.stats().freePages).toBe(256);
  cache.close();
  expect(codeOf(() => cache.alloc())).toBe('ERR_BUDDY_CLOSED');
  expect(codeOf(() => cache.shrink())).toBe('ERR_BUDDY_CLOSED');
});
