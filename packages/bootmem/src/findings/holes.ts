/**
 * The largest stretches of free memory of a machine when its reservations are asked for: what would fit.
 */
import { MemFlags } from '@bootmem/memblock';
import { formatBytes } from '../format/numbers.js';
import { handover } from '../accounts/handover.js';
import { byNode } from '../plan/by-node.js';
import type { LayoutPlan } from '../plan/layout-plan.js';

const GIB_4 = 2 ** 32;

/** A node's largest free stretches, bytes. */
export interface NodeHoles {
  readonly nid: number;
  readonly below4G: number;
  readonly above4G: number;
  /** Aligned blocks of a size that fit: how many huge pages of it there could be. */
  blocks(bytes: number): number;
}

/**
 * Largest free stretches by node.
 * @param plan  a planned machine
 * @returns by node number; from the reservations that the log names, so a little too much rather than too little
 */
export function largestHoles(plan: LayoutPlan): NodeHoles[] {
  const { memblock } = handover(plan);
  const free: { nid: number; start: number; end: number }[] = [];
  for (const { start, end, nid } of memblock.freeRanges({ flags: MemFlags.NONE })) {
    free.push({ nid, start, end });
  }
  return [...byNode(free)]
    .sort(([a], [b]) => a - b)
    .map(([nid, own]) => {
      const largest = (from: number, to: number): number =>
        own.reduce(
          (most, { start, end }) => Math.max(most, Math.min(end, to) - Math.max(start, from)),
          0,
        );
      return {
        nid,
        below4G: largest(0, GIB_4),
        above4G: largest(GIB_4, Infinity),
        blocks: (bytes) =>
          own.reduce(
            (sum, { start, end }) =>
              sum + Math.max(0, Math.floor(end / bytes) - Math.ceil(start / bytes)),
            0,
          ),
      };
    });
}

/** The same in words. */
export function holesInWords(holes: readonly NodeHoles[]): string {
  const size = (bytes: number): string => (bytes === 0 ? 'none' : formatBytes(bytes));
  return holes
    .map(
      ({ nid, below4G, above4G }) =>
        `node ${nid}: ${size(below4G)} below 4 GiB, ${size(above4G)} above`,
    )
    .join('; ');
}
