/** The policy on the real page allocator: the port fits as it is, and the kernel's identities hold. */
import { expect, test } from '@jest/globals';
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap, PageState, ZoneIndex } from '@bootmem/memmap';
import { UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import { createNoneBackend, meterBackend } from '@bootmem/unaccepted-memory/platform';
import type { ZoneAcceptorOptions } from '@bootmem/unaccepted-memory';
import type { MeteredBackend } from '@bootmem/unaccepted-memory/platform';

const M = 1024 * 1024;
const BLOCK = 1024;

interface Machine {
  memory: UnacceptedMemory;
  memmap: Memmap;
  allocator: PageAllocator;
  acceptor: ZoneAcceptor;
  backend: MeteredBackend;
  zone: PageAllocator['zones'][number]['core'];
  zoneId: number;
}

/** One node, one Normal zone of `sizeInM` MiB from 0, all of it unaccepted, handed over. */
function machine(
  sizeInM: number,
  options: Partial<ZoneAcceptorOptions> = {},
  endInM = sizeInM,
): Machine {
  const endPfn = sizeInM * 256;
  const backend = meterBackend(createNoneBackend());
  const memory = UnacceptedMemory.create({ ranges: [{ start: 0, end: sizeInM * M }], backend });
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn }] });
  const allocator = PageAllocator.create(memmap, [
    { nid: 0, zone: 'Normal', startPfn: 0, endPfn, presentPages: endPfn },
  ]);
  const acceptor = ZoneAcceptor.create({ ...options, memory, port: allocator });
  allocator.setHooks({ accept: acceptor });
  const zoneId = memmap.zones.idOf(0, ZoneIndex.NORMAL)!;
  memmap.initRange(0, endPfn, zoneId);
  memmap.pageblocks.setRange(0, endPfn, 1);
  allocator.freeBlocks(0, endInM * 256);
  return { memory, memmap, allocator, acceptor, backend, zone: allocator.zones[0]!.core, zoneId };
}

test('a boot with lazy acceptance: all is free, nothing is on a list, heads are marked', () => {
  const it = machine(256);
  expect(it.zone.managedPages).toBe(256 * 256);
  expect(it.zone.freePages).toBe(256 * 256);
  expect(it.allocator.unacceptedPages(it.zoneId)).toBe(256 * 256);
  expect(it.zone.freeBlocks()).toEqual(new Array(11).fill(0));
  expect(it.memmap.state(0)).toBe(PageState.UNACCEPTED | 10);
  expect(it.backend.stats().calls).toBe(0);
});

test('eager: all blocks are on the free lists', () => {
  const it = machine(64, { mode: 'eager' });
  expect(it.allocator.unacceptedPages(it.zoneId)).toBe(0);
  expect(it.zone.freeBlocks()[10]).toBe(16);
  expect(it.memory.unacceptedBytes()).toBe(0);
});

test('the end of a zone that fills no block is accepted at hand-over', () => {
  const it = machine(64, {}, 62);
  expect(it.allocator.unacceptedPages(it.zoneId)).toBe(15 * BLOCK);
  expect(it.zone.freeBlocks()).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
});

test('before the marks exist an allocation accepts one block and the next ones none', () => {
  const it = machine(64);
  for (let page = 0; page < 100; page += 1) expect(it.allocator.allocPages(0)).toBeDefined();
  expect(it.acceptor.stats().acceptedBlocks).toBe(1);
  expect(it.allocator.unacceptedPages(it.zoneId)).toBe(15 * BLOCK);
});

test('with marks, accepted free memory is kept at promo or above while blocks are parked', () => {
  const it = machine(256);
  it.allocator.setupMarks({});
  let allocated = 0;
  for (;;) {
    const before = it.allocator.acceptState(it.zoneId, 0);
    expect(before.promo).toBeGreaterThan(0);
    if (it.allocator.allocPages(3) === undefined) break;
    allocated += 8;
    const { promo, acceptedFree, unusable } = it.allocator.acceptState(it.zoneId, 3);
    if (it.allocator.unacceptedPages(it.zoneId) > 0) {
      expect(acceptedFree + 8 - unusable).toBeGreaterThanOrEqual(promo);
    }
  }
  // Only after every block was accepted is there a shortage, and only the reserve below min is left.
  expect(it.allocator.unacceptedPages(it.zoneId)).toBe(0);
  expect(it.memory.unacceptedBytes()).toBe(0);
  expect(allocated).toBeGreaterThan(256 * 256 * 0.9);
  expect(it.zone.freePages).toBe(256 * 256 - allocated);
});

test('every allocated page is accepted, with the unit after it', () => {
  const it = machine(64);
  it.allocator.setupMarks({});
  for (const order of [0, 3, 9, 10, 1, 0]) {
    const pfn = it.allocator.allocPages(order)!;
    expect(it.memory.containsUnaccepted(pfn * 4096, 4096 << order)).toBe(false);
  }
  it.allocator.drain(); // pages that this thread keeps for its next requests
  expect(it.zone.freePages + 2 + 8 + 512 + 1024 + 2).toBe(64 * 256);
});

test('the bulk path and the try-lock path', () => {
  const it = machine(16);
  expect(it.allocator.allocPages(0, { tryLock: true })).toBeUndefined();
  expect(it.backend.stats().calls).toBe(0);
  const pages: number[] = [];
  expect(it.allocator.allocBulk(1500, pages)).toBe(1500);
  expect(new Set(pages).size).toBe(1500);
  expect(it.acceptor.stats().acceptedBlocks).toBe(2);
});

test('isolation of a parked block makes it normal buddy memory', () => {
  const it = machine(64);
  expect(it.acceptor.acceptBlock(5 * BLOCK + 3)).toBe(true);
  expect(it.zone.freeBlocks()[10]).toBe(1);
  expect(it.memmap.state(5 * BLOCK)).toBe(PageState.FREE | 10);
  expect(it.acceptor.acceptBlock(5 * BLOCK)).toBe(false);
});

test('every zone has its own list: an allocation from one accepts nothing of the other', () => {
  const split = 32 * 256;
  const endPfn = 64 * 256;
  const memory = UnacceptedMemory.create({
    ranges: [{ start: 0, end: 64 * M }],
    backend: createNoneBackend(),
  });
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn }] });
  const allocator = PageAllocator.create(memmap, [
    { nid: 0, zone: 'DMA32', startPfn: 0, endPfn: split, presentPages: split },
    { nid: 0, zone: 'Normal', startPfn: split, endPfn, presentPages: endPfn - split },
  ]);
  const acceptor = ZoneAcceptor.create({ memory, port: allocator });
  allocator.setHooks({ accept: acceptor });
  const low = memmap.zones.idOf(0, ZoneIndex.DMA32)!;
  const high = memmap.zones.idOf(0, ZoneIndex.NORMAL)!;
  memmap.initRange(0, split, low);
  memmap.initRange(split, endPfn, high);
  allocator.freeBlocks(0, split);
  allocator.freeBlocks(split, endPfn);
  expect(allocator.allocPages(4)).toBeGreaterThanOrEqual(split);
  expect(allocator.unacceptedPages(high)).toBe(7 * BLOCK);
  expect(allocator.unacceptedPages(low)).toBe(8 * BLOCK);
  expect(allocator.allocPages(4, { zone: 'DMA32' })).toBeLessThan(split);
  expect(allocator.unacceptedPages(high)).toBe(7 * BLOCK);
  expect(allocator.unacceptedPages(low)).toBe(7 * BLOCK);
});

test('freed memory stays accepted and merges as always', () => {
  const it = machine(16);
  const pages: number[] = [];
  for (;;) {
    const pfn = it.allocator.allocPages(0);
    if (pfn === undefined) break;
    pages.push(pfn);
  }
  expect(pages).toHaveLength(16 * 256);
  for (const pfn of pages) it.allocator.freePages(pfn, 0);
  it.allocator.drain();
  expect(it.zone.freeBlocks()[10]).toBe(4);
  expect(it.allocator.unacceptedPages(it.zoneId)).toBe(0);
  expect(it.memory.unacceptedBytes()).toBe(0);
});
