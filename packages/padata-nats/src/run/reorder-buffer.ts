/**
 * Results that came before their turn, at most a window of them.
 *
 *     next ──▶ [ – | r | – | r | r | – ]        take(): the result of `next`, if it is there
 *              next                 next + window
 *
 * Anything below `next` or already there is a duplicate: that is where "at least once" becomes "exactly once".
 */

/** What became of an offered result. */
type Offered = 'taken' | 'duplicate' | 'beyond';

/** Ring of results by sequence number; pure. */
export class ReorderBuffer<T> {
  readonly window: number;
  readonly #slots: (T | undefined)[];
  #next: number;
  #waiting = 0;

  /** @param first sequence number of the first result to hand out */
  constructor(window: number, first = 0) {
    this.window = window;
    this.#slots = new Array<undefined>(window).fill(undefined);
    this.#next = first;
  }

  /** Sequence number of the next result to hand out. */
  get next(): number {
    return this.#next;
  }

  /** Results that wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Is the result of this job here already, or handed out? */
  has(sequence: number): boolean {
    if (sequence < this.#next) return true;
    return sequence < this.#next + this.window && this.#slots[sequence % this.window] !== undefined;
  }

  /** Takes a result in. O(1). */
  offer(sequence: number, result: T & {}): Offered {
    if (sequence < this.#next) return 'duplicate';
    if (sequence >= this.#next + this.window) return 'beyond';
    const slot = sequence % this.window;
    if (this.#slots[slot] !== undefined) return 'duplicate';
    this.#slots[slot] = result;
    this.#waiting += 1;
    return 'taken';
  }

  /** The next result in order, or undefined while it is missing. O(1). */
  take(): T | undefined {
    const slot = this.#next % this.window;
    const result = this.#slots[slot];
    if (result === undefined) return undefined;
    this.#slots[slot] = undefined;
    this.#waiting -= 1;
    this.#next += 1;
    return result;
  }
}
