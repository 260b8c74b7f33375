/** Largest free blocks at the hand-over: what a gigantic or huge page can be made of before anything runs. */
import { isStep } from '@bootmem/firmware-map/derive';
import type { Steps } from '@bootmem/firmware-map/derive';
import { MemFlags } from '@bootmem/memblock';
import type { LayoutPlan } from '../../plan/layout-plan.js';
import { overlapping, toPageFrames } from '../../plan/page-frames.js';
import type { BootState } from '../boot-state.js';
import type { Figure } from './figure.js';

export const MAX_ORDER = 10;

export function* blockFigures(plan: LayoutPlan, { memblock }: BootState): Steps<Figure[]> {
  const counts = new Map(plan.memory.map(({ nid }) => [nid, new Map<number, number>()]));
  const free = toPageFrames(
    [...memblock.freeRanges({ flags: MemFlags.NONE })],
    plan.pageSize,
    'inward',
  );
  for (const [index, { startPfn, endPfn }] of free.entries()) {
    if (isStep(index)) yield;
    for (const { nid, startPfn: low, endPfn: high } of overlapping(plan.memory, startPfn, endPfn)) {
      const own = counts.get(nid)!;
      const [from, to] = [Math.max(startPfn, low), Math.min(endPfn, high)];
      const whole = (order: number): number =>
        Math.max(0, Math.floor(to / 2 ** order) - Math.ceil(from / 2 ** order));
      const large = whole(MAX_ORDER);
      own.set(MAX_ORDER, (own.get(MAX_ORDER) ?? 0) + large);
      // Two of the next order lie in each of the largest.
      own.set(MAX_ORDER - 1, (own.get(MAX_ORDER - 1) ?? 0) + whole(MAX_ORDER - 1) - 2 * large);
    }
  }
  return [...counts].flatMap(([nid, own]) =>
    [MAX_ORDER, MAX_ORDER - 1].map((order) => ({
      group: 'pages' as const,
      basis: 'state' as const,
      id: `node ${nid} order ${order}`,
      label: `node ${nid}, free blocks of order ${order} (${(2 ** order * plan.pageSize) / 2 ** 20} MiB)`,
      unit: 'blocks' as const,
      value: own.get(order) ?? 0,
    })),
  );
}
