/**
 * Set of states, each known by 64 bits of hash, with a number for each: open addressing in typed arrays, so that
 * tens of millions fit. Two states with the same hash count as one: among n states the chance of that is
 * about n^2 / 2^65, for ten million some 3 in a million.
 */
const FIRST_SIZE = 1 << 12;

/** States met and the number of schedules from each. */
export class StateSet {
  size = 0;
  #mask = FIRST_SIZE - 1;
  #low = new Uint32Array(FIRST_SIZE);
  #high = new Uint32Array(FIRST_SIZE);
  #value = new Float64Array(FIRST_SIZE);

  /** Place of a state: its own when it is there, else a free one. Valid until the next `insert`. */
  find(low: number, high: number): number {
    let at = low & this.#mask;
    while (this.#high[at] !== 0 && (this.#high[at] !== high || this.#low[at] !== low)) {
      at = (at + 1) & this.#mask;
    }
    return at;
  }

  has(at: number): boolean {
    return this.#high[at] !== 0;
  }

  /** @param at of `find`; @param high not 0 */
  insert(at: number, low: number, high: number, value: number): void {
    this.#put(at, low, high, value);
    this.size += 1;
    if (this.size * 3 > this.#mask * 2) this.#grow();
  }

  get(at: number): number {
    return this.#value[at]!;
  }

  set(at: number, value: number): void {
    this.#value[at] = value;
  }

  #put(at: number, low: number, high: number, value: number): void {
    this.#low[at] = low;
    this.#high[at] = high;
    this.#value[at] = value;
  }

  #grow(): void {
    const [low, high, value] = [this.#low, this.#high, this.#value];
    const size = low.length * 2;
    this.#mask = size - 1;
    this.#low = new Uint32Array(size);
    this.#high = new Uint32Array(size);
    this.#value = new Float64Array(size);
    for (let i = 0; i < low.length; i += 1) {
      if (high[i] !== 0) this.#put(this.find(low[i]!, high[i]!), low[i]!, high[i]!, value[i]!);
    }
  }
}
