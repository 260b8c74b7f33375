/**
 * Jobs without an order: how a thread finds the next one, and how those that have ended come back, when the slot of a
 * job says nothing of its turn.
 *
 * ```
 *   free slots ─ submit ─▶ queue: place p names a slot ─ reserve, take ─▶ RUNNING(w) ─ finish ─▶ list of the ended
 *        ▲                                                                                          │
 *        └───────────────────────── deliver, in order of completion ◀───────────────── collect ◀────┘
 * ```
 * Who may touch a slot, and who runs its job, is decided by STATE as in `protocol/ring.ts`: take, pend, hold, regain and
 * settle are the same steps. PUBLISHED and CLAIM count places of the queue here, and a place is a hint as it is there.
 * The ended form a stack in shared words: whoever ends a job puts its slot on top by one compare-exchange, the owner takes
 * all of them by one exchange and turns them round. There is no state between running and ended, so a thread that dies
 * has ended a job or has not.
 *
 * Invariants:
 *  L1 a job that nobody has begun is named by a place from CLAIM on, or by one that a living thread has reserved and not
 *     looked at yet: the owner writes another slot to a place only when the job that it names is begun or has ended;
 *  L2 each job that ends is collected once, those of one thread in the order in which they ended: `finish` is the only way
 *     from RUNNING to the list, `collect` empties it;
 *  L3 once a job has ended, somebody delivers it: the owner sees it before it sleeps, or its thread sees that the owner
 *     sleeps and wakes it: when as many have ended as it awaits, else when the thread has nothing more to do. (worker: ENDED,
 *     then load ASLEEP; owner: WAKE_AT, ASLEEP := 1, then load ENDED);
 *  L4 a slot is free from its delivery on, and only then given to another job.
 */
import type { AtomicOps, Words } from './atomic-ops.js';
import { HEAD } from './control-layout.js';
import { RING, SLOT, slotWord } from './ring-layout.js';

/** Steps of the protocol. `ring` are the ring's words, `control` the pool's; a slot is named by its first word. */
export interface LooseProtocol {
  /** Owner, before `publish`: this place of the queue names this slot. */
  enqueue(ring: Words, window: number, place: number, base: number): void;
  /** Anyone: the slot that this place names; later it may be another's, or free. */
  slotAt(ring: Words, window: number, place: number): number;
  /** Worker (or whoever has the job): the outcome is in the slot, which is the owner's from here on. */
  finish(ring: Words, base: number): void;
  /** Owner: takes all that has ended; the slot that ended first, 0 = none. `endedAfter` gives the others. */
  collect(ring: Words): number;
  /** Owner: the slot that ended next, of those collected with this one; 0 = none. */
  endedAfter(ring: Words, base: number): number;
  /** Worker, after `finish`: true = the owner sleeps, as many have ended as it awaits, this caller wakes it. */
  mustWake(ring: Words, control: Words): boolean;
  /** Worker that has nothing more to do: true = the owner sleeps, something has ended, this caller wakes it. */
  mustTell(ring: Words, control: Words): boolean;
  /** Owner: have as many ended as it awaits? */
  isDue(ring: Words): boolean;
  /**
   * Owner, before it may sleep: the place in front of which all jobs are over, about, and how many have to end until it is
   * woken, 1 .. 2047.
   */
  passed(ring: Words, place: number, awaited: number): void;
}

/** ENDED: in its low bits the first word of the slot that ended last, above them how many are on the list. */
const BASE_BITS = 21;
/** It counts no further; more are not awaited. */
const MOST_AWAITED = (1 << (32 - BASE_BITS)) - 1;

/** First word of the slot on top of ENDED; 0 = none. */
export const topOf = (ended: number): number => ended & ((1 << BASE_BITS) - 1);

/** ENDED with one more on top. */
const withTop = (ended: number, base: number): number =>
  ((Math.min(ended >>> BASE_BITS, MOST_AWAITED - 1) + 1) << BASE_BITS) | base;

/** The protocol over given operations. */
export function makeLooseProtocol(ops: AtomicOps): LooseProtocol {
  return {
    enqueue(ring, window, place, base) {
      // A thread that is late may read it at this moment: it takes what it finds as what it is.
      ops.store(ring, slotWord(window, place) + SLOT.QUEUED, base);
    },
    slotAt(ring, window, place) {
      return ops.load(ring, slotWord(window, place) + SLOT.QUEUED);
    },
    finish(ring, base) {
      for (;;) {
        const before = ops.load(ring, RING.ENDED);
        // Plain: the slot is this thread's until the exchange, which publishes it with the outcome.
        ring[base + SLOT.NEXT] = topOf(before);
        // The list may have been taken and filled up to the same slot again: what lies under it is that slot's own.
        if (ops.compareExchange(ring, RING.ENDED, before, withTop(before, base)) === before) return;
      }
    },
    collect(ring) {
      if (ops.load(ring, RING.ENDED) === 0) return 0;
      // Pairs with the exchange in `finish`: from here on these slots are the owner's.
      let base = topOf(ops.exchange(ring, RING.ENDED, 0));
      let first = 0;
      while (base !== 0) {
        const before = ring[base + SLOT.NEXT]!;
        ring[base + SLOT.NEXT] = first;
        first = base;
        base = before;
      }
      return first;
    },
    endedAfter(ring, base) {
      return ring[base + SLOT.NEXT]!;
    },
    mustWake(ring, control) {
      if (ops.load(control, HEAD.OWNER_ASLEEP) === 0) return false;
      if (ops.load(ring, RING.ENDED) >>> BASE_BITS < ops.load(ring, RING.WAKE_AT)) return false;
      return ops.compareExchange(control, HEAD.OWNER_ASLEEP, 1, 0) === 1;
    },
    mustTell(ring, control) {
      if (ops.load(control, HEAD.OWNER_ASLEEP) === 0) return false;
      if (ops.load(ring, RING.ENDED) === 0) return false;
      return ops.compareExchange(control, HEAD.OWNER_ASLEEP, 1, 0) === 1;
    },
    isDue(ring) {
      return ops.load(ring, RING.ENDED) >>> BASE_BITS >= ops.load(ring, RING.WAKE_AT);
    },
    passed(ring, place, awaited) {
      ops.store(ring, RING.PROCESSED, place);
      ops.store(ring, RING.WAKE_AT, Math.min(awaited, MOST_AWAITED));
    },
  };
}
