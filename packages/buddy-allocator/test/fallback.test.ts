// What a request does when the lists of its own type are empty: claim a pageblock or steal a block.
import { expect, test } from '@jest/globals';
import { Migratetype } from '@bootmem/memmap';
import { ZoneWord, type PageAllocator } from '@bootmem/buddy-allocator/machine';
import { smallMachine, take } from './support/small-machine.js';

const { UNMOVABLE: U, MOVABLE: M, RECLAIMABLE: R, HIGHATOMIC: H } = Migratetype;
type Ordinary = 0 | 1 | 2;

const core = (allocator: PageAllocator) => allocator.zones[0]!.core;
const typeAt = (allocator: PageAllocator, pfn: number): number =>
  allocator.memmap.pageblocks.migratetype(pfn);
const events = (allocator: PageAllocator): { claims: number; steals: number } => ({
  claims: core(allocator).get(ZoneWord.CLAIMS),
  steals: core(allocator).get(ZoneWord.STEALS),
});

/** One pageblock of type `type` with `used` pages allocated as that type, the rest free. */
function halfUsed(
  type: Ordinary,
  used: number,
  isMovable?: (pfn: number) => boolean,
): PageAllocator {
  const allocator = smallMachine([{ zone: 'Normal', pages: 512, typeOf: () => type }], {
    ...(isMovable === undefined ? {} : { isMovable }),
  });
  take(allocator, used, 0, type);
  return allocator;
}

// Each row: what the pageblock holds, how much of it is used, what is asked for, and what counts for it.
test.each<[string, Ordinary, number, Ordinary, boolean]>([
  // Unmovable request, Movable block: what is not movable in it is alike, so free + alike = 512 - used.
  ['U from M, 255 movable pages used', M, 255, U, true],
  ['U from M, 256 movable pages used', M, 256, U, true],
  ['U from M, 257 movable pages used', M, 257, U, false],
  ['R from M, 256 movable pages used', M, 256, R, true],
  ['R from M, 257 movable pages used', M, 257, R, false],
  // Movable request, Unmovable block: only free pages count, as nothing used in it is movable.
  ['M from U, 255 pages used', U, 255, M, true],
  ['M from U, 256 pages used', U, 256, M, true],
  ['M from U, 257 pages used', U, 257, M, false],
  // Unmovable and Reclaimable are not alike.
  ['U from R, 256 pages used', R, 256, U, true],
  ['U from R, 257 pages used', R, 257, U, false],
])('half of a pageblock decides: %s', (_what, type, used, wanted, claims) => {
  const allocator = halfUsed(type, used);
  const pfn = allocator.allocPages(0, { migratetype: wanted });
  expect(pfn).toBeDefined();
  expect(typeAt(allocator, pfn!)).toBe(claims ? wanted : type);
  expect(events(allocator)).toEqual(claims ? { claims: 1, steals: 0 } : { claims: 0, steals: 1 });
  expect(allocator.verify()).toEqual([]);
});

test('movable pages inside an Unmovable block count for a Movable request', () => {
  const allocator = halfUsed(U, 300, () => true);
  const pfn = allocator.allocPages(0, { migratetype: M })!;
  expect(typeAt(allocator, pfn)).toBe(M);
  expect(events(allocator)).toEqual({ claims: 1, steals: 0 });
});

/** A pageblock with every second block of `order` used: half of it free, in blocks of `order`. */
function comb(type: Ordinary, order: number): PageAllocator {
  const allocator = smallMachine([{ zone: 'Normal', pages: 512, typeOf: () => type }]);
  const blocks = take(allocator, 512 >> order, order, type).sort((a, b) => a - b);
  blocks.forEach((pfn, i) => {
    if (i % 2 === 0) allocator.freePages(pfn, order);
  });
  return allocator;
}

test('a Movable request claims from order 4 up and steals below', () => {
  const four = comb(U, 4);
  expect(typeAt(four, four.allocPages(0, { migratetype: M })!)).toBe(M);
  const three = comb(U, 3);
  expect(typeAt(three, three.allocPages(0, { migratetype: M })!)).toBe(U);
  expect(events(three)).toEqual({ claims: 0, steals: 1 });
});

test('Unmovable and Reclaimable requests claim whatever the order', () => {
  for (const wanted of [U, R] as const) {
    // The used pages of a Movable comb are movable: free + alike is exactly half.
    const allocator = comb(M, 0);
    expect(typeAt(allocator, allocator.allocPages(0, { migratetype: wanted })!)).toBe(wanted);
  }
});

test('a claim takes the largest block, a steal the smallest', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 2048 }]);
  // Blocks of order 10 at 0 and 1024; the second broken up by one page.
  const [first] = take(allocator, 1, 0, M);
  expect(first).toBe(0);
  expect(allocator.allocPages(0, { migratetype: U })).toBe(1024);
  expect(typeAt(allocator, 1024)).toBe(U);
  expect(typeAt(allocator, 1536)).toBe(U);
  const three = comb(U, 3);
  const lists = core(three).freeBlocks();
  three.allocPages(0, { migratetype: M });
  // One block of order 3 became 2 + 1 pages of orders 2, 1, 0.
  expect(core(three).freeBlocks().slice(0, 4)).toEqual([1, 1, 1, lists[3]! - 1]);
});

test('the fallback table: Unmovable prefers Reclaimable, Movable too, Reclaimable prefers Unmovable', () => {
  const types: Ordinary[] = [U, M, R];
  const preferred: Record<Ordinary, Ordinary> = { [U]: R, [M]: R, [R]: U };
  for (const wanted of types) {
    // One largest block of each other type.
    const others = types.filter((type) => type !== wanted);
    const allocator = smallMachine([
      { zone: 'Normal', pages: 2048, typeOf: (block) => others[block >> 1]! },
    ]);
    const pfn = allocator.allocPages(0, { migratetype: wanted })!;
    expect(others[pfn >> 10]).toBe(preferred[wanted]);
  }
});

test('without fragmentation: another zone is asked before a pageblock is mixed', () => {
  const build = (): PageAllocator => {
    const allocator = smallMachine([
      { zone: 'DMA32', pages: 512, typeOf: () => U },
      { zone: 'Normal', pages: 512 },
    ]);
    take(allocator, 100, 0, M);
    return allocator;
  };
  const mixing = build();
  expect(mixing.allocPages(0, { migratetype: U })).toBeGreaterThanOrEqual(512);
  const careful = build();
  expect(careful.allocPages(0, { migratetype: U, noFragment: true })).toBeLessThan(512);
  expect(typeAt(careful, 512)).toBe(M);
});

test('without fragmentation: a part pageblock is taken after all when nothing else is left', () => {
  const allocator = halfUsed(M, 100);
  const pfn = allocator.allocPages(0, { migratetype: U, noFragment: true })!;
  expect(typeAt(allocator, pfn)).toBe(U);
});

test('a claim of a part pageblock boosts the marks, up to one and a half times HIGH', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 8192 }]);
  allocator.setupMarks({ minFreeKbytes: 400 });
  const high = core(allocator).get(ZoneWord.MARK_HIGH);
  expect(core(allocator).get(ZoneWord.BOOST)).toBe(0);
  // 16 pageblocks, each with one page gone, so that no whole block is left to claim.
  const pages = take(allocator, 8192 - 512, 0, M).sort((a, b) => a - b);
  for (const pfn of pages) if (pfn % 512 !== 0) allocator.freePages(pfn, 0);
  const last = Math.max(...pages);
  expect(last).toBeLessThan(8192);
  take(allocator, 1, 0, M);
  for (let i = 0; i < 4; i += 1) allocator.allocPages(8, { migratetype: i % 2 === 0 ? U : R });
  const boost = core(allocator).get(ZoneWord.BOOST);
  expect(boost).toBeGreaterThanOrEqual(512);
  expect(boost).toBeLessThanOrEqual(Math.max(512, Math.floor(high * 1.5)));
});

test('with grouping off every request is of one kind and nothing is claimed', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 2048, typeOf: () => U }], {
    grouping: false,
  });
  for (const type of [U, M, R] as const) {
    expect(allocator.allocPages(0, { migratetype: type })).toBeLessThan(512);
  }
  expect(events(allocator)).toEqual({ claims: 0, steals: 0 });
});

// High-atomic: 1 % of 60000 pages is 600, so two pageblocks may be reserved.
const atomic = { high: true, canReclaim: false } as const;

function atomicMachine(): PageAllocator {
  const allocator = smallMachine([{ zone: 'Normal', pages: 117 * 512 }]);
  allocator.setupMarks({ minFreeKbytes: 4096 });
  return allocator;
}

/** Uses memory up down to the LOW mark with single pages of Unmovable type. */
function exhaust(allocator: PageAllocator): number[] {
  const pages: number[] = [];
  for (;;) {
    const pfn = allocator.allocPages(0, { migratetype: U, noPressure: true, tryLock: true });
    if (pfn === undefined) return pages;
    pages.push(pfn);
  }
}

test('a high-atomic request below LOW reserves its pageblock, at most up to the cap', () => {
  const allocator = atomicMachine();
  const all = exhaust(allocator);
  expect(core(allocator).get(ZoneWord.RESERVED_HIGHATOMIC)).toBe(0);
  const pfn = allocator.allocPages(1, { ...atomic, migratetype: U })!;
  expect(pfn).toBeDefined();
  expect(typeAt(allocator, pfn)).toBe(H);
  expect(core(allocator).get(ZoneWord.RESERVED_HIGHATOMIC)).toBe(512);
  // Reserved pages do not serve ordinary requests.
  expect(allocator.allocPages(0, { migratetype: U, tryLock: true })).toBeUndefined();
  for (let i = 0; i < 2000; i += 1) {
    if (allocator.allocPages(1, { ...atomic, migratetype: U }) === undefined) break;
  }
  expect(core(allocator).get(ZoneWord.RESERVED_HIGHATOMIC)).toBeLessThanOrEqual(1024);
  for (const page of all) allocator.freePages(page, 0);
  expect(allocator.verify()).toEqual([]);
});

test('a zone whose hundredth is below a pageblock reserves nothing', () => {
  const allocator = smallMachine([{ zone: 'Normal', pages: 16384 }]);
  allocator.setupMarks({ minFreeKbytes: 2048 });
  exhaust(allocator);
  expect(allocator.allocPages(1, { ...atomic, migratetype: U })).toBeDefined();
  expect(core(allocator).get(ZoneWord.RESERVED_HIGHATOMIC)).toBe(0);
});

test('pages of the reserve go back to ordinary use one pageblock at a time; force takes the last', () => {
  const allocator = atomicMachine();
  exhaust(allocator);
  allocator.allocPages(1, { ...atomic, migratetype: U });
  const { fallback } = core(allocator);
  expect(core(allocator).locked(() => fallback.unreserveHighatomic(M, false))).toBe(false);
  expect(core(allocator).locked(() => fallback.unreserveHighatomic(M, true))).toBe(true);
  expect(core(allocator).get(ZoneWord.RESERVED_HIGHATOMIC)).toBe(0);
  expect(core(allocator).get(ZoneWord.FREE_HIGHATOMIC)).toBe(0);
  expect(core(allocator).locked(() => fallback.unreserveHighatomic(M, true))).toBe(false);
  expect(allocator.verify()).toEqual([]);
});
