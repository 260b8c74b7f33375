/**
 * Lane protocol: several threads share the chunks of one range, and a late helper never touches the next
 * job.
 *
 * ```
 *   owner    write descriptor -> GATE := odd -> claim, run ... -> GATE := even -> wait until no PRESENT
 *   helper   PRESENT[w] := 1 -> GATE still the same odd? -> claim, run ... -> PRESENT[w] := 0
 *                                \-- no: PRESENT[w] := 0, go away (and wake the owner if it WAITS)
 * ```
 * Invariants:
 *  L1 the descriptor (count, job, start, size) changes only while the gate is even and nobody is present;
 *  L2 a helper reads it only while present under an odd gate, hence never sees a mixture;
 *  L3 each chunk index below COUNT is claimed exactly once per opening (CLAIM only grows while open);
 *  L4 PRESENT[w] is written by worker w alone, or by the owner once worker w is dead; a death at any
 *     point therefore needs no guess: clear the word, and the chunks that are RUNNING by w are the lost ones.
 * The store to PRESENT and the load of GATE (helper) against the store to GATE and the load of PRESENT
 * (owner) are the usual store/load pair: sequential consistency lets at least one side see the other.
 *
 * No lock is held anywhere. Source: the idea of hazard pointers (M. Michael, 2004), with one word a thread.
 */
import type { AtomicOps, Words } from './atomic-ops.js';
import { LANE } from './control-layout.js';

/** Steps of the lane protocol over the words of one lane. */
export interface LaneProtocol {
  /** Owner: opens a closed lane whose descriptor is written; returns the odd gate value. */
  open(words: Words, base: number): number;
  /** Owner: no new participants from now on. */
  close(words: Words, base: number): void;
  /** Owner: is worker `w`'s presence word clear? Meaningful after `close`. */
  hasLeft(words: Words, present: number, w: number): boolean;
  /** Helper: joins the opening `gate`; false = it is over: touch nothing, `leave`. */
  join(words: Words, base: number, present: number, w: number, gate: number): boolean;
  /** Participant: index of a chunk that is now its own, or -1 when there is none left. */
  claim(words: Words, base: number): number;
  /** Participant: no claims by anyone from now on. */
  stop(words: Words, base: number): void;
  /** Helper: leaves; returns WAITING: not 0 = the owner may sleep until this moment and has to be woken. */
  leave(words: Words, base: number, present: number, w: number): number;
}

/** The protocol over given operations; production uses `lane` below. */
export function makeLaneProtocol(ops: AtomicOps): LaneProtocol {
  return {
    open(words, base) {
      const gate = (ops.load(words, base + LANE.GATE) + 1) | 0;
      // Publishes the descriptor: pairs with the load of GATE in `join`.
      ops.store(words, base + LANE.GATE, gate);
      return gate;
    },
    close(words, base) {
      // Pairs with the load of GATE in `join`: whoever sets PRESENT later sees an even gate.
      ops.add(words, base + LANE.GATE, 1);
    },
    hasLeft(words, present, w) {
      // Pairs with the stores in `join` and `leave`: after it, worker w reads nothing of this opening.
      return ops.load(words, present + w) === 0;
    },
    join(words, base, present, w, gate) {
      ops.store(words, present + w, 1);
      // Even a visit that comes too late may be what the owner waits for, so it ends by `leave` as well.
      return ops.load(words, base + LANE.GATE) === gate;
    },
    claim(words, base) {
      if (ops.load(words, base + LANE.STOPPED) !== 0) return -1;
      const index = ops.add(words, base + LANE.CLAIM, 1);
      return index < ops.load(words, base + LANE.COUNT) ? index : -1;
    },
    stop(words, base) {
      ops.store(words, base + LANE.STOPPED, 1);
    },
    leave(words, base, present, w) {
      // Pairs with the owner: it sets WAITING, then loads PRESENT; here the other way round.
      ops.store(words, present + w, 0);
      return ops.load(words, base + LANE.WAITING);
    },
  };
}
