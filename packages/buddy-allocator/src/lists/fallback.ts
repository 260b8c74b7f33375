/**
 * What a zone does when the lists of the wanted migratetype are empty: convert a whole pageblock
 * ("claim") or take a single block and leave it its type ("steal"). Everything under the zone's lock.
 *
 *     claim: largest foreign block first;    steal: smallest foreign block first
 *
 * A claim below the size of a pageblock needs most of the pageblock to be free or alike, otherwise the
 * pageblock would hold a mixture. It also raises the zone's watermark boost, so that reclaim restores
 * the reserve of whole blocks. Source: Documentation/admin-guide/sysctl/vm.rst (watermark_boost_factor).
 */
import { type Geometry, Migratetype, PageState } from '@bootmem/memmap';
import { type Columns, HEAD_KIND_MASK } from '@bootmem/memmap/shared';

import { Zone, ZoneFlag } from '../base/control-layout.js';
import { boostWatermark, highatomicCap } from '../marks/watermarks.js';
import type { FreeArea } from './free-area-types.js';

const { FREE, DIRTY } = PageState;
const { UNMOVABLE, MOVABLE, RECLAIMABLE, HIGHATOMIC, CMA } = Migratetype;
// A copy: a constant of this module is folded into the code.
const KIND = HEAD_KIND_MASK;
const NONE = -1;

/** Foreign types by preference, for each type that may fall back. */
const FALLBACKS: readonly (readonly number[])[] = [
  [RECLAIMABLE, MOVABLE],
  [RECLAIMABLE, UNMOVABLE],
  [UNMOVABLE, MOVABLE],
];

/** What an allocation may do, as the lists see it. */
export const TakeFlag = { NOFRAGMENT: 1, HIGHATOMIC: 2, RESERVES: 4, CMA: 8, KSWAPD: 16 } as const;

/** Which step served the last block; a batch starts with it. */
const TakeMode = { NORMAL: 0, CMA: 1, CLAIM: 2, STEAL: 3 } as const;

/** What {@link createFallback} works on. */
interface FallbackParts {
  readonly area: FreeArea;
  readonly columns: Columns;
  readonly words: Int32Array;
  readonly at: number;
  readonly geometry: Geometry;
  readonly zoneId: number;
  readonly grouping: boolean;
  /** Whether an allocated page could be moved; default: those of Movable pageblocks. */
  readonly isMovable?: ((index: number) => boolean) | undefined;
}

/** Taking blocks with all fallbacks. */
export interface Fallback {
  /** @returns index with state `kind | order`, or -1 @kernel __rmqueue */
  rmqueue(order: number, migratetype: number, flags: number, kind: number): number;
  /** Step that served the last successful call. */
  mode(): number;
  /** Moves the free blocks of a pageblock to another type's lists; returns the pages moved. */
  movePageblock(index: number, migratetype: number): number;
  /** Reserves the pageblock of a page for high-atomic use, if the cap allows. */
  reserveHighatomic(index: number): boolean;
  /** Returns one high-atomic pageblock to `migratetype`. */
  unreserveHighatomic(migratetype: number, force: boolean): boolean;
}

/** The fallback steps over a zone's lists. */
export function createFallback(parts: FallbackParts): Fallback {
  const { area, words: w, at: z, geometry, grouping, zoneId } = parts;
  const { state, zone } = parts.columns;
  const { maxOrder, pageblockOrder } = geometry;
  const pageblockPages = 1 << pageblockOrder;
  let lastMode: number = TakeMode.NORMAL;

  const foreignAt = (order: number, migratetype: number): number => {
    for (const type of FALLBACKS[migratetype] ?? []) {
      if (area.first(order, type) !== NONE) return type;
    }
    return NONE;
  };

  const worthClaiming = (order: number, migratetype: number): boolean =>
    order >= pageblockOrder ||
    order >= pageblockOrder >> 1 ||
    migratetype === UNMOVABLE ||
    migratetype === RECLAIMABLE ||
    !grouping;

  function takeAt(found: number, order: number, type: number, into: number, kind: number): number {
    const index = area.first(found, type);
    area.journal(index, found + 1);
    const dirty = state[index]! & DIRTY;
    area.remove(index, found, type);
    area.account(-(1 << order), type);
    for (let p = index; into !== type && p < index + (1 << found); p += pageblockPages) {
      area.setType(p, into);
    }
    area.expand(index, order, found, into, dirty);
    state[index] = kind | order | dirty;
    area.journal(index, 0);
    return index;
  }

  /** Free pages of the pageblock, by its free heads; -1 when it is not entirely in the zone. */
  function freePagesIn(block: number): number {
    let free = 0;
    for (let i = block; i < block + pageblockPages;) {
      if (zone[i] !== zoneId || state[i] === 0) return NONE;
      const head = (state[i]! & KIND) === FREE;
      const pages = head ? 1 << (state[i]! & 15) : 1;
      if (head) free += pages;
      i += pages;
    }
    return free;
  }

  function movablePagesIn(block: number): number {
    const byType = parts.isMovable;
    const assume = area.typeOf(block) === MOVABLE;
    let movable = 0;
    for (let i = block; i < block + pageblockPages;) {
      const s = state[i]!;
      const head = s >= FREE;
      const pages = head ? 1 << (s & 15) : 1;
      // Reserved, offline and bad pages never move; boot-owned ones count as unmovable too.
      if (head && (s & KIND) !== FREE && (byType?.(i) ?? assume)) movable += pages;
      i += pages;
    }
    return movable;
  }

  function movePageblock(index: number, migratetype: number): number {
    const block = index & ~(pageblockPages - 1);
    let moved = 0;
    for (let i = block; i < block + pageblockPages;) {
      const s = state[i]!;
      if ((s & KIND) !== FREE || zone[i] !== zoneId) {
        i += 1;
        continue;
      }
      const order = s & 15;
      const type = area.typeOf(i);
      area.remove(i, order, type);
      area.account(-(1 << order), type);
      area.insert(i, order, migratetype, true, s & DIRTY);
      area.account(1 << order, migratetype);
      moved += 1 << order;
      i += 1 << order;
    }
    return moved;
  }

  function boost(): void {
    w[z + Zone.BOOST] = boostWatermark({
      boost: w[z + Zone.BOOST]!,
      high: w[z + Zone.MARK_HIGH]!,
      managedPages: w[z + Zone.MANAGED]!,
      pageblockPages,
    });
  }

  function tryClaim(
    order: number,
    found: number,
    type: number,
    into: number,
    flags: number,
    kind: number,
  ): number {
    if (found >= pageblockOrder) return takeAt(found, order, type, into, kind);
    boost();
    if ((flags & TakeFlag.KSWAPD) !== 0) w[z + Zone.FLAGS] = w[z + Zone.FLAGS]! | ZoneFlag.BOOSTED;
    const block = area.first(found, type) & ~(pageblockPages - 1);
    const free = freePagesIn(block);
    if (free === NONE) return NONE;
    const movable = movablePagesIn(block);
    let alike = 0;
    if (into === MOVABLE) alike = movable;
    else if (area.typeOf(block) === MOVABLE) alike = pageblockPages - free - movable;
    if (free + alike < pageblockPages >> 1 && grouping) return NONE;
    movePageblock(block, into);
    area.setType(block, into);
    return area.take(order, into, kind);
  }

  function claim(order: number, into: number, flags: number, kind: number): number {
    const noFragment = (flags & TakeFlag.NOFRAGMENT) !== 0 && order < pageblockOrder;
    const least = noFragment ? pageblockOrder : order;
    for (let found = maxOrder; found >= least; found--) {
      if (!worthClaiming(found, into)) return NONE;
      const type = foreignAt(found, into);
      if (type === NONE) continue;
      const index = tryClaim(order, found, type, into, flags, kind);
      if (index !== NONE) {
        w[z + Zone.CLAIMS] = w[z + Zone.CLAIMS]! + 1;
        return index;
      }
    }
    return NONE;
  }

  function steal(order: number, wanted: number, kind: number): number {
    for (let found = order; found <= maxOrder; found++) {
      const type = foreignAt(found, wanted);
      if (type !== NONE) {
        w[z + Zone.STEALS] = w[z + Zone.STEALS]! + 1;
        return takeAt(found, order, type, type, kind);
      }
    }
    return NONE;
  }

  function rmqueue(order: number, migratetype: number, flags: number, kind: number): number {
    let index: number;
    if ((flags & TakeFlag.HIGHATOMIC) !== 0) {
      index = area.take(order, HIGHATOMIC, kind);
      if (index !== NONE) return index;
    }
    const cma = (flags & TakeFlag.CMA) !== 0;
    if (cma && w[z + Zone.FREE_CMA]! * 2 > w[z + Zone.FREE]!) {
      index = area.take(order, CMA, kind);
      if (index !== NONE) return index;
    }
    index = area.take(order, migratetype, kind);
    lastMode = TakeMode.NORMAL;
    if (index !== NONE) return index;
    if (cma) {
      index = area.take(order, CMA, kind);
      lastMode = TakeMode.CMA;
      if (index !== NONE) return index;
    }
    index = claim(order, migratetype, flags, kind);
    lastMode = TakeMode.CLAIM;
    if (index === NONE && (flags & TakeFlag.NOFRAGMENT) === 0) {
      index = steal(order, migratetype, kind);
      lastMode = TakeMode.STEAL;
    }
    if (index === NONE && (flags & TakeFlag.RESERVES) !== 0) {
      index = area.take(order, HIGHATOMIC, kind);
    }
    return index;
  }

  function reserveHighatomic(index: number): boolean {
    const cap = highatomicCap(w[z + Zone.MANAGED]!, pageblockPages);
    if (w[z + Zone.RESERVED_HIGHATOMIC]! >= cap) return false;
    const block = index & ~(pageblockPages - 1);
    // Only types that may merge with each other are converted.
    if (area.typeOf(block) > RECLAIMABLE || freePagesIn(block) === NONE) return false;
    movePageblock(block, HIGHATOMIC);
    area.setType(block, HIGHATOMIC);
    w[z + Zone.RESERVED_HIGHATOMIC] = w[z + Zone.RESERVED_HIGHATOMIC]! + pageblockPages;
    return true;
  }

  function unreserveHighatomic(migratetype: number, force: boolean): boolean {
    if (!force && w[z + Zone.RESERVED_HIGHATOMIC]! <= pageblockPages) return false;
    for (let order = 0; order <= maxOrder; order++) {
      const index = area.first(order, HIGHATOMIC);
      if (index === NONE) continue;
      const size = 1 << Math.max(order, pageblockOrder);
      const start = index & ~(size - 1);
      for (let block = start; block < start + size; block += pageblockPages) {
        if (area.typeOf(block) !== HIGHATOMIC) continue;
        if (order < pageblockOrder) movePageblock(block, migratetype);
        w[z + Zone.RESERVED_HIGHATOMIC] = w[z + Zone.RESERVED_HIGHATOMIC]! - pageblockPages;
      }
      if (order >= pageblockOrder) {
        const dirty = state[index]! & DIRTY;
        area.remove(index, order, HIGHATOMIC);
        area.account(-(1 << order), HIGHATOMIC);
        area.insert(index, order, migratetype, true, dirty);
        area.account(1 << order, migratetype);
      }
      for (let block = start; block < start + size; block += pageblockPages) {
        area.setType(block, migratetype);
      }
      return true;
    }
    return false;
  }

  return { rmqueue, mode: () => lastMode, movePageblock, reserveHighatomic, unreserveHighatomic };
}
