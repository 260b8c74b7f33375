/**
 * The arena of a slot ring, owner's side: bytes are given out in a circle in submission order and come back
 * in the same order, so there is nothing to search and nothing to free piece by piece.
 *
 * ```
 *        tail ──────▶ head
 *   | free | in use: jobs, then results that a consumer keeps | free |
 * ```
 * Invariants: a stretch never wraps; a circle that is full differs from an empty one by `users`; the stretch of a job
 * that was given up while its function could still see it is a hole: the circle passes over it until it is let go. More bytes
 * are added behind the end, when the circle has come to it.
 */

interface Kept {
  readonly end: number;
  released: boolean;
}

/** Bytes that an abandoned function may still see. */
export interface Hole {
  readonly sequence: number;
  readonly worker: number;
  readonly first: number;
  readonly end: number;
}

/** A hole that no job has left: where two parts of the arena meet. */
export const BORDER: Pick<Hole, 'sequence' | 'worker'> = { sequence: NaN, worker: NaN };

/** What placing inputs and ending jobs need of an arena. */
export interface Arena {
  readonly bytes: number;
  /** Would more bytes help the search that has just failed? */
  readonly mayGrow: boolean;
  /** There are `bytes` in all from now on; no stretch lies on both sides of the border. */
  extend(bytes: number): void;
  /** There are no more bytes: it does without them. */
  goOn(): void;
  /** First byte behind what is given out next. */
  head: number;
  /** First byte of a free stretch of `bytes`, or -1. Nothing is given out yet. */
  find(bytes: number): number;
  /** Last byte up to which a stretch found at `first` may grow. */
  limit(first: number): number;
  /** The longest stretch that there will be once all jobs are delivered, in bytes. */
  readonly longest: number;
  /** The job of the slot with this index was given up, and its function may still see these bytes. */
  keepHole(hole: Hole, index: number): void;
  /** It has ended. */
  closeHole(sequence: number): void;
}

/** A search finds room for so many bytes ahead: those that come next need none. */
const LUMP = 4096;

/** Gives out and takes back the bytes of one ring. */
export class SlotArena implements Arena {
  bytes: number;
  /** First byte behind what was given out last. */
  head = 0;
  #tail = 0;
  #users = 0;
  /** Delivered jobs whose bytes are still in a consumer's hands, oldest first. */
  readonly #kept: Kept[] = [];
  /** In order of place; borders of parts are holes of no bytes. */
  #holes: Hole[] = [];
  /** A search has failed where more bytes would not have helped: they are wanted when the circle comes to its end. */
  #isShort = false;
  /** What the last search has found free: from where the head may be in it, to its end. What is freed later is not in it. */
  #freeFrom = 0;
  #freeTo = 0;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** First byte of a free stretch of `bytes`, or -1. Nothing is given out before `take`. */
  find(bytes: number): number {
    const { head } = this;
    return head >= this.#freeFrom && head + bytes <= this.#freeTo ? head : this.#search(bytes);
  }

  /** Gives out a stretch of what the last search has found free, to a job: its first byte; or -1, and nothing has happened. */
  takeNext(bytes: number): number {
    const first = this.head;
    const end = first + bytes;
    if (first < this.#freeFrom || end > this.#freeTo) return -1;
    this.head = end;
    this.#users += 1;
    return first;
  }

  #search(bytes: number): number {
    const first = this.#around(bytes);
    this.#freeFrom = first;
    // What was found before may lie ahead of the head again, and not be free any more.
    this.#freeTo = first < 0 ? 0 : Math.min(this.limit(first), first + Math.max(bytes, LUMP));
    return first;
  }

  #around(bytes: number): number {
    if (this.#users === 0) {
      this.head = 0;
      this.#tail = 0;
      return this.#fit(0, this.bytes, bytes);
    }
    const { head } = this;
    const tail = this.#tail;
    // Strictly less than the tail: a full circle must not look like an empty one.
    if (head <= tail) {
      const first = this.#fit(head, tail - 1, bytes);
      if (first < 0) this.#isShort = true;
      return first;
    }
    // A circle that grew large goes round in as much of it as it needs: less memory is touched.
    if ((head - tail + bytes) * 2 < tail) {
      const first = this.#fit(0, tail - 1, bytes);
      if (first >= 0) return first;
    }
    const first = this.#fit(head, this.bytes, bytes);
    return first >= 0 || this.#isShort ? first : this.#fit(0, tail - 1, bytes);
  }

  get mayGrow(): boolean {
    return this.#users === 0 || this.head > this.#tail;
  }

  extend(bytes: number): void {
    const at = this.bytes;
    this.#holes.push({ ...BORDER, first: at, end: at });
    this.#holes.sort((a, b) => a.first - b.first);
    this.bytes = bytes;
    this.#isShort = false;
  }

  goOn(): void {
    this.#isShort = false;
  }

  /** First byte of `bytes` in [first, end) that no hole touches, or -1. */
  #fit(first: number, end: number, bytes: number): number {
    let at = first;
    for (const hole of this.#holes) {
      if (hole.end <= at) continue;
      if (hole.first >= at + bytes) break;
      at = hole.end;
    }
    return at + bytes <= end ? at : -1;
  }

  /** The longest stretch that there will be once all jobs are delivered, in bytes. */
  get longest(): number {
    let at = 0;
    let longest = 0;
    for (const hole of this.#holes) {
      longest = Math.max(longest, hole.first - at);
      at = hole.end;
    }
    return Math.max(longest, this.bytes - at);
  }

  /** A job was given up whose function may still see these bytes. */
  keepHole(hole: Hole): void {
    if (hole.end === hole.first) return;
    this.#holes.push(hole);
    this.#holes.sort((a, b) => a.first - b.first);
  }

  /** Neither jobs nor consumers have bytes of it. */
  get isEmpty(): boolean {
    return this.#users === 0;
  }

  /** The function of an abandoned job has ended. */
  closeHole(sequence: number): void {
    this.#holes = this.#holes.filter((hole) => hole.sequence !== sequence);
  }

  /** A thread has ended, and with it all that its functions could see. */
  closeHolesOf(worker: number): void {
    this.#holes = this.#holes.filter((hole) => hole.worker !== worker);
  }

  /** Last byte up to which a stretch found at `first` may grow. */
  limit(first: number): number {
    const end = this.#users === 0 || first >= this.#tail ? this.bytes : this.#tail - 1;
    const hole = this.#holes.find((h) => h.first >= first && h.end > first);
    return hole === undefined ? end : Math.min(end, hole.first);
  }

  /** A job has its bytes: all up to `head`. Returns what `giveBack` needs. */
  take(): number {
    this.#users += 1;
    return this.head;
  }

  /** The oldest job is delivered; true = nobody keeps its bytes, call `giveBack` after its callback. */
  delivered(end: number, keep: boolean): boolean {
    if (this.#kept.length === 0 && !keep) return true;
    this.#kept.push({ end, released: !keep });
    return false;
  }

  /** The bytes of a job that nobody kept are free. */
  giveBack(end: number): void {
    this.#tail = end;
    this.#users -= 1;
  }

  /** The consumer lets go of the oldest result that it kept. */
  release(): void {
    const kept = this.#kept.find((k) => !k.released);
    if (kept === undefined) return;
    kept.released = true;
    this.sweep();
  }

  /** Frees released results that no older one holds up. */
  sweep(): void {
    while (this.#kept.length > 0 && this.#kept[0]!.released) {
      this.#tail = this.#kept.shift()!.end;
      this.#users -= 1;
    }
  }
}
