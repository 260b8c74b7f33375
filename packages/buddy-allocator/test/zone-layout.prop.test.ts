import { test } from '@jest/globals';
import fc from 'fast-check';
import {
  unavailableHoles,
  zoneLayout,
  type MovablePolicy,
  type ZoneLimits,
} from '@bootmem/buddy-allocator/zones';
import type { MemoryPfnRange } from '@bootmem/memmap';

// A small machine, so that a model can go over every pfn: DMA below 64, DMA32 below 256, Normal above.
const MAX = 600;
const BLOCK = 16;
const SECTION = 32;
const limits = (maxPfn: number): ZoneLimits => [
  { zone: 'DMA', endPfn: Math.min(64, maxPfn) },
  { zone: 'DMA32', endPfn: Math.min(256, maxPfn) },
  { zone: 'Normal', endPfn: maxPfn },
  { zone: 'Movable', endPfn: 0 },
  { zone: 'Device', endPfn: 0 },
];

/** Random disjoint ranges: cut points with a node (or a hole) between each two. */
const memoryArb = fc
  .tuple(
    fc.uniqueArray(fc.integer({ min: 1, max: MAX }), { minLength: 2, maxLength: 12 }),
    fc.array(fc.integer({ min: -1, max: 3 }), { minLength: 12, maxLength: 12 }),
    fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
  )
  .map(([cuts, nids, hotplug]) => {
    const sorted = [...cuts].sort((a, b) => a - b);
    const ranges: MemoryPfnRange[] = [];
    for (let i = 0; i + 1 < sorted.length; i += 1) {
      const nid = nids[i]!;
      if (nid < 0) continue;
      ranges.push({ startPfn: sorted[i]!, endPfn: sorted[i + 1]!, nid, hotplug: hotplug[i]! });
    }
    return ranges;
  })
  .filter((ranges) => ranges.length > 0);

const movableArb: fc.Arbitrary<MovablePolicy> = fc.oneof(
  fc.constant<MovablePolicy>({ kind: 'none' }),
  fc.constant<MovablePolicy>({ kind: 'node' }),
  fc
    .integer({ min: 0, max: MAX })
    .map((pages): MovablePolicy => ({ kind: 'size', kernelcore: { pages } })),
  fc
    .integer({ min: 0, max: MAX })
    .map((pages): MovablePolicy => ({ kind: 'size', movablecore: { pages } })),
);

const check = (condition: boolean, what: string): void => {
  if (!condition) throw new Error(what);
};

test('every page of memory is present in exactly the zone its pfn and node call for', () => {
  fc.assert(
    fc.property(memoryArb, movableArb, (memory, movable) => {
      const maxPfn = memory.at(-1)!.endPfn;
      const layout = zoneLayout({
        memory,
        limits: limits(maxPfn),
        movable,
        maxOrderPages: BLOCK,
      });
      const expected = new Map<string, number>();
      for (const { startPfn, endPfn, nid } of memory) {
        const start = layout.movableStart.get(nid);
        for (let pfn = startPfn; pfn < endPfn; pfn += 1) {
          const low = pfn < 64 ? 'DMA' : pfn < 256 ? 'DMA32' : 'Normal';
          const zone = start !== undefined && pfn >= start ? 'Movable' : low;
          const key = `${nid} ${zone}`;
          expected.set(key, (expected.get(key) ?? 0) + 1);
        }
      }
      for (const node of layout.nodes) {
        let previousEnd = 0;
        for (const zone of node.zones) {
          const pages = expected.get(`${node.nid} ${zone.zone}`) ?? 0;
          check(zone.presentPages === pages, `${node.nid} ${zone.zone}: present`);
          check(zone.spannedPages === zone.endPfn - zone.startPfn, 'span');
          check(zone.absentPages === zone.spannedPages - zone.presentPages, 'absent');
          check(zone.absentPages >= 0, 'holes are inside the span');
          if (zone.spannedPages === 0) continue;
          check(zone.startPfn >= previousEnd, 'zones of a node follow each other');
          check(zone.endPfn <= node.endPfn && zone.startPfn >= node.startPfn, 'inside the node');
          previousEnd = zone.endPfn;
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('a Movable start is aligned and, for a size, in or above the highest zone with memory', () => {
  fc.assert(
    fc.property(memoryArb, movableArb, (memory, movable) => {
      const maxPfn = memory.at(-1)!.endPfn;
      const layout = zoneLayout({ memory, limits: limits(maxPfn), movable, maxOrderPages: BLOCK });
      const floor = [0, 1, 2].findLast((i) => layout.highestPfn[i]! > layout.lowestPfn[i]!)!;
      for (const [nid, start] of layout.movableStart) {
        const node = layout.nodes.find((candidate) => candidate.nid === nid)!;
        check(start % BLOCK === 0, 'aligned');
        check(start < node.endPfn, 'inside the node');
        if (movable.kind === 'size') check(start >= layout.lowestPfn[floor]!, 'highest zone');
      }
    }),
    { numRuns: 2000 },
  );
});

test('holes in present sections are those of a page-by-page model', () => {
  fc.assert(
    fc.property(memoryArb, (memory) => {
      const maxPfn = memory.at(-1)!.endPfn;
      const layout = zoneLayout({ memory, limits: limits(maxPfn) });
      const nidAt = new Map<number, number>();
      const sections = new Set<number>();
      for (const { startPfn, endPfn, nid } of memory) {
        for (let pfn = startPfn; pfn < endPfn; pfn += 1) {
          nidAt.set(pfn, nid);
          sections.add(Math.floor(pfn / SECTION));
        }
      }
      const expected: string[] = [];
      const zoneAt = (pfn: number): string => (pfn < 64 ? 'DMA' : pfn < 256 ? 'DMA32' : 'Normal');
      for (let pfn = 0; pfn < Math.ceil(maxPfn / SECTION) * SECTION; pfn += 1) {
        if (nidAt.has(pfn) || !sections.has(Math.floor(pfn / SECTION))) continue;
        let above = pfn;
        while (above < maxPfn && !nidAt.has(above)) above += 1;
        const owner = above < maxPfn ? above : maxPfn - 1;
        expected.push(`${pfn} ${nidAt.get(owner)!} ${zoneAt(owner)}`);
      }
      const actual: string[] = [];
      for (const hole of unavailableHoles(layout, memory, SECTION)) {
        let pages = 0;
        for (const { startPfn, endPfn, nid, zone } of hole.ranges) {
          pages += endPfn - startPfn;
          for (let pfn = startPfn; pfn < endPfn; pfn += 1) actual.push(`${pfn} ${nid} ${zone}`);
        }
        check(pages === hole.pages, 'pages of a hole are those of its parts');
      }
      check(actual.join() === expected.join(), `${actual.join()} for ${expected.join()}`);
    }),
    { numRuns: 1000 },
  );
});
