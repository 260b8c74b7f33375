// Threads that end at every point of every operation of the page pool: support/kill-points.ts says where these are.
import { beforeAll, expect, test } from '@jest/globals';

import type { BuddyAllocator } from '../../dist/index.js';
import { type Block, poolPair } from '../support/kill-pairs.js';
import { loadMortals, type Mortals } from '../support/kill-points.js';
import {
  killEverywhere,
  killReclaimer,
  type MakeScene,
  throwEverywhere,
} from '../support/kill-world.js';
import { memoryOf } from '../support/wasm.js';

let mortals: Mortals;
beforeAll(async () => {
  mortals = await loadMortals();
});

const none = (): Block[] => [];

/** Every second of some blocks stays with the survivor. */
function scatter(survivor: BuddyAllocator, count: number, order = 0): Block[] {
  const taken = Array.from({ length: count }, () => survivor.allocOrThrow(order));
  const kept = taken.filter((_, i) => i % 2 === 0);
  for (const [i, pfn] of taken.entries()) if (i % 2 !== 0) survivor.free(pfn, order);
  return kept.map((pfn): Block => [pfn, order]);
}

const cases: readonly (readonly [string, MakeScene<BuddyAllocator>])[] = [
  ...[0, 1, 3, 5].map((order): readonly [string, MakeScene<BuddyAllocator>] => [
    `take order ${order} from a whole memory`,
    (m) => {
      const { survivor, victim } = poolPair(m);
      return {
        survivor,
        victim,
        step: () => victim.alloc(order),
        kept: none,
        holds: [0, 2 ** order],
      };
    },
  ]),
  [
    'take from what is left',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const kept = scatter(survivor, 60);
      return { survivor, victim, step: () => victim.alloc(3), kept: () => kept, holds: [0, 8] };
    },
  ],
  [
    'take that claims and steals from another mobility',
    (m) => {
      const { survivor, victim } = poolPair(m, { pages: 64 });
      const kept = scatter(survivor, 40);
      const step = (): void => {
        for (const order of [0, 1, 2]) victim.alloc(order, { mobility: 'unmovable' });
      };
      return { survivor, victim, step, kept: () => kept, holds: [0, 1, 3, 7] };
    },
  ],
  [
    'take when there is nothing',
    (m) => {
      const { survivor, victim } = poolPair(m, { pages: 32, caches: true });
      survivor.allocOrThrow(5);
      victim.onPressure(() => false);
      return { survivor, victim, step: () => victim.alloc(0), kept: () => [[0, 5]], holds: [0] };
    },
  ],
  ...[0, 2, 5].map((order): readonly [string, MakeScene<BuddyAllocator>] => [
    `free of order ${order} that merges to the whole`,
    (m) => {
      const { survivor, victim } = poolPair(m);
      const pfn = victim.allocOrThrow(order);
      return {
        survivor,
        victim,
        step: () => {
          victim.free(pfn, order);
        },
        kept: none,
        holds: [0, 2 ** order],
      };
    },
  ]),
  [
    'free between used pages',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const pfn = victim.allocOrThrow(0);
      const kept = scatter(survivor, 10);
      return {
        survivor,
        victim,
        step: () => {
          victim.free(pfn, 0);
        },
        kept: () => kept,
        holds: [0, 1],
      };
    },
  ],
  [
    'wrong frees',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const pfn = survivor.allocOrThrow(2);
      const step = (): void => {
        for (const [page, order] of [
          [pfn + 1, 0],
          [pfn, 1],
          [100, 0],
        ] as const) {
          victim.tryFree(page, order);
        }
      };
      return { survivor, victim, step, kept: () => [[pfn, 2]], holds: [0] };
    },
  ],
  ...(['movable', 'unmovable'] as const).map(
    (mobility): readonly [string, MakeScene<BuddyAllocator>] => [
      `free of a pageblock beside a free ${mobility} one`,
      (m) => {
        const { survivor, victim } = poolPair(m, { pages: 2048, maxOrder: 11 });
        const [pfn, other] = [victim.allocOrThrow(9), survivor.allocOrThrow(9, { mobility })];
        survivor.free(other, 9);
        return {
          survivor,
          victim,
          step: () => {
            victim.free(pfn, 9);
          },
          kept: none,
          holds: [0, 512],
        };
      },
    ],
  ),
  [
    'exact pages',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const kept = scatter(survivor, 11);
      return {
        survivor,
        victim,
        step: () => victim.allocExact(43),
        kept: () => kept,
        holds: [0, 43],
      };
    },
  ],
  [
    'a block that becomes larger, and smaller',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const pfn = victim.allocOrThrow(1);
      const kept = scatter(survivor, 3, 3);
      const step = (): void => {
        if (!victim.extend(pfn, 1, 3)) throw new Error('no room');
        victim.shrink(pfn, 3, 0);
      };
      return { survivor, victim, step, kept: () => kept, holds: [1, 2, 4, 8], blocks: 1 };
    },
  ],
  [
    'a block of two pageblocks that becomes smaller, and larger',
    (m) => {
      const { survivor, victim } = poolPair(m, { pages: 4096, maxOrder: 11 });
      const pfn = victim.allocOrThrow(11);
      const step = (): void => {
        victim.shrink(pfn, 11, 8);
        if (!victim.extend(pfn, 8, 10)) throw new Error('no room');
      };
      return { survivor, victim, step, kept: none, holds: [256, 512, 1024, 2048], blocks: 1 };
    },
  ],
  [
    'pages by place from the top',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const kept = scatter(survivor, 11);
      const step = (): void => {
        victim.allocRange({ pages: 37, topDown: true, align: 2, boundary: 64 });
      };
      return { survivor, victim, step, kept: () => kept, holds: [0, 37] };
    },
  ],
  [
    'freeExact of pages in several blocks',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const kept = scatter(survivor, 11);
      const pfn = victim.allocExact(43)!;
      return {
        survivor,
        victim,
        step: () => {
          victim.freeExact(pfn, 43);
        },
        kept: () => kept,
        holds: [0, 43],
      };
    },
  ],
  ...[1, 3].map((order): readonly [string, MakeScene<BuddyAllocator>] => [
    `checked frees of order ${order}, with a cache and past it`,
    (m) => {
      const { survivor, victim } = poolPair(m, { checked: true, caches: true, pages: 512 });
      const pfns = [1, 2, 3].map(() => victim.allocOrThrow(order));
      const large = victim.allocOrThrow(5);
      const step = (): void => {
        for (const pfn of pfns) victim.free(pfn, order);
        victim.free(large, 5);
      };
      const holds = [0, 1, 2, 3].flatMap((n) => [n << order, (n << order) + 32]);
      return { survivor, victim, step, kept: none, holds };
    },
  ]),
  [
    'checked freeExact, and one of pages that are not all single',
    (m) => {
      const { survivor, victim } = poolPair(m, { checked: true });
      const pfn = victim.allocExact(21)!;
      const other = survivor.allocOrThrow(1);
      survivor.free(victim.allocOrThrow(0), 0);
      const step = (): void => {
        victim.freeExact(pfn, 21);
        try {
          victim.freeExact(pfn, 21);
        } catch (error) {
          if ((error as { code?: string }).code !== 'ERR_BUDDY_DOUBLE_FREE') throw error;
        }
      };
      return { survivor, victim, step, kept: () => [[other, 1]], holds: [0, 21] };
    },
  ],
  [
    'bulk',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const step = (): void => {
        const list = new Int32Array(7);
        victim.freeBulk(list, victim.allocBulk(7, list));
      };
      return { survivor, victim, step, kept: none, holds: [0, 1, 2, 3, 4, 5, 6, 7] };
    },
  ],
  [
    'refill of an empty cache',
    (m) => {
      const { survivor, victim } = poolPair(m, { caches: true, pages: 256 });
      const kept = scatter(survivor, 20);
      const step = (): void => {
        for (const order of [0, 0, 1, 2]) victim.alloc(order);
      };
      return { survivor, victim, step, kept: () => kept, holds: [0, 1, 2, 4, 8] };
    },
  ],
  [
    'refill with what other mobilities have',
    (m) => {
      const { survivor, victim } = poolPair(m, { caches: true, pages: 64 });
      const kept = scatter(survivor, 20);
      const step = (): void => {
        victim.alloc(0, { mobility: 'unmovable' });
        victim.alloc(0, { mobility: 'reclaimable' });
      };
      return { survivor, victim, step, kept: () => kept, holds: [0, 1, 2] };
    },
  ],
  [
    'frees until the cache is full, and drains',
    (m) => {
      const { survivor, victim } = poolPair(m, { caches: true, pages: 256 });
      const list = Array.from({ length: 30 }, () => victim.allocOrThrow(0));
      const step = (): void => {
        for (const pfn of list) victim.free(pfn, 0);
      };
      return { survivor, victim, step, kept: none, holds: Array.from({ length: 31 }, (_, i) => i) };
    },
  ],
  [
    'drain, also one that others ask for',
    (m) => {
      const { survivor, victim } = poolPair(m, { caches: true, pages: 256 });
      const list = Array.from({ length: 6 }, () => victim.allocOrThrow(0));
      for (const pfn of list.slice(1)) victim.free(pfn, 0);
      survivor.drain();
      const step = (): void => {
        victim.free(list[0]!, 0);
        victim.alloc(1);
        victim.drain();
      };
      return { survivor, victim, step, kept: none, holds: [0, 1, 2, 3] };
    },
  ],
  [
    'zeroed memory',
    (m) => {
      const { survivor, victim } = poolPair(m, { pages: 64, pageSize: 64, data: 'shared' });
      const used = victim.allocOrThrow(4);
      victim.view(used, 4, Uint8Array).fill(7);
      victim.free(used, 4);
      const step = (): void => {
        const pfn = victim.alloc(3, { zero: true })!;
        if (victim.view(pfn, 3, Uint8Array).some((byte) => byte !== 0)) throw new Error('not zero');
        victim.allocRange({ pages: 11, zero: true });
      };
      return { survivor, victim, step, kept: none, holds: [0, 8, 19] };
    },
  ],
  [
    'poisoned memory',
    (m) => {
      const { survivor, victim } = poolPair(m, {
        pages: 32,
        pageSize: 16,
        data: 'shared',
        poison: true,
      });
      const step = (): void => {
        victim.free(victim.allocOrThrow(1), 1);
        victim.freeExact(victim.allocExact(5)!, 5);
      };
      return { survivor, victim, step, kept: none, holds: [0, 2, 5] };
    },
  ],
  [
    'a contiguous range of free pages',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const step = (): void => {
        if (!victim.allocContigRange(5, 71)) throw new Error('refused');
      };
      return { survivor, victim, step, kept: none, holds: [0, 66] };
    },
  ],
  [
    'a contiguous range whose blocks move',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const { books, move, moved } = following(m, scatter(survivor, 12));
      const step = (): void => {
        if (!victim.allocContigRange(1, 23, move)) throw new Error('refused');
      };
      return { survivor, victim, step, kept: books, holds: [0, 22], moved };
    },
  ],
  [
    'a contiguous range whose blocks stay',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const kept = scatter(survivor, 6);
      const step = (): void => {
        if (victim.allocContigRange(0, 40, () => false)) throw new Error('taken');
      };
      return { survivor, victim, step, kept: () => kept, holds: [0] };
    },
  ],
  [
    'compaction',
    (m) => {
      const { survivor, victim } = poolPair(m);
      const { books, move, moved } = following(m, [
        ...scatter(survivor, 9),
        ...scatter(survivor, 4, 2),
      ]);
      const step = (): void => {
        if (victim.compact(move).moved === 0) throw new Error('nothing moved');
      };
      return { survivor, victim, step, kept: books, holds: [0], moved };
    },
  ],
  [
    'compaction that is refused, with caches',
    (m) => {
      const { survivor, victim } = poolPair(m, { caches: true });
      const kept = scatter(survivor, 9);
      let calls = 0;
      const step = (): void => {
        victim.compact(() => calls++ % 2 === 3);
      };
      return { survivor, victim, step, kept: () => kept, holds: [0] };
    },
  ],
  [
    'growth, which another thread goes on with',
    (m) => {
      const { survivor, victim } = poolPair(m, { pages: 37, maxPages: 110, caches: true });
      const step = (): void => {
        victim.grow(50);
      };
      const kept = (): Block[] => {
        survivor.grow(110);
        expect(survivor.stats().pages).toBe(110);
        return [];
      };
      return { survivor, victim, step, kept, holds: [0] };
    },
  ],
  [
    'growth of a WebAssembly memory, which another thread goes on with',
    (m) => {
      // Two pages of the memory are left, the others are grown for.
      const data = memoryOf(true, 1, 2);
      const options = { pages: 29, maxPages: 100, pageSize: 2048, data, caches: true };
      const { survivor, victim } = poolPair(m, options);
      const step = (): void => {
        victim.onPressure(() => victim.grow(9) > 0);
        const all = Array.from({ length: 35 }, () => victim.allocOrThrow(0));
        for (const pfn of all) victim.free(pfn, 0);
      };
      const kept = (): Block[] => {
        survivor.grow(100);
        expect(survivor.stats().pages).toBe(64);
        return [];
      };
      const holds = Array.from({ length: 36 }, (_, pages) => pages);
      return { survivor, victim, step, kept, holds };
    },
  ],
  [
    'attaching with an id that was reserved',
    (m) => {
      const { survivor, victim: first } = poolPair(m, { caches: true });
      survivor.reclaimThread(first.thread);
      const thread = survivor.reserveThread();
      const step = (): void => {
        m.BuddyAllocator.attach(survivor.toHandle(), { thread });
      };
      return { survivor, victim: first, step, kept: none, holds: [0] };
    },
  ],
  [
    'close',
    (m) => {
      const { survivor, victim } = poolPair(m, { caches: true });
      victim.free(victim.allocOrThrow(0), 0);
      return {
        survivor,
        victim,
        step: () => {
          victim.close();
        },
        kept: none,
        holds: [0],
      };
    },
  ],
];

test.each(cases)('%s: nothing is lost or doubled, wherever the thread ends', (_, make) => {
  expect(killEverywhere(mortals, make)).toBeGreaterThan(0);
});

test.each(cases)('%s: sound, wherever a full stack throws', (_, make) => {
  expect(throwEverywhere(mortals, make)).toBeGreaterThan(0);
});

const UNTIDY = [
  'freeExact of pages in several blocks',
  'drain, also one that others ask for',
  'a contiguous range whose blocks move',
  'compaction',
];

test.each(cases.filter(([name]) => UNTIDY.includes(name)))(
  '%s: nothing is lost when the one who reclaims ends, too',
  (_, make) => {
    expect(killReclaimer(mortals, make, 3)).toBeGreaterThan(0);
  },
);

/** Books of an owner who follows each move, and whose thread may end before or after it does. */
function following(
  { point }: Mortals,
  blocks: readonly Block[],
): {
  books: () => readonly Block[];
  move: (from: number, to: number) => boolean;
  moved: (from: number, to: number) => boolean;
} {
  const orders = new Map(blocks);
  return {
    books: () => [...orders],
    move(from, to) {
      point();
      const order = orders.get(from);
      if (order === undefined) throw new Error(`${from} is not in the books`);
      orders.delete(from);
      orders.set(to, order);
      point();
      return true;
    },
    moved: (from, to) => orders.has(to) && !orders.has(from),
  };
}
