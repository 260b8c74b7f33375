/**
 * Contiguous ranges: exactly the pages that somebody wants.
 *
 *     isolate  [pageblock][pageblock]   nothing of them is handed out any more
 *     migrate  used blocks are moved away by the user's callback (moves.ts)
 *     take     isolation is lifted, exactly [start, end) comes off the lists
 *
 * Taking is one hold of the lock and its last act: a call that gets the lock no more has taken nothing.
 * Locks: each step takes the zone's lock for one pageblock or block; callbacks run without it.
 */
import { PageState } from '@bootmem/memmap';

import { checkFunction, checkPfn } from '../base/check.js';
import { BuddyError } from '../base/errors.js';
import { isolatePageblock, unisolateLocked, unisolatePageblock } from './isolation.js';
import { beginMove, type MoveCallback, runMove } from './moves.js';
import { extractRun } from './range-take.js';
import type { BuddyZone } from './zone.js';

const { ALLOCATED, FREE } = PageState;
const MIGRATE_TRIES = 5;

/**
 * Checks a request for exactly these pages, before anything is isolated. O(1).
 * @throws ERR_BUDDY_ARGUMENT for what are no page numbers; ERR_BUDDY_OUT_OF_ZONE unless it is a range inside the zone
 */
export function checkContig(
  zone: BuddyZone,
  startPfn: number,
  endPfn: number,
  move: unknown,
): void {
  checkPfn(startPfn, 'startPfn');
  checkPfn(endPfn, 'endPfn');
  if (move !== undefined) checkFunction(move, 'move');
  if (startPfn < endPfn && startPfn >= zone.startPfn && endPfn <= zone.endPfn) return;
  throw new BuddyError('ERR_BUDDY_OUT_OF_ZONE', 'the range lies inside one zone', {
    startPfn,
    endPfn,
    zoneStart: zone.startPfn,
    zoneEnd: zone.endPfn,
  });
}

/** Moves the allocated blocks of `[start, end)` away. False when one stays. */
function migrateAway(zone: BuddyZone, start: number, end: number, move?: MoveCallback): boolean {
  const { memmap } = zone;
  for (let tries = 0; tries < MIGRATE_TRIES; tries++) {
    let used = false;
    for (let pfn = start; pfn < end;) {
      const head = memmap.coveringHead(pfn);
      if (head === undefined) return false;
      pfn = head.pfn + 2 ** head.order;
      if (head.state === FREE) continue;
      if (head.state !== ALLOCATED || move === undefined) return false;
      used = true;
      const type = memmap.pageblocks.storedMigratetype(head.pfn);
      const from = memmap.indexOf(head.pfn);
      const target = beginMove(zone, from, head.order, type < 3 ? type : 1);
      if (target < 0) return false;
      runMove(zone, from, target, move);
    }
    if (!used) return true;
  }
  return isFree(zone, start, end);
}

function isFree(zone: BuddyZone, start: number, end: number): boolean {
  for (let pfn = start; pfn < end;) {
    const head = zone.memmap.coveringHead(pfn);
    if (head?.state !== FREE) return false;
    pfn = head.pfn + 2 ** head.order;
  }
  return true;
}

/**
 * Takes exactly `[startPfn, endPfn)`: its pages are allocated one by one afterwards.
 * @param help  moves used blocks out of the way, without it every page must be free; accepts a parked block that
 *   holds the pfn
 * @returns false when a page of the range cannot be emptied; nothing is held then
 * @throws what `move` throws: blocks moved before it stay moved, nothing is held
 * @kernel alloc_contig_range
 */
export function allocContigRange(
  zone: BuddyZone,
  startPfn: number,
  endPfn: number,
  help: {
    readonly move?: MoveCallback | undefined;
    readonly accept?: ((pfn: number) => boolean) | undefined;
    /** Whose the pages are, where pages have owners. */
    readonly owner?: number | undefined;
  } = {},
): boolean {
  const { move, accept, owner } = help;
  const size = 2 ** zone.memmap.geometry.pageblockOrder;
  const first = Math.floor(startPfn / size) * size;
  const last = Math.ceil(endPfn / size) * size;
  for (let pfn = first; accept !== undefined && pfn < endPfn; pfn += size) {
    const kind = zone.memmap.isPopulated(pfn) ? zone.memmap.coveringHead(pfn)?.state : undefined;
    if (kind !== FREE && kind !== ALLOCATED) accept(pfn);
  }
  const isolated: number[] = [];
  try {
    for (let pfn = first; pfn < last; pfn += size) {
      if (zone.memmap.isPopulated(pfn) && isolatePageblock(zone, pfn)) isolated.push(pfn);
    }
    zone.drainCaches();
    if (isolated.length < (last - first) / size) return false;
    if (!migrateAway(zone, startPfn, endPfn, move)) return false;
    return takeFree(zone, startPfn, endPfn, isolated, owner);
  } finally {
    // Whatever came in between, a callback that threw included; none when the range was taken.
    for (const pfn of isolated) unisolatePageblock(zone, pfn, zone.tag);
  }
}

/** Takes the range if all of it is free; then the pageblocks are isolated no more, and the list of them is empty. */
function takeFree(
  zone: BuddyZone,
  startPfn: number,
  endPfn: number,
  isolated: number[],
  owner?: number,
): boolean {
  return zone.locked(() => {
    if (!isFree(zone, startPfn, endPfn)) return false;
    // First: whoever ends in it has taken nothing. Nobody else takes anything before the lock goes back.
    for (const pfn of isolated) unisolateLocked(zone, pfn, zone.tag);
    isolated.length = 0;
    extractRun(zone, startPfn, endPfn, owner);
    return true;
  });
}
