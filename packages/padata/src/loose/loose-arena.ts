/**
 * Bytes of jobs that end in any order: the stretches in use are linked in order of place, and what lies between two of them is free.
 *
 * ```
 *   0 [ a ]   [ b ][ c ]        [ d ]   bytes          a ⇄ b ⇄ c ⇄ d, a circle through an empty stretch at 0
 * ```
 * So what is given back joins its neighbours by itself. A search looks behind what was given out last: while jobs end in
 * order it is there. Then where something was given back, the last of it first: in a full arena that is the only place,
 * whatever the order in which jobs end. Else it goes round the whole. Bytes of a function that was abandoned are a hole until it has ended,
 * those of results that a consumer keeps stay until he lets go, as in `SlotArena`.
 */
import { BORDER } from '../arena/slot-arena.js';
import type { Arena, Hole } from '../arena/slot-arena.js';

/** A stretch in use: [first, end) bytes; of no bytes where two parts of the arena meet. */
interface Stretch {
  first: number;
  end: number;
  before: Stretch;
  after: Stretch;
  /** Set while an abandoned function may see it, and for borders. */
  hole: Hole | undefined;
}

/** A search looks at so many gaps at most. */
const MOST_GAPS = 1024;

/** End of a stretch that is not in use: nothing is behind it. A small integer, as the others. */
const NOWHERE = 2 ** 30 - 1;

/** Gives out and takes back the bytes of one ring. */
export class LooseArena implements Arena {
  bytes: number;
  readonly mayGrow = true;
  /** Only for who places inputs; what is taken is said to `take`. */
  head = 0;
  /** In front of all, at 0 and empty. */
  readonly #edge: Stretch;
  /** The stretch behind which the search was successful. */
  #last: Stretch;
  /** Stretches behind which something was given back and nothing looked for since; no more of them than slots. */
  readonly #freed: Stretch[] = [];
  /** What the jobs of the slots have. */
  readonly #bySlot: (Stretch | undefined)[];
  /** Stretches that nobody has, to be used again. */
  readonly #spare: Stretch[] = [];
  /** Of delivered jobs, in a consumer's hands; undefined = of no bytes. Oldest first. */
  readonly #kept: (Stretch | undefined)[] = [];
  readonly #holes = new Set<Stretch>();
  /** Stretches that somebody has. */
  #used = 0;

  constructor(bytes: number, window: number) {
    this.bytes = bytes;
    this.#edge = single();
    this.#last = this.#edge;
    this.#bySlot = new Array<undefined>(window).fill(undefined);
  }

  /** First byte of a free stretch of `bytes`, or -1. Nothing is given out before `take`. */
  find(bytes: number): number {
    let at = this.#last;
    if (at.end + bytes <= this.#gapEnd(at)) return at.end;
    for (let freed = this.#freed.pop(); freed !== undefined; freed = this.#freed.pop()) {
      if (freed.end + bytes > this.#gapEnd(freed)) continue;
      this.#last = freed;
      return freed.end;
    }
    for (let looks = 0; looks < MOST_GAPS; looks += 1) {
      if (at.end + bytes <= this.#gapEnd(at)) {
        this.#last = at;
        return at.end;
      }
      at = at.after;
      if (at === this.#last) break;
    }
    // The next search goes on from here.
    this.#last = at;
    return -1;
  }

  extend(bytes: number): void {
    const border = single();
    border.first = this.bytes;
    border.end = this.bytes;
    border.hole = { ...BORDER, first: this.bytes, end: this.bytes };
    this.#link(border, this.#edge.before);
    this.#last = border;
    this.bytes = bytes;
  }

  goOn(): void {
    // A search that fails has looked everywhere.
  }

  /** Last byte up to which the stretch found last may grow. */
  limit(): number {
    return this.#gapEnd(this.#last);
  }

  /** The longest stretch that there will be once all jobs are delivered, in bytes. */
  get longest(): number {
    let at = 0;
    let longest = 0;
    for (let s = this.#edge.after; s !== this.#edge; s = s.after) {
      if (s.hole === undefined) continue;
      longest = Math.max(longest, s.first - at);
      at = s.end;
    }
    return Math.max(longest, this.bytes - at);
  }

  /** The job of this slot has [first, end) from now on, as the last search has found it. */
  take(index: number, first: number, end: number): void {
    if (first === end) return;
    const stretch = this.#spare.pop() ?? single();
    stretch.first = first;
    stretch.end = end;
    this.#link(stretch, this.#last);
    this.#bySlot[index] = stretch;
    this.#last = stretch;
    this.#used += 1;
  }

  #link(stretch: Stretch, before: Stretch): void {
    stretch.before = before;
    stretch.after = before.after;
    before.after.before = stretch;
    before.after = stretch;
  }

  /**
   * The job of this slot is delivered, and the slot free for another.
   * @param keep a consumer looks at its bytes until `release`
   * @returns what to give back when its callback has returned
   */
  delivered(index: number, keep: boolean): Stretch | undefined {
    const stretch = this.#bySlot[index];
    this.#bySlot[index] = undefined;
    if (!keep) return stretch;
    this.#kept.push(stretch);
    return undefined;
  }

  /** Nobody looks at these bytes any more. */
  giveBack(stretch: Stretch | undefined): void {
    if (stretch === undefined) return;
    this.#used -= 1;
    const { before, after } = stretch;
    before.after = after;
    after.before = before;
    if (this.#last === stretch) this.#last = before;
    if (this.#freed.length < this.#bySlot.length) this.#freed.push(before);
    stretch.hole = undefined;
    stretch.end = NOWHERE;
    this.#spare.push(stretch);
  }

  /** The consumer lets go of the oldest result that it kept. */
  release(): void {
    this.giveBack(this.#kept.shift());
  }

  /** Nobody has bytes of it. */
  get isEmpty(): boolean {
    return this.#used === 0 && this.#kept.length === 0;
  }

  /** The job of this slot was given up, and its function may still see its bytes. */
  keepHole(hole: Hole, index: number): void {
    const stretch = this.#bySlot[index];
    if (stretch === undefined) return;
    stretch.hole = hole;
    this.#holes.add(stretch);
    // The slot has let go of it already; its delivery gives nothing back.
    this.#bySlot[index] = undefined;
  }

  /** The function of an abandoned job has ended. */
  closeHole(sequence: number): void {
    this.#close((hole) => hole.sequence === sequence);
  }

  /** A thread has ended, and with it all that its functions could see. */
  closeHolesOf(worker: number): void {
    this.#close((hole) => hole.worker === worker);
  }

  #close(isClosed: (hole: Hole) => boolean): void {
    for (const stretch of this.#holes) {
      if (!isClosed(stretch.hole!)) continue;
      this.#holes.delete(stretch);
      this.giveBack(stretch);
    }
  }

  /** First byte behind the free stretch that follows this one. */
  #gapEnd(stretch: Stretch): number {
    return stretch.after === this.#edge ? this.bytes : stretch.after.first;
  }
}

/** A stretch that is linked to none but itself. */
function single(): Stretch {
  const stretch = { first: 0, end: 0, hole: undefined } as unknown as Stretch;
  stretch.before = stretch;
  stretch.after = stretch;
  return stretch;
}
