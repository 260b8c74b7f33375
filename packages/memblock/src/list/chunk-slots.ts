/**
 * The memory of an unrolled list's chunks: slots of {@link CHUNK_SIZE} entries in three typed arrays, which grow together.
 *
 * ```
 *   slot        0              1              2
 *   base      [ b b b . . ]  [ . . . . . ]  [ b b b b b ]       entries from the front, `filled` of them
 *   end, attr   likewise      free: nothing is in it
 *   gap         -1 = not known, else the widest gap between neighbours in the slot
 * ```
 *
 * Which slot follows which is the directory's matter, see unrolled-list.ts.
 *
 * Invariants: a slot is taken or free, never both; `gap` of a taken slot is exact, or -1.
 */
import type { EntryBuffer } from './entry-buffer.js';

/** Entries that a chunk holds at most. Must be even. */
export const CHUNK_SIZE = 128;

/** Entries by slot. */
export class ChunkSlots {
  /** First addresses of the entries, by slot. */
  base: Float64Array = new Float64Array(CHUNK_SIZE);
  /** Ends of the entries, exclusive, by slot. */
  end: Float64Array = new Float64Array(CHUNK_SIZE);
  /** Flags and node of the entries, by slot; see attributes.ts. */
  attr: Int32Array = new Int32Array(CHUNK_SIZE);
  /** Entries in each slot. */
  filled: Int32Array = new Int32Array(1);
  /** Widest gap between neighbouring entries of a slot, or -1 where not known. */
  gap: Float64Array = new Float64Array(1);

  private slots = 1;
  private readonly freeSlots: number[] = [0];

  /** Takes a free slot, which is empty; makes more where none is free. */
  protected takeSlot(): number {
    if (this.freeSlots.length === 0) this.reserveSlots(1);
    const slot = this.freeSlots.pop()!;
    this.refill(slot, 0);
    return slot;
  }

  /** The slot is free from now on. */
  protected giveSlotBack(slot: number): void {
    this.freeSlots.push(slot);
  }

  /** Makes sure that at least so many slots are free. */
  protected reserveSlots(wanted: number): void {
    const missing = wanted - this.freeSlots.length;
    if (missing <= 0) return;
    const slots = Math.max(this.slots * 2, this.slots + missing);
    this.base = grownFloats(this.base, slots * CHUNK_SIZE);
    this.end = grownFloats(this.end, slots * CHUNK_SIZE);
    this.attr = grownInts(this.attr, slots * CHUNK_SIZE);
    this.filled = grownInts(this.filled, slots);
    this.gap = grownFloats(this.gap, slots);
    for (let slot = slots - 1; slot >= this.slots; slot--) this.freeSlots.push(slot);
    this.slots = slots;
  }

  /** So many entries are in the slot now, and others than before. */
  protected refill(slot: number, filled: number): void {
    this.filled[slot] = filled;
    this.gap[slot] = -1;
  }

  /** Puts an entry before the i-th of a slot that has room. */
  protected putIn(slot: number, i: number, base: number, end: number, attr: number): void {
    const filled = this.filled[slot]!;
    if (i < filled) this.shift(slot, i, filled, 1);
    const p = slot * CHUNK_SIZE + i;
    this.base[p] = base;
    this.end[p] = end;
    this.attr[p] = attr;
    this.filled[slot] = filled + 1;
    this.gap[slot] = -1;
  }

  /** Writes a buffer's entries over those from the i-th on; the count is the caller's. */
  protected overwrite(slot: number, i: number, entries: EntryBuffer): void {
    const from = slot * CHUNK_SIZE + i;
    for (let k = 0; k < entries.length; k++) {
      this.base[from + k] = entries.base[k]!;
      this.end[from + k] = entries.end[k]!;
      this.attr[from + k] = entries.attr[k]!;
    }
  }

  /** Fills a slot with the entries [start, stop) of a buffer. */
  protected fillFrom(slot: number, entries: EntryBuffer, start: number, stop: number): void {
    const offset = slot * CHUNK_SIZE;
    this.base.set(entries.base.subarray(start, stop), offset);
    this.end.set(entries.end.subarray(start, stop), offset);
    this.attr.set(entries.attr.subarray(start, stop), offset);
    this.refill(slot, stop - start);
  }

  /** Moves entries [from, to) of a slot by `by` places; the count is the caller's. */
  protected shift(slot: number, from: number, to: number, by: number): void {
    if (by === 0 || from >= to) return;
    const offset = slot * CHUNK_SIZE;
    const { base, end, attr } = this;
    base.copyWithin(offset + from + by, offset + from, offset + to);
    end.copyWithin(offset + from + by, offset + from, offset + to);
    attr.copyWithin(offset + from + by, offset + from, offset + to);
  }

  /** Moves what a slot has from its i-th entry on behind the entries of another, which has room for it. */
  protected moveEnd(slot: number, i: number, into: number): void {
    const from = slot * CHUNK_SIZE + i;
    const stop = slot * CHUNK_SIZE + this.filled[slot]!;
    const there = this.filled[into]!;
    const to = into * CHUNK_SIZE + there;
    this.base.copyWithin(to, from, stop);
    this.end.copyWithin(to, from, stop);
    this.attr.copyWithin(to, from, stop);
    this.refill(slot, i);
    this.refill(into, there + stop - from);
  }

  /** Adds the entries [from, to) of a slot to a buffer. */
  protected copyOut(slot: number, from: number, to: number, into: EntryBuffer): void {
    const offset = slot * CHUNK_SIZE;
    for (let p = offset + from; p < offset + to; p++)
      into.push(this.base[p]!, this.end[p]!, this.attr[p]!);
  }

  /** Widest gap between neighbouring entries of a slot, in bytes; 0 for a single entry. */
  protected widestGapOf(slot: number): number {
    const known = this.gap[slot]!;
    if (known >= 0) return known;
    const from = slot * CHUNK_SIZE;
    const to = from + this.filled[slot]!;
    let largest = 0;
    for (let p = from + 1; p < to; p++) {
      const gap = this.base[p]! - this.end[p - 1]!;
      if (gap > largest) largest = gap;
    }
    this.gap[slot] = largest;
    return largest;
  }
}

/** A copy with room for `length` numbers. */
export function grownFloats(old: Float64Array, length: number): Float64Array {
  const grown = new Float64Array(length);
  grown.set(old);
  return grown;
}

/** A copy with room for `length` words. */
export function grownInts(old: Int32Array, length: number): Int32Array {
  const grown = new Int32Array(length);
  grown.set(old);
  return grown;
}
