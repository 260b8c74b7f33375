/**
 * How broken up free memory is, in thousandths.
 *
 * `unusableIndex`: the part of free memory that is of no use for a request of this order: 0 all of it is
 * in large enough blocks, 1000 none is. `fragmentationIndex`: why such a request would fail: towards 0 for
 * lack of memory, towards 1000 because of fragmentation, -1000 where it would not fail.
 *
 * Source: reference of the buddy allocator, section 10
 */
import { zoneLabel } from './buddyinfo.js';
import type { BuddyinfoZone } from './report-types.js';

interface FreeInfo {
  readonly pages: number;
  readonly blocks: number;
  /** Blocks of exactly `order` that the larger ones could be cut into. */
  readonly suitable: number;
}

function freeInfo(free: readonly number[], order: number): FreeInfo {
  let pages = 0;
  let blocks = 0;
  let suitable = 0;
  free.forEach((count, o) => {
    blocks += count;
    pages += count * 2 ** o;
    if (o >= order) suitable += count * 2 ** (o - order);
  });
  return { pages, blocks, suitable };
}

/**
 * Part of free memory unusable for requests of `order`, 0 … 1000; 1000 where nothing is free.
 * @param free blocks per order
 * @kernel unusable_free_index
 */
export function unusableIndex(free: readonly number[], order: number): number {
  const { pages, suitable } = freeInfo(free, order);
  if (pages === 0) return 1000;
  return Math.floor(((pages - suitable * 2 ** order) * 1000) / pages);
}

/**
 * Why a request of `order` would fail: 0 … 1000, or -1000 where it would not; 0 where nothing is free.
 * @param free blocks per order
 * @kernel __fragmentation_index
 */
export function fragmentationIndex(free: readonly number[], order: number): number {
  if (order >= free.length) return 0;
  const { pages, blocks, suitable } = freeInfo(free, order);
  if (blocks === 0) return 0;
  if (suitable > 0) return -1000;
  return 1000 - Math.floor((1000 + Math.floor((pages * 1000) / 2 ** order)) / blocks);
}

/** Thousandths as C prints quotient and remainder: the sign is the quotient's. */
function thousandths(value: number, width: number): string {
  const quotient = String(Math.trunc(value / 1000)).padStart(width);
  return `${quotient}.${String(Math.abs(value % 1000)).padStart(3, '0')} `;
}

function table(
  zones: readonly BuddyinfoZone[],
  cell: (free: readonly number[], order: number) => string,
): string {
  return zones
    .map(({ nid, zone, free }) => {
      const cells = free.map((_, order) => cell(free, order)).join('');
      return `${zoneLabel(nid, zone)}${cells}\n`;
    })
    .join('');
}

/** The text of debugfs `extfrag/unusable_index`. @kernel unusable_show */
export function formatUnusableIndex(zones: readonly BuddyinfoZone[]): string {
  return table(zones, (free, order) => thousandths(unusableIndex(free, order), 0));
}

/** The text of debugfs `extfrag/extfrag_index`. @kernel extfrag_show */
export function formatFragmentationIndex(zones: readonly BuddyinfoZone[]): string {
  return table(zones, (free, order) => thousandths(fragmentationIndex(free, order), 2));
}
