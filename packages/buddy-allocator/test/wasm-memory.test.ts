/** Pools over WebAssembly memory: who grows it, what stays right, and restoring into memory of the caller's. */
import { expect, test } from '@jest/globals';

import { BuddyAllocator, type BufferOwner } from '../dist/index.js';
import { ObjectCache } from '../dist/objects.js';
import { memoryOf, wasm, WASM_PAGE } from './support/wasm.js';

const code = (name: string): unknown => expect.objectContaining({ name: 'BuddyError', code: name });

/** All single pages that there are. */
function takeAll(pool: BuddyAllocator): number[] {
  const pages: number[] = [];
  for (let pfn; (pfn = pool.alloc(0)) !== undefined;) pages.push(pfn);
  return pages;
}

const kinds = [
  ['shared', true],
  ['not shared', false],
] as const;

test.each(kinds)(
  'growing a pool grows its memory, %s; every page has bytes of its own',
  (_, shared) => {
    const memory = memoryOf(shared, 2, 8);
    const pool = BuddyAllocator.create({
      pages: 20,
      maxPages: 100,
      data: memory,
      dataOffset: 8192,
    });
    // 2 + 20 pages of 4 KiB: ten of the memory's are left, and the next eleven ask for more.
    const first = pool.view(0, 0, Uint8Array);
    first.fill(1);
    expect(pool.grow(10)).toBe(10);
    expect(memory.buffer.byteLength).toBe(2 * WASM_PAGE);
    expect(first[0]).toBe(1);
    expect(pool.grow(1)).toBe(1);
    expect(memory.buffer.byteLength).toBe(3 * WASM_PAGE);
    // The views of before: of shared memory right, of other memory empty; new ones are right.
    expect(first.length).toBe(shared ? 4096 : 0);
    expect(pool.view(0, 0, Uint8Array)[0]).toBe(1);
    expect(pool.buffer).toBe(memory.buffer);
    const pages = takeAll(pool);
    expect(pages).toHaveLength(31);
    for (const pfn of pages) pool.view(pfn, 0, Uint32Array).fill(pfn);
    const bytes = new Uint32Array(memory.buffer);
    for (const pfn of pages) {
      expect(bytes[pool.offset(pfn) / 4]).toBe(pfn);
      expect(pool.view(pfn, 0, Uint32Array).every((word) => word === pfn)).toBe(true);
    }
    expect(bytes.subarray(0, 2048).every((word) => word === 0)).toBe(true);
    expect(pool.verify()).toEqual([]);
  },
);

test.each(kinds)('at the maximum of the memory, %s, growth gives what there is', (_, shared) => {
  const memory = memoryOf(shared, 1, 5);
  const pool = BuddyAllocator.create({ pages: 16, maxPages: 1000, data: memory });
  expect(pool.grow(1000)).toBe(64);
  expect(memory.buffer.byteLength).toBe(5 * WASM_PAGE);
  expect(pool.grow(1)).toBe(0);
  expect(takeAll(pool)).toHaveLength(80);
  expect(() => pool.view(80, 0, Uint8Array)).toThrow(code('ERR_BUDDY_ARGUMENT'));
  expect(pool.verify()).toEqual([]);
});

test('pages larger than those of the memory, and pages that end inside one', () => {
  const memory = memoryOf(true, 3, 10);
  const pool = BuddyAllocator.create({
    pages: 1,
    maxPages: 5,
    pageSize: 2 * WASM_PAGE,
    data: memory,
  });
  expect(pool.grow(1)).toBe(1);
  expect(memory.buffer.byteLength).toBe(4 * WASM_PAGE);
  // Five of them would need all ten.
  expect(pool.grow(9)).toBe(3);
  expect(pool.view(4, 0, Uint8Array)).toHaveLength(2 * WASM_PAGE);
  const odd = memoryOf(true, 1, 4);
  const rest = BuddyAllocator.create({
    pages: 1,
    pageSize: 32_768,
    maxPages: 9,
    data: odd,
    dataOffset: 32_768,
  });
  expect([rest.grow(1), rest.grow(9)]).toEqual([1, 5]);
  expect(odd.buffer.byteLength).toBe(4 * WASM_PAGE);
});

test('memory that its program grows is used by the pool next, and is not grown again', () => {
  for (const [, shared] of kinds) {
    const memory = memoryOf(shared, 1, 10);
    const pool = BuddyAllocator.create({ pages: 16, maxPages: 160, data: memory });
    const pfn = pool.allocOrThrow(0);
    pool.view(pfn, 0, Uint8Array).fill(9);
    memory.grow(2);
    expect(pool.view(pfn, 0, Uint8Array)[0]).toBe(9);
    expect(pool.allocOrThrow(0, { zero: true })).toBeDefined();
    expect(pool.grow(32)).toBe(32);
    expect(memory.buffer.byteLength).toBe(3 * WASM_PAGE);
  }
});

test('a program that asks for more when there is nothing left never sees shortage before the maximum', () => {
  const memory = memoryOf(true, 1, 20);
  const pool = BuddyAllocator.create({ pages: 16, maxPages: 4096, data: memory });
  pool.onPressure(({ order }) => pool.grow(2 ** order) > 0);
  const pages = takeAll(pool);
  expect(pages).toHaveLength(320);
  expect(pool.verify()).toEqual([]);
});

test.each(kinds)(
  'a memory that is larger than the pool can be: the rest is the program’s, %s',
  (_, shared) => {
    const memory = memoryOf(shared, 20, 40);
    const last = new Uint8Array(memory.buffer, 100 * 4096).fill(5);
    for (const options of [{ poison: true }, {}]) {
      const pool = BuddyAllocator.create({ pages: 16, maxPages: 100, data: memory, ...options });
      expect([pool.grow(1000), pool.grow(1), pool.stats().pages]).toEqual([84, 0, 100]);
      const pages = takeAll(pool);
      expect([pages.length, Math.max(...pages)]).toEqual([100, 99]);
      expect(pool.verify()).toEqual([]);
    }
    expect(memory.buffer.byteLength).toBe(20 * WASM_PAGE);
    expect(last.every((byte) => byte === 5)).toBe(true);
  },
);

test('a program’s own way of growing may do less than it is asked for, or nothing', () => {
  let most = 1;
  class Slow extends wasm.Memory {
    override grow(pages: number): number {
      return pages > 0 && most > 0 ? super.grow(Math.min(pages, most)) : -1;
    }
  }
  const memory = new Slow({ initial: 1, maximum: 9 });
  const pool = BuddyAllocator.create({ pages: 16, maxPages: 1000, data: memory });
  expect(pool.grow(50)).toBe(50);
  most = 0;
  expect(pool.grow(50)).toBe(14);
  expect(pool.grow(50)).toBe(0);
  most = 3;
  expect(pool.grow(1000)).toBe(64);
  expect(pool.verify()).toEqual([]);
});

test('memory whose addresses have 64 bits takes numbers that have as many', () => {
  class Wide extends wasm.Memory {
    override grow(pages: unknown): never {
      if (typeof pages !== 'bigint') throw new TypeError('a BigInt is wanted');
      return BigInt(super.grow(Number(pages))) as never;
    }
  }
  const memory = new Wide({ initial: 1, maximum: 5, shared: true });
  const pool = BuddyAllocator.create({ pages: 16, maxPages: 200, data: memory });
  expect([pool.grow(20), pool.grow(200)]).toEqual([20, 44]);
  expect(BuddyAllocator.restore(pool.snapshot(), { data: memory }).stats().pages).toBe(80);
});

test('wishes beyond what any memory can have', () => {
  const memory = memoryOf(true, 1024, 2048);
  const large = { pageSize: 2 ** 26, pages: 1, maxPages: 2 ** 24, data: memory };
  expect(BuddyAllocator.create(large).grow(2 ** 24)).toBe(1);
  const small = BuddyAllocator.create({ pages: 4, data: null });
  for (const dataOffset of [2 ** 40, 2 ** 52]) {
    expect(() => BuddyAllocator.restore(small.snapshot(), { data: memory, dataOffset })).toThrow(
      code('ERR_BUDDY_ARGUMENT'),
    );
  }
  expect(memory.buffer.byteLength).toBe(2048 * WASM_PAGE);
});

test('an error that its own way of growing throws comes through, and nothing is held', () => {
  class Refusing extends wasm.Memory {
    override grow(): never {
      throw new TypeError('not now');
    }
  }
  const memory = new Refusing({ initial: 1, maximum: 4 });
  const pool = BuddyAllocator.create({ pages: 10, maxPages: 64, data: memory });
  expect(() => pool.grow(10)).toThrow(TypeError);
  expect(pool.grow(6)).toBe(6);
  expect(pool.verify()).toEqual([]);
});

test('what one thread grows and another takes, is grown again', () => {
  let rival: BuddyAllocator | undefined;
  class Raced extends wasm.Memory {
    override grow(pages: number): number {
      const before = super.grow(pages);
      const faster = rival;
      rival = undefined;
      expect(faster?.grow(16) ?? 16).toBe(16);
      return before;
    }
  }
  const memory = new Raced({ initial: 1, maximum: 8, shared: true });
  const pool = BuddyAllocator.create({ pages: 16, maxPages: 128, data: memory });
  rival = BuddyAllocator.attach(pool.toHandle());
  expect(pool.grow(16)).toBe(16);
  expect([pool.stats().pages, memory.buffer.byteLength]).toEqual([48, 3 * WASM_PAGE]);
  expect(pool.verify()).toEqual([]);
});

test('an engine that shows the buffer of before is made to look again', () => {
  let shown: ArrayBufferLike | undefined;
  class Late extends wasm.Memory {
    override get buffer(): ArrayBufferLike {
      return shown ?? super.buffer;
    }
    override grow(pages: number): number {
      shown = undefined;
      return super.grow(pages);
    }
  }
  const memory = new Late({ initial: 1, maximum: 4, shared: true });
  const pool = BuddyAllocator.create({ pages: 16, maxPages: 64, data: memory });
  const before = memory.buffer;
  pool.grow(32);
  pool.view(40, 0, Uint8Array).fill(5);
  for (const look of [
    () => pool.view(40, 0, Uint8Array)[0],
    () => BuddyAllocator.attach(pool.toHandle()).view(40, 0, Uint8Array)[0],
    () => BuddyAllocator.restore(pool.snapshot()).view(40, 0, Uint8Array)[0],
  ]) {
    shown = before;
    expect(look()).toBe(5);
  }
});

test('the memory has room for the pages there are; what only looks like one is a buffer', () => {
  const memory = memoryOf(true, 1, 4);
  const make = (data: BufferOwner, pages: number, maxPages = pages) =>
    BuddyAllocator.create({ pages, maxPages, data });
  expect(() => make(memory, 17)).toThrow(code('ERR_BUDDY_ARGUMENT'));
  expect(make(memory, 16, 17).stats().pages).toBe(16);
  // It cannot grow, so there must be room for all from the start.
  const alike = { buffer: memory.buffer, grow: () => 0 };
  expect(() => make(alike, 16, 17)).toThrow(code('ERR_BUDDY_ARGUMENT'));
  expect(make(alike, 16).buffer).toBe(memory.buffer);
});

test('poison and zero reach what has grown', () => {
  const memory = memoryOf(false, 1, 8);
  const pool = BuddyAllocator.create({ pages: 16, maxPages: 128, data: memory, poison: true });
  expect(pool.grow(40)).toBe(40);
  for (const pfn of takeAll(pool)) {
    expect(pool.view(pfn, 0, Uint8Array).every((byte) => byte === 0xaa)).toBe(true);
    pool.view(pfn, 0, Uint8Array).fill(1);
    pool.free(pfn, 0);
    expect(pool.view(pool.allocOrThrow(0, { zero: true }), 0, Uint8Array)[77]).toBe(0);
  }
  const cached = BuddyAllocator.create({ pages: 2, maxPages: 64, data: memoryOf(false, 1, 4) });
  const objects = ObjectCache.create(cached, { size: 64 });
  const one = objects.alloc()!;
  objects.view(one, Uint32Array).fill(5);
  cached.grow(40);
  expect([...objects.view(one, Uint32Array)]).toEqual(Array.from({ length: 16 }, () => 5));
});

test('a buffer that is detached under a pool is an error, and takes no page', () => {
  for (const options of [{}, { poison: true }, { caches: false }]) {
    const memory = memoryOf(false, 1, 4);
    const pool = BuddyAllocator.create({ pages: 16, data: memory.buffer, ...options });
    const pfn = pool.allocOrThrow(1);
    pool.shrink(pfn, 1, 0);
    memory.grow(1);
    expect(() => pool.alloc(0, { zero: true })).toThrow(code('ERR_BUDDY_ARGUMENT'));
    expect(() => pool.allocRange({ pages: 3, zero: true })).toThrow(code('ERR_BUDDY_ARGUMENT'));
    expect(() => pool.extend(pfn, 0, 1, { zero: true })).toThrow(code('ERR_BUDDY_ARGUMENT'));
    expect(() => pool.view(pfn, 0, Uint8Array)).toThrow(code('ERR_BUDDY_ARGUMENT'));
    expect(() => pool.snapshot()).toThrow(code('ERR_BUDDY_ARGUMENT'));
    pool.drain();
    expect(pool.stats().allocatedPages).toBe(1);
    expect(pool.verify()).toEqual([]);
  }
});

test.each(kinds)('a handle goes on in the same memory after it grew, %s', (_, shared) => {
  const memory = memoryOf(shared, 1, 8);
  const pool = BuddyAllocator.create({ pages: 16, maxPages: 128, data: memory });
  const handle = pool.toHandle();
  const early = BuddyAllocator.attach(handle);
  pool.grow(60);
  const late = BuddyAllocator.attach(handle);
  for (const other of [early, late]) {
    other.view(70, 0, Uint8Array).fill(3);
    expect(pool.view(70, 0, Uint8Array)[0]).toBe(3);
  }
  expect(early.grow(10)).toBe(10);
  expect(late.stats().pages).toBe(86);
  // Memory that is too small for what is online, or is none, is of another pool.
  for (const data of [memoryOf(shared, 1, 8), { buffer: memory.buffer }, null]) {
    const attach = () => BuddyAllocator.attach({ ...handle, data });
    if (data === null) attach().close();
    else expect(attach).toThrow(code('ERR_BUDDY_HANDLE'));
  }
});

test.each(kinds)(
  'restoring into given memory: contents, and growth go on there, %s',
  (_, shared) => {
    const source = BuddyAllocator.create({ pages: 40, maxPages: 200, data: 'local' });
    const kept = [source.allocOrThrow(0), source.allocOrThrow(3)];
    source.view(kept[0]!, 0, Uint32Array).fill(11);
    source.view(kept[1]!, 3, Uint32Array).fill(22);
    const snapshot = source.snapshot();
    const memory = memoryOf(shared, 1, 5);
    const pool = BuddyAllocator.restore(snapshot, { data: memory, dataOffset: 65_536 });
    expect(memory.buffer.byteLength).toBe(4 * WASM_PAGE);
    expect(pool.offset(kept[0]!)).toBe(65_536 + kept[0]! * 4096);
    expect(pool.view(kept[0]!, 0, Uint32Array)[1023]).toBe(11);
    expect(pool.view(kept[1]!, 3, Uint32Array)[8191]).toBe(22);
    expect(new Uint8Array(memory.buffer, 0, 65_536).every((byte) => byte === 0)).toBe(true);
    expect(pool.grow(200)).toBe(24);
    expect([takeAll(pool).length, pool.thread]).toEqual([64 - 9, 1]);
    expect(pool.verify()).toEqual([]);
    // And back again, as often as one likes.
    const again = BuddyAllocator.restore(pool.snapshot(), { data: new ArrayBuffer(200 * 4096) });
    expect(again.view(kept[1]!, 3, Uint32Array)[0]).toBe(22);
    again.free(kept[1]!, 3);
    expect(again.grow(200)).toBe(200 - 64);
  },
);

test('restoring with room for more than any view has', () => {
  const source = BuddyAllocator.create({ pages: 16, maxPages: 5 * 2 ** 18, data: 'local' });
  const pfn = source.allocOrThrow(0);
  source.view(pfn, 0, Uint8Array).fill(9);
  const pool = BuddyAllocator.restore(source.snapshot());
  expect(pool.view(pfn, 0, Uint8Array)[4095]).toBe(9);
  expect(pool.grow(5 * 2 ** 18)).toBe(5 * 2 ** 18 - 16);
  expect(pool.view(5 * 2 ** 18 - 1, 0, Uint8Array)[0]).toBe(0);
});

test('restoring at an offset, in a buffer of its own and without any', () => {
  const source = BuddyAllocator.create({ pages: 4, pageSize: 64 });
  const pfn = source.allocOrThrow(0);
  source.view(pfn, 0, Uint8Array).fill(7);
  const pool = BuddyAllocator.restore(source.snapshot(), { dataOffset: 128 });
  expect(pool.offset(pfn)).toBe(128 + 64 * pfn);
  expect(new Uint8Array(pool.buffer!)[pool.offset(pfn)]).toBe(7);
  expect(pool.buffer!.byteLength).toBe(128 + 4 * 64);
  const bare = BuddyAllocator.restore(source.snapshot({ data: false }), { dataOffset: 64 });
  expect([bare.offset(1), bare.buffer]).toEqual([128, null]);
  for (const dataOffset of [5, -64, NaN, 'x', null] as never[]) {
    expect(() => BuddyAllocator.restore(source.snapshot(), { dataOffset })).toThrow(
      code('ERR_BUDDY_ARGUMENT'),
    );
  }
});

test('restoring into a view uses its bytes only; without data the contents are what is there', () => {
  const source = BuddyAllocator.create({ pages: 4, pageSize: 64, zeroed: true });
  const pfn = source.allocOrThrow(0);
  source.view(pfn, 0, Uint8Array).fill(7);
  const whole = new Uint8Array(6 * 64).fill(1);
  const pool = BuddyAllocator.restore(source.snapshot(), { data: whole.subarray(64, 5 * 64) });
  expect([...new Set(pool.view(pfn, 0, Uint8Array))]).toEqual([7]);
  expect(whole.filter((byte) => byte === 1)).toHaveLength(128);
  const bare = BuddyAllocator.restore(source.snapshot({ data: false }), { data: whole });
  expect([...new Set(bare.view(pfn, 0, Uint8Array))]).toEqual([bare.view(pfn, 0, Uint8Array)[0]]);
  // What was never handed out was zero there; here nothing is known of it.
  for (let got; (got = bare.alloc(0, { zero: true })) !== undefined;) {
    expect(bare.view(got, 0, Uint8Array).every((byte) => byte === 0)).toBe(true);
  }
});

test('what cannot be restored writes nothing, and grows nothing', () => {
  const source = BuddyAllocator.create({ pages: 40, maxPages: 80, caches: false });
  source.view(source.allocOrThrow(0), 0, Uint8Array).fill(7);
  const snapshot = source.snapshot();
  const restore = (data: unknown, dataOffset?: number, from = snapshot) =>
    BuddyAllocator.restore(from, { data, dataOffset } as object);
  const refused = code('ERR_BUDDY_ARGUMENT');
  const small = new Uint8Array(79 * 4096);
  expect(() => restore(small)).toThrow(refused);
  expect(() => restore(new ArrayBuffer(100 * 4096), 5)).toThrow(refused);
  expect(() => restore(new ArrayBuffer(100 * 4096), NaN)).toThrow(refused);
  for (const junk of [null, 7, 'shared', {}, [], { buffer: 3 }]) {
    expect(() => restore(junk)).toThrow(refused);
  }
  for (const [, shared] of kinds) {
    for (const [most, offset] of [
      [2, 0],
      [20, 5],
      [20, -4096],
      [20, NaN],
      [20, 2 ** 52],
    ] as const) {
      const untouched = memoryOf(shared, 1, most);
      const view = new Uint8Array(untouched.buffer);
      expect(() => restore(untouched, offset)).toThrow(refused);
      expect([view.length, untouched.buffer.byteLength]).toEqual([WASM_PAGE, WASM_PAGE]);
    }
  }
  expect(small.every((byte) => byte === 0)).toBe(true);
  // Damaged where only `verify` sees it: the type of a pageblock of whole free blocks.
  const memory = memoryOf(true, 1, 20);
  const damaged = { ...snapshot, bytes: snapshot.bytes.slice(0) };
  new Uint8Array(damaged.bytes)[1] = 0;
  expect(() => restore(memory, 0, damaged)).toThrow(code('ERR_BUDDY_HANDLE'));
  expect(memory.buffer.byteLength).toBe(WASM_PAGE);
  const poisoned = BuddyAllocator.create({ pages: 16, poison: true });
  expect(() => restore(memory, 0, poisoned.snapshot({ data: false }))).toThrow(refused);
  expect(restore(memory, 0, poisoned.snapshot()).verify()).toEqual([]);
});
