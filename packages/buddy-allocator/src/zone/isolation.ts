/**
 * Isolation: keeps pageblocks from being allocated from. Free blocks of an isolated pageblock lie on the Isolate lists
 * and do not count as free; the isolated bit stands beside the stored migratetype, so lifting restores the type.
 *
 *     owner word of the pageblock = tag, then the bit on          nobody's isolation can be seen without its owner
 *     bit off, the owner word stays                               the next one overwrites it
 *
 * An isolation belongs to the thread that asked for it, by the tag that names this thread and no later one with its id.
 * When that thread has ended, whoever reclaims lifts it; until then `verify` reports it.
 * Locks: each step takes the zone's lock for one pageblock.
 */
import { PageState } from '@bootmem/memmap';
import { HEAD_KIND_MASK, HEAD_ORDER_MASK, PageblockBit } from '@bootmem/memmap/shared';

import { ownersAt, Zone } from '../base/control-layout.js';
import { forEachPageblock } from '../lists/recovery.js';
import type { BuddyZone } from './zone.js';

const { FREE, DIRTY } = PageState;
const KIND = HEAD_KIND_MASK;
const ORDER = HEAD_ORDER_MASK;

/** Free heads of a pageblock move to the lists of its type after `change`; larger blocks are cut up first. */
function relistPageblock(zone: BuddyZone, pfn: number, change: () => void): void {
  const { area, memmap } = zone;
  const { state } = zone.columns;
  const { pageblockOrder } = memmap.geometry;
  const start = memmap.indexOf(pfn);
  cutLargeBlock(zone, pfn);
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
  // Freed again, so that what isolation kept apart may merge. Their bytes say "free" all the time: nothing to undo.
  for (const [index, order, dirty] of blocks) area.free(index, order, true, dirty);
}

/** Splits a free block that covers the pageblock at `pfn` and more, until the pageblock is a block of its own. */
function cutLargeBlock(zone: BuddyZone, pfn: number): void {
  const { area, memmap } = zone;
  const { pageblockOrder } = memmap.geometry;
  const head = memmap.coveringHead(pfn);
  if (head?.state !== FREE || head.order <= pageblockOrder) return;
  const index = memmap.indexOf(head.pfn);
  const dirty = zone.columns.state[index]! & DIRTY;
  const type = area.typeOf(index);
  area.journal(index, head.order + 1);
  area.remove(index, head.order, type);
  let start = index;
  for (let order = head.order - 1; order >= pageblockOrder; order--) {
    const half = start + 2 ** order;
    const isUpper = memmap.indexOf(pfn) >= half;
    area.insert(isUpper ? start : half, order, type, true, dirty);
    if (isUpper) start = half;
  }
  area.insert(start, pageblockOrder, type, true, dirty);
  area.journal(index, 0);
}

/** Word that names the owner of a pageblock's isolation. */
function ownerAt(zone: BuddyZone, index: number): number {
  return ownersAt(zone.words) + (index >>> zone.memmap.geometry.pageblockOrder);
}

/** True when pages of the pageblock are another zone's: its type would count there as well. */
function isShared(zone: BuddyZone, index: number): boolean {
  const { state, zone: zoneOf } = zone.columns;
  const end = index + 2 ** zone.memmap.geometry.pageblockOrder;
  for (let i = index; i < end; i++) if (state[i] !== 0 && zoneOf[i] !== zone.zoneId) return true;
  return false;
}

function startOf(zone: BuddyZone, pfn: number): number {
  return pfn - (pfn % 2 ** zone.memmap.geometry.pageblockOrder);
}

function countIsolated(zone: BuddyZone, by: 1 | -1): void {
  const at = zone.at + Zone.ISOLATED_BLOCKS;
  zone.words[at] = zone.words[at]! + by;
}

/**
 * Isolates the pageblock of a page, for the calling thread.
 * @returns false when it was isolated already, or is shared with another zone
 */
export function isolatePageblock(zone: BuddyZone, pfn: number): boolean {
  return zone.locked(() => {
    const block = startOf(zone, pfn);
    const index = zone.memmap.indexOf(block);
    const { pageblocks } = zone.memmap;
    if (pageblocks.isIsolated(block) || isShared(zone, index)) return false;
    zone.words[ownerAt(zone, index)] = zone.tag;
    relistPageblock(zone, block, () => {
      pageblocks.setIsolated(block, true);
    });
    countIsolated(zone, 1);
    return true;
  });
}

/**
 * Lifts the isolation of a pageblock; its stored type counts again.
 * @param owner  only if it is this one's; default whoever's it is
 * @returns false when it was not isolated, or not by `owner`
 */
export function unisolatePageblock(zone: BuddyZone, pfn: number, owner?: number): boolean {
  return zone.locked(() => unisolateLocked(zone, pfn, owner));
}

/** As {@link unisolatePageblock}, under the lock. */
export function unisolateLocked(zone: BuddyZone, pfn: number, owner?: number): boolean {
  const block = startOf(zone, pfn);
  const { pageblocks } = zone.memmap;
  if (!pageblocks.isIsolated(block)) return false;
  const at = ownerAt(zone, zone.memmap.indexOf(block));
  if (owner !== undefined && zone.words[at] !== owner) return false;
  relistPageblock(zone, block, () => {
    pageblocks.setIsolated(block, false);
  });
  countIsolated(zone, -1);
  return true;
}

/** Calls `visit` for each isolated pageblock of the zone: its first pfn and its owner's tag. No lock. */
export function forEachIsolated(
  zone: BuddyZone,
  visit: (pfn: number, owner: number) => void,
): void {
  const { pageblocks } = zone.columns;
  const { pageblockOrder } = zone.memmap.geometry;
  if (zone.get(Zone.ISOLATED_BLOCKS) === 0) return;
  forEachPageblock(zone, (index, pfn) => {
    if ((pageblocks[index >>> pageblockOrder]! & PageblockBit.ISOLATED) === 0) return;
    visit(pfn, zone.words[ownerAt(zone, index)]!);
  });
}

/**
 * Lifts what the calling thread has isolated, or threads that have ended.
 * @param ofEnded  true: theirs; false: the caller's own
 * @returns pageblocks
 */
export function liftIsolations(zone: BuddyZone, ofEnded: boolean): number {
  let lifted = 0;
  forEachIsolated(zone, (pfn, owner) => {
    const due = ofEnded ? zone.hasEnded(owner) : owner === zone.tag;
    if (due && unisolatePageblock(zone, pfn, owner)) lifted++;
  });
  return lifted;
}
