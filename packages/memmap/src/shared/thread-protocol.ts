/**
 * The life of a thread id, over given atomic operations: the code that ships is also the code that is explored.
 *
 *     FREE ──reserve──▶ RESERVED ──join──▶ JOINING ──joined──▶ ALIVE ──leave──▶ FREE, or DEAD where it is kept
 *                          └───────────────────┴──────────────────┴──markDead──▶ DEAD ──release──▶ FREE, or RESERVED
 *
 *                                                                                DEAD by proof, not kept ──adopt──▶ RESERVED
 *
 *     state word   bits 0..2 state | bits 3..16 generation, counted up by each reserve | bit 17 kept | 18 proven | 19 adopted
 *     tag          bits 0..14 id   | bits 15..28 generation: what stands in a lock that the thread holds
 *
 * An id that was reserved for a thread is kept for whoever reserved it: when its thread leaves it is not free but dead,
 * until it is released. So "the thread with this id has ended" cannot be said of somebody who got the id since.
 *
 * Where all ids are taken, one of which nothing but proof says that its thread has ended, and that nobody keeps, can be
 * adopted: its next user puts in order what is left. Whoever says later that "the thread with this id" has ended may
 * mean the one before; of an adopted id that is believed only with proof.
 *
 * The generation makes a tag the name of one thread: `hasEnded(tag)` is true as soon as that thread left or was marked
 * dead, and stays true whoever gets the id afterwards. (After 16 383 further uses of one id the numbers repeat; a
 * waiter would have to stand between two of its instructions all that time.)
 *
 * JOINING is the time in which the thread writes its name in the operating system beside the word; a reader that
 * finds ALIVE finds that name whole.
 */
import type { WordOps } from './lock-protocol.js';

/** Words before the first id's. */
export const HEADER = 4;
/** Words of one id: state, then the name that the operating system has for its thread. */
export const ThreadWord = { STATE: 0, TID: 1, START_LOW: 2, START_HIGH: 3, COUNT: 4 } as const;

/** What an id is. */
export const Life = { FREE: 0, RESERVED: 1, JOINING: 2, ALIVE: 3, DEAD: 4 } as const;

const LIFE_BITS = 3;
const LIFE_MASK = (1 << LIFE_BITS) - 1;
const ID_BITS = 15;
const ID_MASK = (1 << ID_BITS) - 1;
const GENERATION_MASK = (1 << 14) - 1;
const KEPT = 1 << 17;
/** DEAD because of proof; nobody has taken it up. */
const PROVEN = 1 << 18;
const ADOPTED = 1 << 19;
const FLAGS = KEPT | PROVEN | ADOPTED;

/** Thread id in a tag. */
export const idOfTag = (tag: number): number => tag & ID_MASK;

/** Index of an id's first word. */
export const wordOf = (id: number): number => HEADER + id * ThreadWord.COUNT;

const lifeOf = (word: number): number => word & LIFE_MASK;
const become = (word: number, life: number): number => (word & ~LIFE_MASK) | life;
const generationOf = (word: number): number => (word >>> LIFE_BITS) & GENERATION_MASK;
/** The word of an id's next user. */
const reserved = (word: number, keep: boolean): number =>
  (((generationOf(word) % GENERATION_MASK) + 1) << LIFE_BITS) | Life.RESERVED | (keep ? KEPT : 0);
const tagOf = (id: number, word: number): number => id | (generationOf(word) << ID_BITS);
/** Tag of whoever has an id, or will have it; 0 when nobody has, or the thread has ended. From the id's state word. */
export const tagOfUser = (word: number, id: number): number => {
  const life = lifeOf(word);
  return life === Life.FREE || life === Life.DEAD ? 0 : tagOf(id, word);
};
const sameGeneration = (word: number, tag: number): boolean =>
  generationOf(word) === tag >>> ID_BITS;

/** Steps in the life of an id. Ids are those of the registry; the caller checks them. */
export interface ThreadProtocol {
  /** Takes the id if it is free; `keep`: it stays taken until it is released. */
  reserve(words: Int32Array, id: number, keep: boolean): boolean;
  /** Makes a reserved id the caller's; true for one caller. Then the name is written, then `joined`. */
  join(words: Int32Array, id: number): boolean;
  /** Says that the name is written. Returns the tag; 0 when the thread was marked dead meanwhile. */
  joined(words: Int32Array, id: number): number;
  /** Gives the id back, if this very thread has it: free, or dead where it is kept. */
  leave(words: Int32Array, id: number, tag: number): boolean;
  /**
   * Marks whoever has the id dead; false when nobody has, or it is dead and somebody has taken that up, or its thread has
   * adopted it and lives.
   * @param isGone  proof that the thread of a tag has ended; asked of adopted ids
   */
  markDead(words: Int32Array, id: number, isGone: (tag: number) => boolean): boolean;
  /** Takes an id whose thread is dead by proof and that nobody keeps; then as after `reserve`. */
  adopt(words: Int32Array, id: number): boolean;
  /** Whether the id was adopted by the thread that has it. */
  isAdopted(words: Int32Array, id: number): boolean;
  /** Marks one thread dead, by proof, unless it left. */
  markEnded(words: Int32Array, tag: number): boolean;
  /** Makes the id of a dead thread free; or, `keep`, reserved for the next thread of the same owner. */
  release(words: Int32Array, id: number, keep: boolean): boolean;
  /** What the id is, one of {@link Life}. */
  life(words: Int32Array, id: number): number;
  /** Tag of the living thread with this id; 0 for none. */
  tag(words: Int32Array, id: number): number;
  /** Whether this very thread left or was marked dead; false for an id without generation. */
  hasEnded(words: Int32Array, tag: number): boolean;
}

/** The protocol over given operations; production uses `Atomics`. */
export function makeThreadProtocol(ops: WordOps): ThreadProtocol {
  /** Changes the word from one of `from`; returns what it was, 0 when it is none of them. */
  const move = (words: Int32Array, id: number, from: readonly number[], to: number): number => {
    for (;;) {
      const seen = ops.load(words, wordOf(id));
      if (!from.includes(lifeOf(seen))) return 0;
      if (ops.compareExchange(words, wordOf(id), seen, become(seen, to)) === seen) return seen;
    }
  };
  return {
    reserve(words, id, keep) {
      const seen = ops.load(words, wordOf(id));
      if (lifeOf(seen) !== Life.FREE) return false;
      return ops.compareExchange(words, wordOf(id), seen, reserved(seen, keep)) === seen;
    },
    join: (words, id) => move(words, id, [Life.RESERVED], Life.JOINING) !== 0,
    joined(words, id) {
      // No other thread makes a JOINING id ALIVE, so this one is the caller's.
      const seen = move(words, id, [Life.JOINING], Life.ALIVE);
      return seen === 0 ? 0 : tagOf(id, seen);
    },
    leave(words, id, tag) {
      const seen = ops.load(words, wordOf(id));
      if (lifeOf(seen) !== Life.ALIVE || !sameGeneration(seen, tag)) return false;
      const kept = (seen & KEPT) !== 0;
      const left = kept ? become(seen, Life.DEAD) : become(seen & ~FLAGS, Life.FREE);
      return ops.compareExchange(words, wordOf(id), seen, left) === seen;
    },
    markDead(words, id, isGone) {
      for (;;) {
        const seen = ops.load(words, wordOf(id));
        const life = lifeOf(seen);
        if (life === Life.FREE || (life === Life.DEAD && (seen & PROVEN) === 0)) return false;
        // Of an adopted id only proof counts, and of this very thread: the exchange fails when it is another's by then.
        if ((seen & ADOPTED) !== 0 && life !== Life.DEAD) {
          if (life !== Life.ALIVE || !isGone(tagOf(id, seen))) return false;
        }
        // Who says so takes it up: it is not for others to adopt.
        const dead = become(seen, Life.DEAD) & ~PROVEN;
        if (ops.compareExchange(words, wordOf(id), seen, dead) === seen) return true;
      }
    },
    adopt(words, id) {
      const seen = ops.load(words, wordOf(id));
      if (lifeOf(seen) !== Life.DEAD || (seen & (PROVEN | KEPT)) !== PROVEN) return false;
      const next = reserved(seen, false) | ADOPTED;
      return ops.compareExchange(words, wordOf(id), seen, next) === seen;
    },
    isAdopted: (words, id) => (ops.load(words, wordOf(id)) & ADOPTED) !== 0,
    markEnded(words, tag) {
      const at = wordOf(idOfTag(tag));
      const seen = ops.load(words, at);
      if (lifeOf(seen) !== Life.ALIVE || !sameGeneration(seen, tag)) return false;
      return ops.compareExchange(words, at, seen, become(seen, Life.DEAD) | PROVEN) === seen;
    },
    release(words, id, keep) {
      const seen = ops.load(words, wordOf(id));
      if (lifeOf(seen) !== Life.DEAD) return false;
      const next = keep ? reserved(seen, true) : become(seen & ~FLAGS, Life.FREE);
      return ops.compareExchange(words, wordOf(id), seen, next) === seen;
    },
    life: (words, id) => lifeOf(ops.load(words, wordOf(id))),
    tag(words, id) {
      const seen = ops.load(words, wordOf(id));
      return lifeOf(seen) === Life.ALIVE ? tagOf(id, seen) : 0;
    },
    hasEnded(words, tag) {
      // No generation: whoever wrote this knows no registry, and nothing is known of it.
      if (tag >>> ID_BITS === 0) return false;
      const seen = ops.load(words, wordOf(idOfTag(tag)));
      return lifeOf(seen) !== Life.ALIVE || !sameGeneration(seen, tag);
    },
  };
}
