/** While completions are deferred, any thread may wake the owner through OWNER_ASLEEP itself. */
import type { Crew } from '../crew/crew.js';
import type { Platform } from '../threads/platform.js';
import { HEAD } from '../protocol/control-layout.js';

/** A look in any case, in milliseconds: the last completion may come between two of them. */
const LOOK_MS = 100;

/** Watches for completions of one pool. */
export class DeferredWatch {
  readonly #platform: Platform;
  readonly #crew: Crew;
  #watching = false;

  constructor(platform: Platform, crew: Crew) {
    this.#platform = platform;
    this.#crew = crew;
  }

  /**
   * Calls `deliver` after each wake-up, as long as some completion is to come, and once more: the last may have taken the owner
   * for asleep when nobody watched, and whoever ends another job takes it for awake from then on.
   */
  begin(isAnyDeferred: () => boolean, deliver: () => void): void {
    if (this.#watching) return;
    this.#watching = true;
    void this.#watch(isAnyDeferred, deliver);
  }

  async #watch(isAnyDeferred: () => boolean, deliver: () => void): Promise<void> {
    try {
      while (isAnyDeferred()) {
        const result = Atomics.waitAsync(this.#crew.words, HEAD.OWNER_ASLEEP, 1, LOOK_MS);
        if (result.async) await result.value;
        else await this.#platform.yieldToEvents();
        deliver();
      }
      deliver();
    } finally {
      this.#watching = false;
    }
  }
}
