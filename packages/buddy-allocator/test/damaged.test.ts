/**
 * Every word of a snapshot and of a handle's buffers, changed to what might come by accident or by malice: an error with a
 * code, or an allocator that is sound. Nothing crashes, hangs, or hands a page out twice.
 */
import { expect, test } from '@jest/globals';

import { coded as failsWith, damage, ODD_VALUES } from '../../../tools/kit/damage.mjs';
import { Random } from '../../../tools/kit/random.mjs';
import { BuddyAllocator, type BuddyHandle, type BuddySnapshot } from '../dist/index.js';
import { Cache } from '../dist/base/cache-layout.js';
import { Header, Zone, zoneAt } from '../dist/base/control-layout.js';
import { codeOf } from './model/machine.js';

const PAGES = 100;
const OPTIONS = { pages: PAGES, maxPages: 160, maxOrder: 5, pageSize: 16, threads: 2 } as const;
const BUFFERS = ['table', 'bytes', 'links', 'refs', 'control', 'threads'] as const;

/** A pool in the middle of its work: blocks of all kinds, two caches that hold something. */
function busy(): BuddyAllocator {
  const pool = BuddyAllocator.create(OPTIONS);
  const other = BuddyAllocator.attach(pool.toHandle());
  pool.setWatermarks({ min: 0, low: 3, high: 6 });
  const kept = [pool.alloc(2), other.alloc(0), pool.alloc(1, { mobility: 'unmovable' })];
  for (const pfn of [other.allocExact(5)!, other.allocOrThrow(0)]) other.free(pfn, 0);
  pool.free(pool.allocOrThrow(0), 0);
  expect(kept).not.toContain(undefined);
  expect(pool.verify()).toEqual([]);
  expect(pool.stats().cachedPages).toBeGreaterThan(1);
  return pool;
}

/** Uses an allocator as far as it goes, and checks that nothing is handed out twice. */
function use(pool: BuddyAllocator, move = true): void {
  expect(pool.verify()).toEqual([]);
  const owned = new Set<number>();
  pool.walk((pfn, order, state) => {
    if (state === 'allocated') for (let i = 0; i < 2 ** order; i++) owned.add(pfn + i);
  });
  const got: [number, number][] = [];
  for (let order = 3; order >= 0; order--) {
    for (let pfn = pool.alloc(order); pfn !== undefined; pfn = pool.alloc(order)) {
      got.push([pfn, order]);
      for (let i = 0; i < 2 ** order; i++) {
        expect(owned.has(pfn + i)).toBe(false);
        owned.add(pfn + i);
      }
    }
  }
  for (const [pfn, order] of got) pool.free(pfn, order);
  pool.grow(20);
  pool.stats();
  pool.dump();
  // Who moves a page away has no references to it.
  pool.compact(() => move);
  pool.allocContigRange(0, 32, () => move);
  pool.drain();
  expect(pool.verify()).toEqual([]);
  pool.close();
}

/** Two values for a word: nearly right or with a bit flipped, and an odd one. */
function valuesOf(seed: number): (right: number) => number[] {
  const random = new Random(seed);
  return (right) => {
    const near = random.once(2) ? right + 1 : right - 1;
    const bit = right ^ (1 << random.below(32));
    return [random.once(2) ? near : bit, random.pick(ODD_VALUES)];
  };
}

const coded = (text: string, body: () => void): string =>
  failsWith(/^ERR_(BUDDY|MEMMAP|LOCK|THREADS)_/, text, body);

test.each(BUFFERS)(
  'a snapshot whose `%s` is damaged is refused with the code, or sound',
  (name) => {
    const snapshot = busy().snapshot();
    let refused = 0;
    damage(snapshot[name], valuesOf(17), (text) => {
      const code = coded(`${name}, ${text}`, () => {
        let pool: BuddyAllocator;
        try {
          pool = BuddyAllocator.restore(snapshot);
        } catch (error) {
          expect(error).toMatchObject({ name: 'BuddyError', code: 'ERR_BUDDY_HANDLE' });
          throw error;
        }
        use(pool, name !== 'refs');
      });
      // Sound means that it works, too; that memory is poisoned cannot be told from its not being so.
      expect(['none', 'ERR_BUDDY_HANDLE', 'ERR_BUDDY_POISON']).toContain(code);
      if (code !== 'none') refused++;
    });
    // Links of blocks that are not free mean nothing, nor do references of pages that are in use.
    expect(refused).toBeGreaterThan(['refs', 'links', 'threads'].includes(name) ? 3 : 30);
    use(BuddyAllocator.restore(snapshot));
  },
);

/** The handle over copies of the buffers that can be damaged. */
function copyOf(handle: BuddyHandle): {
  handle: BuddyHandle;
  buffers: Record<string, ArrayBufferLike>;
} {
  const copy = (from: ArrayBufferLike): SharedArrayBuffer => {
    const to = new SharedArrayBuffer(from.byteLength);
    new Uint8Array(to).set(new Uint8Array(from));
    return to;
  };
  const { table, columns } = handle.memmap;
  const [bytes, links, refs] = [copy(columns.bytes), copy(columns.links), copy(columns.refs)];
  const buffers = {
    table: copy(table),
    bytes,
    links,
    control: copy(handle.control.buffer),
    threads: copy(handle.threads.words.buffer),
  };
  return {
    buffers,
    handle: {
      ...handle,
      memmap: {
        type: 'bootmem.memmap',
        table: buffers.table,
        columns: { kind: 'shared', memory: undefined, bytes, links, refs },
      },
      control: new Int32Array(buffers.control),
      threads: { type: 'bootmem.thread-registry', words: new Int32Array(buffers.threads) },
    },
  };
}

test.each(['table', 'bytes', 'links', 'control', 'threads'])(
  'a handle whose `%s` is damaged is refused, or every call ends, and fails with a code at most',
  (name) => {
    const pool = BuddyAllocator.create({ ...OPTIONS, threads: 3 });
    const other = BuddyAllocator.attach(pool.toHandle());
    pool.free(pool.allocOrThrow(0), 0);
    pool.allocOrThrow(2);
    other.close();
    const { handle, buffers } = copyOf(pool.toHandle());
    const whole = Object.entries(buffers).map(
      ([key, buffer]) => [key, new Uint8Array(buffer).slice()] as const,
    );
    let attached = 0;
    damage(buffers[name]!, valuesOf(23), (text) => {
      coded(`${name}, ${text}`, () => {
        const mine = BuddyAllocator.attach(handle, { lockTimeoutMs: 0, parkAfterMs: Infinity });
        attached++;
        const calls = [
          (): unknown => mine.alloc(0),
          (): unknown => mine.alloc(3),
          (): unknown => mine.allocExact(3),
          (): unknown => mine.tryFree(0, 2),
          (): unknown => mine.tryFree(5, 0),
          (): unknown => mine.stats(),
          (): unknown => mine.dump(),
          (): void => {
            mine.walk(() => undefined);
          },
          (): unknown => mine.compact(() => true),
          (): unknown => mine.allocContigRange(0, 32),
          (): unknown => mine.grow(30),
          (): void => {
            mine.park();
          },
          (): void => {
            mine.drain();
          },
          (): unknown => mine.verify(),
          (): unknown => mine.alloc(1),
          (): void => {
            mine.close();
          },
        ];
        for (const call of calls) coded(`${name}, ${text}: ${call.toString()}`, () => void call());
      });
      // What the calls have done is undone.
      for (const [key, bytes] of whole) new Uint8Array(buffers[key]!).set(bytes);
    });
    expect(attached).toBeGreaterThan(10);
  },
);

test('a snapshot taken where a thread ended in the middle is put in order', () => {
  const pool = BuddyAllocator.create({ ...OPTIONS, threads: 1 });
  const kept = pool.allocOrThrow(2);
  pool.free(pool.allocOrThrow(0), 0);
  pool.park();
  const { zone } = pool;
  // It died while it split the largest block: off the list, one half made.
  zone.lock();
  const free = zone.area.first(5, 1);
  zone.area.journal(free, 6);
  zone.area.remove(free, 5, 1);
  zone.area.insert(free + 16, 4, 1, false, 0);
  const snapshot = pool.snapshot();
  const copy = BuddyAllocator.restore(snapshot);
  // With one id for all: it is the restoring thread's.
  expect([copy.thread, copy.threads()]).toEqual([1, [1]]);
  expect(copy.stats()).toMatchObject({ freePages: PAGES - 4, cachedPages: 0, recoveries: 1 });
  expect(copy.tryFree(kept, 2)).toBe('ok');
  use(copy);
});

test('a snapshot has the bytes that are managed and no others', () => {
  const memory = new SharedArrayBuffer(4096);
  new Uint8Array(memory).fill(9);
  const pool = BuddyAllocator.create({ pages: 4, pageSize: 64, data: memory, dataOffset: 128 });
  const { data } = pool.snapshot();
  expect(data?.byteLength).toBe(256);
  expect(
    codeOf(() => BuddyAllocator.restore({ ...pool.snapshot(), data: new ArrayBuffer(512) })),
  ).toBe('ERR_BUDDY_HANDLE');
});

test.each<[string, (words: Int32Array) => void]>([
  ['unknown options', (w) => (w[Header.FLAGS] = 1024)],
  ['a broken allocator', (w) => (w[Header.BROKEN] = 1)],
  ['guard blocks', (w) => (w[Header.GUARD_ORDER] = 3)],
  ['lists of the closed', (w) => (w[Header.NO_LISTS + 5] = 1)],
  ['more pages online than there are', (w) => (w[zoneAt(0) + Zone.PRESENT] = 161)],
  ['fewer pages online than in use', (w) => (w[zoneAt(0) + Zone.PRESENT] = 60)],
  ['another zone', (w) => (w[zoneAt(0) + Zone.ID] = 2)],
  ['a negative mark', (w) => (w[zoneAt(0) + Zone.MARK_MIN] = -1)],
  ['a block in flight of nobody', (w) => (w[zoneAt(0) + Zone.JOURNAL_ORDER] = 2)],
  ['isolated pageblocks that are not', (w) => (w[zoneAt(0) + Zone.ISOLATED_BLOCKS] = 1)],
])('a snapshot with %s is refused', (_, harm) => {
  const snapshot: BuddySnapshot = busy().snapshot();
  harm(new Int32Array(snapshot.control));
  expect(codeOf(() => BuddyAllocator.restore(snapshot))).toBe('ERR_BUDDY_HANDLE');
});

test('a cache that nobody can have is refused', () => {
  const pool = busy();
  const at = pool.zone.cacheAt! - 0;
  for (const [word, value] of [
    [Cache.PARK, 3],
    [Cache.LISTS, 5],
    [Cache.LISTS + 3, 2 ** 30],
  ] as const) {
    const snapshot = pool.snapshot();
    new Int32Array(snapshot.control)[at + word] = value;
    expect(codeOf(() => BuddyAllocator.restore(snapshot))).toBe('ERR_BUDDY_HANDLE');
  }
});
