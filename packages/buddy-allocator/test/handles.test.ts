import { expect, test } from '@jest/globals';
import { Memmap } from '@bootmem/memmap';

import { BuddyAllocator } from '../dist/index.js';
import { PageAllocator } from '../dist/machine.js';

type Loose = Record<string, unknown>;
const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);

/** A copy of control words with some changed, or of the first `count` only. */
function words(
  from: Int32Array,
  changes: Record<number, number> = {},
  count = from.length,
): Int32Array {
  const copy = new Int32Array(shared(4 * count));
  copy.set(from.subarray(0, count));
  for (const [at, value] of Object.entries(changes)) copy[Number(at)] = value;
  return copy;
}

const pool = BuddyAllocator.create({ pages: 512, threads: 2 });
const poolHandle = pool.toHandle() as unknown as Loose & { control: Int32Array; memmap: Loose };
const machine = PageAllocator.create(
  Memmap.create({ ranges: [{ startPfn: 0, endPfn: 32768 }] }),
  [{ nid: 0, zone: 'Normal', startPfn: 0, endPfn: 32768, presentPages: 32768 }],
  { threads: 2 },
);
const machineHandle = machine.toHandle() as unknown as Loose & {
  control: Int32Array;
  memmap: Loose;
};

const JUNK: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 7],
  ['an empty object', {}],
  ['an array', []],
];

/** What is wrong in the same way for both. */
function broken(
  good: Loose & { control: Int32Array; memmap: Loose },
): (readonly [string, unknown])[] {
  const control = (changes: Record<number, number>): Loose => ({
    ...good,
    control: words(good.control, changes),
  });
  return [
    ...JUNK,
    ['the memmap inside it', good.memmap],
    ['no memmap', { ...good, memmap: undefined }],
    ['a memmap with columns cut off', { ...good, memmap: { ...good.memmap, columns: {} } }],
    ['no registry', { ...good, threads: undefined }],
    [
      'a registry of other words',
      { ...good, threads: { type: 'bootmem.thread-registry', words: good.control } },
    ],
    ['no control words', { ...good, control: undefined }],
    ['a buffer instead of control words', { ...good, control: good.control.buffer }],
    ['a control array cut off in the header', { ...good, control: words(good.control, {}, 5) }],
    [
      'a control array cut off by a word',
      { ...good, control: words(good.control, {}, good.control.length - 1) },
    ],
    [
      'control words of zeros',
      { ...good, control: new Int32Array(shared(good.control.byteLength)) },
    ],
    ['another version', control({ 1: 1 })],
    ['no zones', control({ 2: 0 })],
    ['more zones than words', control({ 2: 6 })],
    ['no threads', control({ 3: 0 })],
    ['more threads than words', control({ 3: 3 })],
    ['fewer threads than registered', control({ 3: 1 })],
    ['a zone beyond the descriptors', control({ [144 + 7]: 2 ** 20 })],
  ];
}

test.each([
  ...broken(poolHandle),
  ['a machine', machineHandle],
  ['data that is no memory', { ...poolHandle, data: {} }],
  ['data cut off', { ...poolHandle, data: shared(512 * 4096 - 1) }],
  ['an offset beyond the data', { ...poolHandle, dataOffset: 4096 }],
  ['a negative offset', { ...poolHandle, dataOffset: -4096 }],
  ['no offset', { ...poolHandle, dataOffset: undefined }],
])('BuddyAllocator.attach refuses %s', (_, handle) => {
  expect(() => BuddyAllocator.attach(handle as never)).toThrow(
    expect.objectContaining({ name: 'BuddyError', code: 'ERR_BUDDY_HANDLE' }),
  );
});

test.each([
  ...broken(machineHandle),
  ['a page pool', poolHandle],
  ['no names of zones', { ...machineHandle, zones: undefined }],
  ['too few names of zones', { ...machineHandle, zones: [] }],
  ['a zone of no name', { ...machineHandle, zones: [{ nid: 0, zone: 'normal' }] }],
  ['no release', { ...machineHandle, release: undefined }],
  ['no count of workers', { ...machineHandle, workers: 'all' }],
])('PageAllocator.attach refuses %s', (_, handle) => {
  expect(() => PageAllocator.attach(handle as never)).toThrow(
    expect.objectContaining({ name: 'BuddyError', code: 'ERR_BUDDY_HANDLE' }),
  );
});

const snapshot = pool.snapshot() as unknown as Loose & { control: ArrayBuffer };

test.each([
  ...JUNK,
  ['a handle', poolHandle],
  ['no words', { ...snapshot, control: undefined }],
  ['words cut off', { ...snapshot, control: snapshot.control.slice(4) }],
  ['no columns', { ...snapshot, links: undefined }],
  ['columns cut off', { ...snapshot, links: new ArrayBuffer(64) }],
  ['no word about sharing', { ...snapshot, shared: undefined }],
])('BuddyAllocator.restore refuses %s', (_, from) => {
  expect(() => BuddyAllocator.restore(from as never)).toThrow(
    expect.objectContaining({ name: 'BuddyError', code: 'ERR_BUDDY_HANDLE' }),
  );
});

test('what was refused took no thread id; a whole handle is taken; `using` closes', () => {
  const second = BuddyAllocator.attach(pool.toHandle());
  expect(second.thread).toBe(2);
  second[Symbol.dispose]();
  second.close();
  expect(pool.registry.isAlive(2)).toBe(false);
  const other = PageAllocator.attach(machine.toHandle());
  expect(other.thread).toBe(2);
  other[Symbol.dispose]();
  expect(machine.registry.isAlive(2)).toBe(false);
});
