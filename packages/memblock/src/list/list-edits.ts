/**
 * The edits of a list: fill the gaps of a range, cut a range out, rewrite what lies in it.
 *
 * ```
 *   list     |--- A ---|      |-- B --|
 *   fill          [-----------------------)     new regions only where nothing was
 *            |--- A ---|--new--|-- B --|-new-|  neighbours that touch and are alike become one
 *   cut           [------------)
 *            |-A-|             |- B --|
 *   rewrite       [------------)                splits at both ends, joins what has become alike
 * ```
 *
 * Each edit collects the new contents of a window in a buffer and puts it in place in one step; the
 * common small cases (a range that meets nothing, a cut inside one region) go straight to the list.
 */
import { attrFlags, attrNid, packAttr } from './attributes.js';
import { EntryBuffer } from './entry-buffer.js';
import type { RegionList } from './region-list.js';
import type { Place } from './unrolled-list.js';

/**
 * Told of every region in front of which a gap is going to be filled, before anything has changed: it may call the program back,
 * which may throw, or edit the lists itself.
 */
export interface OverlapListener {
  /** `position`: of the region; `attr`: what the gap is filled with. */
  overlapped(list: RegionList, position: number, attr: number): void;
}

function nextPlace(list: RegionList, place: Place): Place {
  return place.i + 1 < list.chunkCount(place.d)
    ? { d: place.d, i: place.i + 1 }
    : { d: place.d + 1, i: 0 };
}

/** Edits of lists, with a buffer that is used again and again. */
export class ListEditor {
  private readonly buffer = new EntryBuffer();
  private readonly listener: OverlapListener;

  /** @param listener told of overlaps while gaps are filled */
  constructor(listener: OverlapListener) {
    this.listener = listener;
  }

  /** Number of pieces of [base, end) that no region covers; with an `attr`, the listener is told as by {@link fill}. */
  countGaps(list: RegionList, base: number, end: number, attr?: number): number {
    let gaps = 0;
    let cursor = base;
    let p = list.locate(base);
    const { d, i } = list.at;
    let place = { d, i };
    while (p >= 0 && list.base[p]! < end) {
      if (list.base[p]! > cursor) {
        gaps++;
        if (attr !== undefined) this.listener.overlapped(list, p, attr);
      }
      cursor = Math.min(list.end[p]!, end);
      place = nextPlace(list, place);
      p = place.d < list.chunks ? list.slotIndex(place.d, place.i) : -1;
    }
    return cursor < end ? gaps + 1 : gaps;
  }

  /** Fills what no region covers of [base, end); the total follows. The listener is told first. */
  fill(list: RegionList, base: number, end: number, attr: number): void {
    const met = list.locate(base);
    if (met >= 0 && list.base[met]! < end) {
      this.countGaps(list, base, end, attr);
      this.fillAround(list, base, end, attr);
    } else this.insertAlone(list, base, end, attr);
  }

  private fillAround(list: RegionList, base: number, end: number, attr: number): void {
    // Looked up again: the listener may have edited the list.
    const p = list.locate(base);
    const { d, i } = list.at;
    if (p < 0 || list.base[p]! >= end) {
      this.insertAlone(list, base, end, attr);
      return;
    }
    // The window: the region in front, every region met, the region behind.
    const buffer = this.buffer;
    buffer.clear();
    const start = this.pushBefore(list, d, i);
    let firstNew = -1;
    let lastNew = -1;
    let inserted = 0;
    let cursor = base;
    let place = { d, i };
    let q = p;
    while (q >= 0 && list.base[q]! < end) {
      if (list.base[q]! > cursor) {
        lastNew = buffer.length;
        if (firstNew < 0) firstNew = lastNew;
        buffer.push(cursor, list.base[q]!, attr);
        list.total += list.base[q]! - cursor;
        inserted++;
      }
      buffer.push(list.base[q]!, list.end[q]!, list.attr[q]!);
      cursor = Math.min(list.end[q]!, end);
      place = nextPlace(list, place);
      q = place.d < list.chunks ? list.slotIndex(place.d, place.i) : -1;
    }
    if (cursor < end) {
      lastNew = buffer.length;
      if (firstNew < 0) firstNew = lastNew;
      buffer.push(cursor, end, attr);
      list.total += end - cursor;
      inserted++;
      if (q >= 0) buffer.push(list.base[q]!, list.end[q]!, list.attr[q]!);
    }
    if (inserted === 0) return;
    const replaced = buffer.length - inserted;
    buffer.mergeBetween(firstNew - 1, lastNew + 1);
    list.replace(start.d, start.i, replaced, buffer);
  }

  /** Cuts [base, end) out; the total follows. */
  cut(list: RegionList, base: number, end: number): void {
    const p = list.locate(base);
    if (p < 0) return;
    const first = list.base[p]!;
    const last = list.end[p]!;
    if (first >= end) return;
    const { d, i } = list.at;
    if (last < end) {
      this.cutMany(list, base, end);
      return;
    }
    list.total -= end - Math.max(first, base);
    if (first < base) {
      list.setEnd(d, i, base);
      if (last > end) list.insertAt(d, i + 1, end, last, list.attr[p]!);
    } else if (last > end) {
      list.setBase(d, i, end);
    } else {
      list.removeAt(d, i);
    }
  }

  private cutMany(list: RegionList, base: number, end: number): void {
    const buffer = this.buffer;
    buffer.clear();
    const { d, i } = list.at;
    let place = { d, i };
    let replaced = 0;
    let removed = 0;
    while (place.d < list.chunks) {
      const p = list.slotIndex(place.d, place.i);
      const from = list.base[p]!;
      const to = list.end[p]!;
      if (from >= end) break;
      if (from < base) buffer.push(from, base, list.attr[p]!);
      if (to > end) buffer.push(end, to, list.attr[p]!);
      removed += Math.min(to, end) - Math.max(from, base);
      replaced++;
      place = nextPlace(list, place);
    }
    list.replace(d, i, replaced, buffer);
    list.total -= removed;
  }

  /** Sets the bits of `mask` to `bits` and, where given, the node of every region in [base, end). */
  rewrite(
    list: RegionList,
    base: number,
    end: number,
    change: { readonly mask: number; readonly bits: number; readonly nid?: number | undefined },
  ): void {
    const { mask, bits, nid } = change;
    const p = list.locate(base);
    if (p < 0 || list.base[p]! >= end) return;
    const { d, i } = list.at;
    const buffer = this.buffer;
    buffer.clear();
    let start = { d, i };
    let replaced = 0;
    if (list.base[p]! < base) {
      buffer.push(list.base[p]!, base, list.attr[p]!);
    } else {
      start = this.pushBefore(list, d, i);
      replaced = buffer.length;
    }
    let place = { d, i };
    let q = p;
    let splitBehind = false;
    while (q >= 0 && list.base[q]! < end) {
      const attr = list.attr[q]!;
      const from = Math.max(list.base[q]!, base);
      const to = Math.min(list.end[q]!, end);
      const flags = (attrFlags(attr) & ~mask) | bits;
      buffer.pushMerged(from, to, packAttr(flags, nid ?? attrNid(attr)));
      if (list.end[q]! > end) {
        buffer.pushMerged(end, list.end[q]!, attr);
        splitBehind = true;
      }
      replaced++;
      place = nextPlace(list, place);
      q = place.d < list.chunks ? list.slotIndex(place.d, place.i) : -1;
    }
    if (!splitBehind && q >= 0) {
      buffer.pushMerged(list.base[q]!, list.end[q]!, list.attr[q]!);
      replaced++;
    }
    list.replace(start.d, start.i, replaced, buffer);
  }

  /** Puts the region before a place into the buffer, if there is one; returns where the window then starts. */
  private pushBefore(list: RegionList, d: number, i: number): Place {
    const before = list.before(d, i);
    if (before < 0) return { d, i };
    this.buffer.push(list.base[before]!, list.end[before]!, list.attr[before]!);
    return i > 0 ? { d, i: i - 1 } : { d: d - 1, i: list.chunkCount(d - 1) - 1 };
  }

  /** Adds a range that meets no region, extending a like neighbour instead where it touches one. */
  private insertAlone(list: RegionList, base: number, end: number, attr: number): void {
    const { d, i } = list.at;
    list.total += end - base;
    const before = list.before(d, i);
    const joinsBefore = before >= 0 && list.end[before] === base && list.attr[before] === attr;
    const p = d < list.chunks ? list.slotIndex(d, i) : -1;
    const joinsAfter = p >= 0 && list.base[p] === end && list.attr[p] === attr;
    if (joinsBefore) {
      const newEnd = joinsAfter ? list.end[p]! : end;
      if (i > 0) list.setEnd(d, i - 1, newEnd);
      else list.setEnd(d - 1, list.chunkCount(d - 1) - 1, newEnd);
      if (joinsAfter) list.removeAt(d, i);
    } else if (joinsAfter) {
      list.setBase(d, i, base);
    } else {
      list.insertAt(d, i, base, end, attr);
    }
  }
}
