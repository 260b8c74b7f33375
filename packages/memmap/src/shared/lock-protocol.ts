/**
 * The steps of the lock, over given atomic operations, so that the code that ships is also the code that is explored.
 *
 *     word 0   0 free | tag of the holder, plus CONTENDED when somebody sleeps or is about to
 *     word 1   how often the lock was taken over from a holder that had ended
 *     word 2   how often somebody slept for it
 *     word 3   how often it was given back while contended
 *
 *              enter                     look: marks it                leave
 *     free ──────────────▶ tag ──────────────────▶ tag|CONTENDED ─────────────▶ free, notify one
 *                           │                          │
 *                           └── look, the tag's thread has ended ──▶ own tag|CONTENDED ('recovered')
 *
 * A tag is a thread id with the generation of that id (thread-protocol.ts), so it names one thread for good: a
 * waiter that was told "this one has ended" and goes on much later compares the word with that very tag and cannot
 * take a lock from a thread that got the same id since.
 *
 * Invariants: while held, word 0 carries the holder's tag; whoever sleeps has set CONTENDED first, and whoever
 * slept enters with CONTENDED set, so no sleeper is forgotten; a tag is replaced by another one only when its
 * thread has ended. A sleeper that is woken and then ends passes nothing on: the others wake by themselves
 * after a slice. Source: U. Drepper, "Futexes Are Tricky" (2011).
 */

/** Atomic operations on 32-bit words; `Atomics` satisfies it. */
export interface WordOps {
  /** Reads a word. */
  load(words: Int32Array, index: number): number;
  /** Writes a word. */
  store(words: Int32Array, index: number, value: number): number;
  /** Adds and returns the old value. */
  add(words: Int32Array, index: number, value: number): number;
  /** Writes and returns the old value. */
  exchange(words: Int32Array, index: number, value: number): number;
  /** Writes `value` if the word is `expected`; returns the old value. */
  compareExchange(words: Int32Array, index: number, expected: number, value: number): number;
}

/** Somebody sleeps for the lock, or is about to. */
export const CONTENDED = 0x4000_0000;
/** Bits of a tag. */
export const TAG_MASK = 0x3fff_ffff;

/** Words of a lock, from its first one. */
export const LockWord = { STATE: 0, RECOVERIES: 1, SLEEPS: 2, TURNS: 3 } as const;

/** What a look found; any other answer is the word to sleep on. */
export const Look = { ENTERED: -1, RECOVERED: -2, AGAIN: -3 } as const;

/** How leaving went; any other answer is the word of the one who does hold the lock. */
export const Leave = { QUIET: -1, WAKE: -2 } as const;

/** Steps of the lock; `at` is its first word, `tag` the caller's. */
export interface LockProtocol {
  /** True when the lock was free and is the caller's now. */
  enter(words: Int32Array, at: number, tag: number): boolean;
  /**
   * One round of a waiter: enters, takes over, or marks the lock contended.
   * @param hasEnded  whether the thread of a tag has ended; must be certain
   */
  look(words: Int32Array, at: number, tag: number, hasEnded: (tag: number) => boolean): number;
  /** Gives the lock back; puts back what was there when the caller does not hold it. */
  leave(words: Int32Array, at: number, tag: number): number;
}

/** The protocol over given operations; production uses `Atomics`. */
export function makeLockProtocol(ops: WordOps): LockProtocol {
  return {
    enter(words, at, tag) {
      return ops.compareExchange(words, at, 0, tag) === 0;
    },
    look(words, at, tag, hasEnded) {
      const seen = ops.load(words, at);
      // Others may sleep: entering as contended makes the own `leave` wake one of them.
      const mine = tag | CONTENDED;
      if (seen === 0)
        return ops.compareExchange(words, at, 0, mine) === 0 ? Look.ENTERED : Look.AGAIN;
      if (hasEnded(seen & TAG_MASK)) {
        if (ops.compareExchange(words, at, seen, mine) !== seen) return Look.AGAIN;
        ops.add(words, at + LockWord.RECOVERIES, 1);
        return Look.RECOVERED;
      }
      const contended = seen | CONTENDED;
      if (seen !== contended && ops.compareExchange(words, at, seen, contended) !== seen) {
        return Look.AGAIN;
      }
      return contended;
    },
    leave(words, at, tag) {
      // Pairs with `enter` and `look`: what was written under the lock is visible to the next holder.
      const seen = ops.exchange(words, at, 0);
      if (seen === tag) return Leave.QUIET;
      if (seen !== (tag | CONTENDED)) {
        // Put back what was there; for an instant the lock was open, which only a wrong caller can cause.
        if (seen !== 0) ops.compareExchange(words, at, 0, seen | CONTENDED);
        return seen;
      }
      ops.add(words, at + LockWord.TURNS, 1);
      return Leave.WAKE;
    },
  };
}
