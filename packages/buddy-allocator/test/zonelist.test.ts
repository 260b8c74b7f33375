import { expect, test } from '@jest/globals';
import {
  Gfp,
  GfpBit,
  gfpMigratetype,
  gfpZone,
  groupsByMobility,
  nodeOrders,
  zoneLists,
  type NumaTopology,
} from '@bootmem/buddy-allocator/zones';
import { eachNodeOrder } from '../dist/layout/zonelist.js';
import { bootLines } from '@bootmem/buddy-allocator/reports';
import type { ZoneName } from '@bootmem/memmap';

const topologyOf = (
  distances: number[][],
  options: { memoryless?: number[]; cpuless?: number[] } = {},
): NumaTopology => ({
  nids: distances.map((_, nid) => nid),
  distance: (from, to) => distances[from]![to]!,
  hasMemory: (nid) => options.memoryless?.includes(nid) !== true,
  hasCpus: (nid) => options.cpuless?.includes(nid) !== true,
});

const uniform = (count: number): number[][] =>
  Array.from({ length: count }, (_, a) =>
    Array.from({ length: count }, (__, b) => (a === b ? 10 : 20)),
  );

const orders = (topology: NumaTopology): number[][] => [...nodeOrders(topology).values()];

test('loads grow by what the release says', () => {
  const topology = topologyOf(
    [
      [10, 12, 12, 20],
      [12, 10, 20, 20],
      [12, 20, 10, 20],
      [20, 20, 20, 10],
    ],
    { cpuless: [0, 1, 2, 3] },
  );
  const of = (nodeLoad: 'nodes-left' | 'plus-nodes-left' | 'plus-one'): number[][] => [
    ...nodeOrders(topology, { nodeLoad }).values(),
  ];
  const first = [
    [0, 1, 2, 3],
    [1, 0, 2, 3],
    [2, 0, 3, 1],
  ];
  // By hand: lists 0, 1, 2 begin a distance with nodes 1 3, 0 2, 0 3, when 3 1, 3 2, 3 2 nodes are left.
  // Node 3 finds all as near: by load 0 1 2 have 3 3 2, or summed up 6 3 2, or by ones 2 1 1.
  expect(of('nodes-left')).toEqual([...first, [3, 2, 0, 1]]);
  expect(of('plus-nodes-left')).toEqual([...first, [3, 2, 1, 0]]);
  expect(of('plus-one')).toEqual([...first, [3, 1, 2, 0]]);
});

test('equal distances: the next higher node first, then round', () => {
  expect(orders(topologyOf(uniform(4)))).toEqual([
    [0, 1, 2, 3],
    [1, 2, 3, 0],
    [2, 3, 0, 1],
    [3, 0, 1, 2],
  ]);
});

test('nearer nodes come first', () => {
  const distances = [
    [10, 20, 30],
    [20, 10, 25],
    [30, 25, 10],
  ];
  expect(orders(topologyOf(distances))).toEqual([
    [0, 1, 2],
    [1, 0, 2],
    [2, 1, 0],
  ]);
});

test('a node without CPUs is preferred among equally distant ones', () => {
  expect(orders(topologyOf(uniform(3), { cpuless: [2] }))).toEqual([
    [0, 2, 1],
    [1, 2, 0],
    [2, 0, 1],
  ]);
});

test('the first choice of equally distant nodes goes round as load grows', () => {
  // Nodes 0 and 1 have no memory; 2 and 3 are equally far from both.
  const topology = topologyOf(uniform(4), { memoryless: [0, 1] });
  expect(orders(topology).slice(0, 2)).toEqual([
    [2, 3],
    [3, 2],
  ]);
});

test('zonelists: nearest node first, highest zone first, managed zones only, no Device', () => {
  const zones = [
    { nid: 0, zone: 'DMA' as const, zoneIndex: 0, managedPages: 3840 },
    { nid: 0, zone: 'DMA32' as const, zoneIndex: 1, managedPages: 1000 },
    { nid: 0, zone: 'Normal' as const, zoneIndex: 2, managedPages: 0 },
    { nid: 1, zone: 'Normal' as const, zoneIndex: 2, managedPages: 1000 },
    { nid: 1, zone: 'Device' as const, zoneIndex: 4, managedPages: 1 },
  ];
  const lists = zoneLists(topologyOf(uniform(2)), zones);
  expect(bootLines.zonelists(lists)).toEqual([
    'mminit::zonelist general 0:DMA = 0:DMA ',
    'mminit::zonelist general 0:DMA32 = 0:DMA32 0:DMA ',
    'mminit::zonelist thisnode 0:DMA = 0:DMA ',
    'mminit::zonelist thisnode 0:DMA32 = 0:DMA32 0:DMA ',
    'mminit::zonelist general 1:Normal = 1:Normal 0:DMA32 0:DMA ',
    'mminit::zonelist thisnode 1:Normal = 1:Normal ',
  ]);
  expect(() =>
    zoneLists(topologyOf(uniform(1)), [{ nid: 7, zone: 'DMA', zoneIndex: 0, managedPages: 1 }]),
  ).toThrow(expect.objectContaining({ code: 'ERR_ZONE_ARGUMENT' }));
});

test('lines of the zonelists', () => {
  expect(bootLines.fallback(new Map([[1, [1, 0]]]))).toEqual(['Fallback order for Node 1: 1 0 ']);
  expect(bootLines.builtZonelists(2, true, 515808)).toBe(
    'Built 2 zonelists, mobility grouping on.  Total pages: 515808',
  );
  expect(bootLines.builtZonelists(1, false, 100)).toContain('grouping off.');
});

test('mobility grouping needs a pageblock for every type', () => {
  expect(groupsByMobility(512 * 5 - 1)).toBe(false);
  expect(groupsByMobility(512 * 5)).toBe(true);
  expect(groupsByMobility(512 * 5, 6)).toBe(false);
});

const X86: ZoneName[] = ['DMA', 'DMA32', 'Normal', 'Movable', 'Device'];
const BARE: ZoneName[] = ['Normal', 'HighMem', 'Movable'];
const { DMA, HIGHMEM, DMA32, MOVABLE } = GfpBit;

// All 16 combinations of the four bits; undefined: invalid.
const TABLE: [number, ZoneName | undefined, ZoneName | undefined][] = [
  [0, 'Normal', 'Normal'],
  [DMA, 'DMA', 'Normal'],
  [HIGHMEM, 'Normal', 'HighMem'],
  [DMA | HIGHMEM, undefined, undefined],
  [DMA32, 'DMA32', 'Normal'],
  [DMA | DMA32, undefined, undefined],
  [HIGHMEM | DMA32, undefined, undefined],
  [DMA | HIGHMEM | DMA32, undefined, undefined],
  [MOVABLE, 'Normal', 'Normal'],
  [MOVABLE | DMA, 'DMA', 'Normal'],
  [MOVABLE | HIGHMEM, 'Movable', 'Movable'],
  [MOVABLE | DMA | HIGHMEM, undefined, undefined],
  [MOVABLE | DMA32, 'DMA32', 'Normal'],
  [MOVABLE | DMA | DMA32, undefined, undefined],
  [MOVABLE | HIGHMEM | DMA32, undefined, undefined],
  [MOVABLE | DMA | HIGHMEM | DMA32, undefined, undefined],
];

test.each(TABLE)('zone of request bits 0x%s', (flags, x86, bare) => {
  for (const [zones, expected] of [
    [X86, x86],
    [BARE, bare],
  ] as const) {
    if (expected === undefined) {
      expect(() => gfpZone(flags, zones)).toThrow(
        expect.objectContaining({ code: 'ERR_ZONE_ARGUMENT' }),
      );
    } else expect(gfpZone(flags, zones)).toBe(expected);
  }
});

test('migratetype of a request', () => {
  expect(gfpMigratetype(Gfp.KERNEL)).toBe(0);
  expect(gfpMigratetype(Gfp.HIGHUSER_MOVABLE)).toBe(1);
  expect(gfpMigratetype(Gfp.KERNEL | GfpBit.RECLAIMABLE)).toBe(2);
  expect(gfpMigratetype(Gfp.HIGHUSER_MOVABLE, false)).toBe(0);
  expect(() => gfpMigratetype(GfpBit.MOVABLE | GfpBit.RECLAIMABLE)).toThrow(
    expect.objectContaining({ code: 'ERR_ZONE_ARGUMENT' }),
  );
});

test('the usual combinations have the kernel’s values', () => {
  expect([Gfp.ATOMIC, Gfp.KERNEL, Gfp.NOWAIT, Gfp.NOIO, Gfp.NOFS, Gfp.USER]).toEqual([
    0x820, 0xcc0, 0x2800, 0xc00, 0xc40, 0x100cc0,
  ]);
  expect([Gfp.HIGHUSER, Gfp.HIGHUSER_MOVABLE]).toEqual([0x100cc2, 0x100cca]);
});

test('one pass per list gives the order of choosing the next best node again and again', () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let round = 0; round < 40; round++) {
    const nids = Array.from({ length: 1 + random(9) }, (_, i) => 2 * i);
    const far = nids.map(() => nids.map(() => 11 + random(3) * 5));
    const memory = new Set(nids.filter(() => random(4) > 0));
    const cpus = new Set(nids.filter(() => random(3) > 0));
    const distance = (a: number, b: number): number => (a === b ? 10 : far[a / 2]![b / 2]!);
    // The rule as the kernel's documentation tells it.
    const load = new Map(nids.map((nid) => [nid, 0]));
    const expected = nids.map((local) => {
      const order: number[] = memory.has(local) ? [local] : [];
      let previous = local;
      for (;;) {
        const left = nids.filter((nid) => memory.has(nid) && !order.includes(nid));
        const value = (nid: number): number =>
          (distance(local, nid) + (nid < local ? 1 : 0) + (cpus.has(nid) ? 1 : 0)) * 1024 +
          load.get(nid)!;
        const best = left.reduce<number | undefined>(
          (a, b) => (a === undefined || value(b) < value(a) ? b : a),
          undefined,
        );
        if (best === undefined) return order;
        if (distance(local, best) !== distance(local, previous))
          load.set(best, load.get(best)! + 1);
        order.push(best);
        previous = best;
      }
    });
    const orders = nodeOrders({
      nids,
      distance,
      hasMemory: (nid) => memory.has(nid),
      hasCpus: (nid) => cpus.has(nid),
    });
    expect(nids.map((nid) => orders.get(nid))).toEqual(expected);
  }
});

test('the lists of 300 nodes ask for each distance and each memory a few times only', () => {
  let asked = 0;
  const nids = Array.from({ length: 300 }, (_, nid) => nid);
  const orders = nodeOrders({
    nids,
    distance: (a, b) => {
      asked++;
      return a === b ? 10 : 20;
    },
    hasMemory: () => true,
    hasCpus: () => true,
  });
  expect(orders.size).toBe(300);
  expect(asked).toBeLessThanOrEqual(3 * 300 * 300);
});

test('node by node the orders are those of all at once, and nobody pays for nodes that are not asked', () => {
  const nids = Array.from({ length: 40 }, (_, i) => 3 * i);
  const topology = {
    nids,
    distance: (a: number, b: number) => (a === b ? 10 : 15 + ((a * 7 + b * 7) % 4)),
    hasMemory: (nid: number) => nid % 2 === 0,
    hasCpus: (nid: number) => nid % 5 !== 0,
  };
  for (const nodeLoad of ['nodes-left', 'plus-nodes-left', 'plus-one'] as const) {
    expect([...eachNodeOrder(topology, { nodeLoad })]).toEqual([
      ...nodeOrders(topology, { nodeLoad }),
    ]);
  }
  let calls = 0;
  const counted = {
    ...topology,
    distance: (a: number, b: number) => {
      calls += 1;
      return topology.distance(a, b);
    },
  };
  eachNodeOrder(counted).next();
  expect(calls).toBeLessThanOrEqual(3 * nids.length);
});
