// Threads that end at every point of every operation of a machine's allocator, and in those that put things in order
// after another: support/kill-points.ts says where these points are.
import { beforeAll, expect, test } from '@jest/globals';

import { type PageAllocator, ZoneWord } from '../../dist/machine.js';
import { type Block, machinePair } from '../support/kill-pairs.js';
import { loadMortals, type Mortals } from '../support/kill-points.js';
import { killEverywhere, type MakeScene, throwEverywhere } from '../support/kill-world.js';

let mortals: Mortals;
beforeAll(async () => {
  mortals = await loadMortals();
});

const none = (): Block[] => [];

function take(allocator: PageAllocator, order: number, migratetype: 0 | 1 | 2 = 1): number {
  const pfn = allocator.allocPages(order, { migratetype, zone: 'Normal' });
  if (pfn === undefined) throw new Error('no memory');
  return pfn;
}

/** Every second of some blocks stays with the allocator. */
function scatter(allocator: PageAllocator, count: number, order = 0): Block[] {
  const taken = Array.from({ length: count }, () => take(allocator, order));
  const kept = taken.filter((_, i) => i % 2 === 0);
  for (const [i, pfn] of taken.entries()) if (i % 2 !== 0) allocator.freePages(pfn, order);
  return kept.map((pfn): Block => [pfn, order]);
}

const mixed = (pageblock: number): 0 | 1 | 2 => (pageblock % 3) as 0 | 1 | 2;

const cases: readonly (readonly [string, MakeScene<PageAllocator>])[] = [
  ...[3, 4].map((order): readonly [string, MakeScene<PageAllocator>] => [
    `free of order ${order} beside free pageblocks of other mobilities`,
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 64, typeOf: mixed });
      const pfns = [take(victim, order), take(victim, order)];
      return {
        survivor,
        victim,
        step: () => {
          for (const pfn of pfns) victim.freePages(pfn, order);
        },
        kept: none,
        holds: [0, 2 ** order, 2 * 2 ** order],
      };
    },
  ]),
  [
    'take and free with the kernel’s caches',
    (m) => {
      const { survivor, victim } = machinePair(m, { caches: true });
      survivor.setupMarks();
      const step = (): void => {
        const pfns = Array.from({ length: 5 }, () => take(victim, 0));
        take(victim, 2, 0);
        for (const pfn of pfns) victim.freePages(pfn, 0);
        victim.drain();
      };
      return { survivor, victim, step, kept: none, holds: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] };
    },
  ],
  [
    'a block whose pageblocks differ, because one was isolated',
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 64 });
      const pfn = take(victim, 5);
      survivor.isolate(pfn + 8);
      return {
        survivor,
        victim,
        step: () => {
          victim.freePages(pfn, 5);
        },
        kept: () => {
          survivor.unisolate(pfn + 8);
          return [];
        },
        holds: [0, 32],
      };
    },
  ],
  [
    'isolation, and its end',
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 64 });
      const kept = scatter(survivor, 5);
      const step = (): void => {
        for (const pfn of [0, 24, 32]) if (!victim.isolate(pfn)) throw new Error('refused');
        for (const pfn of [0, 24, 32]) if (!victim.unisolate(pfn)) throw new Error('refused');
      };
      return { survivor, victim, step, kept: () => kept, holds: [0] };
    },
  ],
  [
    'a contiguous range over several pageblocks',
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 64, typeOf: mixed });
      const books = new Map(scatter(survivor, 9));
      const step = (): void => {
        if (!victim.allocContigRange(3, 29, follow(m, books))) throw new Error('refused');
      };
      return { survivor, victim, step, ...ownerOf(books), holds: [0, 26] };
    },
  ],
  [
    'compaction',
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 64 });
      const books = new Map([...scatter(survivor, 5), ...scatter(survivor, 3, 2)]);
      const step = (): void => {
        if (victim.compact(0, 'DMA32', follow(m, books)).moved === 0) throw new Error('none');
      };
      return { survivor, victim, step, ...ownerOf(books), holds: [0] };
    },
  ],
  [
    'exact pages',
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 64 });
      const step = (): void => {
        victim.allocExact(19, { migratetype: 1, zone: 'Normal' });
      };
      // What was taken before the rest is given back is the dead thread's.
      return { survivor, victim, step, kept: none, holds: [0, 19, 32] };
    },
  ],
  [
    'hand-over of pageblocks of different mobilities',
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 96, empty: true, typeOf: mixed });
      const step = (): void => {
        victim.freeBlocks(3, 91);
      };
      return { survivor, victim, step, kept: none, holds: [0] };
    },
  ],
  [
    'hand-over that holds blocks back',
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 128, empty: true });
      victim.setHooks({
        accept: {
          holdBack: (pfn, order) => order === 5 && pfn >= 64,
          condAccept: () => false,
          acceptBlock: () => false,
        },
      });
      const step = (): void => {
        victim.freeBlocks(0, 128);
      };
      return { survivor, victim, step, kept: none, holds: [0] };
    },
  ],
  ...(['parked', 'freed', 'withdrawn'] as const).map(
    (end): readonly [string, MakeScene<PageAllocator>] => [
      `a block that is taken to be accepted, and ${end}`,
      (m) => {
        const { survivor, victim } = machinePair(m, { pages: 96, empty: true });
        const { zoneId } = survivor.zones[0]!.core;
        survivor.setHooks({
          accept: {
            holdBack: (pfn) => pfn >= 32,
            condAccept: () => false,
            acceptBlock: () => false,
          },
        });
        survivor.freeBlocks(0, 96);
        const step = (): void => {
          const pfn = victim.takeUnaccepted(zoneId)!;
          if (end === 'parked') victim.parkUnaccepted(zoneId, pfn);
          else if (end === 'freed') victim.freeAccepted(pfn, 5);
          else victim.withdraw(pfn, 5);
        };
        return { survivor, victim, step, kept: none, holds: [0] };
      },
    ],
  ),
  [
    'a reserve for requests that cannot wait',
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 2048 });
      const step = (): void => {
        victim.allocPages(1, { migratetype: 1, high: true, canReclaim: false, zone: 'Normal' });
      };
      const { words, at } = survivor.zones[0]!.core;
      words.fill(2048, at + ZoneWord.MARK_LOW, at + ZoneWord.MARK_PROMO + 1);
      return { survivor, victim, step, kept: none, holds: [0, 2] };
    },
  ],
  [
    'guard blocks',
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 32, guardMinOrder: 2 });
      const step = (): void => {
        victim.freePages(take(victim, 0), 0);
      };
      const kept = (): Block[] => {
        // What is left of the split lies in guard blocks until the page is free again.
        expect(survivor.verify()).toEqual([]);
        return [];
      };
      return { survivor, victim, step, kept, holds: [0, 1] };
    },
  ],
  [
    'two zones whose border cuts a block',
    (m) => {
      const { survivor, victim } = machinePair(m, { pages: 64, border: 28 });
      const [low, high] = [
        victim.allocPages(2, { migratetype: 1, zone: 'DMA32' })!,
        take(victim, 2),
      ];
      const step = (): void => {
        victim.freePages(low, 2);
        victim.freePages(high, 2);
      };
      return { survivor, victim, step, kept: none, holds: [0, 4, 8] };
    },
  ],
];

test.each(cases)('%s: nothing is lost or doubled, wherever the thread ends', (_, make) => {
  expect(killEverywhere(mortals, make)).toBeGreaterThan(0);
});

test.each(cases)('%s: sound, wherever a full stack throws', (_, make) => {
  expect(throwEverywhere(mortals, make)).toBeGreaterThan(0);
});

/** The owner of some blocks follows each move, and its thread may end before it does or after. */
function follow({ point }: Mortals, books: Map<number, number>) {
  return (from: number, to: number): boolean => {
    point();
    const order = books.get(from)!;
    books.delete(from);
    books.set(to, order);
    point();
    return true;
  };
}

function ownerOf(books: ReadonlyMap<number, number>) {
  return {
    kept: (): Block[] => [...books],
    moved: (from: number, to: number): boolean => books.has(to) && !books.has(from),
  };
}
