/**
 * Allocated blocks of which the host may read a part: the head's state is SHARED in place of ALLOCATED, so every path that
 * frees, splits or moves a block refuses it by the comparison that it makes anyway.
 *
 *     ALLOCATED | order  ── markShared ──▶  SHARED | order  ── unmarkShared, nothing shared any more ──▶  ALLOCATED | order
 *
 * The allocator knows blocks, not who holds them: who names an allocated block holds it, as for a free, unless books of
 * blocks say otherwise (`holds`). A unit that several blocks share may be another's in part, so it must lie in one block.
 *
 * Each change takes the zone's lock; a thread that dies in between has marked some blocks of its range, which
 * `unmarkShared` puts right.
 */
import { type Memmap, PageState, type PfnRange } from '@bootmem/memmap';

import { checkInteger, checkPfn, refuse } from '../base/check.js';
import type { BuddyZone } from './zone.js';

const { ALLOCATED, DIRTY, SHARED } = PageState;

/** Whether somebody holds the block at `pfn` of an order. */
export type Holds = (pfn: number, order: number) => boolean;

/** @throws ERR_BUDDY_ARGUMENT unless the range is whole units, one or more */
export function checkUnits(startPfn: number, endPfn: number, unitPages: number): void {
  checkPfn(startPfn, 'startPfn');
  checkPfn(endPfn, 'endPfn');
  checkInteger(unitPages, 'unitPages', 1, 2 ** 30);
  if ((unitPages & (unitPages - 1)) !== 0) refuse('unitPages', 'a power of two', unitPages);
  if (startPfn % unitPages !== 0) refuse('startPfn', `a multiple of ${unitPages}`, startPfn);
  if (endPfn % unitPages !== 0) refuse('endPfn', `a multiple of ${unitPages}`, endPfn);
  if (endPfn <= startPfn) refuse('endPfn', `more than ${startPfn}`, endPfn);
}

/**
 * Marks the blocks that hold `[startPfn, endPfn)`; all or none.
 * @param unitPages  pages of a unit, a power of two that divides the range; each unit lies in one block
 * @param holds      whether the caller holds a block, by its own books; asked once for each, under the lock
 * @returns first page of the first unit that is not held, undefined when all are marked
 */
export function markShared(
  memmap: Memmap,
  zone: BuddyZone | undefined,
  range: PfnRange,
  { unitPages, holds }: { readonly unitPages: number; readonly holds?: Holds | undefined },
): number | undefined {
  const { startPfn, endPfn } = range;
  if (zone === undefined) return startPfn;
  const heads: number[] = [];
  return zone.locked(() => {
    for (let pfn = startPfn; pfn < endPfn; pfn += unitPages) {
      if (pfn < zone.startPfn || pfn + unitPages > zone.endPfn) return pfn;
      const head = memmap.coveringHead(pfn);
      const held = head?.state === ALLOCATED || head?.state === SHARED;
      if (!held || pfn + unitPages > head.pfn + 2 ** head.order) return pfn;
      const index = memmap.indexOf(head.pfn);
      if (zone.columns.zone[index] !== zone.zoneId) return pfn;
      if (heads.at(-1) === index) continue;
      // The lock is held until the mark is set: nobody frees the block in between, so the answer stays true.
      if (holds !== undefined && !holds(head.pfn, head.order)) return pfn;
      heads.push(index);
    }
    for (const index of heads) setKind(zone, index, SHARED);
    return undefined;
  });
}

/**
 * Takes the mark off the marked blocks that touch the range and have no shared part any more.
 * @param isShared  asked under the lock, for whole blocks: of two threads the later one sees what both have left
 */
export function unmarkShared(
  memmap: Memmap,
  zone: BuddyZone,
  range: PfnRange,
  isShared: (startPfn: number, endPfn: number) => boolean,
): void {
  const start = Math.max(range.startPfn, zone.startPfn);
  const end = Math.min(range.endPfn, zone.endPfn);
  if (start >= end) return;
  zone.locked(() => {
    for (let pfn = start; pfn < end;) {
      const head = memmap.coveringHead(pfn);
      if (head === undefined) {
        pfn += 1;
        continue;
      }
      const blockEnd = head.pfn + 2 ** head.order;
      if (head.state === SHARED && !isShared(head.pfn, blockEnd)) {
        setKind(zone, memmap.indexOf(head.pfn), ALLOCATED);
      }
      pfn = blockEnd;
    }
  });
}

function setKind(zone: BuddyZone, index: number, kind: typeof ALLOCATED | typeof SHARED): void {
  const { state } = zone.columns;
  const order = state[index]! & ~(DIRTY | ALLOCATED | SHARED);
  state[index] = kind | order | (state[index]! & DIRTY);
}
