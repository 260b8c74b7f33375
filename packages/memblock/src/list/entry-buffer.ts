/**
 * A growing sequence of region entries in columns: where an edit builds the new contents of a window
 * before the list takes them over in one step. Reused, so that an edit allocates nothing once warm.
 */

/** Entries in columns; only the first `length` count. */
export class EntryBuffer {
  /** First addresses. */
  base: Float64Array;
  /** Ends, exclusive. */
  end: Float64Array;
  /** Flags and node, see attributes.ts. */
  attr: Int32Array;
  /** Entries in use. */
  length = 0;

  /** @param room entries expected; more is made when needed */
  constructor(room = 64) {
    const length = Math.max(room, 16);
    this.base = new Float64Array(length);
    this.end = new Float64Array(length);
    this.attr = new Int32Array(length);
  }

  /** Entries that are all alike, taking the arrays over. */
  static of(base: Float64Array, end: Float64Array, length: number, attr: number): EntryBuffer {
    const buffer = new EntryBuffer(0);
    buffer.base = base;
    buffer.end = end;
    buffer.attr = new Int32Array(base.length).fill(attr);
    buffer.length = length;
    return buffer;
  }

  /** Forgets the entries, keeps the room. */
  clear(): void {
    this.length = 0;
  }

  /** Adds an entry. */
  push(base: number, end: number, attr: number): void {
    if (this.length === this.base.length) this.grow(this.length * 2);
    this.base[this.length] = base;
    this.end[this.length] = end;
    this.attr[this.length] = attr;
    this.length++;
  }

  /** Adds an entry, or extends the last one where it touches and has the same flags and node. */
  pushMerged(base: number, end: number, attr: number): void {
    const last = this.length - 1;
    if (last >= 0 && this.end[last] === base && this.attr[last] === attr) this.end[last] = end;
    else this.push(base, end, attr);
  }

  /** Joins touching entries that are alike, looking only at neighbours within [from, to]. */
  mergeBetween(from: number, to: number): void {
    let kept = Math.max(from, 0);
    for (let k = kept + 1; k < this.length; k++) {
      const joins = k <= to && this.end[kept] === this.base[k] && this.attr[kept] === this.attr[k];
      if (!joins) kept++;
      this.end[kept] = this.end[k]!;
      if (joins) continue;
      this.base[kept] = this.base[k]!;
      this.attr[kept] = this.attr[k]!;
    }
    this.length = kept + 1;
  }

  /** Adds all entries of another buffer. */
  append(other: EntryBuffer): void {
    const length = this.length + other.length;
    if (length > this.base.length) this.grow(length * 2);
    this.base.set(other.base.subarray(0, other.length), this.length);
    this.end.set(other.end.subarray(0, other.length), this.length);
    this.attr.set(other.attr.subarray(0, other.length), this.length);
    this.length = length;
  }

  private grow(room: number): void {
    const base = new Float64Array(room);
    const end = new Float64Array(room);
    const attr = new Int32Array(room);
    base.set(this.base);
    end.set(this.end);
    attr.set(this.attr);
    this.base = base;
    this.end = end;
    this.attr = attr;
  }
}
