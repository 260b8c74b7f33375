/**
 * Blocks of the maximum order that must be accepted before use: parked on a list of their own, or taken from it.
 *
 *     UNACCEPTED   on the list, links: next, previous; counts as free and as unaccepted
 *        │  ▲
 *      take │ park, or the one who took it has ended
 *        ▼  │
 *     MOVING       taken, links: tag of who took it, its own index        ── accepted: free ── refused: withdrawn
 *
 * The byte of a head says which, so recovery puts the list and all counts together again.
 */
import { PageState } from '@bootmem/memmap';
import { HEAD_KIND_MASK, HEAD_ORDER_MASK } from '@bootmem/memmap/shared';
import type { Memmap } from '@bootmem/memmap';
import type { Columns } from '@bootmem/memmap/shared';

import { Zone } from '../base/control-layout.js';
import { moveRecord } from './moving.js';

const { MOVING, UNACCEPTED } = PageState;
const NONE = -1;

/** What parking needs of a zone. All under its lock; indices are descriptor indices. */
interface ParkingZone {
  readonly memmap: Pick<Memmap, 'geometry'>;
  readonly columns: Columns;
  readonly words: Int32Array;
  readonly at: number;
}

/** Puts a block at the tail of the list. */
export function parkBlock({ memmap, columns, words: w, at: z }: ParkingZone, index: number): void {
  const { maxOrder } = memmap.geometry;
  const { topLinks, state } = columns;
  const slot = (index >>> maxOrder) << 1;
  const last = w[z + Zone.UNACCEPTED_TAIL]!;
  state[index] = UNACCEPTED | maxOrder;
  topLinks[slot] = NONE;
  topLinks[slot + 1] = last;
  if (last === NONE) w[z + Zone.UNACCEPTED_HEAD] = index;
  else topLinks[(last >>> maxOrder) << 1] = index;
  w[z + Zone.UNACCEPTED_TAIL] = index;
  w[z + Zone.UNACCEPTED_COUNT] = w[z + Zone.UNACCEPTED_COUNT]! + 1;
  countUnaccepted(w, z, 1 << maxOrder);
}

/** Takes a parked block off the list, for the thread with this tag. */
export function takeBlock(
  { memmap, columns, words: w, at: z }: ParkingZone,
  index: number,
  tag: number,
): void {
  const { maxOrder } = memmap.geometry;
  const { topLinks, state } = columns;
  const slot = (index >>> maxOrder) << 1;
  const next = topLinks[slot]!;
  const previous = topLinks[slot + 1]!;
  if (previous === NONE) w[z + Zone.UNACCEPTED_HEAD] = next;
  else topLinks[(previous >>> maxOrder) << 1] = next;
  if (next === NONE) w[z + Zone.UNACCEPTED_TAIL] = previous;
  else topLinks[((next >>> maxOrder) << 1) + 1] = previous;
  w[z + Zone.UNACCEPTED_COUNT] = w[z + Zone.UNACCEPTED_COUNT]! - 1;
  w[z + Zone.TAKEN] = w[z + Zone.TAKEN]! + 1;
  state[index] = MOVING | maxOrder;
  topLinks[slot] = tag;
  topLinks[slot + 1] = index;
  countUnaccepted(w, z, -(1 << maxOrder));
}

/** Tag of the thread that has taken the block; undefined when it is no such block. */
export function takerOf({ memmap, columns }: ParkingZone, index: number): number | undefined {
  const { geometry } = memmap;
  const s = columns.state[index]!;
  if ((s & (HEAD_KIND_MASK | HEAD_ORDER_MASK)) !== (MOVING | geometry.maxOrder)) return undefined;
  const { owner, from } = moveRecord({ columns, geometry }, index, geometry.maxOrder);
  return from === index ? owner : undefined;
}

function countUnaccepted(w: Int32Array, z: number, pages: number): void {
  w[z + Zone.UNACCEPTED] = w[z + Zone.UNACCEPTED]! + pages;
  w[z + Zone.FREE] = w[z + Zone.FREE]! + pages;
}
