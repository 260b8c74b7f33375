/**
 * Who may touch the entries of a page cache: one word for each (zone, thread), over given atomic operations, so that
 * the code that ships is also the code that is explored.
 *
 *              park                    take, under the zone's lock
 *     OWNED ─────────▶ PARKED ─────────────────────────────────────▶ TAKEN
 *       ▲                │  ▲                                          │
 *       └──── unpark ────┘  └────────────────── putBack ───────────────┘
 *
 * A thread that will not allocate for a while parks its cache: then anybody who is short of memory may give its
 * entries back to the lists. Hits look at no word of this: the owner leaves its lists looking empty and full when it
 * parks, so that its next call comes to the slow path, which unparks.
 *
 * Who takes holds the zone's lock from `take` to `putBack`. So an owner that finds TAKEN waits for that lock, and under
 * it TAKEN can only mean that the taker has died: the lock's takeover has put the lists in order, the entries are
 * whole at any moment, and the cache is the owner's again. For the same reason another taker may go on where a dead
 * one stopped.
 *
 * A request to drain (ATTENTION) is a word of its own. The asker writes it and then looks at PARK; the owner writes
 * PARK and then looks at ATTENTION: one of the two sees the other, so no request is forgotten over parking.
 */
import { Cache } from '../base/cache-layout.js';

/** Atomic operations on 32-bit words; `Atomics` satisfies it. */
export interface ParkOps {
  load(words: Int32Array, index: number): number;
  store(words: Int32Array, index: number, value: number): number;
  compareExchange(words: Int32Array, index: number, expected: number, value: number): number;
}

/** Values of a cache's word `PARK`. OWNED is that of fresh memory. */
export const Park = { OWNED: 0, PARKED: 1, TAKEN: 2 } as const;

/** Steps of parking; `at` is the cache's first word. */
export interface ParkProtocol {
  /** By the owner, whose lists look empty and full: others may take. True: somebody asks for a drain. */
  park(words: Int32Array, at: number): boolean;
  /** By the owner. False: somebody takes just now; get the zone's lock and {@link ParkProtocol.resume}. */
  unpark(words: Int32Array, at: number): boolean;
  /** By the owner, or by whoever reclaims its cache, under the zone's lock. */
  resume(words: Int32Array, at: number): void;
  /** Asks for the entries. True: they are for the caller to take; false: the owner drains at its next slow path. */
  ask(words: Int32Array, at: number): boolean;
  /** Under the zone's lock. True: the entries are the caller's until `putBack`. */
  take(words: Int32Array, at: number): boolean;
  /** By the taker, still under the lock. */
  putBack(words: Int32Array, at: number): void;
}

/** The protocol over given operations; production uses `Atomics`. */
export function makeParkProtocol(ops: ParkOps): ParkProtocol {
  const { OWNED, PARKED, TAKEN } = Park;
  return {
    park(words, at) {
      // Pairs with `take`: what the owner wrote to its lists is visible to whoever takes.
      ops.store(words, at + Cache.PARK, PARKED);
      return ops.load(words, at + Cache.ATTENTION) !== 0;
    },
    unpark(words, at) {
      // Pairs with `putBack`: the owner sees how much was taken.
      return ops.compareExchange(words, at + Cache.PARK, PARKED, OWNED) === PARKED;
    },
    resume(words, at) {
      ops.store(words, at + Cache.PARK, OWNED);
    },
    ask(words, at) {
      if (ops.load(words, at + Cache.PARK) !== OWNED) return true;
      ops.store(words, at + Cache.ATTENTION, 1);
      return ops.load(words, at + Cache.PARK) !== OWNED;
    },
    take(words, at) {
      const seen = ops.load(words, at + Cache.PARK);
      if (seen === OWNED) return false;
      // TAKEN: by somebody who died, as the lock is the caller's.
      return ops.compareExchange(words, at + Cache.PARK, seen, TAKEN) === seen;
    },
    putBack(words, at) {
      ops.store(words, at + Cache.PARK, PARKED);
    },
  };
}
