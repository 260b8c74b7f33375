/** Who waits until all threads that are wanted are there. */
import type { Crew } from '../../crew/crew.js';

/** Those of one pool. */
export class Readiness {
  readonly #crew: Crew;
  #waiters: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor(crew: Crew) {
    this.#crew = crew;
  }

  get isReady(): boolean {
    return this.#crew.readyCount >= this.#crew.target;
  }

  /** Resolves when they are there; rejects with what `reject` is given. The process stays alive meanwhile. */
  async wait(): Promise<void> {
    this.#crew.ref();
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiters.push({ resolve, reject });
      });
    } finally {
      this.#crew.unref();
    }
  }

  /** Something has changed: are they? */
  check(): void {
    if (!this.isReady) return;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  /** They will not be. */
  reject(error: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}
