/** Whose memory it is: views of a buffer, buffers that are not shared, and objects that have been closed. */
import { expect, test } from '@jest/globals';
import { Memmap } from '@bootmem/memmap';

import { BuddyAllocator } from '../dist/index.js';
import { PageAllocator } from '../dist/machine.js';

const code = (name: string): unknown => expect.objectContaining({ name: 'BuddyError', code: name });

test('of a view only its own bytes are used', () => {
  // [ neighbour | window of two pages | neighbour ]
  const whole = new Uint8Array(new SharedArrayBuffer(4 * 4096)).fill(1);
  const window = whole.subarray(4096, 3 * 4096);
  const pool = BuddyAllocator.create({ pages: 2, data: window });
  const pages = [pool.allocOrThrow(0), pool.allocOrThrow(0)];
  expect(pool.alloc(0)).toBeUndefined();
  for (const pfn of pages) pool.view(pfn, 0, Uint8Array).fill(7);
  expect(window.every((byte) => byte === 7)).toBe(true);
  expect(whole.filter((byte) => byte === 1)).toHaveLength(2 * 4096);
  expect(pool.offset(pages[0]!)).toBe(4096);
  expect(pool.buffer).toBe(whole.buffer);
  // Another thread sees the same bytes.
  const other = BuddyAllocator.attach(structuredCloneOfShared(pool.toHandle()));
  expect(other.view(pages[0]!, 0, Uint8Array)[0]).toBe(7);
});

/** In one thread, shared memory is not copied: the handle as another thread gets it. */
function structuredCloneOfShared<T extends object>(handle: T): T {
  return { ...handle };
}

test('dataOffset counts from the start of a view, and the view bounds the memory', () => {
  const whole = new Uint8Array(new SharedArrayBuffer(8 * 64));
  const window = whole.subarray(64, 4 * 64);
  const pool = BuddyAllocator.create({ pages: 2, pageSize: 64, data: window, dataOffset: 64 });
  expect(pool.offset(pool.allocOrThrow(0))).toBe(128);
  expect(() =>
    BuddyAllocator.create({ pages: 3, pageSize: 64, data: window, dataOffset: 64 }),
  ).toThrow(code('ERR_BUDDY_ARGUMENT'));
  expect(() => BuddyAllocator.create({ pages: 1, pageSize: 64, data: whole.subarray(1) })).toThrow(
    code('ERR_BUDDY_ARGUMENT'),
  );
});

test('a copy of memory that is not shared is refused; the thread that made it may attach', () => {
  for (const data of ['local', new ArrayBuffer(8 * 4096)] as const) {
    const pool = BuddyAllocator.create({ pages: 8, data });
    const handle = pool.toHandle();
    // As postMessage does it: local buffers are copied.
    const copied = {
      ...handle,
      data: (handle.data as ArrayBuffer).slice(0),
    };
    expect(() => BuddyAllocator.attach(copied)).toThrow(code('ERR_BUDDY_HANDLE'));
    const second = BuddyAllocator.attach({ ...handle });
    expect(second.alloc(0)).not.toBe(pool.alloc(0));
    const restored = BuddyAllocator.restore(pool.snapshot());
    expect(BuddyAllocator.attach(restored.toHandle()).thread).not.toBe(restored.thread);
  }
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 1024 }], storage: 'local' });
  const machine = PageAllocator.create(memmap, [
    { nid: 0, zone: 'Normal', startPfn: 0, endPfn: 1024, presentPages: 1024 },
  ]);
  const handle = machine.toHandle();
  const control = new Int32Array(handle.control);
  expect(() => PageAllocator.attach({ ...handle, control })).toThrow(code('ERR_BUDDY_HANDLE'));
  expect(PageAllocator.attach(handle).thread).toBe(2);
});

test('every function of a closed pool refuses, also one that was taken out before', () => {
  const pool = BuddyAllocator.create({ pages: 2048 });
  const old = BuddyAllocator.attach(pool.toHandle());
  const { alloc, free } = old;
  const mine = alloc(0)!;
  // The lists of its cache hold something, and have room.
  const more = Array.from({ length: 20 }, () => alloc(0)!);
  for (const pfn of more) free(pfn, 0);
  old.close();
  const next = BuddyAllocator.attach(pool.toHandle());
  expect(next.thread).toBe(old.thread);
  const held = Array.from({ length: 8 }, () => next.allocOrThrow(0));
  next.free(held.pop()!, 0);
  const before = next.stats();
  const always = (): boolean => true;
  const calls: Record<string, () => unknown> = {
    alloc: () => alloc(0),
    'alloc of all orders': () => {
      for (let order = 0; order <= 10; order++) expect(() => alloc(order)).toThrow();
      return alloc(9);
    },
    free: () => {
      free(mine, 0);
    },
    'own alloc': () => old.alloc(0),
    allocOrThrow: () => old.allocOrThrow(0),
    tryFree: () => old.tryFree(mine, 0),
    allocExact: () => old.allocExact(3),
    allocRange: () => old.allocRange({ pages: 3 }),
    freeExact: () => {
      old.freeExact(mine, 1);
    },
    allocBulk: () => old.allocBulk(3, []),
    freeBulk: () => {
      old.freeBulk([]);
    },
    allocContigRange: () => old.allocContigRange(0, 8),
    compact: () => old.compact(always),
    grow: () => old.grow(1),
    view: () => old.view(0, 0, Uint8Array),
    viewPages: () => old.viewPages(0, 1, Uint8Array),
    offset: () => old.offset(0),
    setWatermarks: () => {
      old.setWatermarks({ min: 0, low: 0, high: 0 });
    },
    onLow: () => old.onLow(always),
    lowEvents: () => old.lowEvents(),
    onPressure: () => {
      old.onPressure(undefined);
    },
    stats: () => old.stats(),
    fragmentation: () => old.fragmentation(1),
    dump: () => old.dump(),
    walk: () => {
      old.walk(always);
    },
    verify: () => old.verify(),
    drain: () => {
      old.drain();
    },
    reclaimThread: () => old.reclaimThread(3),
    snapshot: () => old.snapshot(),
    'zone.alloc': () => old.zone.alloc(0, 1, 0),
    'zone.free': () => {
      old.zone.free(mine, 0);
    },
    'zone.locked': () => old.zone.locked(always),
  };
  for (const [name, call] of Object.entries(calls)) {
    expect(() => [name, call()]).toThrow(code('ERR_BUDDY_CLOSED'));
  }
  expect(next.stats()).toEqual(before);
  old.close();
  for (const pfn of [...held, mine]) next.free(pfn, 0);
  next.close();
  expect(pool.verify()).toEqual([]);
  expect(pool.stats().freePages).toBe(2048);
});

test('every function of a closed machine refuses', () => {
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 32768 }] });
  const zones = [
    { nid: 0, zone: 'Normal', startPfn: 0, endPfn: 32768, presentPages: 32768 },
  ] as const;
  const machine = PageAllocator.create(memmap, zones, { threads: 2 });
  const id = memmap.zones.idOf(0, 2)!;
  memmap.initRange(0, 32768, id);
  machine.freeBlocks(0, 32768);
  machine.setupMarks();
  const old = PageAllocator.attach(machine.toHandle());
  const pfn = old.allocPages(0)!;
  old.close();
  const calls: (() => unknown)[] = [
    () => old.allocPages(0),
    () => {
      old.freePages(pfn, 0);
    },
    () => old.allocBulk(1, []),
    () => old.allocExact(1),
    () => old.allocContigRange(0, 512),
    () => old.isolate(0),
    () => old.unisolate(0),
    () => old.compact(0, 'Normal', () => true),
    () => old.verify(),
    () => old.freeBlocks(0, 512),
    () => {
      old.parkUnaccepted(id, 0);
    },
    () => old.takeUnaccepted(id),
    () => old.takeUnacceptedAt(0),
    () => {
      old.freeAccepted(0, 0);
    },
    () => old.unacceptedPages(id),
    () => old.acceptState(id, 0),
    () => {
      old.setupMarks();
    },
    () => {
      old.setupCaches();
    },
    () => {
      old.buildZonelists();
    },
    () => {
      old.setHooks({});
    },
    () => {
      old.drain();
    },
    () => old.reclaimThread(1),
    () => old.lowEvents(),
    () => old.zones[0]!.core.alloc(0, 0, 0),
  ];
  for (const call of calls) expect(call).toThrow(code('ERR_BUDDY_CLOSED'));
  machine.freePages(pfn, 0);
  expect(machine.verify()).toEqual([]);
});
