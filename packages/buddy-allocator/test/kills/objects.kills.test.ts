// Threads that end at every point of what a cache of objects does: no page, no object is lost or doubled.
import { beforeAll, expect, test } from '@jest/globals';

import { Memmap, PageState } from '@bootmem/memmap';

import type { BuddyAllocator } from '../../dist/index.js';
import { ObjectCache } from '../../dist/objects.js';
import { poolPair } from '../support/kill-pairs.js';
import { loadMortals, type Mortals } from '../support/kill-points.js';

const SLABS = 8;
const OBJECTS = 10;

let mortals: Mortals;
beforeAll(async () => {
  mortals = await loadMortals();
});

interface World {
  readonly pool: BuddyAllocator;
  readonly victimPool: BuddyAllocator;
  readonly cache: ObjectCache;
  readonly victim: ObjectCache;
  /** Objects of the survivor. */
  readonly kept: Set<number>;
  /** So many objects the victim has at most. */
  most: number;
}

/** An object for the victim, counted before it is had. */
function take(world: World): number {
  world.most++;
  return world.victim.alloc()!;
}

/** One of its objects back, not counted any more when that is done. */
function give(world: World, object: number): void {
  world.victim.free(object);
  world.most--;
}

type MakeStep = (world: World) => () => void;

function makeWorld(m: Mortals, caches: boolean): World {
  const { survivor: pool, victim: victimPool } = poolPair(m, {
    pages: 16,
    maxOrder: 4,
    pageSize: 64,
    data: 'shared',
    caches,
  });
  // Ten to a slab of two pages: numbers have gaps.
  const cache = ObjectCache.create(pool, { size: 12, align: 4, threads: 3 });
  const kept = new Set([cache.alloc()!, cache.alloc()!]);
  const victim = m.ObjectCache.attach(victimPool, cache.toHandle());
  return { pool, victimPool, cache, victim, kept, most: 0 };
}

function watch({ pool, cache }: World): () => boolean {
  const { table, ids } = cache.toHandle();
  const buffers = [pool.toHandle(), ids].flatMap(({ control, memmap, threads }) => [
    control.buffer,
    memmap.columns.bytes,
    memmap.columns.links,
    threads.words.buffer,
  ]);
  const views = [table.buffer, ...buffers].map((buffer) => Buffer.from(buffer));
  const copies = views.map((view) => Buffer.from(view));
  return () =>
    views
      .map((view, i) => {
        if (copies[i]!.equals(view)) return false;
        view.copy(copies[i]!);
        return true;
      })
      .includes(true);
}

/** What the victim had may be in use still; the survivor's is; everything else is free, and slabs and pages go back. */
function expectNothingLost(world: World, dead: boolean): void {
  const { pool, victimPool, cache, victim, kept } = world;
  if (dead) {
    pool.reclaimThread(victimPool.thread);
    cache.reclaimThread(victim.thread);
  }
  const violations = [...cache.verify(), ...pool.verify()].map(({ text }) => text);
  expect(violations).toEqual([]);
  cache.drain();
  const stats = cache.stats();
  expect(stats.objects - stats.cachedObjects).toBeGreaterThanOrEqual(kept.size);
  for (const object of kept) cache.free(object);
  // What only the dead thread knew.
  const numbers = Memmap.attach(cache.toHandle().ids.memmap);
  let left = 0;
  for (let object = 0; object < 16 * SLABS; object++) {
    if (numbers.coveringHead(object)?.state !== PageState.ALLOCATED) continue;
    cache.free(object);
    left++;
  }
  expect(left).toBeLessThanOrEqual(world.most);
  cache.shrink();
  pool.drain();
  expect([...cache.verify(), ...pool.verify()]).toEqual([]);
  expect([cache.stats().slabs, pool.stats().freePages]).toEqual([0, 16]);
  // The numbers work as ever.
  const all = Array.from({ length: OBJECTS * SLABS }, () => cache.alloc());
  expect(new Set(all).size).toBe(all.length);
  expect(all).not.toContain(undefined);
}

const cases: readonly (readonly [string, MakeStep])[] = [
  [
    'objects until slabs are made',
    (world) => () => {
      // Eight of the first slab, and two slabs that are made.
      for (let i = 0; i < 19; i++) take(world);
    },
  ],
  [
    'objects until there are no more',
    (world) => {
      for (let i = 0; i < 71; i++) world.kept.add(world.cache.alloc()!);
      return () => {
        for (let i = 0; i < 9; i++) take(world);
      };
    },
  ],
  [
    'frees, and slabs that go',
    (world) => {
      const objects = Array.from({ length: 12 }, () => take(world));
      return () => {
        for (const object of objects) give(world, object);
        world.victim.shrink();
      };
    },
  ],
  [
    'slabs that go and come again',
    (world) => {
      const objects = Array.from({ length: 11 }, () => take(world));
      for (const object of objects) give(world, object);
      return () => {
        world.victim.shrink();
        for (let i = 0; i < 11; i++) take(world);
      };
    },
  ],
  [
    'attaching, and closing',
    ({ victim, victimPool, cache }) =>
      () => {
        victim.close();
        mortals.ObjectCache.attach(victimPool, cache.toHandle(), { thread: undefined }).close();
      },
  ],
];

const both = cases.flatMap(([name, make]) =>
  [false, true].map(
    (caches) => [`${name}, ${caches ? 'with' : 'without'} caches`, make, caches] as const,
  ),
);

test.each(both)('%s: nothing is lost, wherever the thread ends', (_, make, caches) => {
  const whole = makeWorld(mortals, caches);
  const points = mortals.pointsOf(make(whole), watch(whole));
  expectNothingLost(whole, true);
  for (const at of points) {
    const world = makeWorld(mortals, caches);
    mortals.run(make(world), at);
    try {
      expectNothingLost(world, true);
    } catch (error) {
      (error as Error).message = `ended at point ${at}: ${(error as Error).message}`;
      throw error;
    }
  }
  expect(points.length).toBeGreaterThan(0);
});

test.each(both)('%s: sound, wherever a full stack throws', (_, make, caches) => {
  const whole = makeWorld(mortals, caches);
  const points = mortals.pointsOf(make(whole), watch(whole), true);
  for (const at of points) {
    const world = makeWorld(mortals, caches);
    mortals.run(make(world), at, true);
    try {
      world.victim.close();
      world.victimPool.close();
      expectNothingLost(world, false);
    } catch (error) {
      (error as Error).message = `thrown at point ${at}: ${(error as Error).message}`;
      throw error;
    }
  }
});
