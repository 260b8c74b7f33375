/**
 * Isolation and contiguous ranges: keep pageblocks from being allocated from, empty them, take them whole.
 *
 *     isolate  [pageblock][pageblock]   free blocks move to the Isolate lists; not counted as free
 *     migrate  used blocks are moved away by the user's callback
 *     take     exactly [start, end) comes off the lists; the rest goes back when isolation is lifted
 *
 * The isolated bit stands beside the stored migratetype, so lifting isolation restores the type.
 * Locks: each step takes the zone's lock for one pageblock; callbacks run without it.
 */
import { PageState } from '@bootmem/memmap';
import { HEAD_KIND_MASK, HEAD_ORDER_MASK } from '@bootmem/memmap/shared';

import { checkFunction, checkPfn } from '../base/check.js';
import { Zone } from '../base/control-layout.js';
import { BuddyError } from '../base/errors.js';
import { extractRun } from './range-take.js';
import type { BuddyZone } from './zone.js';

const { ALLOCATED, FREE, BODY, DIRTY } = PageState;
const KIND = HEAD_KIND_MASK;
const ORDER = HEAD_ORDER_MASK;
const MIGRATE_TRIES = 5;

/** Moves the contents of a block; true when done, after which the old block is freed. */
export type MoveCallback = (fromPfn: number, toPfn: number, pages: number) => boolean;

/** Free heads of a pageblock move to the lists of its type now; larger blocks are cut up first. */
function relistPageblock(zone: BuddyZone, pfn: number, change: () => void): void {
  const { area, memmap } = zone;
  const { state } = zone.columns;
  const { pageblockOrder } = memmap.geometry;
  const start = memmap.indexOf(pfn);
  const head = memmap.coveringHead(pfn);
  if (head?.state === FREE && head.order > pageblockOrder) {
    const index = memmap.indexOf(head.pfn);
    const dirty = state[index]! & DIRTY;
    const type = area.typeOf(index);
    area.remove(index, head.order, type);
    for (let i = index; i < index + 2 ** head.order; i += 2 ** pageblockOrder) {
      area.insert(i, pageblockOrder, type, true, dirty);
    }
  }
  const blocks: [number, number, number][] = [];
  for (let i = start; i < start + 2 ** pageblockOrder;) {
    const s = state[i]!;
    const order = s >= FREE ? s & ORDER : 0;
    if ((s & KIND) === FREE) {
      const type = area.typeOf(i);
      area.remove(i, order, type);
      area.account(-(1 << order), type);
      blocks.push([i, order, s & DIRTY]);
    }
    i += 1 << order;
  }
  change();
  // Freed again, so that what isolation kept apart may merge.
  for (const [index, order, dirty] of blocks) {
    state[index] = BODY;
    area.free(index, order, true, dirty);
  }
}

/** Isolates the pageblock of a page. False when it was isolated already. */
export function isolatePageblock(zone: BuddyZone, pfn: number): boolean {
  return zone.locked(() => {
    const block = pfn - (pfn % 2 ** zone.memmap.geometry.pageblockOrder);
    if (zone.memmap.pageblocks.isIsolated(block)) return false;
    relistPageblock(zone, block, () => {
      zone.memmap.pageblocks.setIsolated(block, true);
    });
    zone.words[zone.at + Zone.ISOLATED_BLOCKS] = zone.words[zone.at + Zone.ISOLATED_BLOCKS]! + 1;
    return true;
  });
}

/** Lifts the isolation of a pageblock; its stored type counts again. False when it was not isolated. */
export function unisolatePageblock(zone: BuddyZone, pfn: number): boolean {
  return zone.locked(() => {
    const block = pfn - (pfn % 2 ** zone.memmap.geometry.pageblockOrder);
    if (!zone.memmap.pageblocks.isIsolated(block)) return false;
    relistPageblock(zone, block, () => {
      zone.memmap.pageblocks.setIsolated(block, false);
    });
    zone.words[zone.at + Zone.ISOLATED_BLOCKS] = zone.words[zone.at + Zone.ISOLATED_BLOCKS]! - 1;
    return true;
  });
}

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
  const { state } = zone.columns;
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
      const target = zone.alloc(head.order, type < 3 ? type : 1, 0);
      if (target < 0) return false;
      let emptied = false;
      try {
        emptied = move(head.pfn, memmap.pfnOf(target), 2 ** head.order);
      } finally {
        // Refused, or thrown out of: the target is free again.
        zone.retire(emptied ? memmap.indexOf(head.pfn) : target, head.order);
      }
    }
    if (!used) return true;
  }
  for (let pfn = start; pfn < end;) {
    const head = memmap.coveringHead(pfn);
    if (head?.state !== FREE) return false;
    pfn = head.pfn + 2 ** head.order;
  }
  return state.length > 0;
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
  } = {},
): boolean {
  const { move, accept } = help;
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
    return migrateAway(zone, startPfn, endPfn, move) && takeFree(zone, startPfn, endPfn);
  } finally {
    // Whatever came in between, a callback that threw included.
    for (const pfn of isolated) unisolatePageblock(zone, pfn);
  }
}

/** Takes the range if all of it is free. */
function takeFree(zone: BuddyZone, startPfn: number, endPfn: number): boolean {
  return zone.locked(() => {
    for (let pfn = startPfn; pfn < endPfn;) {
      const head = zone.memmap.coveringHead(pfn);
      if (head?.state !== FREE) return false;
      pfn = head.pfn + 2 ** head.order;
    }
    extractRun(zone, startPfn, endPfn);
    return true;
  });
}
