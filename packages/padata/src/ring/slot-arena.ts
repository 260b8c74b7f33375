/**
 * The arena of a slot ring, owner's side: bytes are given out in a circle in submission order and come back
 * in the same order, so there is nothing to search and nothing to free piece by piece.
 *
 * ```
 *        tail ──────▶ head
 *   | free | in use: jobs, then results that a consumer keeps | free |
 * ```
 * Invariant: a stretch never wraps; a circle that is full differs from an empty one by `users`.
 */

interface Kept {
  readonly end: number;
  released: boolean;
}

/** Gives out and takes back the bytes of one ring. */
export class SlotArena {
  readonly bytes: number;
  /** First byte behind what was given out last. */
  head = 0;
  #tail = 0;
  #users = 0;
  /** Delivered jobs whose bytes are still in a consumer's hands, oldest first. */
  readonly #kept: Kept[] = [];

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** First byte of a free stretch of `bytes`, or -1. Nothing is given out before `take`. */
  find(bytes: number): number {
    if (this.#users === 0) {
      this.head = 0;
      this.#tail = 0;
      return bytes <= this.bytes ? 0 : -1;
    }
    if (this.head > this.#tail) {
      if (this.bytes - this.head >= bytes) return this.head;
      // Strictly less: a full circle must not look like an empty one.
      return bytes < this.#tail ? 0 : -1;
    }
    return this.#tail - this.head > bytes ? this.head : -1;
  }

  /** Last byte up to which a stretch found at `first` may grow. */
  limit(first: number): number {
    if (this.#users === 0 || first >= this.#tail) return this.bytes;
    return this.#tail - 1;
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
