/**
 * Movable starts against the rule written down plainly: every round looks at every range for every node. What nodes can give
 * is cut small and odd, so that shares run out in the middle of ranges, below the highest zone and in every round.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { zoneLayout } from '@bootmem/buddy-allocator/zones';
import type { MemoryPfnRange } from '@bootmem/memmap';

const BLOCK = 4;

/** Where the kernel part of every node ends, before rounding. */
function plainly(
  memory: readonly MemoryPfnRange[],
  usableStart: number,
  required: number,
): Map<number, number> {
  const nids = [...new Set(memory.map((range) => range.nid))].sort((a, b) => a - b);
  const ends = new Map<number, number>();
  let left = required;
  for (let nodes = nids.length; nodes > 0; nodes--) {
    let share = Math.floor(left / nodes);
    for (const nid of nids) {
      if (left < share) share = Math.floor(left / nodes);
      let wanted = share;
      for (const range of memory.filter((one) => one.nid === nid)) {
        const start = Math.max(range.startPfn, ends.get(nid) ?? 0);
        if (start >= range.endPfn) continue;
        const low = Math.max(0, Math.min(range.endPfn, usableStart) - start);
        left = Math.max(0, left - low);
        wanted = Math.max(0, wanted - low);
        const from = Math.max(start, usableStart);
        const taken = Math.max(0, Math.min(range.endPfn - from, wanted));
        ends.set(nid, Math.min(range.endPfn, from + taken));
        left = Math.max(0, left - taken);
        wanted -= taken;
        if (from < range.endPfn && wanted === 0) break;
      }
    }
    if (left <= nodes - 1) break;
  }
  return ends;
}

function rounded(memory: readonly MemoryPfnRange[], ends: Map<number, number>): [number, number][] {
  return [...ends].flatMap(([nid, end]) => {
    const start = Math.ceil(end / BLOCK) * BLOCK;
    const last = memory.filter((range) => range.nid === nid).at(-1)!.endPfn;
    return start > 0 && start < last ? [[nid, start] as [number, number]] : [];
  });
}

const machines = fc
  .array(
    fc.record({
      hole: fc.nat({ max: 9 }),
      size: fc.integer({ min: 1, max: 60 }),
      nid: fc.nat({ max: 6 }),
    }),
    { minLength: 1, maxLength: 24 },
  )
  .map((pieces) => {
    let at = 1;
    return pieces.map(({ hole, size, nid }) => {
      const startPfn = at + hole;
      at = startPfn + size;
      return { startPfn, endPfn: at, nid };
    });
  });

describe('kernelcore=', () => {
  test('is dealt out as the plain rule does', () => {
    fc.assert(
      fc.property(
        machines,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(),
        (memory, part, border) => {
          const end = memory.at(-1)!.endPfn;
          const dma32 = 1 + (border % end);
          const total = memory.reduce((sum, range) => sum + range.endPfn - range.startPfn, 0);
          const required = Math.floor(part * total);
          fc.pre(required > 0 && required < total);
          const layout = zoneLayout({
            memory,
            limits: [
              { zone: 'DMA32', endPfn: dma32 },
              { zone: 'Normal', endPfn: end },
              { zone: 'Movable', endPfn: 0 },
            ],
            movable: { kind: 'size', kernelcore: { pages: required } },
            maxOrderPages: BLOCK,
          });
          const first = memory[0]!.startPfn;
          const usableStart = dma32 >= end ? first : Math.max(dma32, first);
          expect([...layout.movableStart]).toEqual(
            rounded(memory, plainly(memory, usableStart, required)),
          );
        },
      ),
      { numRuns: 2000 },
    );
  });
});
