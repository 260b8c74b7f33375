// Threads that end at every point of operations of blocks with owners: what the thread had taken is found by its owner, all of
// it, and nothing else.
import { beforeAll, expect, test } from '@jest/globals';

import type { BuddyAllocator } from '../../dist/index.js';
import { type Block, poolPair } from '../support/kill-pairs.js';
import { loadMortals, type Mortals } from '../support/kill-points.js';
import { killEverywhere, type MakeScene, throwEverywhere } from '../support/kill-world.js';

const VICTIM = 7;
const SURVIVOR = 9;

let mortals: Mortals;
beforeAll(async () => {
  mortals = await loadMortals();
});

type Step = (
  victim: BuddyAllocator,
  survivor: BuddyAllocator,
  kept: Map<number, number>,
) => () => void;

/** The step, and everything of the victim given back afterwards: then only the survivor's is left. */
function scene(step: Step, options = {}, holds = [0]): MakeScene<BuddyAllocator> {
  return (m) => {
    const { survivor, victim } = poolPair(
      m,
      { owners: true, owner: SURVIVOR, ...options },
      { owner: VICTIM },
    );
    const kept = new Map<number, number>();
    for (let i = 0; i < 12; i++) {
      const pfn = survivor.allocOrThrow(0);
      if (i % 3 === 0) kept.set(pfn, 0);
      else survivor.free(pfn, 0);
    }
    const run = step(victim, survivor, kept);
    return {
      survivor,
      victim,
      step: run,
      kept: (): Block[] => {
        survivor.freeAllOf(VICTIM);
        survivor.drain();
        return [...kept];
      },
      holds,
      moved: (from, to) => kept.has(to) && !kept.has(from),
    };
  };
}

const cases: readonly (readonly [string, MakeScene<BuddyAllocator>])[] = [
  ...[{}, { caches: true, pages: 256 }, { caches: true, pages: 256, checked: true }].map(
    (options): readonly [string, MakeScene<BuddyAllocator>] => [
      `take and free, ${JSON.stringify(options)}`,
      scene(
        (victim) => () => {
          const got = [0, 0, 2, 0, 5].map((order) => [victim.allocOrThrow(order), order] as const);
          victim.alloc(1, { owner: VICTIM, mobility: 'unmovable' });
          for (const [pfn, order] of got.slice(1)) victim.free(pfn, order);
          victim.alloc(0);
        },
        options,
      ),
    ],
  ),
  [
    'pages in a row',
    scene((victim) => () => {
      victim.freeExact(victim.allocExact(11)!, 11);
      victim.allocRange({ pages: 21, topDown: true });
      victim.allocContigRange(64, 77);
    }),
  ],
  [
    'a contiguous range: what moves away is the survivor’s still',
    scene((victim, _, kept) => {
      const move = (from: number, to: number): boolean => {
        kept.delete(from);
        kept.set(to, 0);
        return true;
      };
      return () => victim.allocContigRange(0, 20, move);
    }),
  ],
  [
    'all of an owner, again by who comes after it',
    scene((victim, survivor) => {
      for (const order of [0, 3, 1, 0, 4, 0]) survivor.alloc(order, { owner: VICTIM });
      return () => {
        victim.freeAllOf(VICTIM);
        victim.owners();
      };
    }),
  ],
  [
    'another owner',
    scene(
      (victim, survivor, kept) => {
        const pfn = survivor.allocOrThrow(2, { owner: VICTIM });
        return () => {
          victim.setOwner(pfn, 2, SURVIVOR);
          kept.set(pfn, 2);
        };
      },
      {},
      [0, 4],
    ),
  ],
];

test.each(cases)('%s: what the thread took is found, wherever it ends', (_, make) => {
  expect(killEverywhere(mortals, make)).toBeGreaterThan(0);
});

test.each(cases)('%s: sound, wherever a full stack throws', (_, make) => {
  expect(throwEverywhere(mortals, make)).toBeGreaterThan(0);
});
