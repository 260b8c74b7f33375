/** Private and shared on a real page allocator: whose memory it is, and what becomes of a block with a shared part. */
import { expect, test } from '@jest/globals';
import { PageAllocator } from '@bootmem/buddy-allocator/machine';
import { Memmap, ZoneIndex } from '@bootmem/memmap';
import { UnacceptedMemory, ZoneAcceptor } from '@bootmem/unaccepted-memory';
import type { AcceptError } from '@bootmem/unaccepted-memory';
import { checkingPlatform } from './support/checking-platform.js';
import type { CheckingPlatform } from './support/checking-platform.js';

const UNIT = 2 * 1024 * 1024;
const UNIT_PAGES = 512;
const BLOCK = 10; // two units

interface Stage {
  readonly allocator: PageAllocator;
  readonly memory: UnacceptedMemory;
  readonly acceptor: ZoneAcceptor;
  readonly platform: CheckingPlatform;
}

function stage(blocks: number, unitSize = UNIT): Stage {
  const endPfn = blocks * 1024;
  const platform = checkingPlatform(endPfn, unitSize);
  const memory = UnacceptedMemory.create({
    ranges: [{ start: 0, end: endPfn * 4096 }],
    backend: platform,
    unitSize,
  });
  const memmap = Memmap.create({ ranges: [{ startPfn: 0, endPfn }] });
  const zone = { nid: 0, zone: 'Normal', startPfn: 0, endPfn, presentPages: endPfn } as const;
  const allocator = PageAllocator.create(memmap, [zone]);
  const acceptor = ZoneAcceptor.create({ memory, port: allocator });
  allocator.setHooks({ accept: acceptor });
  memmap.initRange(0, endPfn, memmap.zones.idOf(0, ZoneIndex.NORMAL)!);
  allocator.freeBlocks(0, endPfn);
  return { allocator, memory, acceptor, platform };
}

function codeOf(act: () => unknown): string {
  try {
    act();
    return 'no error';
  } catch (error) {
    return (error as AcceptError).code;
  }
}

/** Bytes of a range of page frames. */
const bytes = (pfn: number, pages: number): [number, number] => [pfn * 4096, (pfn + pages) * 4096];

/** Everything is free or parked in the end, nothing is broken, nothing was accepted twice. */
function expectWhole({ allocator, platform }: Stage, pages: number): void {
  allocator.drain();
  expect(allocator.verify()).toEqual([]);
  expect(allocator.zones[0]!.core.freePages).toBe(pages);
  expect(platform.faults).toEqual([]);
}

test('a block that its holder shares is not freed until it is private again', () => {
  for (const order of [9, BLOCK]) {
    const it = stage(4);
    const pfn = it.allocator.allocPages(order)!;
    const range = bytes(pfn, 2 ** order);
    it.acceptor.convert(...range, 'shared');
    expect(it.allocator.memmap.describe(pfn)).toMatchObject({ kind: 'shared', order, refcount: 1 });
    expect(
      codeOf(() => {
        it.allocator.freePages(pfn, order);
      }),
    ).toBe('ERR_BUDDY_SHARED');
    expect(
      codeOf(() => {
        it.allocator.freePages(pfn, order - 1);
      }),
    ).toBe('ERR_BUDDY_SHARED');
    expect(
      codeOf(() => {
        it.allocator.freePages(pfn + 1, 0);
      }),
    ).toBe('ERR_BUDDY_SHARED');
    expect(it.allocator.verify()).toEqual([]);
    it.acceptor.convert(...range, 'private');
    it.allocator.freePages(pfn, order);
    expectWhole(it, 4 * 1024);
  }
});

test('a block with one shared unit of two is shared until the last one is private', () => {
  const it = stage(4);
  const pfn = it.allocator.allocPages(BLOCK)!;
  const [low, high] = [bytes(pfn, UNIT_PAGES), bytes(pfn + UNIT_PAGES, UNIT_PAGES)];
  it.acceptor.convert(...low, 'shared');
  it.acceptor.convert(...high, 'shared');
  it.acceptor.convert(...low, 'private');
  expect(
    codeOf(() => {
      it.allocator.freePages(pfn, BLOCK);
    }),
  ).toBe('ERR_BUDDY_SHARED');
  it.acceptor.convert(...high, 'private');
  it.allocator.freePages(pfn, BLOCK);
  expectWhole(it, 4 * 1024);
});

test('what is free, parked, or cut into smaller blocks is refused, and nothing changed', () => {
  const it = stage(8);
  const pfn = it.allocator.allocPages(9)!;
  const states = (): string => JSON.stringify(it.memory.stateRuns());
  const before = states();
  const calls = it.platform.calls.length;
  const refused = (first: number): void => {
    expect(
      codeOf(() => {
        it.acceptor.convert(...bytes(first, UNIT_PAGES), 'shared');
      }),
    ).toBe('ERR_ACCEPT_NOT_HELD');
  };
  // The other half of the block is free.
  refused(pfn ^ UNIT_PAGES);
  // Single pages, whoever has them.
  const pages = Array.from({ length: UNIT_PAGES }, () => it.allocator.allocPages(0)!);
  const cut = Math.min(...pages.map((page) => page - (page % UNIT_PAGES)));
  refused(cut);
  it.allocator.freePages(pfn, 9);
  refused(pfn);
  for (const page of pages) it.allocator.freePages(page, 0);
  expect(it.platform.calls).toHaveLength(calls);
  expect(states()).toBe(before);
  // Parked: not accepted yet, so nobody can hold it.
  const parked = it.memory.firstUnaccepted(0, 8 * 1024 * 4096)!;
  expect(it.allocator.memmap.describe(parked / 4096 + UNIT_PAGES)).toMatchObject({
    kind: 'unaccepted',
  });
  expect(
    codeOf(() => {
      it.acceptor.convert(parked, parked + UNIT, 'shared');
    }),
  ).toBe('ERR_ACCEPT_STATE');
  expectWhole(it, 8 * 1024);
});

test('what lies in a page cache is refused; units of any size', () => {
  const it = stage(64, 8 * 4096);
  it.allocator.setupMarks();
  const pfn = it.allocator.allocPages(3)!;
  it.acceptor.convert(...bytes(pfn, 8), 'shared');
  expect(
    codeOf(() => {
      it.allocator.freePages(pfn, 3);
    }),
  ).toBe('ERR_BUDDY_SHARED');
  it.acceptor.convert(...bytes(pfn, 8), 'private');
  it.allocator.freePages(pfn, 3);
  expect(it.allocator.memmap.describe(pfn)).toMatchObject({ kind: 'cached' });
  expect(
    codeOf(() => {
      it.acceptor.convert(...bytes(pfn, 8), 'shared');
    }),
  ).toBe('ERR_ACCEPT_NOT_HELD');
  expect(it.allocator.allocPages(3)).toBe(pfn);
  it.acceptor.convert(...bytes(pfn, 8), 'shared');
  it.acceptor.convert(...bytes(pfn, 8), 'private');
  it.allocator.freePages(pfn, 3);
  expectWhole(it, 64 * 1024);
});

test("another's block is refused, to shared and back, where books say whose blocks are", () => {
  const it = stage(4);
  const owners = new Map<number, string>();
  const mine = (pfn: number): boolean => owners.get(pfn) === 'me';
  const take = (order: number, who: string): number => {
    const pfn = it.allocator.allocPages(order)!;
    owners.set(pfn, who);
    return pfn;
  };
  const convert = (pfn: number, pages: number, to: 'shared' | 'private'): string =>
    codeOf(() => {
      it.acceptor.convert(...bytes(pfn, pages), to, mine);
    });
  const own = take(BLOCK, 'me');
  const other = take(BLOCK, 'another');
  const calls = it.platform.calls.length;
  expect(convert(other, 1024, 'shared')).toBe('ERR_ACCEPT_NOT_HELD');
  expect(convert(other + UNIT_PAGES, UNIT_PAGES, 'shared')).toBe('ERR_ACCEPT_NOT_HELD');
  // All or nothing: of two blocks in a row one is another's.
  if (Math.abs(own - other) === 1024) {
    expect(convert(Math.min(own, other), 2048, 'shared')).toBe('ERR_ACCEPT_NOT_HELD');
  }
  expect(it.platform.calls).toHaveLength(calls);
  expect(it.memory.containsShared(0, 4 * 1024 * 4096)).toBe(false);
  for (const pfn of [own, other]) {
    expect(it.allocator.memmap.describe(pfn)).toMatchObject({ kind: 'allocated' });
  }
  expect(convert(own, 1024, 'shared')).toBe('no error');
  owners.set(own, 'another');
  expect(convert(own, 1024, 'private')).toBe('ERR_ACCEPT_NOT_HELD');
  expect(it.memory.unitState(own * 4096)).toBe('shared');
  owners.set(own, 'me');
  expect(convert(own, 1024, 'private')).toBe('no error');
  it.allocator.freePages(own, BLOCK);
  it.allocator.freePages(other, BLOCK);
  expectWhole(it, 4 * 1024);
});

test('books are asked once for each block, with its order; what they throw changes nothing', () => {
  const it = stage(4);
  const blocks = [9, 9, BLOCK].map((order) => ({ pfn: it.allocator.allocPages(order)!, order }));
  const ranges = blocks.map(({ pfn, order }) => ({ pfn, order, end: pfn + 2 ** order }));
  const [start, end] = [
    Math.min(...ranges.map(({ pfn }) => pfn)),
    Math.max(...ranges.map((one) => one.end)),
  ];
  expect(end - start).toBe(2048);
  const asked: { pfn: number; order: number }[] = [];
  it.acceptor.convert(...bytes(start, 2048), 'shared', (pfn, order) => {
    asked.push({ pfn, order });
    return true;
  });
  expect(asked).toEqual(blocks.toSorted((a, b) => a.pfn - b.pfn));
  const states = JSON.stringify(it.memory.stateRuns());
  expect(() => {
    it.acceptor.convert(...bytes(start, 2048), 'private', () => {
      throw new Error('the books are burnt');
    });
  }).toThrow('the books are burnt');
  expect(JSON.stringify(it.memory.stateRuns())).toBe(states);
  expect(
    codeOf(() => {
      it.acceptor.convert(...bytes(start, 2048), 'private', {} as never);
    }),
  ).toBe('ERR_ACCEPT_ARGUMENT');
  expect(codeOf(() => it.allocator.markShared(start, end, 512, 1 as never))).toBe(
    'ERR_BUDDY_ARGUMENT',
  );
  it.acceptor.convert(...bytes(start, 2048), 'private');
  for (const { pfn, order } of blocks) it.allocator.freePages(pfn, order);
  expectWhole(it, 4 * 1024);
});

test('a range that reaches into what is not held is refused as a whole', () => {
  const it = stage(4);
  const blocks = [it.allocator.allocPages(9)!, it.allocator.allocPages(9)!].sort((a, b) => a - b);
  const [first, second] = blocks as [number, number];
  expect(second - first).toBe(UNIT_PAGES);
  it.allocator.freePages(second, 9);
  it.allocator.drain();
  expect(
    codeOf(() => {
      it.acceptor.convert(...bytes(first, 1024), 'shared');
    }),
  ).toBe('ERR_ACCEPT_NOT_HELD');
  expect(it.allocator.memmap.describe(first)).toMatchObject({ kind: 'allocated' });
  expect(it.memory.containsShared(first * 4096, 2 * UNIT)).toBe(false);
  it.allocator.freePages(first, 9);
  expectWhole(it, 4 * 1024);
});

test('a contiguous range does not take a shared block, nor does compaction move it', () => {
  const it = stage(4);
  const pfn = it.allocator.allocPages(9, { migratetype: 1 })!;
  it.acceptor.convert(...bytes(pfn, UNIT_PAGES), 'shared');
  const moved: number[] = [];
  const move = (from: number): boolean => {
    moved.push(from);
    return true;
  };
  const block = pfn - (pfn % 1024);
  expect(it.allocator.allocContigRange(block, block + 1024, move)).toBe(false);
  it.allocator.compact(0, 'Normal', move);
  expect(moved).toEqual([]);
  expect(it.allocator.verify()).toEqual([]);
  it.acceptor.convert(...bytes(pfn, UNIT_PAGES), 'private');
  it.allocator.freePages(pfn, 9);
  expectWhole(it, 4 * 1024);
});

test('allocation goes on around shared memory, and accepts everything else once', () => {
  const it = stage(8);
  const shared = it.allocator.allocPages(BLOCK)!;
  it.acceptor.convert(...bytes(shared, 1024), 'shared');
  let blocks = 0;
  while (it.allocator.allocPages(BLOCK) !== undefined) blocks += 1;
  expect(blocks).toBe(7);
  expect(it.memory.unacceptedBytes()).toBe(0);
  expect(it.platform.faults).toEqual([]);
  expect(it.memory.unitState(shared * 4096)).toBe('shared');
});

test('a thread that dies between the platform call and giving the block back: reclaim does so', () => {
  const it = stage(4);
  const pfn = it.allocator.allocPages(9)!;
  it.acceptor.convert(...bytes(pfn, UNIT_PAGES), 'shared');
  const id = it.memory.reserveParticipant();
  const memory = UnacceptedMemory.attach(it.memory.toHandle(), {
    participant: id,
    backend: it.platform,
  });
  // What comes after the death is never executed: the slot is reclaimed while the announcement still stands.
  const port = new Proxy(it.allocator, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      if (name !== 'unmarkShared') {
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      }
      return () => {
        expect(it.memory.unitState(pfn * 4096)).toBe('accepted');
        expect(
          codeOf(() => {
            it.allocator.freePages(pfn, 9);
          }),
        ).toBe('ERR_BUDDY_SHARED');
        expect(it.acceptor.reclaim([id])).toEqual(['nothing']);
        it.allocator.freePages(pfn, 9);
      };
    },
  });
  const dying = ZoneAcceptor.attach(it.acceptor.toHandle(), { memory, port });
  dying.convert(...bytes(pfn, UNIT_PAGES), 'private');
  expectWhole(it, 4 * 1024);
});

test('an allocator that could not give the block back: asking for private once more does', () => {
  const it = stage(4);
  const pfn = it.allocator.allocPages(9)!;
  let fail = true;
  const port = new Proxy(it.allocator, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      if (name === 'unmarkShared' && fail) {
        return () => {
          throw new Error('its lock was not to be had');
        };
      }
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const acceptor = ZoneAcceptor.attach(it.acceptor.toHandle(), { memory: it.memory, port });
  fail = false;
  acceptor.convert(...bytes(pfn, UNIT_PAGES), 'shared');
  fail = true;
  expect(() => {
    acceptor.convert(...bytes(pfn, UNIT_PAGES), 'private');
  }).toThrow('its lock');
  fail = false;
  expect(
    codeOf(() => {
      it.allocator.freePages(pfn, 9);
    }),
  ).toBe('ERR_BUDDY_SHARED');
  acceptor.convert(...bytes(pfn, UNIT_PAGES), 'private');
  it.allocator.freePages(pfn, 9);
  expectWhole(it, 4 * 1024);
});

test('arguments: whole units, whole pages, an allocator that keeps books, an open acceptor', () => {
  const it = stage(4);
  const pfn = it.allocator.allocPages(BLOCK)!;
  for (const [start, end] of [
    [pfn * 4096 + 4096, (pfn + 1024) * 4096],
    [pfn * 4096, pfn * 4096],
    [pfn * 4096, Number.NaN],
    [pfn * 4096, pfn * 4096 + 4096],
    [pfn * 4096 + 1, pfn * 4096 + UNIT],
  ] as const) {
    expect(
      codeOf(() => {
        it.acceptor.convert(start, end, 'shared');
      }),
    ).toBe('ERR_ACCEPT_ARGUMENT');
  }
  const port = {
    parkUnaccepted: () => undefined,
    takeUnaccepted: () => undefined,
    takeUnacceptedAt: () => false,
    freeAccepted: () => false,
    unacceptedPages: () => 0,
    acceptState: () => ({ promo: 0, acceptedFree: 0, unusable: 0 }),
  };
  const plain = ZoneAcceptor.attach(it.acceptor.toHandle(), { memory: it.memory, port });
  const range = bytes(pfn, 1024);
  expect(
    codeOf(() => {
      plain.convert(...range, 'shared');
    }),
  ).toBe('ERR_ACCEPT_ARGUMENT');
  plain.close();
  expect(
    codeOf(() => {
      plain.convert(...range, 'shared');
    }),
  ).toBe('ERR_ACCEPT_CLOSED');
  expect(codeOf(() => it.allocator.markShared(0, 1024, 3))).toBe('ERR_BUDDY_ARGUMENT');
  expect(codeOf(() => it.allocator.markShared(1, 1024, 512))).toBe('ERR_BUDDY_ARGUMENT');
  expect(codeOf(() => it.allocator.markShared(1024, 1024, 512))).toBe('ERR_BUDDY_ARGUMENT');
  expect(
    codeOf(() => {
      it.allocator.unmarkShared(0, 1024, 7 as never);
    }),
  ).toBe('ERR_BUDDY_ARGUMENT');
  expect(it.allocator.markShared(2 ** 40, 2 ** 40 + 512, 512)).toBe(2 ** 40);
  it.allocator.unmarkShared(0, 2 ** 40, () => false);
});
