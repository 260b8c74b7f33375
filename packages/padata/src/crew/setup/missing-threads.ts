/** Threads of a pool that could not be set up the last time, while others can: how often in a row, and why. */
import type { PadataError } from '../../base/errors.js';
import { MIN_FAILURES } from '../../threads/setup-watch.js';

/** By id. */
export class MissingThreads {
  readonly #byId = new Map<number, { readonly times: number; readonly error: PadataError }>();

  /** It could not be set up, once more. */
  failed(id: number, error: PadataError): void {
    const times = 1 + (this.#byId.get(id)?.times ?? 0);
    this.#byId.set(id, { times, error });
  }

  /** It is set up. @returns whether it was missing */
  found(id: number): boolean {
    return this.#byId.delete(id);
  }

  /** None is missing for a reason of its own. */
  clear(): void {
    this.#byId.clear();
  }

  /** Why one of those that are wanted cannot be set up, as far as one knows; undefined = all may be. */
  trouble(isWanted: (id: number) => boolean): PadataError | undefined {
    for (const [id, { times, error }] of this.#byId) {
      if (times >= MIN_FAILURES && isWanted(id)) return error;
    }
    return undefined;
  }

  /** Of these threads those that are not missing; all, if none is left. */
  without(ids: readonly number[]): readonly number[] {
    const there = ids.filter((id) => !this.#byId.has(id));
    return there.length > 0 ? there : ids;
  }
}
