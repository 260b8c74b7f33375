/**
 * The free slots of a ring without an order: a circle, first given back, first used again.
 *
 * While jobs end in the order in which they began, slots are used in turn, as in a ring with an order, and each job finds
 * its place in the queue in its own cache line. A slot that was given back rests as long as there are others.
 */

/** Slots by index, 0 … count - 1. All are free at first. */
export class FreeSlots {
  readonly #circle: Int32Array;
  readonly #mask: number;
  #first = 0;
  #free: number;

  /** @param count a power of two */
  constructor(count: number) {
    this.#circle = Int32Array.from({ length: count }, (_, index) => index);
    this.#mask = count - 1;
    this.#free = count;
  }

  /** Slots that are free. */
  get free(): number {
    return this.#free;
  }

  /** The slot that `take` would give; undefined = none is free. */
  get next(): number | undefined {
    return this.#free === 0 ? undefined : this.#circle[this.#first]!;
  }

  /** Takes the slot that `next` says. There must be one. */
  take(): void {
    this.#first = (this.#first + 1) & this.#mask;
    this.#free -= 1;
  }

  /** Gives a slot back that was taken. */
  give(index: number): void {
    this.#circle[(this.#first + this.#free) & this.#mask] = index;
    this.#free += 1;
  }
}
