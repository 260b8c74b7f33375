/**
 * Blocks of a zone that must be accepted before use: parked on a list of their own, counted as free so that
 * marks see them, and handed to the accept gate one by one.
 *
 * Each change takes the zone's lock. Between `take` and `freeAccepted` a block belongs to the caller, as
 * boot-owned pages do.
 */
import { type Memmap, PageState } from '@bootmem/memmap';

import { Zone } from '../base/control-layout.js';
import { BuddyError } from '../base/errors.js';
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

/** Parks a boot-owned block of the maximum order. @throws ERR_BUDDY_ARGUMENT when it is not boot-owned */
export function parkUnaccepted(memmap: Memmap, zone: BuddyZone, pfn: number): void {
  const index = memmap.indexOf(pfn);
  if (index < 0 || zone.columns.state[index] !== PageState.BODY) {
    throw new BuddyError('ERR_BUDDY_ARGUMENT', `pfn ${pfn} is not boot-owned`, { pfn });
  }
  zone.locked(() => {
    zone.parkLocked(index);
  });
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
    zone.unparkLocked(index);
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
    zone.unparkLocked(index);
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
  if (zone === undefined || index < 0 || pfn % 2 ** order !== 0) {
    throw new BuddyError('ERR_BUDDY_ARGUMENT', `pfn ${pfn} begins no block of order ${order}`, {
      pfn,
      order,
    });
  }
  return zone.locked(() => {
    if (zone.columns.state[index] !== PageState.BODY) return false;
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
    words[at + Zone.LEAKED] = words[at + Zone.LEAKED]! + 2 ** order;
    columns.state.fill(PageState.HWPOISON, index, index + 2 ** order);
  });
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
