/**
 * The bounded stock of works. A work is the right to keep one thread busy; series and range jobs draw on
 * the same stock, and whoever finds it empty does the job in the calling thread. That throttles a system
 * that tries to do more in parallel than it can, and never fails.
 *
 * Owner's thread only, so plain numbers will do.
 * @kernel padata_works
 */
import { checkInteger, assert } from '../base/errors.js';

/** Counts works in and out. */
export class WorkList {
  #total: number;
  #free: number;
  readonly #borrowers = new Set<() => void>();

  /** @param total works, >= 0 @throws ERR_PADATA_ARGUMENT */
  constructor(total: number) {
    checkInteger('works', total, 0, 0x7fffffff);
    this.#total = total;
    this.#free = total;
  }

  get total(): number {
    return this.#total;
  }

  get free(): number {
    return Math.max(0, this.#free);
  }

  /**
   * Registers someone who has works and gives back, when asked, those whose parallel function has returned.
   * @returns how to be forgotten
   */
  addBorrower(giveBack: () => void): () => void {
    this.#borrowers.add(giveBack);
    return () => {
      this.#borrowers.delete(giveBack);
    };
  }

  /** Takes up to `count` works; returns how many, possibly 0. Asks the borrowers when there are too few. */
  take(count: number): number {
    if (this.#free < count) for (const giveBack of this.#borrowers) giveBack();
    const taken = Math.max(0, Math.min(count, this.#free));
    this.#free -= taken;
    return taken;
  }

  /** Gives works back. */
  put(count: number): void {
    this.#free += count;
    assert(this.#free <= this.#total, 'no more works are returned than were taken');
  }

  /** Changes the stock; works that are out stay valid. */
  resize(total: number): void {
    checkInteger('works', total, 0, 0x7fffffff);
    this.#free += total - this.#total;
    this.#total = total;
  }
}
