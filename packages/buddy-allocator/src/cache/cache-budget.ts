/**
 * How much each list of a cache may hold, and all of them together.
 *
 *     share  [ order 0 movable ........ ][ order 1 movable .. ][ 0 unmovable . ][ free ]     pages
 *
 * A hit counts nothing, so what a thread holds is bounded by its lists' limits: their sum, in pages, is at most the
 * thread's share. A list that is not used has no limit. One that wants more than is left gets it from the largest, if
 * that stays at least as large as the other becomes: so a thread that uses one size has all of its share there, and
 * with several sizes the shares even out instead of going to and fro.
 */
import { CACHE_LISTS, orderOfList } from '../base/cache-layout.js';

/** Bound the limits: less than a stack has room for. */
const MAX_PAGES = 4000;
const MAX_BLOCKS = 1000;
const COSTLY_ORDER = 3;
/** Entries of a list of blocks above the costly order, in a large zone. */
const FEW_ENTRIES = 16;

/** Sizes of the lists of one order, in entries. */
export interface OrderSizes {
  readonly batch: number;
  readonly first: number;
  readonly most: number;
}

const NOT_CACHED: OrderSizes = { batch: 0, first: 0, most: 0 };

/**
 * Sizes for an order: orders 0..3 share the batch and the first limit in pages; a list may grow to a thread's share
 * (order 0) or a quarter of it. Larger blocks: 1/128 of the zone and a quarter of the share, at most 16 blocks.
 */
export function ownSizes(
  order: number,
  zone: { batch: number; highMin: number; highMax: number; managed: number },
): OrderSizes {
  const share = zone.highMax;
  if (share >> order === 0) return NOT_CACHED;
  if (order > COSTLY_ORDER) {
    const few = Math.min(FEW_ENTRIES, zone.managed >> (order + 7), share >> (order + 2));
    return few > 1 ? { batch: few >> 1, first: few, most: few } : NOT_CACHED;
  }
  const bound = Math.min(order === 0 ? MAX_PAGES : MAX_BLOCKS, share >> order);
  const first = Math.min(bound, Math.max(2, zone.highMin >> order));
  const most = Math.min(bound, Math.max(first, share >> (order === 0 ? 0 : order + 2)));
  return { batch: Math.max(1, Math.min(zone.batch, share >> 2) >> order), first, most };
}

/** Limits of the lists of one cache. */
export interface Budget {
  /** By list, in entries. Read only. */
  readonly limits: Int32Array;
  /**
   * Raises a list's limit as far as the share allows, at the cost of larger lists.
   * @param entries  limit wanted
   * @returns true when it rose
   */
  readonly grow: (list: number, entries: number) => boolean;
  /** All limits are 0 again. @param share  pages that they may come to from now on; default as before */
  readonly restart: (share?: number) => void;
}

/** @param shrink  makes a list hold no more than its new limit */
export function createBudget(shrink: (list: number, limit: number) => void): Budget {
  const limits = new Int32Array(CACHE_LISTS);
  let left = 0;
  let whole = 0;
  /** Counts changes of limits; what was refused since the last one is refused again without a search. */
  let changes = 1;
  const refusedAt = new Int32Array(CACHE_LISTS);

  /** The list with the most pages, other than `list`. */
  function largest(list: number): number {
    let found = -1;
    for (let other = 0; other < CACHE_LISTS; other++) {
      if (other === list || limits[other] === 0) continue;
      if (found < 0 || pagesOf(other) > pagesOf(found)) found = other;
    }
    return found;
  }

  const pagesOf = (list: number): number => limits[list]! << orderOfList(list);

  function grow(list: number, entries: number): boolean {
    if (refusedAt[list] === changes) return false;
    const order = orderOfList(list);
    const before = limits[list]!;
    if (entries <= before) return false;
    for (let wanted = entries; wanted > before;) {
      const missing = ((wanted - before) << order) - left;
      if (missing <= 0) {
        limits[list] = wanted;
        left -= (wanted - before) << order;
        changes++;
        return true;
      }
      const other = largest(list);
      if (other >= 0 && pagesOf(other) >= 2 * (wanted << order)) halve(other);
      else wanted = before + ((wanted - before) >> 1);
    }
    refusedAt[list] = changes;
    return false;
  }

  function halve(list: number): void {
    const limit = limits[list]! >> 1;
    // First: it may wait for the lock in vain.
    shrink(list, limit);
    left += (limits[list]! - limit) << orderOfList(list);
    limits[list] = limit;
    changes++;
  }

  return {
    limits,
    grow,
    restart(share = whole) {
      whole = share;
      left = share;
      limits.fill(0);
      changes++;
    },
  };
}
