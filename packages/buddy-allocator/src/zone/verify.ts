/**
 * Full consistency check of a zone: the invariants I1..I12 of the reference, by walking every list and
 * every head, and I13: nothing is held by a thread that has ended. O(blocks). Call it when no other thread is using the zone: the lists are checked under the
 * lock, but other threads' caches are theirs.
 */
import { PageState } from '@bootmem/memmap';
import { HEAD_KIND_MASK, HEAD_ORDER_MASK } from '@bootmem/memmap/shared';

import {
  CACHE_LISTS,
  CacheList,
  cacheListAt,
  cachePages,
  listTop,
  orderOfList,
  stackLayout,
} from '../base/cache-layout.js';
import { cacheAt, Header, Zone } from '../base/control-layout.js';
import { takerOf } from '../lists/parked-blocks.js';
import { forEachUnit } from '../lists/recovery.js';
import { forEachIsolated } from './isolation.js';
import { openMovesLocked } from './moves.js';
import { takenBlocks } from './unaccepted-blocks.js';
import type { BuddyZone } from './zone.js';

const { FREE, CACHED, ALLOCATED, MOVING, SHARED, UNACCEPTED, DIRTY } = PageState;
const KIND = HEAD_KIND_MASK;
const ORDER = HEAD_ORDER_MASK;
const NONE = -1;
const TYPES = 6;

/** Invariant of what nobody holds any more: nothing is broken. */
export const ORPHAN = 'I13';

/** One broken invariant. */
export interface Violation {
  /** `I1` .. `I12`: broken; `I13`: left behind by a thread that has ended. */
  readonly invariant: string;
  readonly text: string;
}

/** What a walk found. */
interface ZoneAudit {
  readonly violations: Violation[];
  readonly freePages: number;
  readonly isolatedPages: number;
  readonly cachedPages: number;
  readonly allocatedPages: number;
  readonly unacceptedPages: number;
}

/** Whose the caches of the zone are. */
interface CacheGrid {
  readonly threads: number;
  /** Position of the zone in its allocator. */
  readonly zone: number;
}

/** Checks a zone. @param grid undefined when the allocator has no caches */
export function auditZone(zone: BuddyZone, grid: CacheGrid | undefined): ZoneAudit {
  return zone.locked(() => {
    const violations: Violation[] = [];
    const fail = (invariant: string, text: string): void => {
      if (violations.length < 100) violations.push({ invariant, text });
    };
    const listed = walkLists(zone, fail);
    const units = walkUnits(zone, listed.heads, fail);
    const cached = grid === undefined ? 0 : walkCaches(zone, grid, fail);
    findOrphans(zone, fail);
    const w = (word: number): number => zone.words[zone.at + word]!;
    if (w(Zone.FREE) !== listed.free + units.unaccepted) {
      fail(
        'I7',
        `free pages ${w(Zone.FREE)}, lists hold ${listed.free} and unaccepted ${units.unaccepted}`,
      );
    }
    if (w(Zone.UNACCEPTED) !== units.unaccepted)
      fail('I7', 'unaccepted counter differs from heads');
    if (w(Zone.ISOLATED) !== listed.isolated) fail('I7', 'isolated counter differs from lists');
    if (w(Zone.FREE_BLOCKS) !== listed.large) {
      fail('I7', `free pageblock pages ${w(Zone.FREE_BLOCKS)}, lists hold ${listed.large}`);
    }
    if (listed.heads.size !== units.freeHeads) {
      fail('I1', `${units.freeHeads} free heads, ${listed.heads.size} on lists`);
    }
    if (cached !== units.cached) fail('I11', `${units.cached} cached pages, caches hold ${cached}`);
    const known =
      listed.free +
      listed.isolated +
      units.unaccepted +
      units.cached +
      units.allocated +
      units.moving;
    const apart = w(Zone.LEAKED) + units.guarded;
    if (w(Zone.TAKEN) !== units.taken) fail('I8', 'counter of taken blocks differs from heads');
    if (w(Zone.GUARD) !== units.guarded) fail('I8', 'guard counter differs from heads');
    if (w(Zone.MANAGED) !== known + apart) {
      fail('I8', `managed ${w(Zone.MANAGED)}, found ${known} and ${apart} withdrawn`);
    }
    const marks = [Zone.MARK_MIN, Zone.MARK_LOW, Zone.MARK_HIGH, Zone.MARK_PROMO].map(w);
    if (marks.some((mark, i) => i > 0 && mark < marks[i - 1]!))
      fail('I10', `marks ${marks.join(' ')}`);
    for (let j = 1; j < 5; j++) {
      const [below, above] = [w(Zone.RESERVE + j - 1), w(Zone.RESERVE + j)];
      if (above !== 0 && above < below) fail('I10', `lowmem reserve falls at ${j}`);
    }
    if (w(Zone.RESERVED_HIGHATOMIC) > Math.max(w(Zone.MANAGED) / 100 + 512, 0)) {
      fail('I11', 'high-atomic reserve above its cap');
    }
    return {
      violations,
      freePages: listed.free,
      isolatedPages: listed.isolated,
      cachedPages: units.cached,
      allocatedPages: units.allocated,
      unacceptedPages: units.unaccepted,
    };
  });
}

type Fail = (invariant: string, text: string) => void;

function walkLists(
  zone: BuddyZone,
  fail: Fail,
): { heads: Set<number>; free: number; isolated: number; large: number } {
  const { area, memmap } = zone;
  const { state } = zone.columns;
  const { maxOrder, pageblockOrder } = memmap.geometry;
  const heads = new Set<number>();
  let [free, isolated, large] = [0, 0, 0];
  const masks = new Array<number>(TYPES).fill(0);
  for (let order = 0; order <= maxOrder; order++) {
    for (let type = 0; type < TYPES; type++) {
      let blocks = 0;
      let last = NONE;
      for (let i = area.first(order, type); i !== NONE; i = area.next(i, order)) {
        if (!(i >= 0 && i < state.length)) {
          fail('I1', `a list of order ${order} leads to ${i}`);
          break;
        }
        if (heads.has(i)) {
          fail('I1', `index ${i} is on two lists`);
          break;
        }
        if (area.previous(i, order) !== last) fail('I6', `way back of ${i}, order ${order}`);
        heads.add(i);
        blocks++;
        last = i;
        if (i % 2 ** order !== 0) fail('I2', `index ${i} on a list of order ${order}`);
        if ((state[i]! & ~DIRTY) !== (FREE | order)) fail('I4', `head ${i} has state ${state[i]}`);
        for (let p = i; p < i + 2 ** order; p += 2 ** pageblockOrder) {
          if (area.typeOf(p) !== type) fail('I5', `block ${i} of order ${order} on list ${type}`);
        }
        const pfn = memmap.pfnOf(i);
        if (pfn < zone.startPfn || pfn + 2 ** order > zone.endPfn) fail('I12', `block at ${pfn}`);
        checkMerged(zone, i, { order, type }, fail);
      }
      if (area.count(order, type) !== blocks) fail('I6', `count of order ${order} type ${type}`);
      if (area.last(order, type) !== last) fail('I6', `tail of order ${order} type ${type}`);
      if (blocks > 0) masks[type] = masks[type]! | (1 << order);
      if (type === TYPES - 1) isolated += blocks * 2 ** order;
      else {
        free += blocks * 2 ** order;
        if (order >= pageblockOrder) large += blocks * 2 ** order;
      }
    }
  }
  masks.forEach((mask, type) => {
    if (zone.words[zone.at + Zone.MASK + type] !== mask) fail('I6', `mask of type ${type}`);
  });
  return { heads, free, isolated, large };
}

function checkMerged(
  zone: BuddyZone,
  index: number,
  { order, type }: { readonly order: number; readonly type: number },
  fail: Fail,
): void {
  const { maxOrder, pageblockOrder } = zone.memmap.geometry;
  if (order >= maxOrder) return;
  const buddy = index ^ (1 << order);
  const { state, zone: zoneOf } = zone.columns;
  if ((state[buddy]! & ~DIRTY) !== (FREE | order) || zoneOf[buddy] !== zone.zoneId) return;
  const other = zone.area.typeOf(buddy);
  if (order < pageblockOrder || other === type || (other < 3 && type < 3)) {
    fail('I3', `blocks ${index} and ${buddy} of order ${order} are not merged`);
  }
}

function walkUnits(
  zone: BuddyZone,
  heads: ReadonlySet<number>,
  fail: Fail,
): {
  cached: number;
  allocated: number;
  unaccepted: number;
  freeHeads: number;
  guarded: number;
  moving: number;
  taken: number;
} {
  const { state, zone: zoneOf, refs } = zone.columns;
  let [cached, allocated, unaccepted, freeHeads] = [0, 0, 0, 0];
  let [guarded, moving, taken] = [0, 0, 0];
  forEachUnit(zone, (index, s, pages) => {
    const kind = s & KIND;
    if (s >= FREE) {
      const order = s & ORDER;
      if (order > zone.maxOrder || index % pages !== 0)
        fail('I2', `head ${index} of order ${order}`);
      for (let i = index; i < index + pages; i++) {
        const free = kind === FREE || kind === CACHED;
        if (free && refs[i] !== 0) fail('I9', `free page ${i} has references`);
        if (i > index && state[i]! >= FREE) fail('I4', `head inside the block ${index}`);
        if (i > index && state[i] !== PageState.BODY)
          fail('I1', `page ${i} of block ${index} has state ${state[i]}`);
        if (zoneOf[i] !== zone.zoneId) fail('I1', `block ${index} leaves its zone`);
      }
    }
    if (kind === FREE) {
      freeHeads++;
      if (!heads.has(index)) fail('I1', `free block ${index} is on no list`);
    } else if (kind === CACHED) cached += pages;
    else if (kind === ALLOCATED || kind === SHARED) allocated += pages;
    else if (kind === MOVING) {
      moving += pages;
      if (takerOf(zone, index) !== undefined) taken++;
    } else if (kind === UNACCEPTED) unaccepted += pages;
    else if (kind === PageState.GUARD) guarded += pages;
  });
  return { cached, allocated, unaccepted, freeHeads, guarded, moving, taken };
}

function findOrphans(zone: BuddyZone, fail: Fail): void {
  forEachIsolated(zone, (pfn, owner) => {
    if (zone.hasEnded(owner)) fail(ORPHAN, `pageblock at ${pfn} is isolated by nobody`);
  });
  for (const { pfn, taker } of takenBlocks(zone)) {
    if (zone.hasEnded(taker)) fail(ORPHAN, `block at ${pfn} waits to be accepted by nobody`);
  }
  for (const { from, to, pages } of openMovesLocked(zone)) {
    fail(ORPHAN, `${pages} pages at ${to} wait for a move from ${from}`);
  }
}

function walkCaches(zone: BuddyZone, grid: CacheGrid, fail: Fail): number {
  const { state } = zone.columns;
  const w = zone.words;
  const { floors, capacities } = stackLayout(w[Header.CACHE_SHARE]!);
  const seen = new Set<number>();
  let total = 0;
  for (let thread = 1; thread <= grid.threads; thread++) {
    const at = cacheAt(w, grid.zone, thread);
    let pages = 0;
    for (let list = 0; list < CACHE_LISTS; list++) {
      const order = orderOfList(list);
      const l = at + cacheListAt(list);
      const [top, bottom] = [listTop(w, l), w[l + CacheList.BOTTOM]!];
      const floor = at + floors[list]!;
      // A cache that no thread has used yet is all zero.
      const inside = bottom >= floor && top <= floor + capacities[list]!;
      if (!inside && (top !== 0 || bottom !== 0)) {
        fail('I11', `list ${list} of thread ${thread} spans ${bottom}..${top}`);
        continue;
      }
      for (let entry = bottom + 1; entry <= top; entry++) {
        const index = w[entry]!;
        if (seen.has(index)) fail('I11', `page ${index} is in two caches`);
        seen.add(index);
        if ((state[index]! & (KIND | ORDER)) !== (CACHED | order)) {
          fail('I11', `cached page ${index} has state ${state[index]}`);
        }
        pages += 2 ** order;
      }
    }
    if (cachePages(w, at) !== pages) fail('I11', `cache of thread ${thread} holds ${pages} pages`);
    if (pages > 0 && !zone.isAlive(thread))
      fail(ORPHAN, `${pages} pages in the cache of ${thread}`);
    total += pages;
  }
  return total;
}
