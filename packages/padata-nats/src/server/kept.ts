/** Something made at first use and kept for all who want it. What could not be made is not kept: who asks next tries again. */
export class Kept<T> {
  readonly #make: () => Promise<T>;
  #made: Promise<T> | undefined;

  constructor(make: () => Promise<T>) {
    this.#make = make;
  }

  /** The one that is there, or is being made. @throws what making it throws */
  get(): Promise<T> {
    if (this.#made !== undefined) return this.#made;
    const made = this.#make();
    this.#made = made;
    made.catch(() => {
      // One that was made since is another.
      if (this.#made === made) this.#made = undefined;
    });
    return made;
  }

  /** Does something with it. Where that fails it may be gone, and is not kept either. @throws what making it or `work` throws */
  async use<R>(work: (made: T) => Promise<R>): Promise<R> {
    const made = this.get();
    try {
      return await work(await made);
    } catch (error) {
      if (this.#made === made) this.#made = undefined;
      throw error;
    }
  }

  /** The next call makes another. */
  forget(): void {
    this.#made = undefined;
  }
}
