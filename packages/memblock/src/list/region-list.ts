/**
 * An ordered list of disjoint regions that stays fast with hundreds of thousands of them.
 *
 * The kernel keeps one flat array and moves half of it on every insertion. Here the entries lie in
 * chunks of at most {@link CHUNK_SIZE}, all inside three typed arrays (a chunk is a slot of them), and
 * a directory names the slots in address order together with each chunk's first base:
 *
 * ```
 *   directory   slot 2      slot 0          slot 5
 *   first       0x1000      0x90000         0x4000000
 *               |           |               |
 *   chunk       [r r r . .] [r r r r r]     [r r . . .]      r = base, end, flags|node
 * ```
 *
 * A place in the list is a directory index and an index in the chunk. Search is two binary searches;
 * insertion moves at most one chunk; a window of entries can be replaced by another in one step.
 * Per chunk the widest gap between its own entries is remembered (lazily), so that a search for
 * space can step over a whole chunk.
 *
 * Invariants: entries are sorted, do not overlap and are not empty; no chunk in the directory is
 * empty; `first[d]` is the base of the first entry of chunk d; `count` is the number of entries.
 * `total` is what the kernel calls total_size: kept by the callers' edits, not derived.
 *
 * Source: none beyond the usual unrolled list; the observable list is that of boot-time-mm.rst.
 */
import type { RegionType } from '../base/types.js';
import { EntryBuffer } from './entry-buffer.js';

/** Entries that a chunk holds at most. Must be even. */
export const CHUNK_SIZE = 128;

/** Fill of the chunks that a bulk replacement makes: leaves room for later insertions. */
const BULK_FILL = 96;

/** A place in a list, kept in fields so that a search allocates nothing. */
export interface Place {
  /** Directory index; equal to the directory's length at the end. */
  d: number;
  /** Index in the chunk. */
  i: number;
}

/** The ordered list; see the head of this module. @kernel memblock_type */
export class RegionList {
  /** Which list this is. */
  readonly name: RegionType;
  /** Number of regions. */
  count = 0;
  /** Bytes, as the kernel keeps them: not always the sum of the sizes. @kernel total_size */
  total = 0;
  /** Entries the simulated array has room for; Infinity where none is simulated. @kernel max */
  max: number;
  /** How much {@link total} exceeds the sum of the sizes, since trimming does not lower it. */
  drift = 0;
  /** Where the grown array lies, once it has been grown. */
  grownAt: { readonly base: number; readonly size: number } | undefined = undefined;
  /** Changes with every edit; a cursor that sees the same number may trust its places. */
  version = 0;

  /** First addresses of the entries, by slot. */
  base: Float64Array = new Float64Array(CHUNK_SIZE);
  /** Ends of the entries, exclusive, by slot. */
  end: Float64Array = new Float64Array(CHUNK_SIZE);
  /** Flags and node of the entries, by slot; see attributes.ts. */
  attr: Int32Array = new Int32Array(CHUNK_SIZE);
  /** Slots in address order. */
  order: Int32Array = new Int32Array(8);
  /** First base of each chunk, in address order. */
  first: Float64Array = new Float64Array(8);
  /** Entries in each slot. */
  filled: Int32Array = new Int32Array(1);
  /** Widest gap between neighbouring entries of a slot, or -1 where not known. */
  gap: Float64Array = new Float64Array(1);
  /** Chunks in use. */
  chunks = 0;
  /** Place found by the last {@link locate}, {@link placeOf} or edit. */
  readonly at: Place = { d: 0, i: 0 };

  private readonly freeSlots: number[] = [];
  private slots = 1;
  private readonly scratch = new EntryBuffer();

  /**
   * @param name which list
   * @param max entries of the simulated array, or Infinity
   */
  constructor(name: RegionType, max: number) {
    this.name = name;
    this.max = max;
    this.freeSlots.push(0);
  }

  /** Position of an entry in the typed arrays. */
  slotIndex(d: number, i: number): number {
    return this.order[d]! * CHUNK_SIZE + i;
  }

  /** Entries of the d-th chunk. */
  chunkCount(d: number): number {
    return this.filled[this.order[d]!]!;
  }

  /**
   * Finds the first region that ends above `address` and leaves its place in `at` (the end place
   * where there is none). O(log n).
   * @returns position in the typed arrays, or -1 at the end of the list
   */
  locate(address: number): number {
    const at = this.at;
    if (this.chunks === 0) {
      at.d = 0;
      at.i = 0;
      return -1;
    }
    const d = this.chunkAt(address);
    const slot = this.order[d]!;
    const from = slot * CHUNK_SIZE;
    const to = from + this.filled[slot]!;
    const base = this.base;
    // Last entry that starts at or below the address.
    let low = from;
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (base[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    if (low > from && this.end[low - 1]! > address) low -= 1;
    if (low < to) {
      at.d = d;
      at.i = low - from;
      return low;
    }
    at.d = d + 1;
    at.i = 0;
    return d + 1 < this.chunks ? this.order[d + 1]! * CHUNK_SIZE : -1;
  }

  /** Whether any entry holds an address. O(log n); leaves no place. */
  covers(address: number): boolean {
    if (this.chunks === 0) return false;
    const slot = this.order[this.chunkAt(address)]!;
    const from = slot * CHUNK_SIZE;
    const base = this.base;
    let low = from;
    let high = from + this.filled[slot]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (base[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low > from && this.end[low - 1]! > address;
  }

  /** Directory index of the last chunk that starts at or below `address`, 0 where none does. */
  chunkAt(address: number): number {
    const first = this.first;
    let low = 1;
    let high = this.chunks;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (first[middle]! <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /**
   * Finds the place of the index-th entry and leaves it in `at`. O(number of chunks).
   * @returns position in the typed arrays, or -1 where there is no such entry
   */
  placeOf(index: number): number {
    const at = this.at;
    let left = index;
    for (let d = 0; d < this.chunks; d++) {
      const slot = this.order[d]!;
      const filled = this.filled[slot]!;
      if (left < filled) {
        at.d = d;
        at.i = left;
        return slot * CHUNK_SIZE + left;
      }
      left -= filled;
    }
    at.d = this.chunks;
    at.i = 0;
    return -1;
  }

  /** Position of the entry before a place, or -1 at the front. */
  before(d: number, i: number): number {
    if (i > 0) return this.order[d]! * CHUNK_SIZE + i - 1;
    if (d === 0) return -1;
    const slot = this.order[d - 1]!;
    return slot * CHUNK_SIZE + this.filled[slot]! - 1;
  }

  /** Moves the start of the entry at a place; order must be kept by the caller. */
  setBase(d: number, i: number, base: number): void {
    const slot = this.order[d]!;
    this.base[slot * CHUNK_SIZE + i] = base;
    if (i === 0) this.first[d] = base;
    this.gap[slot] = -1;
    this.version++;
  }

  /** Moves the end of the entry at a place; order must be kept by the caller. */
  setEnd(d: number, i: number, end: number): void {
    const slot = this.order[d]!;
    this.end[slot * CHUNK_SIZE + i] = end;
    this.gap[slot] = -1;
    this.version++;
  }

  /** Inserts an entry before a place (the end place appends). Moves at most one chunk. */
  insertAt(d: number, i: number, base: number, end: number, attr: number): void {
    this.version++;
    this.count++;
    if (this.chunks === 0) {
      this.openChunk(0);
      this.put(0, 0, base, end, attr);
      return;
    }
    if (d === this.chunks) {
      d -= 1;
      i = this.chunkCount(d);
    }
    if (this.chunkCount(d) === CHUNK_SIZE) {
      if (i === CHUNK_SIZE && d + 1 === this.chunks) {
        // Appending in ascending order: leave the full chunk full.
        this.openChunk(d + 1);
        this.put(d + 1, 0, base, end, attr);
        return;
      }
      this.splitChunk(d);
      if (i > CHUNK_SIZE / 2) {
        d += 1;
        i -= CHUNK_SIZE / 2;
      }
    }
    this.put(d, i, base, end, attr);
  }

  /** Removes the entry at a place. Moves at most one chunk, joins it with a neighbour when both are small. */
  removeAt(d: number, i: number): void {
    this.version++;
    this.count--;
    const slot = this.order[d]!;
    const filled = this.filled[slot]!;
    if (filled === 1) {
      this.closeChunk(d);
      return;
    }
    this.shift(slot, i + 1, filled, -1);
    this.filled[slot] = filled - 1;
    this.gap[slot] = -1;
    if (i === 0) this.first[d] = this.base[slot * CHUNK_SIZE]!;
    if (filled <= CHUNK_SIZE / 4) this.joinSmall(d);
  }

  /**
   * Replaces `removed` entries, from a place on, by the entries of a buffer. O(entries moved).
   * The new entries must fit in between; `count` follows, `total` does not.
   */
  replace(d: number, i: number, removed: number, added: EntryBuffer): void {
    this.version++;
    this.count += added.length - removed;
    if (d < this.chunks) {
      const slot = this.order[d]!;
      const filled = this.filled[slot]!;
      const left = filled - removed + added.length;
      if (i + removed <= filled && left > 0 && left <= CHUNK_SIZE) {
        this.shift(slot, i + removed, filled, added.length - removed);
        const from = slot * CHUNK_SIZE + i;
        for (let k = 0; k < added.length; k++) {
          this.base[from + k] = added.base[k]!;
          this.end[from + k] = added.end[k]!;
          this.attr[from + k] = added.attr[k]!;
        }
        this.filled[slot] = left;
        this.gap[slot] = -1;
        this.first[d] = this.base[slot * CHUNK_SIZE]!;
        return;
      }
    }
    this.rebuildChunks(d, i, removed, added);
  }

  /** Replaces everything by the entries of a buffer. */
  replaceAll(added: EntryBuffer): void {
    this.version++;
    this.count = added.length;
    this.swapChunks(0, this.chunks, added);
  }

  /** Widest gap between neighbouring entries inside the d-th chunk, in bytes; 0 for a single entry. */
  widestGapIn(d: number): number {
    const slot = this.order[d]!;
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

  private put(d: number, i: number, base: number, end: number, attr: number): void {
    const slot = this.order[d]!;
    const filled = this.filled[slot]!;
    if (i < filled) this.shift(slot, i, filled, 1);
    const p = slot * CHUNK_SIZE + i;
    this.base[p] = base;
    this.end[p] = end;
    this.attr[p] = attr;
    this.filled[slot] = filled + 1;
    this.gap[slot] = -1;
    if (i === 0) this.first[d] = base;
  }

  /** Moves entries [from, to) of a slot by `by` places. */
  private shift(slot: number, from: number, to: number, by: number): void {
    if (by === 0 || from >= to) return;
    const offset = slot * CHUNK_SIZE;
    const { base, end, attr } = this;
    base.copyWithin(offset + from + by, offset + from, offset + to);
    end.copyWithin(offset + from + by, offset + from, offset + to);
    attr.copyWithin(offset + from + by, offset + from, offset + to);
  }

  private splitChunk(d: number): void {
    const half = CHUNK_SIZE / 2;
    const slot = this.order[d]!;
    const next = this.openChunk(d + 1);
    const from = slot * CHUNK_SIZE + half;
    const to = next * CHUNK_SIZE;
    this.base.copyWithin(to, from, from + half);
    this.end.copyWithin(to, from, from + half);
    this.attr.copyWithin(to, from, from + half);
    this.filled[slot] = half;
    this.filled[next] = half;
    this.gap[slot] = -1;
    this.first[d + 1] = this.base[to]!;
  }

  private joinSmall(d: number): void {
    if (d > 0 && this.chunkCount(d - 1) + this.chunkCount(d) <= CHUNK_SIZE / 2)
      this.joinWithNext(d - 1);
    else if (d + 1 < this.chunks && this.chunkCount(d) + this.chunkCount(d + 1) <= CHUNK_SIZE / 2)
      this.joinWithNext(d);
  }

  private joinWithNext(d: number): void {
    const slot = this.order[d]!;
    const next = this.order[d + 1]!;
    const to = slot * CHUNK_SIZE + this.filled[slot]!;
    const from = next * CHUNK_SIZE;
    const moved = this.filled[next]!;
    this.base.copyWithin(to, from, from + moved);
    this.end.copyWithin(to, from, from + moved);
    this.attr.copyWithin(to, from, from + moved);
    this.filled[slot] = this.filled[slot]! + moved;
    this.gap[slot] = -1;
    this.closeChunk(d + 1);
  }

  /** Puts an empty chunk into the directory at d; returns its slot. */
  private openChunk(d: number): number {
    const slot = this.freeSlots.pop() ?? this.moreSlots();
    if (this.chunks === this.order.length) {
      this.order = grownInts(this.order, this.chunks * 2);
      this.first = grownFloats(this.first, this.chunks * 2);
    }
    this.order.copyWithin(d + 1, d, this.chunks);
    this.first.copyWithin(d + 1, d, this.chunks);
    this.order[d] = slot;
    this.filled[slot] = 0;
    this.gap[slot] = -1;
    this.chunks++;
    return slot;
  }

  private closeChunk(d: number): void {
    this.freeSlots.push(this.order[d]!);
    this.order.copyWithin(d, d + 1, this.chunks);
    this.first.copyWithin(d, d + 1, this.chunks);
    this.chunks--;
  }

  /** Makes room for more chunks; returns the first new slot, the others become free. */
  private moreSlots(wanted = 1): number {
    const slots = Math.max(this.slots * 2, this.slots + wanted);
    this.base = grownFloats(this.base, slots * CHUNK_SIZE);
    this.end = grownFloats(this.end, slots * CHUNK_SIZE);
    this.attr = grownInts(this.attr, slots * CHUNK_SIZE);
    this.filled = grownInts(this.filled, slots);
    this.gap = grownFloats(this.gap, slots);
    for (let slot = slots - 1; slot > this.slots; slot--) this.freeSlots.push(slot);
    const next = this.slots;
    this.slots = slots;
    return next;
  }

  /** The general case of {@link replace}: the chunks touched are taken out and made anew. */
  private rebuildChunks(d: number, i: number, removed: number, added: EntryBuffer): void {
    const scratch = this.scratch;
    scratch.clear();
    // Every chunk that the window touches, and the one it starts in.
    if (d < this.chunks) this.copyOut(d, 0, i, scratch);
    scratch.append(added);
    let last = d;
    let left = i + removed;
    while (last < this.chunks && left >= this.chunkCount(last)) {
      left -= this.chunkCount(last);
      last++;
    }
    const keepsTail = last < this.chunks && (left > 0 || last === d);
    if (keepsTail) {
      this.copyOut(last, left, this.chunkCount(last), scratch);
      last++;
    }
    this.swapChunks(d, last, scratch);
  }

  /** Replaces the chunks [from, to) of the directory by chunks that hold a buffer's entries. */
  private swapChunks(from: number, to: number, entries: EntryBuffer): void {
    for (let d = from; d < to; d++) this.freeSlots.push(this.order[d]!);
    const made = Math.ceil(entries.length / BULK_FILL);
    const chunks = this.chunks - (to - from) + made;
    if (chunks > this.order.length) {
      this.order = grownInts(this.order, chunks * 2);
      this.first = grownFloats(this.first, chunks * 2);
    }
    this.order.copyWithin(from + made, to, this.chunks);
    this.first.copyWithin(from + made, to, this.chunks);
    this.chunks = chunks;
    if (made > this.freeSlots.length)
      this.freeSlots.push(this.moreSlots(made - this.freeSlots.length));
    for (let k = 0; k < made; k++) {
      const slot = this.freeSlots.pop()!;
      const start = k * BULK_FILL;
      const stop = Math.min(start + BULK_FILL, entries.length);
      const offset = slot * CHUNK_SIZE;
      this.base.set(entries.base.subarray(start, stop), offset);
      this.end.set(entries.end.subarray(start, stop), offset);
      this.attr.set(entries.attr.subarray(start, stop), offset);
      this.order[from + k] = slot;
      this.first[from + k] = entries.base[start]!;
      this.filled[slot] = stop - start;
      this.gap[slot] = -1;
    }
  }

  private copyOut(d: number, from: number, to: number, into: EntryBuffer): void {
    const offset = this.order[d]! * CHUNK_SIZE;
    for (let p = offset + from; p < offset + to; p++)
      into.push(this.base[p]!, this.end[p]!, this.attr[p]!);
  }
}

function grownFloats(old: Float64Array, length: number): Float64Array {
  const grown = new Float64Array(length);
  grown.set(old);
  return grown;
}

function grownInts(old: Int32Array, length: number): Int32Array {
  const grown = new Int32Array(length);
  grown.set(old);
  return grown;
}
