import { expect, test } from '@jest/globals';

import { BuddyAllocator } from '../dist/index.js';
import { PageAllocator, ZoneWord } from '../dist/machine.js';
import { codeOf, expectSound, oneZone } from './model/machine.js';

/** Makes the lock look as if the thread of `other` held it. */
function holdLock(words: Int32Array, at: number, other: PageAllocator): void {
  words[at] = other.registry.tagOf(other.thread);
}

test('a block in flight when its thread died is free again; everything else is untouched', () => {
  const { allocator, zone } = oneZone({ end: 4096 });
  const other = PageAllocator.attach(allocator.toHandle());
  const kept = allocator.allocPages(3, { migratetype: 1 })!;
  const before = zone.freePages;
  // The other thread died while it split the block at 1024: off the list, region open, halves half made.
  const index = 1024;
  const { words, at, area } = zone;
  holdLock(words, at, other);
  area.journal(index, 11);
  area.remove(index, 10, 1);
  area.account(-1024, 1);
  area.insert(index + 512, 9, 1, false, 0);
  allocator.registry.markDead(other.thread);
  const next = allocator.allocPages(0, { migratetype: 1 })!;
  expect(zone.get(ZoneWord.RECOVERIES)).toBe(1);
  allocator.freePages(next, 0);
  expect(zone.freePages).toBe(before);
  expectSound(allocator);
  allocator.freePages(kept, 3);
  expect(zone.freeBlocks()[10]).toBe(4);
  expectSound(allocator);
  expect(allocator.reclaimThread(other.thread)).toBe(0);
});

test('parked and isolated blocks survive a recovery, in their lists and counts', () => {
  const { allocator, zone } = oneZone({ end: 16384, boot: 4096 });
  allocator.parkUnaccepted(zone.zoneId, 8192 + 1024);
  allocator.parkUnaccepted(zone.zoneId, 8192);
  allocator.isolate(2048);
  const counts = [zone.freePages, zone.get(ZoneWord.ISOLATED), zone.get(ZoneWord.UNACCEPTED)];
  const other = PageAllocator.attach(allocator.toHandle());
  holdLock(zone.words, zone.at, other);
  allocator.registry.markDead(other.thread);
  zone.locked(() => undefined);
  expect([zone.freePages, zone.get(ZoneWord.ISOLATED), zone.get(ZoneWord.UNACCEPTED)]).toEqual(
    counts,
  );
  // The order of the list is that of places now.
  expect([1, 2, 3].map(() => allocator.takeUnaccepted(zone.zoneId))).toEqual([
    8192,
    8192 + 1024,
    undefined,
  ]);
});

test('verify() that finds damage stops the allocator in every thread', () => {
  const allocator = BuddyAllocator.create({ pages: 2048, data: null, threads: 2 });
  const other = BuddyAllocator.attach(allocator.toHandle());
  const { words, at } = allocator.zone;
  words[at + ZoneWord.FREE] = 5;
  expect(allocator.verify().map((v) => v.invariant)).toContain('I7');
  expect(codeOf(() => other.alloc(10))).toBe('ERR_BUDDY_CORRUPT');
  const { allocator: zoned, zone } = oneZone();
  zone.words[zone.at + ZoneWord.MANAGED] = 1;
  expect(zoned.verify()[0]?.invariant).toBe('I8');
  expect(codeOf(() => zoned.allocPages(0))).toBe('ERR_BUDDY_CORRUPT');
});

test('each kind of damage is named by its invariant', () => {
  const damage: [string, (words: Int32Array, at: number, state: Uint8Array) => void][] = [
    ['I4', (_w, _at, state) => (state[1024] = 0x19)],
    ['I6', (w, at) => (w[at + ZoneWord.LISTS + (10 * 6 + 1) * 3 + 2] = 9)],
    ['I6', (w, at) => (w[at + ZoneWord.LISTS + (10 * 6 + 1) * 3 + 1] = 0)],
    ['I6', (w, at) => (w[at + ZoneWord.MASK + 1] = 0)],
    ['I7', (w, at) => (w[at + ZoneWord.ISOLATED] = 1)],
    ['I7', (w, at) => (w[at + ZoneWord.UNACCEPTED] = 1)],
    ['I7', (w, at) => (w[at + ZoneWord.FREE_BLOCKS] = 1)],
    ['I10', (w, at) => (w[at + ZoneWord.MARK_MIN] = 50)],
    [
      'I10',
      (w, at) => {
        w.set([3, 2], at + ZoneWord.RESERVE);
      },
    ],
    ['I11', (w, at) => (w[at + ZoneWord.RESERVED_HIGHATOMIC] = 5000)],
    ['I1', (_w, _at, state) => (state[1030] = 2)],
    ['I4', (_w, _at, state) => (state[1030] = 0x20)],
    ['I11', (_w, _at, state) => (state[1024] = 0x3a)],
  ];
  for (const [invariant, harm] of damage) {
    const { allocator, zone } = oneZone({ end: 4096 });
    harm(zone.words, zone.at, zone.columns.state);
    expect(allocator.verify().map((v) => v.invariant)).toContain(invariant);
  }
  const { allocator, zone, memmap } = oneZone({ end: 4096 });
  memmap.columns().refs[1025] = 1;
  memmap.pageblocks.setMigratetype(2048, 0);
  memmap.columns().zone[3073] = 9;
  const found = new Set(allocator.verify().map((v) => v.invariant));
  expect([...found].sort()).toEqual(['I1', 'I5', 'I9']);
  expect(zone.lockOwner()).toBe(0);
});
