/**
 * What two range libraries of the npm registry can do of the same workloads, in their own idiom.
 *
 * `@flatten-js/interval-tree` keeps intervals in a balanced tree and does not join or cut them;
 * `drange` keeps a set of integers as an array of ranges, joins and cuts them. Neither has nodes,
 * flags, a search for room, or a walk over a difference.
 */
import * as intervalTree from '@flatten-js/interval-tree';
import DRange from 'drange';
import { BASE, PAGE, randomPlaces, STEP, type Workload } from './workloads.js';

/** A peer: its name, the workloads it supports, the largest number of regions that is still reasonable. */
export interface Peer {
  readonly name: string;
  readonly mostRegions: number;
  readonly workloads: readonly Workload[];
}

const PLACES = 1 << 12;

/** What is used of the tree; the package's own types cannot be resolved by Node's rules. */
interface Tree {
  readonly size: number;
  insert(range: readonly [number, number]): unknown;
  remove(range: readonly [number, number]): unknown;
  intersect_any(range: readonly [number, number]): boolean;
}
const { IntervalTree } = intervalTree as unknown as { IntervalTree: new () => Tree };

function tree(regions: number): Tree {
  const made = new IntervalTree();
  for (let k = 0; k < regions; k++) {
    made.insert([BASE + k * STEP, BASE + k * STEP + PAGE - 1]);
  }
  return made;
}

function rangeSet(regions: number): DRange {
  const made = new DRange();
  for (let k = 0; k < regions; k++) made.add(BASE + k * STEP, BASE + k * STEP + PAGE - 1);
  return made;
}

export const PEERS: readonly Peer[] = [
  {
    name: '@flatten-js/interval-tree',
    mostRegions: 100_000,
    workloads: [
      {
        name: 'reserve_then_free_random_gap',
        unit: 'pair',
        iterations: () => 6_000,
        setUp: (regions) => {
          const set = tree(regions);
          const places = randomPlaces(PLACES, regions);
          return (n) => {
            let sink = 0;
            for (let k = 0; k < n; k++) {
              const base = BASE + places[k % PLACES]! * STEP + 0x8000;
              set.insert([base, base + PAGE - 1]);
              set.remove([base, base + PAGE - 1]);
              sink += base;
            }
            return sink;
          };
        },
      },
      {
        name: 'is_reserved_random',
        unit: 'call',
        iterations: () => 30_000,
        setUp: (regions) => {
          const set = tree(regions);
          const places = randomPlaces(PLACES, regions * STEP);
          return (n) => {
            let sink = 0;
            for (let k = 0; k < n; k++) {
              const address = BASE + places[k % PLACES]!;
              if (set.intersect_any([address, address])) sink++;
            }
            return sink;
          };
        },
      },
      {
        name: 'build_random_order',
        unit: 'reserve',
        iterations: () => 1,
        units: (regions) => regions,
        setUp: (regions) => {
          const places = randomPlaces(regions, 2 ** 40);
          const order = Uint32Array.from({ length: regions }, (_item, k) => k).sort(
            (a, b) => places[a]! - places[b]!,
          );
          return (n) => {
            let sink = 0;
            for (let k = 0; k < n; k++) {
              const set = new IntervalTree();
              for (const at of order) set.insert([BASE + at * STEP, BASE + at * STEP + PAGE - 1]);
              sink += set.size;
            }
            return sink;
          };
        },
      },
    ],
  },
  {
    name: 'drange',
    mostRegions: 10_000,
    workloads: [
      {
        name: 'reserve_then_free_random_gap',
        unit: 'pair',
        iterations: (regions) => Math.ceil(400_000 / regions),
        setUp: (regions) => {
          const set = rangeSet(regions);
          const places = randomPlaces(PLACES, regions);
          return (n) => {
            let sink = 0;
            for (let k = 0; k < n; k++) {
              const base = BASE + places[k % PLACES]! * STEP + 0x8000;
              set.add(base, base + PAGE - 1);
              set.subtract(base, base + PAGE - 1);
              sink += set.length;
            }
            return sink;
          };
        },
      },
      {
        name: 'reserve_then_free_adjacent',
        unit: 'pair',
        iterations: (regions) => Math.ceil(400_000 / regions),
        setUp: (regions) => {
          const set = rangeSet(regions);
          const places = randomPlaces(PLACES, regions);
          return (n) => {
            let sink = 0;
            for (let k = 0; k < n; k++) {
              const base = BASE + places[k % PLACES]! * STEP + PAGE;
              set.add(base, base + PAGE - 1);
              set.subtract(base, base + PAGE - 1);
              sink += set.length;
            }
            return sink;
          };
        },
      },
    ],
  },
];
