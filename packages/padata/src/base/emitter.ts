/** A typed listener list; a listener's error is reported as an uncaught one, not to the emitter. */

import { throwLater } from './errors.js';

/** Listeners by event name. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(data: never) => void>>();

  /** Adds a listener; returns how to remove it. */
  on<K extends keyof Events>(event: K, listener: (data: Events[K]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    set.add(listener);
    return () => {
      set.delete(listener);
    };
  }

  /** Calls the listeners in the order they were added. */
  emit<K extends keyof Events>(event: K, data: Events[K]): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        (listener as (data: Events[K]) => void)(data);
      } catch (error) {
        throwLater(error);
      }
    }
  }
}
