/** First in, first out; what has left is let go of, also while something always waits. */

/** A list that never gets empty gives its beginning back when half of it, and at least so much, has left. */
const COMPACT_FROM = 64;

/** A queue. Each step costs O(1) on average. */
export class Fifo<T> {
  readonly #items: (T | undefined)[] = [];
  #at = 0;

  /** How many wait. */
  get length(): number {
    return this.#items.length - this.#at;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The n-th that waits, from 0. */
  at(n: number): T | undefined {
    return this.#items[this.#at + n];
  }

  /** Puts another in its place. The n-th must wait. */
  replace(n: number, item: T): void {
    this.#items[this.#at + n] = item;
  }

  /** Takes the first out. */
  shift(): T | undefined {
    const item = this.#items[this.#at];
    if (this.length === 0) return undefined;
    this.#items[this.#at] = undefined;
    this.#at += 1;
    if (this.#at === this.#items.length) this.clear();
    else if (this.#at >= COMPACT_FROM && this.#at * 2 >= this.#items.length) {
      this.#items.splice(0, this.#at);
      this.#at = 0;
    }
    return item;
  }

  /** Lets go of all. */
  clear(): void {
    this.#items.length = 0;
    this.#at = 0;
  }
}
