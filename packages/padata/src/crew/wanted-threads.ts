/** Which threads of a pool are to be there, by id: the first so many, and of those up to `most` the ones that were asked for singly. */
export class WantedThreads {
  readonly #isWanted: boolean[];
  #count = 0;
  #most = 0;
  #isElastic = false;

  /** @param capacity highest id that a thread may have */
  constructor(capacity: number) {
    this.#isWanted = new Array<boolean>(capacity + 1).fill(false);
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** The highest id that one may have: of those that are wanted, or that come when work waits. */
  get most(): number {
    return this.#most;
  }

  /** Their number changes by itself. */
  get isElastic(): boolean {
    return this.#isElastic;
  }

  /** Is this one wanted? */
  has(id: number): boolean {
    return this.#isWanted[id] === true;
  }

  /** May this one be wanted when work waits? */
  mayCome(id: number): boolean {
    return this.#isElastic && id <= this.#most;
  }

  /** The first `count` are wanted; of those up to `most`, if that is more, also what was wanted before. @returns whether that is new */
  set(count: number, most: number): boolean {
    const isNew = count !== this.#count || most !== this.#most;
    this.#isElastic = count < most;
    this.#most = most;
    for (let id = 1; id < this.#isWanted.length; id += 1) {
      this.#isWanted[id] = id <= count || (this.mayCome(id) && this.has(id));
    }
    this.#recount();
    return isNew;
  }

  add(id: number): void {
    this.#isWanted[id] = true;
    this.#recount();
  }

  delete(id: number): void {
    this.#isWanted[id] = false;
    this.#recount();
  }

  #recount(): void {
    this.#count = this.#isWanted.filter((isWanted) => isWanted).length;
  }
}
