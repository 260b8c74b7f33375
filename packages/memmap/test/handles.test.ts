import { runInNewContext } from 'node:vm';

import { expect, test } from '@jest/globals';

import { Memmap, MemmapError, type MemmapHandle } from '../dist/index.js';
import { checkHandle, type HandleFormat, ThreadRegistry } from '../dist/shared.js';

const S = 32768;
type Loose = Record<string, unknown>;
const shared = (bytes: number): SharedArrayBuffer => new SharedArrayBuffer(bytes);

/** A copy of a buffer with some words changed, or with fewer bytes. */
function copyOf(
  from: ArrayBufferLike,
  words: Record<number, number> = {},
  bytes = from.byteLength,
): SharedArrayBuffer {
  const copy = shared(bytes);
  new Uint8Array(copy).set(new Uint8Array(from, 0, bytes));
  for (const [at, value] of Object.entries(words)) new Int32Array(copy)[Number(at)] = value;
  return copy;
}

const map = Memmap.create({ ranges: [{ startPfn: 0, endPfn: S }], storage: 'shared' });
const good = map.toHandle() as unknown as Loose & { table: SharedArrayBuffer; columns: Loose };
const wasm = Memmap.create({
  ranges: [{ startPfn: 0, endPfn: S }],
  storage: 'wasm',
}).toHandle() as unknown as Loose & { columns: Loose };
const threads = ThreadRegistry.create(4).toHandle() as unknown as { words: Int32Array };
const column = (field: string, value: unknown): Loose => ({
  ...good,
  columns: { ...good.columns, [field]: value },
});
const header = (words: Record<number, number>): Loose => ({
  ...good,
  table: copyOf(good.table, words),
});

const JUNK: readonly (readonly [string, unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 7],
  ['a text', 'handle'],
  ['an empty object', {}],
  ['an array', []],
  ['a function', () => undefined],
];

const MEMMAPS: readonly (readonly [string, unknown])[] = [
  ...JUNK,
  ['a thread registry', threads],
  ['another tag', { ...good, type: 'bootmem.page-allocator' }],
  ['no tag', { ...good, type: undefined }],
  ['no table', { ...good, table: undefined }],
  ['a table that is no buffer', { ...good, table: { byteLength: 1e9 } }],
  ['a view instead of the table', { ...good, table: new Int32Array(good.table) }],
  ['a table of nothing', { ...good, table: shared(0) }],
  ['a table cut off in the header', { ...good, table: copyOf(good.table, {}, 28) }],
  [
    'a table cut off by a word',
    { ...good, table: copyOf(good.table, {}, good.table.byteLength - 4) },
  ],
  ['a table of zeros', { ...good, table: shared(good.table.byteLength) }],
  ['another magic', header({ 0: 0x42554459 })],
  ['an older version', header({ 1: 0 })],
  ['a newer version', header({ 1: 99 })],
  ['a page size of nothing', header({ 2: -1 })],
  ['sections smaller than blocks', header({ 3: 9 })],
  ['an order that no byte records', header({ 5: 16 })],
  ['a negative first section', header({ 7: -1 })],
  ['no sections', header({ 8: 0 })],
  ['more sections than the table has', header({ 8: 2 ** 20 })],
  ['no room', header({ 9: 0 })],
  ['room for more than an index names', header({ 9: 2 ** 17 })],
  ['more slots used than there are', header({ 10: 2 })],
  ['300 zones', header({ 12: 300 })],
  ['no columns', { ...good, columns: undefined }],
  ['an unknown kind', column('kind', 'gpu')],
  ['local columns that are shared', column('kind', 'local')],
  ['wasm columns without a memory', column('kind', 'wasm')],
  ['shared columns that are not shared', column('refs', new ArrayBuffer(4 * S))],
  ['state bytes cut off', column('bytes', shared(2 * S - 1))],
  ['links cut off', column('links', shared(8 * S))],
  ['references cut off', column('refs', shared(4 * S - 4))],
  [
    'a wasm memory too small',
    { ...wasm, columns: { ...wasm.columns, memory: { buffer: shared(65536 - 1) } } },
  ],
];

test.each(MEMMAPS)('Memmap.attach refuses %s', (_, handle) => {
  expect(() => Memmap.attach(handle as MemmapHandle)).toThrow(
    expect.objectContaining({ name: 'MemmapError', code: 'ERR_MEMMAP_HANDLE' }),
  );
});

const REGISTRIES: readonly (readonly [string, unknown])[] = [
  ...JUNK,
  ['a memmap', good],
  ['words without a tag', { words: threads.words }],
  ['no words', { ...threads, words: undefined }],
  ['a buffer instead of words', { ...threads, words: threads.words.buffer }],
  ['bytes instead of words', { ...threads, words: new Uint8Array(threads.words.buffer) }],
  ['words cut off', { ...threads, words: threads.words.subarray(0, 8) }],
  ['a header cut off', { ...threads, words: threads.words.subarray(0, 3) }],
  ['other words', { ...threads, words: new Int32Array(shared(4096)) }],
  [
    'another version',
    { ...threads, words: new Int32Array(copyOf(threads.words.buffer, { 1: 1 })) },
  ],
  ['no threads', { ...threads, words: new Int32Array(copyOf(threads.words.buffer, { 2: 0 })) }],
];

test.each(REGISTRIES)('ThreadRegistry.attach refuses %s', (_, handle) => {
  expect(() => ThreadRegistry.attach(handle as never)).toThrow(
    expect.objectContaining({ name: 'MemmapError', code: 'ERR_MEMMAP_HANDLE' }),
  );
});

test('whole handles are taken, after a structured clone too', () => {
  for (const storage of ['shared', 'local', 'wasm'] as const) {
    const made = Memmap.create({ ranges: [{ startPfn: S, endPfn: 3 * S }], storage });
    const attached = Memmap.attach(made.toHandle());
    expect([attached.startPfn, attached.endPfn]).toEqual([S, 3 * S]);
    expect(attached.usage().storage).toBe(storage);
  }
});

test('a buffer of another realm is a buffer; one that only looks so is none', () => {
  const format: HandleFormat = {
    type: 'test',
    header: { field: 'buffer' },
    magic: 5,
    version: 1,
    headerWords: 2,
    needs: () => [{ field: 'buffer', bytes: 8 }],
  };
  const fail = (message: string, details: object): Error =>
    new MemmapError('ERR_MEMMAP_HANDLE', message, { ...details });
  const foreign = runInNewContext('new Int32Array([5, 1]).buffer') as ArrayBuffer;
  expect([...checkHandle({ type: 'test', buffer: foreign }, format, fail)]).toEqual([5, 1]);
  const looksSo = { byteLength: 8, [Symbol.toStringTag]: 'ArrayBuffer' };
  expect(() => checkHandle({ type: 'test', buffer: looksSo }, format, fail)).toThrow(
    'not a handle of type test: buffer is no ArrayBuffer and no SharedArrayBuffer',
  );
  const noNumber = { ...format, needs: () => [{ field: 'buffer', bytes: NaN }] };
  expect(() => checkHandle({ type: 'test', buffer: foreign }, noNumber, fail)).toThrow(
    'its sizes are no numbers',
  );
});

test('a wrong part is told with its field, by the same maker of errors', () => {
  const whole: HandleFormat = {
    type: 'whole',
    header: { field: 'words', as: 'words' },
    magic: 5,
    version: 1,
    headerWords: 2,
    needs: () => [],
    parts: { inner: { ...MEMMAP_LIKE, magic: 6 } },
  };
  const words = Int32Array.of(5, 1);
  const fail = (message: string): Error => new RangeError(message);
  const inner = { type: 'inner', words };
  expect(() => checkHandle({ type: 'whole', words, inner }, whole, fail)).toThrow(
    new RangeError('inner is not a handle of type inner: its header is of something else'),
  );
});

const MEMMAP_LIKE: HandleFormat = {
  type: 'inner',
  header: { field: 'words', as: 'words' },
  magic: 5,
  version: 1,
  headerWords: 2,
  needs: () => [],
};

test('whichever word of a table is damaged: refused with the code, or every question is answered', () => {
  const made = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 3 * 32768 }], storage: 'shared' });
  made.initRange(0, 32768, made.defineZone(0, 2));
  const handle = made.toHandle();
  const words = new Int32Array(handle.table);
  let refused = 0;
  for (const [at, right] of words.slice().entries()) {
    for (const value of [-1, 2, 3, 4, 2 ** 20, 2 ** 31 - 1, -(2 ** 31)]) {
      words[at] = value;
      try {
        const map = Memmap.attach(handle);
        for (const pfn of [0, 5, 40_000, 3 * 32768 - 1]) {
          map.describe(pfn);
          map.indexOf(pfn);
          map.zoneId(pfn);
        }
        map.firstUninitialised(map.startPfn, map.endPfn);
        map.usage();
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^ERR_MEMMAP_/);
        refused += 1;
      }
      words[at] = right;
    }
  }
  expect(refused).toBeGreaterThan(20);
});

test.each([
  ['behind the last', 4],
  ['below none', -2],
  ["another section's", 1],
])('a section whose descriptors are in a place %s is refused', (_, slot) => {
  const handle = Memmap.create({ ranges: [{ startPfn: 0, endPfn: 3 * 32768 }], storage: 'shared' });
  const table = handle.toHandle();
  const words = new Int32Array(table.table);
  // The three sections have the places 1, 2, 3, one word after the other.
  const row = words.findIndex((v, i) => v === 1 && words[i + 1] === 2 && words[i + 2] === 3);
  words[row + 2] = slot;
  expect(() => Memmap.attach(table)).toThrow('place that is not its own');
});

test('of a thread that no registry of this size can have, nothing is known', () => {
  const registry = ThreadRegistry.create(2);
  for (const tag of [0, 3, 100, 2 ** 14 + 100, 2 ** 29 - 1, 2 ** 30 - 1]) {
    expect(registry.hasEnded(tag)).toBe(false);
    expect(registry.proveEnded(tag)).toBe(false);
  }
});

test('a place of descriptors that names no section is refused', () => {
  const map = Memmap.create({
    ranges: [{ startPfn: 0, endPfn: S }],
    maxPfn: 3 * S,
    storage: 'shared',
  });
  const handle = map.toHandle();
  const words = new Int32Array(handle.table);
  // Of the last place, which is free: the words before the page map indices and pageblock bytes.
  const { pagesPerSection, geometry } = map;
  const perSection = (order: number): number => pagesPerSection / 2 ** order;
  const behind =
    3 * perSection(geometry.subsectionOrder) + (3 * perSection(geometry.pageblockOrder)) / 4;
  const last = words.length - behind - 1;
  expect(words[last - 2]).toBe(1);
  for (const row of [4, -1]) {
    words[last] = row;
    expect(() => Memmap.attach(handle)).toThrow('that of no section');
  }
});
