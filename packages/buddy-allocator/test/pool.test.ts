// The page pool: one memory of any kind, requests by order, size and place, and what happens when
// memory runs short.
import { expect, test } from '@jest/globals';
import { BuddyAllocator, type BuddyAllocatorOptions } from '@bootmem/buddy-allocator';

const code = (value: string): unknown => expect.objectContaining({ code: value });

/** An allocator without caches, so that what is free is on lists. */
const pool = (options: Partial<BuddyAllocatorOptions> = {}): BuddyAllocator =>
  BuddyAllocator.create({ pages: 4096, data: null, caches: false, ...options });

const all = (allocator: BuddyAllocator, order: number): number[] => {
  const blocks: number[] = [];
  for (let pfn = allocator.alloc(order); pfn !== undefined; pfn = allocator.alloc(order)) {
    blocks.push(pfn);
  }
  return blocks;
};

/** Everything freed is one piece again, and nothing is broken. */
const expectWhole = (allocator: BuddyAllocator): void => {
  allocator.drain();
  expect(allocator.verify()).toEqual([]);
  const { pages, freePages, freeBlocks } = allocator.stats();
  expect(freePages).toBe(pages);
  const largest = 2 ** allocator.maxOrder;
  expect(freeBlocks[allocator.maxOrder]).toBe(Math.floor(pages / largest));
};

test.each<[string, BuddyAllocatorOptions]>([
  ['a SharedArrayBuffer of its own', { bytes: 1 << 20 }],
  ['an ArrayBuffer of its own', { bytes: 1 << 20, data: 'local' }],
  ['a given SharedArrayBuffer', { bytes: 1 << 20, data: new SharedArrayBuffer(1 << 20) }],
  ['a given ArrayBuffer', { pages: 256, data: new ArrayBuffer(1 << 20) }],
  ['a part of a buffer', { pages: 128, data: new ArrayBuffer(1 << 20), dataOffset: 1 << 19 }],
  [
    'a WebAssembly memory',
    {
      bytes: 1 << 20,
      data: new (
        globalThis as unknown as {
          WebAssembly: { Memory: new (o: object) => { buffer: ArrayBuffer } };
        }
      ).WebAssembly.Memory({ initial: 16 }),
    },
  ],
])('views on %s reach every byte of every page', (_what, options) => {
  const allocator = BuddyAllocator.create(options);
  const { pages, pageSize } = allocator.stats();
  const pfns = all(allocator, 0);
  expect(pfns).toHaveLength(pages);
  for (const pfn of pfns) allocator.view(pfn, 0, Uint32Array).fill(pfn);
  for (const pfn of pfns) {
    const view = allocator.view(pfn, 0, Uint32Array);
    expect([view.length, view[0], view.at(-1)]).toEqual([pageSize / 4, pfn, pfn]);
    expect(view.byteOffset).toBe(allocator.offset(pfn));
    expect(view.buffer).toBe(allocator.buffer);
    allocator.free(pfn, 0);
  }
  expectWhole(allocator);
});

test('without memory there are offsets only', () => {
  const allocator = pool({ pageSize: 256 });
  expect(allocator.buffer).toBeNull();
  expect(allocator.offset(allocator.allocOrThrow(0))).toBe(0);
  expect(() => allocator.view(0, 0, Uint8Array)).toThrow(code('ERR_BUDDY_ARGUMENT'));
  expect(() => allocator.alloc(0, { zero: true })).toThrow(code('ERR_BUDDY_ARGUMENT'));
});

test.each<[string, BuddyAllocatorOptions]>([
  ['no size', {}],
  ['a size that is not whole pages', { bytes: 5000 }],
  ['no pages', { pages: 0 }],
  ['a page size that is no power of two', { pages: 1, pageSize: 1000 }],
  ['less room than pages', { pages: 10, maxPages: 5 }],
  ['an order too large', { pages: 1, maxOrder: 16 }],
  ['no threads', { pages: 1, threads: 0 }],
  ['a buffer too small', { pages: 2, data: new ArrayBuffer(4096) }],
  ['an offset inside a page', { pages: 1, data: new ArrayBuffer(8192), dataOffset: 100 }],
  ['poison without memory', { pages: 1, data: null, poison: true }],
])('create refuses %s', (_what, options) => {
  expect(() => BuddyAllocator.create(options)).toThrow(code('ERR_BUDDY_ARGUMENT'));
});

test('the last block fits exactly, and then there is none', () => {
  const allocator = pool();
  expect(all(allocator, 10)).toEqual([0, 1024, 2048, 3072]);
  expect(allocator.alloc(0)).toBeUndefined();
  expect(() => allocator.allocOrThrow(0)).toThrow(code('ERR_BUDDY_EXHAUSTED'));
  for (const pfn of [1024, 3072, 0, 2048]) allocator.free(pfn, 10);
  expectWhole(allocator);
});

test.each([-1, 11, 0.5, Number.NaN])('an order of %d is refused', (order) => {
  const allocator = pool({ caches: true });
  expect(() => allocator.alloc(order)).toThrow(code('ERR_BUDDY_ARGUMENT'));
  const pfn = allocator.allocOrThrow(0);
  expect(() => {
    allocator.free(pfn, order);
  }).toThrow(code('ERR_BUDDY_ARGUMENT'));
  allocator.free(pfn, 0);
  expectWhole(allocator);
});

test('tryFree says what was wrong, also of pages that lie in a cache', () => {
  const allocator = pool({ caches: true });
  const pfn = allocator.allocOrThrow(2);
  expect(allocator.tryFree(pfn + 1, 0)).toBe('ERR_BUDDY_NOT_HEAD');
  expect(allocator.tryFree(pfn, 3)).toBe('ERR_BUDDY_WRONG_ORDER');
  expect(allocator.tryFree(pfn, 2)).toBe('ok');
  expect(allocator.tryFree(pfn, 2)).toBe('ERR_BUDDY_DOUBLE_FREE');
  expect(allocator.tryFree(pfn + 1, 0)).toBe('ERR_BUDDY_DOUBLE_FREE');
  expect(allocator.tryFree(100_000, 0)).toBe('ERR_BUDDY_OUT_OF_ZONE');
  expectWhole(allocator);
});

test('zero: fresh pages are zero already, used ones are cleared on request only', () => {
  const allocator = BuddyAllocator.create({ bytes: 1 << 20, caches: false });
  const pfn = allocator.allocOrThrow(3);
  allocator.viewPages(pfn, 8, Uint8Array).fill(9);
  allocator.free(pfn, 3);
  const again = allocator.allocOrThrow(3);
  expect(again).toBe(pfn);
  expect(allocator.view(again, 3, Uint8Array)[100]).toBe(9);
  allocator.free(again, 3);
  const zeroed = allocator.allocOrThrow(3, { zero: true });
  expect(allocator.view(zeroed, 3, Uint8Array).every((byte) => byte === 0)).toBe(true);
});

test('zero in a given buffer, whose contents nobody knows', () => {
  const data = new SharedArrayBuffer(1 << 20);
  new Uint8Array(data).fill(5);
  const allocator = BuddyAllocator.create({ pages: 256, data });
  const pfn = allocator.allocOrThrow(0, { zero: true });
  expect(allocator.view(pfn, 0, Uint8Array).every((byte) => byte === 0)).toBe(true);
  expect(new Uint8Array(data).filter((byte) => byte === 0)).toHaveLength(4096);
});

test('poison: writing to freed memory is noticed when the page is used again', () => {
  const allocator = BuddyAllocator.create({ bytes: 1 << 20, poison: true, caches: false });
  const pfn = allocator.allocOrThrow(1);
  const view = allocator.view(pfn, 1, Uint8Array);
  allocator.free(pfn, 1);
  expect(view[0]).toBe(0xaa);
  view[5000] = 0xab;
  expect(() => allocator.alloc(1)).toThrow(
    expect.objectContaining({
      code: 'ERR_BUDDY_POISON',
      details: expect.objectContaining({ pfn: pfn + 1, byte: 0xab, singleBit: true }),
    }),
  );
  view[5000] = 0xaa;
});

test('exact sizes of any number of pages, freed together or one by one', () => {
  const allocator = pool();
  const sizes = [1, 3, 100, 513, 1500];
  const starts = sizes.map((pages) => allocator.allocExact(pages)!);
  expect(allocator.stats().freePages).toBe(4096 - 1 - 3 - 100 - 513 - 1500);
  const ranges = starts.map((start, i) => [start, start + sizes[i]!] as const);
  ranges.sort(([a], [b]) => a - b);
  for (let i = 1; i < ranges.length; i += 1) {
    expect(ranges[i]![0]).toBeGreaterThanOrEqual(ranges[i - 1]![1]);
  }
  allocator.freeExact(starts[4]!, 1500);
  for (let i = 0; i < 513; i += 1) allocator.free(starts[3]! + i, 0);
  for (const i of [0, 1, 2]) allocator.freeExact(starts[i]!, sizes[i]!);
  expectWhole(allocator);
});

test('freeExact checks every page before it frees one', () => {
  const allocator = pool();
  const start = allocator.allocExact(10)!;
  allocator.free(start + 7, 0);
  expect(() => {
    allocator.freeExact(start, 10);
  }).toThrow(code('ERR_BUDDY_DOUBLE_FREE'));
  expect(allocator.stats().allocatedPages).toBe(9);
  expect(() => {
    allocator.freeExact(start, 0);
  }).toThrow(code('ERR_BUDDY_ARGUMENT'));
});

test('requests by place: limits, alignment, boundary, lowest and highest', () => {
  const allocator = pool();
  expect(allocator.allocRange({ pages: 5 })).toBe(0);
  expect(allocator.allocRange({ pages: 5, topDown: true })).toBe(4091);
  expect(allocator.allocRange({ pages: 5, min: 1000 })).toBe(1000);
  expect(allocator.allocRange({ pages: 5, min: 1000, max: 1008 })).toBeUndefined();
  expect(allocator.allocRange({ pages: 3, min: 1000, max: 1008 })).toBe(1005);
  expect(allocator.allocRange({ pages: 6, align: 64 })).toBe(64);
  // From 70 on, six pages do not fit before the multiple of 8.
  expect(allocator.allocRange({ pages: 6, min: 70, boundary: 8 })).toBe(72);
  expect(allocator.allocRange({ pages: 6, min: 70, max: 100, boundary: 8, topDown: true })).toBe(
    90,
  );
  expect(allocator.allocRange({ pages: 5000 })).toBeUndefined();
  expect(allocator.verify()).toEqual([]);
});

test.each([
  { pages: 0 },
  { pages: 1.5 },
  { pages: 1, align: 3 },
  { pages: 9, boundary: 8 },
  { pages: 1, min: -1 },
])('a request for %j is refused', (request) => {
  expect(() => pool().allocRange(request)).toThrow(code('ERR_BUDDY_ARGUMENT'));
});

test('a contiguous range is taken whole or not at all', () => {
  const allocator = pool();
  const used = [allocator.allocRange({ pages: 1, min: 2000 })!];
  expect(allocator.allocContigRange(1900, 2100)).toBe(false);
  expect(allocator.verify()).toEqual([]);
  expect(
    allocator.allocContigRange(1900, 2100, (from, to, pages) => {
      expect([from, pages]).toEqual([2000, 1]);
      used[0] = to;
      return true;
    }),
  ).toBe(true);
  allocator.freeExact(1900, 200);
  allocator.free(used[0]!, 0);
  expectWhole(allocator);
});

test('compaction keeps what is refused where it is', () => {
  const allocator = pool();
  const pages = all(allocator, 0);
  const stays = new Set(pages.filter((pfn) => pfn % 7 === 0));
  for (const pfn of pages) if (!stays.has(pfn)) allocator.free(pfn, 0);
  const fragmented = allocator.fragmentation(9);
  expect(fragmented).toBe(1);
  const result = allocator.compact((from, to) => {
    if (from % 2 === 1) return false;
    stays.delete(from);
    stays.add(to);
    return true;
  });
  expect(result.moved).toBeGreaterThan(0);
  expect(result.refused).toBeGreaterThan(0);
  expect(result.movedPages).toBe(result.moved);
  for (const pfn of stays) allocator.free(pfn, 0);
  expectWhole(allocator);
});

test('growing brings pages online up to the limit', () => {
  const allocator = pool({ pages: 1000, maxPages: 70_000 });
  expect(allocator.stats().pages).toBe(1000);
  expect(allocator.grow(24)).toBe(24);
  expect(allocator.grow(100_000)).toBe(70_000 - 1024);
  expect(allocator.grow(1)).toBe(0);
  expect(() => allocator.grow(-1)).toThrow(code('ERR_BUDDY_ARGUMENT'));
  expect(all(allocator, 0)).toHaveLength(70_000);
});

test('marks: requests stop at min, those with a reserve do not', () => {
  const allocator = pool();
  allocator.setWatermarks({ min: 100, low: 200, high: 300 });
  expect(all(allocator, 0)).toHaveLength(3996);
  expect(allocator.alloc(0, { high: true })).toBeDefined();
  expect(allocator.allocRange({ pages: 50 })).toBeUndefined();
  expect(allocator.allocRange({ pages: 50, high: true })).toBeDefined();
  for (const marks of [
    { min: 5, low: 4, high: 6 },
    { min: -1, low: 0, high: 0 },
    { min: 0, low: 0.5, high: 1 },
  ]) {
    expect(() => {
      allocator.setWatermarks(marks);
    }).toThrow(code('ERR_BUDDY_ARGUMENT'));
  }
});

test('onPressure decides how long a request tries', () => {
  const allocator = pool();
  const blocks = all(allocator, 10);
  const rounds: number[] = [];
  allocator.onPressure(({ order, round }) => {
    expect(order).toBe(9);
    rounds.push(round);
    if (round < 2) return true;
    const pfn = blocks.pop();
    if (pfn !== undefined) allocator.free(pfn, 10);
    return pfn !== undefined;
  });
  expect(allocator.alloc(9)).toBe(3072);
  expect(rounds).toEqual([0, 1, 2]);
  expect(allocator.alloc(9, { noPressure: true })).toBe(3584);
  expect(allocator.alloc(9, { noPressure: true })).toBeUndefined();
  allocator.onPressure(undefined);
  expect(allocator.alloc(9)).toBeUndefined();
});

test('onLow is called after free memory fell below low, once until high is reached', async () => {
  const allocator = pool();
  allocator.setWatermarks({ min: 10, low: 1000, high: 2000 });
  let calls = 0;
  let called = (): void => undefined;
  /** The watcher's next call, or another watcher's: both wait for the same word. */
  const next = (): Promise<void> => new Promise((resolve) => (called = resolve));
  const stop = allocator.onLow(() => {
    calls += 1;
    called();
  });
  let call = next();
  const blocks = all(allocator, 5);
  await call;
  expect([calls, allocator.stats().lowEvents]).toEqual([1, 1]);
  call = next();
  for (const pfn of blocks) allocator.free(pfn, 5);
  blocks.splice(0, blocks.length, ...all(allocator, 5));
  await call;
  expect([calls, allocator.stats().lowEvents]).toEqual([2, 2]);
  stop();
  call = next();
  // Tells of the third event that the stopped watcher must not hear of.
  const stopOther = allocator.onLow(() => {
    called();
  });
  for (const pfn of blocks) allocator.free(pfn, 5);
  all(allocator, 5);
  await call;
  stopOther();
  expect(calls).toBe(2);
  expect(allocator.stats().lowEvents).toBe(3);
});

test('walk visits every block once, in order', () => {
  const allocator = pool({ caches: true });
  const kept = allocator.allocOrThrow(3);
  const seen: [number, number, string][] = [];
  allocator.walk((pfn, order, state) => seen.push([pfn, order, state]));
  let next = 0;
  for (const [pfn, order] of seen) {
    expect(pfn).toBe(next);
    next = pfn + 2 ** order;
  }
  expect(next).toBe(4096);
  expect(seen.find(([pfn]) => pfn === kept)).toEqual([kept, 3, 'allocated']);
});

test('a snapshot brings back everything, contents included', () => {
  const allocator = BuddyAllocator.create({ bytes: 4 << 20 });
  const pfn = allocator.allocOrThrow(2);
  allocator.view(pfn, 2, Uint8Array).fill(77);
  const snapshot = allocator.snapshot();
  allocator.view(pfn, 2, Uint8Array).fill(1);
  allocator.free(pfn, 2);
  const copy = BuddyAllocator.restore(snapshot);
  expect(copy.stats().allocatedPages).toBe(4);
  expect(copy.view(pfn, 2, Uint8Array).every((byte) => byte === 77)).toBe(true);
  copy.free(pfn, 2);
  expectWhole(copy);
  const bare = BuddyAllocator.restore(allocator.snapshot({ data: false }));
  expect(bare.buffer).toBeNull();
  expect(() => BuddyAllocator.restore({ ...snapshot, type: 'x' as never })).toThrow(
    code('ERR_BUDDY_HANDLE'),
  );
});

test('bulk requests', () => {
  const allocator = pool();
  const pages = new Int32Array(5000);
  expect(allocator.allocBulk(5000, pages)).toBe(4096);
  expect(new Set(pages.subarray(0, 4096)).size).toBe(4096);
  allocator.freeBulk(pages, 4096);
  expectWhole(allocator);
});

test('dump and statistics', () => {
  const allocator = pool();
  allocator.allocOrThrow(9);
  expect(allocator.dump()).toBe(
    'Node 0, zone   Normal      0      0      0      0      0      0      0      0      0      1      3 \n',
  );
  expect(allocator.stats()).toMatchObject({
    pages: 4096,
    pageSize: 4096,
    freePages: 3584,
    cachedPages: 0,
    allocatedPages: 512,
    largestFreeOrder: 10,
  });
  expect(allocator.fragmentation(10)).toBeCloseTo(512 / 3584, 2);
});

test('a closed allocator refuses, closing twice is no mistake', () => {
  const allocator = pool();
  allocator.close();
  allocator.close();
  expect(() => allocator.alloc(0)).toThrow(code('ERR_BUDDY_CLOSED'));
  const handle = { ...allocator.toHandle(), control: new Int32Array(16) };
  expect(() => BuddyAllocator.attach(handle)).toThrow(code('ERR_BUDDY_HANDLE'));
});

test('attached threads share the memory; the cache of one that died comes back', () => {
  const allocator = BuddyAllocator.create({ pages: 4096, data: null });
  const other = BuddyAllocator.attach(allocator.toHandle());
  const pages = Array.from({ length: 20 }, () => other.allocOrThrow(0));
  for (const pfn of pages.slice(0, 10)) other.free(pfn, 0);
  const { cachedPages } = allocator.stats();
  expect(cachedPages).toBeGreaterThan(0);
  expect(allocator.reclaimThread(other.thread)).toBe(cachedPages);
  for (const pfn of pages.slice(10)) allocator.free(pfn, 0);
  expectWhole(allocator);
});

test('more than 4 GiB: views of any part, zeroed and poisoned pages', () => {
  const pages = (5 * 2 ** 30) / 2 ** 16;
  const pool = BuddyAllocator.create({ pages, pageSize: 2 ** 16 });
  expect(pool.buffer?.byteLength).toBe(5 * 2 ** 30);
  const last = pool.allocRange({ pages: 3, topDown: true, zero: true })!;
  expect(last).toBe(pages - 3);
  pool.viewPages(last, 3, Float64Array).fill(1.5);
  pool.freeExact(last, 3);
  const again = pool.allocRange({ pages: 1, topDown: true, zero: true })!;
  expect(pool.offset(again)).toBe(5 * 2 ** 30 - 2 ** 16);
  expect(pool.viewPages(again, 1, Uint8Array).every((byte) => byte === 0)).toBe(true);
  pool.freeExact(again, 1);
  pool.alloc(0);
  pool.close();
});
