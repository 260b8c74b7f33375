/**
 * Blocks of a zone that must be accepted before use: parked on a list of their own, counted as free so that
 * marks see them, and handed to the accept gate one by one (lists/parked-blocks.ts).
 *
 * Each change takes the zone's lock. Between `take` and `freeAccepted` a block belongs to the caller; of a thread that
 * has ended it is parked again, by whoever reclaims it.
 */
import { type Memmap, PageState } from '@bootmem/memmap';

import { Zone } from '../base/control-layout.js';
import { BuddyError } from '../base/errors.js';
import { parkBlock, takeBlock, takerOf } from '../lists/parked-blocks.js';
import { forEachUnit } from '../lists/recovery.js';
import type { BuddyZone } from './zone.js';

const NONE = -1;

/** What an accept gate compares. */
export interface AcceptState {
  /** PROMO mark with its boost; 0 before marks are set up. */
  readonly promo: number;
  /** Free pages that are accepted. */
  readonly acceptedFree: number;
  /** Free pages that a request of the order cannot count on. */
  readonly unusable: number;
}

/**
 * Parks a block of the maximum order: one of boot code, or one that was taken.
 * @throws ERR_BUDDY_ARGUMENT when it is neither
 */
export function parkUnaccepted(memmap: Memmap, zone: BuddyZone, pfn: number): void {
  const pages = 2 ** zone.maxOrder;
  const index = memmap.indexOf(pfn);
  const inside = pfn % pages === 0 && pfn >= zone.startPfn && pfn + pages <= zone.endPfn;
  const parked =
    inside &&
    index >= 0 &&
    zone.columns.zone[index] === zone.zoneId &&
    zone.locked(() => {
      const taken = takerOf(zone, index) !== undefined;
      if (!taken && zone.columns.state[index] !== PageState.BODY) return false;
      parkBlock(zone, index);
      if (taken) countTaken(zone);
      return true;
    });
  if (parked) return;
  throw new BuddyError(
    'ERR_BUDDY_ARGUMENT',
    `pfn ${pfn} begins no block of the zone that is boot-owned or taken`,
    { pfn },
  );
}

/**
 * Takes the first parked block.
 * @param named  is told which, under the lock and before the block leaves the list: a thread that dies after that has
 *   left its name
 * @returns its first pfn; undefined when there is none
 */
export function takeUnaccepted(
  memmap: Memmap,
  zone: BuddyZone,
  named?: (pfn: number) => void,
): number | undefined {
  if (zone.get(Zone.UNACCEPTED_COUNT) === 0) return undefined;
  return zone.locked(() => {
    const index = zone.get(Zone.UNACCEPTED_HEAD);
    if (index === NONE) return undefined;
    const pfn = memmap.pfnOf(index);
    named?.(pfn);
    takeBlock(zone, index, zone.tag);
    return pfn;
  });
}

/** Takes the parked block that starts at `pfn`; false when none does. @param named  as for {@link takeUnaccepted} */
export function takeUnacceptedAt(
  memmap: Memmap,
  zone: BuddyZone | undefined,
  pfn: number,
  named?: (pfn: number) => void,
): boolean {
  if (zone === undefined) return false;
  const index = memmap.indexOf(pfn);
  return zone.locked(() => {
    if (zone.columns.state[index] !== (PageState.UNACCEPTED | zone.maxOrder)) return false;
    named?.(pfn);
    takeBlock(zone, index, zone.tag);
    return true;
  });
}

/**
 * Ends a block's time in the hands of who took it, under the zone's lock: whoever helped with it may be ending it too.
 * @returns false when nobody has taken it
 * @throws ERR_BUDDY_ARGUMENT when it cannot be such a block
 */
function endTaken(
  memmap: Memmap,
  zone: BuddyZone | undefined,
  { pfn, order }: { readonly pfn: number; readonly order: number },
  end: (zone: BuddyZone, index: number) => void,
): boolean {
  const index = memmap.indexOf(pfn);
  if (zone === undefined || index < 0 || order !== zone.maxOrder || pfn % 2 ** order !== 0) {
    throw new BuddyError('ERR_BUDDY_ARGUMENT', `pfn ${pfn} begins no block of order ${order}`, {
      pfn,
      order,
    });
  }
  return zone.locked(() => {
    if (takerOf(zone, index) === undefined) return false;
    end(zone, index);
    return true;
  });
}

/**
 * Frees a block that was taken and accepted.
 * @returns false when nobody has taken it: it is free already, or parked still
 * @throws ERR_BUDDY_ARGUMENT when it cannot be such a block
 */
export function freeAccepted(
  memmap: Memmap,
  zone: BuddyZone | undefined,
  pfn: number,
  order: number,
): boolean {
  return endTaken(memmap, zone, { pfn, order }, (owner, index) => {
    countTaken(owner);
    owner.freeBlockLocked(index, order, 0);
  });
}

/**
 * Withdraws a block that was taken and cannot be accepted: its pages are bad from here on and count as such.
 * @returns false when nobody has taken it
 */
export function withdrawBlock(
  memmap: Memmap,
  zone: BuddyZone | undefined,
  pfn: number,
  order: number,
): boolean {
  return endTaken(memmap, zone, { pfn, order }, ({ words, at, columns }, index) => {
    const pages = 2 ** order;
    columns.state.fill(PageState.HWPOISON, index + 1, index + pages);
    // No call from here on: until the head has its state the block is taken, and this can be done again.
    words[at + Zone.LEAKED] = words[at + Zone.LEAKED]! + pages;
    words[at + Zone.TAKEN] = words[at + Zone.TAKEN]! - 1;
    columns.state[index] = PageState.HWPOISON;
  });
}

/** A block that was taken and neither freed nor withdrawn, by whom: a tag. */
export interface TakenBlock {
  readonly pfn: number;
  readonly taker: number;
}

/** Blocks that are taken. Under the lock. */
export function takenBlocks(zone: BuddyZone): TakenBlock[] {
  const found: TakenBlock[] = [];
  if (zone.get(Zone.TAKEN) === 0) return found;
  forEachUnit(zone, (index, _state, _pages, pfn) => {
    const taker = takerOf(zone, index);
    if (taker !== undefined) found.push({ pfn, taker });
  });
  return found;
}

/**
 * Parks again what the calling thread has taken, or threads that have ended.
 * @param ofEnded  true: theirs; false: the caller's own
 */
export function returnTaken(zone: BuddyZone, ofEnded: boolean): void {
  if (zone.get(Zone.TAKEN) === 0) return;
  zone.locked(() => {
    for (const { pfn, taker } of takenBlocks(zone)) {
      if (!(ofEnded ? zone.hasEnded(taker) : taker === zone.tag)) continue;
      parkBlock(zone, zone.memmap.indexOf(pfn));
      countTaken(zone);
    }
  });
}

/** One less is taken. */
function countTaken({ words, at }: BuddyZone): void {
  words[at + Zone.TAKEN] = words[at + Zone.TAKEN]! - 1;
}

/** What an accept gate compares, without a lock. */
export function acceptStateOf(zone: BuddyZone, order: number): AcceptState {
  const promo = zone.get(Zone.MARK_PROMO);
  return {
    promo: promo === 0 ? 0 : promo + zone.get(Zone.BOOST),
    acceptedFree: zone.get(Zone.FREE) - zone.get(Zone.UNACCEPTED),
    unusable: 2 ** order - 1 + zone.get(Zone.FREE_HIGHATOMIC) + zone.get(Zone.FREE_CMA),
  };
}
