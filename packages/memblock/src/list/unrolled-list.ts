/**
 * A long list of entries in address order, edited by place: it stays fast with hundreds of thousands of them.
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
 * A place in the list is a directory index and an index in the chunk. Insertion moves at most one chunk;
 * a window of entries can be replaced by another in one step. Per chunk the widest gap between its own
 * entries is remembered (lazily), so that a search for space can step over a whole chunk.
 *
 * Who edits keeps the entries sorted, apart and not empty; what they mean is region-list.ts.
 *
 * Invariants: no chunk in the directory is empty, no slot is in it twice; `first[d]` is the base of the first
 * entry of chunk d; `count` is the number of entries; `gap` of a slot is exact, or -1.
 *
 * Source: none beyond the usual unrolled list.
 */
import { CHUNK_SIZE, ChunkSlots, grownFloats, grownInts } from './chunk-slots.js';
import { EntryBuffer } from './entry-buffer.js';

/** Fill of the chunks that a bulk replacement makes: leaves room for later insertions. */
const BULK_FILL = 96;

/** A place in a list, kept in fields so that a search allocates nothing. */
export interface Place {
  /** Directory index; equal to the directory's length at the end. */
  d: number;
  /** Index in the chunk. */
  i: number;
}

/** The list; see the head of this module. */
export class UnrolledList extends ChunkSlots {
  /** Number of entries. */
  count = 0;
  /** Changes with every edit; a cursor that sees the same number may trust its places. */
  version = 0;

  /** Slots in address order. */
  order: Int32Array = new Int32Array(8);
  /** First base of each chunk, in address order. */
  first: Float64Array = new Float64Array(8);
  /** Chunks in use. */
  chunks = 0;
  /** Place found by the last search. */
  readonly at: Place = { d: 0, i: 0 };

  private readonly scratch = new EntryBuffer();

  /** Position of an entry in the typed arrays. */
  slotIndex(d: number, i: number): number {
    return this.order[d]! * CHUNK_SIZE + i;
  }

  /** Entries of the d-th chunk. */
  chunkCount(d: number): number {
    return this.filled[this.order[d]!]!;
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
    if (this.chunks === 0) this.openChunk(0);
    else if (d === this.chunks) {
      d -= 1;
      i = this.chunkCount(d);
    }
    if (this.chunkCount(d) === CHUNK_SIZE) {
      if (i === CHUNK_SIZE && d + 1 === this.chunks) {
        // Appending in ascending order: leave the full chunk full.
        d += 1;
        i = 0;
        this.openChunk(d);
      } else {
        this.splitChunk(d);
        if (i > CHUNK_SIZE / 2) {
          d += 1;
          i -= CHUNK_SIZE / 2;
        }
      }
    }
    this.putIn(this.order[d]!, i, base, end, attr);
    if (i === 0) this.first[d] = base;
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
    this.refill(slot, filled - 1);
    if (i === 0) this.first[d] = this.base[slot * CHUNK_SIZE]!;
    if (filled <= CHUNK_SIZE / 4) this.joinSmall(d);
  }

  /**
   * Replaces `removed` entries, from a place on, by the entries of a buffer. O(entries moved).
   * The new entries must fit in between.
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
        this.overwrite(slot, i, added);
        this.refill(slot, left);
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
    return this.widestGapOf(this.order[d]!);
  }

  private splitChunk(d: number): void {
    const half = CHUNK_SIZE / 2;
    const slot = this.order[d]!;
    const next = this.openChunk(d + 1);
    this.moveEnd(slot, half, next);
    this.first[d + 1] = this.base[next * CHUNK_SIZE]!;
  }

  private joinSmall(d: number): void {
    if (d > 0 && this.chunkCount(d - 1) + this.chunkCount(d) <= CHUNK_SIZE / 2)
      this.joinWithNext(d - 1);
    else if (d + 1 < this.chunks && this.chunkCount(d) + this.chunkCount(d + 1) <= CHUNK_SIZE / 2)
      this.joinWithNext(d);
  }

  private joinWithNext(d: number): void {
    this.moveEnd(this.order[d + 1]!, 0, this.order[d]!);
    this.closeChunk(d + 1);
  }

  /** Puts an empty chunk into the directory at d; returns its slot. */
  private openChunk(d: number): number {
    const slot = this.takeSlot();
    if (this.chunks === this.order.length) {
      this.order = grownInts(this.order, this.chunks * 2);
      this.first = grownFloats(this.first, this.chunks * 2);
    }
    this.order.copyWithin(d + 1, d, this.chunks);
    this.first.copyWithin(d + 1, d, this.chunks);
    this.order[d] = slot;
    this.chunks++;
    return slot;
  }

  private closeChunk(d: number): void {
    this.giveSlotBack(this.order[d]!);
    this.order.copyWithin(d, d + 1, this.chunks);
    this.first.copyWithin(d, d + 1, this.chunks);
    this.chunks--;
  }

  /** The general case of {@link replace}: the chunks touched are taken out and made anew. */
  private rebuildChunks(d: number, i: number, removed: number, added: EntryBuffer): void {
    const scratch = this.scratch;
    scratch.clear();
    // Every chunk that the window touches, and the one it starts in.
    if (d < this.chunks) this.copyOut(this.order[d]!, 0, i, scratch);
    scratch.append(added);
    let last = d;
    let left = i + removed;
    while (last < this.chunks && left >= this.chunkCount(last)) {
      left -= this.chunkCount(last);
      last++;
    }
    const keepsTail = last < this.chunks && (left > 0 || last === d);
    if (keepsTail) {
      this.copyOut(this.order[last]!, left, this.chunkCount(last), scratch);
      last++;
    }
    this.swapChunks(d, last, scratch);
  }

  /** Replaces the chunks [from, to) of the directory by chunks that hold a buffer's entries. */
  private swapChunks(from: number, to: number, entries: EntryBuffer): void {
    for (let d = from; d < to; d++) this.giveSlotBack(this.order[d]!);
    const made = Math.ceil(entries.length / BULK_FILL);
    const chunks = this.chunks - (to - from) + made;
    if (chunks > this.order.length) {
      this.order = grownInts(this.order, chunks * 2);
      this.first = grownFloats(this.first, chunks * 2);
    }
    this.order.copyWithin(from + made, to, this.chunks);
    this.first.copyWithin(from + made, to, this.chunks);
    this.chunks = chunks;
    this.reserveSlots(made);
    for (let k = 0; k < made; k++) {
      const slot = this.takeSlot();
      const start = k * BULK_FILL;
      this.fillFrom(slot, entries, start, Math.min(start + BULK_FILL, entries.length));
      this.order[from + k] = slot;
      this.first[from + k] = entries.base[start]!;
    }
  }
}
