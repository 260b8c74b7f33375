/**
 * Walks over one list, or over one list minus another: the core of every "for each range".
 *
 * ```
 *   A (memory)     |=========|        |==============|
 *   B (reserved)       |==|               |==|    |======|
 *   gaps of B      0...|  |...............|  |....|      |...top
 *   yielded        |===|  |==|        |===|  |====|
 * ```
 *
 * A cursor keeps two indexes, of the region of A and of the gap of B in front of B's index-th entry;
 * they mean the same when the lists change during the walk, as the kernel's packed 64-bit cursor does.
 * While a list is unchanged (same `version`) the place of the index is kept too, so a step is O(1).
 *
 * Two touching reservations have an empty gap between them, and it is yielded as an empty range: the
 * kernel does so.
 *
 * Source: Documentation/core-api/boot-time-mm.rst (the walks and what they skip).
 */
import { MemFlags, PHYS_ADDR_MAX } from '../base/constants.js';
import { attrFlags, attrNid } from './attributes.js';
import type { RegionList } from './region-list.js';
import { CHUNK_SIZE } from './chunk-slots.js';

/** Which regions of `memory` a walk passes over. */
export interface RegionFilter {
  /** Only this node; -1 for any. */
  readonly nid: number;
  /** Skip a region that has any of these flags. */
  readonly hide: number;
  /** Skip a region that lacks any of these flags. */
  readonly require: number;
}

/** Passes over nothing. */
export const NO_FILTER: RegionFilter = { nid: -1, hide: 0, require: 0 };

/**
 * The filter of a walk over `memory` that asks for `flags`: MIRROR and KHO_SCRATCH are required,
 * HOTPLUG, NOMAP and DRIVER_MANAGED are only permitted.
 * @param nid node wanted, any value outside 0 .. maxNodes - 1 for all
 * @param flags bits of MemFlags asked for
 * @param movableNode whether removable memory is hidden at all
 */
export function memoryFilter(
  nid: number,
  flags: number,
  maxNodes: number,
  movableNode: boolean,
): RegionFilter {
  const permitted = MemFlags.NOMAP | MemFlags.DRIVER_MANAGED | (movableNode ? MemFlags.HOTPLUG : 0);
  return {
    nid: nid >= 0 && nid < maxNodes ? nid : -1,
    hide: permitted & ~flags,
    require: flags & (MemFlags.MIRROR | MemFlags.KHO_SCRATCH),
  };
}

/** Whether a region with these packed attributes is passed over. */
export function isHidden(filter: RegionFilter, attr: number): boolean {
  if (filter.nid >= 0 && attrNid(attr) !== filter.nid) return true;
  const flags = attrFlags(attr);
  return (flags & filter.hide) !== 0 || (filter.require & ~flags) !== 0;
}

/** A walk; see the head of this module. `start`, `end` and `nid` belong to the range last yielded. */
export class RangeCursor {
  /** First byte of the range. */
  start = 0;
  /** End of the range, exclusive. */
  end = 0;
  /** Node of the region of A that the range lies in. */
  nid = 0;

  private readonly a: RegionList;
  private readonly b: RegionList | undefined;
  private readonly filter: RegionFilter;
  private readonly reverse: boolean;

  private indexA: number;
  private indexB: number;
  // Places of the two indexes: position in the typed arrays, and the bounds of the chunk around it.
  private chunkA = 0;
  private posA = 0;
  private lowA = 0;
  private highA = 0;
  private versionA = -1;
  private chunkB = 0;
  private posB = 0;
  private lowB = 0;
  private highB = 0;
  private versionB = -1;

  /**
   * @param a list walked over
   * @param b list whose regions are cut out, or undefined
   * @param filter regions of `a` to pass over
   * @param reverse from the highest address down
   */
  constructor(
    a: RegionList,
    b: RegionList | undefined,
    filter: RegionFilter = NO_FILTER,
    reverse = false,
  ) {
    this.a = a;
    this.b = b;
    this.filter = filter;
    this.reverse = reverse;
    this.indexA = reverse ? a.count - 1 : 0;
    this.indexB = reverse && b !== undefined ? b.count : 0;
  }

  /**
   * Goes to the next range. O(1) amortised while the lists are unchanged.
   * @returns false when there is none; the fields then keep the last range
   */
  next(): boolean {
    if (this.versionA !== this.a.version) this.syncA();
    if (this.b !== undefined && this.versionB !== this.b.version) this.syncB(this.b);
    return this.reverse ? this.nextDown() : this.nextUp();
  }

  private nextUp(): boolean {
    const { a, b, filter } = this;
    for (; this.indexA < a.count; this.stepA()) {
      const attr = a.attr[this.posA]!;
      if (isHidden(filter, attr)) continue;
      const start = a.base[this.posA]!;
      const end = a.end[this.posA]!;
      if (b === undefined) {
        this.yieldRange(start, end, attr);
        this.stepA();
        return true;
      }
      const count = b.count;
      for (; this.indexB <= count; this.stepB(b)) {
        const gapStart = this.gapStart(b);
        if (gapStart >= end) break;
        const gapEnd = this.indexB < count ? b.base[this.posB]! : PHYS_ADDR_MAX;
        if (start < gapEnd) {
          this.yieldRange(start > gapStart ? start : gapStart, end < gapEnd ? end : gapEnd, attr);
          if (end <= gapEnd) this.stepA();
          else this.stepB(b);
          return true;
        }
      }
    }
    return false;
  }

  private nextDown(): boolean {
    const { a, b, filter } = this;
    for (; this.indexA >= 0; this.backA()) {
      const attr = a.attr[this.posA]!;
      if (isHidden(filter, attr)) continue;
      const start = a.base[this.posA]!;
      const end = a.end[this.posA]!;
      if (b === undefined) {
        this.yieldRange(start, end, attr);
        this.backA();
        return true;
      }
      const count = b.count;
      for (; this.indexB >= 0; this.backB(b)) {
        const gapEnd = this.indexB < count ? b.base[this.posB]! : PHYS_ADDR_MAX;
        if (gapEnd <= start) break;
        const gapStart = this.gapStart(b);
        if (end > gapStart) {
          this.yieldRange(start > gapStart ? start : gapStart, end < gapEnd ? end : gapEnd, attr);
          if (start >= gapStart) this.backA();
          else this.backB(b);
          return true;
        }
      }
    }
    return false;
  }

  private yieldRange(start: number, end: number, attr: number): void {
    this.start = start;
    this.end = end;
    this.nid = attrNid(attr);
  }

  /** Where the gap in front of B's current entry begins. */
  private gapStart(b: RegionList): number {
    if (this.posB > this.lowB) return b.end[this.posB - 1]!;
    if (this.chunkB === 0) return 0;
    return b.end[b.before(this.chunkB, 0)]!;
  }

  private syncA(): void {
    const a = this.a;
    this.versionA = a.version;
    a.placeOf(this.indexA < 0 ? a.count : this.indexA);
    this.enterA(a.at.d, a.at.i);
  }

  private syncB(b: RegionList): void {
    this.versionB = b.version;
    // The index may lie behind the end after reservations have merged: the last gap then.
    b.placeOf(this.indexB);
    this.enterB(b, b.at.d, b.at.i);
  }

  private enterA(d: number, i: number): void {
    this.chunkA = d;
    if (d >= this.a.chunks) {
      this.lowA = this.posA = this.highA = 0;
      return;
    }
    this.lowA = this.a.order[d]! * CHUNK_SIZE;
    this.posA = this.lowA + i;
    this.highA = this.lowA + this.a.chunkCount(d);
  }

  private enterB(b: RegionList, d: number, i: number): void {
    this.chunkB = d;
    if (d >= b.chunks) {
      this.lowB = this.posB = this.highB = 0;
      return;
    }
    this.lowB = b.order[d]! * CHUNK_SIZE;
    this.posB = this.lowB + i;
    this.highB = this.lowB + b.chunkCount(d);
  }

  // The four steps give the new index, so that a loop can use them as its last part.
  private stepA(): number {
    this.indexA++;
    this.posA++;
    if (this.posA >= this.highA) this.enterA(this.chunkA + 1, 0);
    return this.indexA;
  }

  private backA(): number {
    this.indexA--;
    if (this.posA > this.lowA) this.posA--;
    else if (this.chunkA > 0) this.enterA(this.chunkA - 1, this.a.chunkCount(this.chunkA - 1) - 1);
    return this.indexA;
  }

  private stepB(b: RegionList): number {
    this.indexB++;
    this.posB++;
    if (this.posB >= this.highB) this.enterB(b, this.chunkB + 1, 0);
    return this.indexB;
  }

  private backB(b: RegionList): number {
    this.indexB--;
    if (this.indexB >= b.count) return this.indexB;
    if (this.posB > this.lowB) this.posB--;
    else if (this.chunkB > 0) this.enterB(b, this.chunkB - 1, b.chunkCount(this.chunkB - 1) - 1);
    return this.indexB;
  }
}
