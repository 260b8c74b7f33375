/**
 * Free lists of one zone: the buddy algorithm itself, everything under the zone's lock.
 *
 *     order 2   [--------block--------]            free(a): buddy b of a is free, of the same order and
 *     order 1   [----a----][----b----]             zone -> both become one block of the next order
 *     order 0   [a1][a2]
 *
 * Blocks lie on doubly linked lists by order and migratetype; the links are columns of the memmap, by
 * descriptor index, -1 for none; blocks of the maximum order have theirs in `topLinks`. One bit per
 * non-empty list makes "smallest block that fits" a bit operation.
 *
 * A change records the block it is about as the zone's in-flight region before it touches anything, and
 * widens it at each merge: if the thread dies in between, the region is free memory and all lists can be
 * rebuilt from the state bytes (recovery.ts).
 *
 * Written as a closure over constants: the inner loops touch only locals and typed arrays.
 * Invariants: I2 aligned, I3 no unmerged pair, I4 head bytes, I5 list type = pageblock type, I6 counts.
 *
 * Source: D. Knuth, TAOCP vol. 1, 2.5 (buddy system); Documentation/mm/physical_memory.rst.
 */
import { type Geometry, Migratetype, PageState } from '@bootmem/memmap';
import { type Columns, PAGEBLOCK_TYPE_MASK, PageblockBit } from '@bootmem/memmap/shared';

import { listWord, Zone } from '../base/control-layout.js';
import type { FreeArea } from './free-area-types.js';

const { FREE, BODY, DIRTY, GUARD } = PageState;
const ISOLATE = Migratetype.ISOLATE;
const MERGEABLE = 3;
const NONE = -1;
// A copy of an imported value is folded into the code; the import itself is read each time.
const TYPE_MASK = PAGEBLOCK_TYPE_MASK;
const ISOLATED = PageblockBit.ISOLATED;
/** Words of a list, and of the lists of one order. */
const LIST_WORDS = 3;
const ORDER_WORDS = 6 * LIST_WORDS;

/** Where a zone's lists live. */
interface FreeAreaParts {
  readonly columns: Columns;
  readonly words: Int32Array;
  /** Offset of the zone's block in `words`. */
  readonly at: number;
  readonly zoneId: number;
  readonly geometry: Geometry;
  /** Left-overs of splits below this order become guard blocks; 0 for none. */
  readonly guardMinOrder?: number;
  /** The descriptors have no other zone: a free block is this one's, and its zone byte is not looked at. */
  readonly alone?: boolean;
}

/** Free lists over shared words. The zone's words must have been initialised once with `reset`. */
export function createFreeArea(parts: FreeAreaParts): FreeArea {
  const { words: w, at: z, zoneId } = parts;
  const { state, zone, links, topLinks, pageblocks } = parts.columns;
  const { maxOrder, pageblockOrder } = parts.geometry;
  const LISTS = z + Zone.LISTS;
  const MASK = z + Zone.MASK;
  const FREE_PAGES = z + Zone.FREE;
  const FREE_BLOCKS = z + Zone.FREE_BLOCKS;
  const JOURNAL_INDEX = z + Zone.JOURNAL_INDEX;
  const JOURNAL_ORDER = z + Zone.JOURNAL_ORDER;
  const LIKELY_BELOW = maxOrder - 1;
  const guardBelow = parts.guardMinOrder ?? 0;
  const alone = parts.alone === true;
  const GUARDED = z + Zone.GUARD;

  function typeOf(index: number): number {
    const byte = pageblocks[index >>> pageblockOrder]!;
    return (byte & ISOLATED) !== 0 ? ISOLATE : byte & TYPE_MASK;
  }

  function setType(index: number, migratetype: number): void {
    const at = index >>> pageblockOrder;
    pageblocks[at] = (pageblocks[at]! & ~TYPE_MASK) | migratetype;
  }

  function account(pages: number, migratetype: number): void {
    if (migratetype < MERGEABLE) {
      w[FREE_PAGES] = w[FREE_PAGES]! + pages;
      return;
    }
    if (migratetype === ISOLATE) {
      w[z + Zone.ISOLATED] = w[z + Zone.ISOLATED]! + pages;
      return;
    }
    w[FREE_PAGES] = w[FREE_PAGES]! + pages;
    const special = migratetype === Migratetype.CMA ? Zone.FREE_CMA : Zone.FREE_HIGHATOMIC;
    w[z + special] = w[z + special]! + pages;
  }

  function countBlock(list: number, order: number, migratetype: number, by: 1 | -1): void {
    w[list + 2] = w[list + 2]! + by;
    if (order >= pageblockOrder && migratetype !== ISOLATE) {
      w[FREE_BLOCKS] = w[FREE_BLOCKS]! + (by << order);
    }
  }

  // Blocks below the maximum order, which is nearly all of the traffic: links by index.
  function insertLow(
    index: number,
    order: number,
    migratetype: number,
    tail: boolean,
    dirty: number,
  ): void {
    const list = LISTS + (order * 6 + migratetype) * 3;
    const slot = index << 1;
    const head = w[list]!;
    state[index] = FREE | order | dirty;
    if (head === NONE) {
      w[list] = index;
      w[list + 1] = index;
      links[slot] = NONE;
      links[slot + 1] = NONE;
      w[MASK + migratetype] = w[MASK + migratetype]! | (1 << order);
    } else if (tail) {
      const last = w[list + 1]!;
      links[slot] = NONE;
      links[slot + 1] = last;
      links[last << 1] = index;
      w[list + 1] = index;
    } else {
      links[slot] = head;
      links[slot + 1] = NONE;
      links[(head << 1) + 1] = index;
      w[list] = index;
    }
    countBlock(list, order, migratetype, 1);
  }

  function removeLow(index: number, order: number, migratetype: number): void {
    const list = LISTS + (order * 6 + migratetype) * 3;
    const slot = index << 1;
    const next = links[slot]!;
    const previous = links[slot + 1]!;
    if (previous === NONE) w[list] = next;
    else links[previous << 1] = next;
    if (next === NONE) {
      w[list + 1] = previous;
      if (previous === NONE) w[MASK + migratetype] = w[MASK + migratetype]! & ~(1 << order);
    } else links[(next << 1) + 1] = previous;
    countBlock(list, order, migratetype, -1);
  }

  // Blocks of the maximum order: their links lie together.
  function insertTop(index: number, migratetype: number, tail: boolean, dirty: number): void {
    const list = LISTS + (maxOrder * 6 + migratetype) * 3;
    const slot = (index >>> maxOrder) << 1;
    const head = w[list]!;
    const last = w[list + 1]!;
    state[index] = FREE | maxOrder | dirty;
    topLinks[slot] = tail ? NONE : head;
    topLinks[slot + 1] = tail ? last : NONE;
    if (head === NONE) w[MASK + migratetype] = w[MASK + migratetype]! | (1 << maxOrder);
    else if (tail) topLinks[(last >>> maxOrder) << 1] = index;
    else topLinks[((head >>> maxOrder) << 1) + 1] = index;
    if (tail || head === NONE) w[list + 1] = index;
    if (!tail || head === NONE) w[list] = index;
    countBlock(list, maxOrder, migratetype, 1);
  }

  function removeTop(index: number, migratetype: number): void {
    const list = LISTS + (maxOrder * 6 + migratetype) * 3;
    const slot = (index >>> maxOrder) << 1;
    const next = topLinks[slot]!;
    const previous = topLinks[slot + 1]!;
    if (previous === NONE) w[list] = next;
    else topLinks[(previous >>> maxOrder) << 1] = next;
    if (next === NONE) w[list + 1] = previous;
    else topLinks[((next >>> maxOrder) << 1) + 1] = previous;
    if (previous === NONE && next === NONE) {
      w[MASK + migratetype] = w[MASK + migratetype]! & ~(1 << maxOrder);
    }
    countBlock(list, maxOrder, migratetype, -1);
  }

  function insert(
    index: number,
    order: number,
    migratetype: number,
    tail: boolean,
    dirty: number,
  ): void {
    if (order === maxOrder) insertTop(index, migratetype, tail, dirty);
    else insertLow(index, order, migratetype, tail, dirty);
  }

  function remove(index: number, order: number, migratetype: number): void {
    if (order === maxOrder) removeTop(index, migratetype);
    else removeLow(index, order, migratetype);
  }

  function retype(index: number, order: number, migratetype: number): void {
    const end = index + (1 << order);
    for (let at = index; at < end; at += 1 << pageblockOrder) setType(at, migratetype);
  }

  // Nearly all frees end below the order of a pageblock, where every block is of its pageblock's type: list
  // operations are written out there, which halves the time of a free that merges.
  //
  // "| 0" says that a number has 32 bits. Of an argument the engine does not know that: it would look at each store whether
  // it is a double, and at each sum whether it is too large.
  function free(index: number, order: number, tail: boolean, dirty: number): void {
    let i = index | 0;
    let o = order | 0;
    let old = dirty | 0;
    w[JOURNAL_INDEX] = i;
    w[JOURNAL_ORDER] = (o + 1) | 0;
    const migratetype = typeOf(i);
    account(1 << o, migratetype);
    let list = (LISTS + Math.imul(o, ORDER_WORDS) + Math.imul(migratetype, LIST_WORDS)) | 0;
    while (o < pageblockOrder) {
      const buddy = i ^ (1 << o);
      const found = state[buddy]!;
      if ((found & ~DIRTY) === (FREE | o)) {
        if (!alone && zone[buddy] !== zoneId) break;
        // Wide first: from here on the buddy counts as part of the block in flight.
        w[JOURNAL_ORDER] = (o + 2) | 0;
        const next = links[buddy << 1]!;
        const previous = links[(buddy << 1) | 1]!;
        if (previous === NONE) w[list] = next;
        else links[previous << 1] = next;
        if (next === NONE) {
          w[(list + 1) | 0] = previous;
          if (previous === NONE) w[MASK + migratetype] = w[MASK + migratetype]! & ~(1 << o);
        } else links[(next << 1) | 1] = previous;
        w[(list + 2) | 0] = w[(list + 2) | 0]! - 1;
      } else {
        if (o >= guardBelow || !absorbGuard(buddy, o, migratetype)) break;
        w[JOURNAL_ORDER] = (o + 2) | 0;
      }
      old |= found & DIRTY;
      // The upper half; the lower one is overwritten by a further merge or as the head.
      state[i | buddy] = BODY;
      i &= buddy;
      o = (o + 1) | 0;
      list = (list + ORDER_WORDS) | 0;
    }
    if (o >= pageblockOrder) freeLarge(i, o, migratetype, tail, old);
    else {
      let atTail = tail ? 1 : 0;
      if (o < LIKELY_BELOW) {
        // The pair's pair: free, of the next order? 1 then, without a branch that nobody can foresee.
        const other = (i & ~(1 << o)) ^ (2 << o);
        const differs = (state[other]! & ~DIRTY) ^ (FREE | (o + 1));
        if (alone || zone[other] === zoneId) atTail |= (differs - 1) >>> 31;
      }
      const head = w[list]!;
      state[i] = FREE | o | old;
      if (head === NONE) {
        w[list] = i;
        w[(list + 1) | 0] = i;
        links[i << 1] = NONE;
        links[(i << 1) | 1] = NONE;
        w[MASK + migratetype] = w[MASK + migratetype]! | (1 << o);
      } else {
        // As in insertLow, for either end at once: -1 is all ones, and no block.
        const last = w[(list + 1) | 0]!;
        const neighbour = head ^ ((head ^ last) & -atTail);
        links[i << 1] = head | -atTail;
        links[(i << 1) | 1] = last | (atTail - 1);
        links[(neighbour << 1) | (atTail ^ 1)] = i;
        w[(list + atTail) | 0] = i;
      }
      w[(list + 2) | 0] = w[(list + 2) | 0]! + 1;
    }
    w[JOURNAL_ORDER] = 0;
  }

  /** The rest of a free from the pageblock order on: types may differ, links may be those of largest blocks. */
  function freeLarge(
    index: number,
    order: number,
    migratetype: number,
    tail: boolean,
    dirty: number,
  ): void {
    let i = index;
    let o = order;
    let old = dirty;
    while (o < maxOrder) {
      const buddy = i ^ (1 << o);
      const found = state[buddy]!;
      if ((found & ~DIRTY) === (FREE | o) && zone[buddy] === zoneId) {
        const type = typeOf(buddy);
        if (type !== migratetype && (type >= MERGEABLE || migratetype >= MERGEABLE)) break;
        w[JOURNAL_ORDER] = o + 2;
        removeLow(buddy, o, type);
        if (type !== migratetype) retype(buddy, o, migratetype);
      } else {
        if (!absorbGuard(buddy, o, migratetype)) break;
        w[JOURNAL_ORDER] = o + 2;
      }
      old |= found & DIRTY;
      state[i | buddy] = BODY;
      i &= buddy;
      o++;
    }
    insert(i, o, migratetype, tail || (o < LIKELY_BELOW && mergeLikely(i, o)), old);
  }

  /** A guard block merges back like a free one, but lies on no list. */
  function absorbGuard(buddy: number, order: number, migratetype: number): boolean {
    if (order >= guardBelow || zone[buddy] !== zoneId) return false;
    if ((state[buddy]! & ~DIRTY) !== (GUARD | order)) return false;
    w[GUARDED] = w[GUARDED]! - (1 << order);
    account(1 << order, migratetype);
    return true;
  }

  // The combined block's buddy is free: this block will probably be merged away soon.
  function mergeLikely(index: number, order: number): boolean {
    const combined = index & ~(1 << order);
    const other = combined ^ (1 << (order + 1));
    return (state[other]! & ~DIRTY) === (FREE | (order + 1)) && (alone || zone[other] === zoneId);
  }

  function expand(
    index: number,
    low: number,
    high: number,
    migratetype: number,
    dirty: number,
  ): void {
    for (let o = high - 1; o >= low; o--) {
      const half = index + (1 << o);
      if (o >= guardBelow) {
        insertLow(half, o, migratetype, false, dirty);
      } else {
        state[half] = GUARD | o | dirty;
        w[GUARDED] = w[GUARDED]! + (1 << o);
        account(-(1 << o), migratetype);
      }
    }
  }

  function take(order: number, migratetype: number, kind: number): number {
    const fitting = (w[MASK + migratetype]! >>> order) << order;
    if (fitting === 0) return NONE;
    const high = 31 - Math.clz32(fitting & -fitting);
    const index = w[LISTS + (high * 6 + migratetype) * 3]!;
    w[JOURNAL_INDEX] = index;
    w[JOURNAL_ORDER] = high + 1;
    const dirty = state[index]! & DIRTY;
    remove(index, high, migratetype);
    account(-(1 << order), migratetype);
    if (high > order) expand(index, order, high, migratetype, dirty);
    state[index] = kind | order | dirty;
    w[JOURNAL_ORDER] = 0;
    return index;
  }

  return {
    typeOf,
    setType,
    insert,
    remove,
    free,
    take,
    expand,
    account,
    first: (order, migratetype) => w[z + listWord(order, migratetype)]!,
    last: (order, migratetype) => w[z + listWord(order, migratetype) + 1]!,
    next: (index, order) =>
      order === maxOrder ? topLinks[(index >>> maxOrder) << 1]! : links[index << 1]!,
    previous: (index, order) =>
      order === maxOrder ? topLinks[((index >>> maxOrder) << 1) + 1]! : links[(index << 1) + 1]!,
    count: (order, migratetype) => w[z + listWord(order, migratetype) + 2]!,
    reset() {
      w.fill(0, z + Zone.MASK, z + Zone.MASK + 8);
      for (let at = z + Zone.LISTS; at < z + Zone.WORDS; at += 3) {
        w[at] = NONE;
        w[at + 1] = NONE;
        w[at + 2] = 0;
      }
      for (const counter of FREE_COUNTERS) w[z + counter] = 0;
      w[z + Zone.UNACCEPTED_HEAD] = NONE;
      w[z + Zone.UNACCEPTED_TAIL] = NONE;
      w[z + Zone.UNACCEPTED_COUNT] = 0;
    },
    journal(index, orderPlusOne) {
      w[JOURNAL_INDEX] = index;
      w[JOURNAL_ORDER] = orderPlusOne;
    },
  };
}

const FREE_COUNTERS = [
  Zone.FREE,
  Zone.ISOLATED,
  Zone.FREE_HIGHATOMIC,
  Zone.FREE_CMA,
  Zone.FREE_BLOCKS,
  Zone.UNACCEPTED,
] as const;
