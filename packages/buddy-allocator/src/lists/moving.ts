/**
 * Blocks that are being filled: where a block's content goes while the user's callback moves it.
 *
 *     from [ allocated ]   ── callback copies, redirects ──▶   [ moving ] to       links of `to`: owner, from
 *     from [ allocated ]   ── under the lock: done, free ──▶   [ moving ] to       links of `to`: owner, ~from
 *     from [ free ]                                        [ allocated ] to
 *
 * A block on no list has no use for its two links, so they say whose move it is (a tag of the thread registry, which
 * names one thread for good) and what comes in. Whether a thread that dies in the callback has redirected the owner,
 * only that owner can tell; from the moment the move is marked as done, recovery brings it to its end.
 */
import type { Geometry } from '@bootmem/memmap';
import type { Columns } from '@bootmem/memmap/shared';

/** Where the links of blocks are. */
export interface LinkedBlocks {
  readonly columns: Pick<Columns, 'links' | 'topLinks'>;
  readonly geometry: Pick<Geometry, 'maxOrder'>;
}

/** A move as the links of its target tell it. */
export interface MoveRecord {
  /** Tag of the thread that moves. */
  readonly owner: number;
  /** Descriptor index of the block that comes in. */
  readonly from: number;
  /** The callback has said yes: what is left is the allocator's. */
  readonly done: boolean;
}

/** Links of the blocks of one order: those of block `index` are at `(index >>> shift) << 1` and after it. */
export function linksOf(
  { columns, geometry }: LinkedBlocks,
  order: number,
): { readonly links: Int32Array; readonly shift: number } {
  return order === geometry.maxOrder
    ? { links: columns.topLinks, shift: order }
    : { links: columns.links, shift: 0 };
}

/** What the links of a block that is being filled say. */
export function moveRecord(blocks: LinkedBlocks, index: number, order: number): MoveRecord {
  const { links, shift } = linksOf(blocks, order);
  const slot = (index >>> shift) << 1;
  const from = links[slot + 1]!;
  return { owner: links[slot]!, from: from < 0 ? ~from : from, done: from < 0 };
}
