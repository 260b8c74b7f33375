/** What goes on in a thread beside its loop: promises of jobs, imports, the set-up. The loop must let events in meanwhile. */
import { countWorks } from '../base/current-worker.js';
import { WORKER, workerBase } from '../protocol/control-layout.js';

/** Of one thread. */
export class UnderWay {
  /** All of it. */
  count = 0;
  /** Imports of it. */
  imports = 0;
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #onEnd: () => void;

  /** @param onEnd called when something has ended */
  constructor(words: Int32Array, id: number, onEnd: () => void) {
    this.#words = words;
    this.#at = workerBase(id) + WORKER.PENDING;
    this.#onEnd = onEnd;
  }

  /** There is something that the thread has to end before it leaves, imports aside. */
  hasMore(): boolean {
    return this.count > this.imports;
  }

  /** A job goes on. */
  beginJob(): void {
    countWorks(1);
    this.count += 1;
    this.#words[this.#at] = this.count;
  }

  endJob(): void {
    countWorks(-1);
    this.count -= 1;
    this.#words[this.#at] = this.count;
    this.#onEnd();
  }

  beginSetup(): void {
    this.count += 1;
  }

  endSetup(): void {
    this.count -= 1;
    this.#onEnd();
  }

  /** An import goes on until this has ended. @throws what it does */
  async during<T>(load: () => Promise<T>): Promise<T> {
    this.imports += 1;
    this.count += 1;
    try {
      return await load();
    } finally {
      this.imports -= 1;
      this.count -= 1;
      this.#onEnd();
    }
  }
}
