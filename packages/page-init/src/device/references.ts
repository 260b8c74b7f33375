/**
 * References to a device mapping: bulk ones for its pages, single ones for users. Killing it stops new
 * ones; when the last goes, whoever waits for the release goes on.
 */
import { PageInitError } from '../base/errors.js';

/** Counted references with a live / dying / dead life. @kernel percpu_ref (its semantics) */
export class MappingReferences {
  #count = 0;
  #dying = false;
  #waiters: (() => void)[] = [];

  /** References held now. */
  get count(): number {
    return this.#count;
  }

  /** True until `kill`. */
  get live(): boolean {
    return !this.#dying;
  }

  /** Takes references; false when the mapping is dying. */
  tryGet(count = 1): boolean {
    if (this.#dying) return false;
    this.#count += count;
    return true;
  }

  /** Drops references. @throws ERR_DEVICE_STATE when more are dropped than held; nothing changed */
  put(count = 1): void {
    if (count > this.#count) {
      throw new PageInitError('ERR_DEVICE_STATE', 'a reference is dropped that was never taken', {
        held: this.#count,
        dropped: count,
      });
    }
    this.#count -= count;
    if (this.#count === 0) for (const wake of this.#waiters.splice(0)) wake();
  }

  /** No new references from here on. */
  kill(): void {
    this.#dying = true;
  }

  /** Resolves when no reference is held. */
  whenZero(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }
}
