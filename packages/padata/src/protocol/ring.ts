/**
 * Ring protocol: who may touch a slot, who runs a job, who delivers it, and how nobody oversleeps.
 *
 * ```
 *            owner                  worker                   worker                owner
 *   FREE ───── submit ────▶ READY ─── take ────▶ RUNNING(w) ── finish ────▶ DONE ── deliver ──▶ FREE
 * ```
 * CLAIM only steers the workers apart: a worker reserves a run of sequence numbers with one
 * compare-exchange, but a job is its own only after the compare-exchange on the slot's STATE. So a stale
 * reservation is harmless, jobs reserved by a worker that died can be offered again by moving CLAIM back,
 * and an idle worker may take what another has reserved but not begun.
 *
 * Invariants:
 *  R1 each submitted job is taken exactly once (READY -> RUNNING by one compare-exchange);
 *  R2 jobs are delivered exactly once, in order of sequence: the owner passes slot PROCESSED only when DONE;
 *  R3 once the awaited job is DONE, and the next in order is, nobody waits: either the owner sees it before it
 *     sleeps, or a worker sees that the owner sleeps and wakes it. (worker: STATE := DONE, then load ASLEEP; owner:
 *     ASLEEP := 1, then load STATE). The awaited job is the next in order, or a later one that is submitted: of jobs
 *     that belong together, the last;
 *  R4 at most one wake message per sleep of the owner: ASLEEP goes from 1 to 0 by compare-exchange.
 *
 * A job whose function has returned a promise is nobody's until the promise ends:
 * ```
 *   RUNNING(w) ── pend ──▶ PENDING(w) ── hold ──▶ HOLDING(w)      hold: the function asks for bytes of the slot
 *                              └────────── regain (w) or settle (owner): one compare-exchange wins ──▶ RUNNING
 * ```
 *  R5 such a job ends once: by its worker after `regain`, or by the owner after `settle`;
 *  R6 whoever settles knows whether the function may still see the slot's bytes: `hold` comes before the view.
 *
 * This is the kernel's reorder step with the token kept by the owner: `processed` is published before the
 * owner looks for the next job, and whoever finishes exactly that job passes the turn back.
 * @kernel padata_do_parallel, padata_do_serial, padata_reorder
 */
import type { AtomicOps, Words } from './atomic-ops.js';
import { HEAD } from './control-layout.js';
import { RING, SLOT, STATE_BITS, STATE_MASK, SlotState, slotWord } from './ring-layout.js';

/** Steps of the ring protocol. `ring` are the ring's words, `control` the pool's. */
export interface RingProtocol {
  /** Owner: the slot's words are written; whoever has reserved it may take the job. */
  offer(ring: Words, base: number): void;
  /** Owner: all jobs before `next` are offered (or sent) and may be reserved; one store for many jobs. */
  publish(ring: Words, next: number): void;
  /** Worker: first of up to `most` reserved sequence numbers; `taken.count` says how many (0 = none). */
  reserve(ring: Words, most: number, share: number, taken: { count: number }): number;
  /** Worker: first word of the slot of the job at this place, which is its sequence number. */
  slotAt(ring: Words, window: number, place: number): number;
  /** Worker (or owner): makes a READY slot its own. */
  take(ring: Words, base: number, worker: number): boolean;
  /** Worker: the result is in the slot. */
  finish(ring: Words, base: number): void;
  /** Worker, after `finish`: true = the owner sleeps, the job that it awaits is done, this caller wakes it. */
  mustWake(ring: Words, control: Words, window: number): boolean;
  /** Worker that has nothing more to do: true = the owner sleeps, the next job in order is done, this caller wakes it. */
  mustTell(ring: Words, control: Words, window: number): boolean;
  /** Worker: the function has returned a promise; `holds` = it has views of the slot's bytes. */
  pend(ring: Words, base: number, worker: number, holds: boolean): void;
  /** Worker: before a pending function gets a view of the slot's bytes; false = the job is over, give none. */
  hold(ring: Words, base: number, worker: number, sequence: number): boolean;
  /** Worker: the promise has ended; true = the job is this worker's to finish, false = it was settled. */
  regain(ring: Words, base: number, worker: number, sequence: number): boolean;
  /** Owner: makes a job in this state its own, to end it; false = someone else moved it on. */
  settle(ring: Words, base: number, state: number): boolean;
  /** Owner: is the job done? */
  isDone(ring: Words, base: number): boolean;
  /** Owner: the slot is delivered and free. */
  free(ring: Words, base: number): void;
  /**
   * Owner, before it may sleep: publishes what is next in order, and which job it awaits: that one, or a later one
   * that is submitted and was not done a moment ago.
   */
  passed(ring: Words, next: number, awaited: number): void;
  /** Owner: about to sleep; true = nothing to deliver, sleep. */
  ownerMaySleep(control: Words, anyDone: () => boolean): boolean;
  /** Owner: awake. */
  ownerAwake(control: Words): void;
  /** Owner, after a worker's death: everything not begun is on offer again. */
  offerAgain(ring: Words): void;
}

/** The protocol over given operations. */
export function makeRingProtocol(ops: AtomicOps): RingProtocol {
  return {
    offer(ring, base) {
      // Publishes the slot's plain words: pairs with the compare-exchange in `take`.
      ops.store(ring, base + SLOT.STATE, SlotState.READY);
    },
    publish(ring, next) {
      // Pairs with the load in `reserve` and with the worker's look before it sleeps.
      ops.store(ring, RING.PUBLISHED, next);
    },
    reserve(ring, most, share, taken) {
      for (;;) {
        const from = ops.load(ring, RING.CLAIM);
        const pending = (ops.load(ring, RING.PUBLISHED) - from) | 0;
        if (pending <= 0) {
          taken.count = 0;
          return from;
        }
        const count = Math.min(most, Math.max(1, Math.floor(pending / share)));
        if (ops.compareExchange(ring, RING.CLAIM, from, (from + count) | 0) === from) {
          taken.count = count;
          return from;
        }
      }
    },
    slotAt(_ring, window, place) {
      return slotWord(window, place);
    },
    take(ring, base, worker) {
      // Pairs with `offer`; from here the slot is this worker's until `finish`.
      return (
        ops.compareExchange(
          ring,
          base + SLOT.STATE,
          SlotState.READY,
          SlotState.RUNNING | (worker << STATE_BITS),
        ) === SlotState.READY
      );
    },
    finish(ring, base) {
      // Publishes the result: pairs with the load in `isDone`.
      ops.store(ring, base + SLOT.STATE, SlotState.DONE);
    },
    mustWake(ring, control, window) {
      if (ops.load(control, HEAD.OWNER_ASLEEP) === 0) return false;
      const awaited = ops.load(ring, RING.WAKE_AT);
      const state = ops.load(ring, slotWord(window, awaited) + SLOT.STATE);
      if ((state & STATE_MASK) !== SlotState.DONE) return false;
      return ops.compareExchange(control, HEAD.OWNER_ASLEEP, 1, 0) === 1;
    },
    mustTell(ring, control, window) {
      if (ops.load(control, HEAD.OWNER_ASLEEP) === 0) return false;
      const next = ops.load(ring, RING.PROCESSED);
      const state = ops.load(ring, slotWord(window, next) + SLOT.STATE);
      if ((state & STATE_MASK) !== SlotState.DONE) return false;
      return ops.compareExchange(control, HEAD.OWNER_ASLEEP, 1, 0) === 1;
    },
    pend(ring, base, worker, holds) {
      const phase = holds ? SlotState.HOLDING : SlotState.PENDING;
      // From here on `settle` may win: what the function does later goes through `hold` and `regain`.
      ops.store(ring, base + SLOT.STATE, phase | (worker << STATE_BITS));
    },
    hold(ring, base, worker, sequence) {
      const pending = SlotState.PENDING | (worker << STATE_BITS);
      const holding = SlotState.HOLDING | (worker << STATE_BITS);
      // Only this worker makes a slot its own PENDING, so one of another job of it has another number.
      if (ring[base + SLOT.SEQ] !== sequence) return false;
      const state = ops.load(ring, base + SLOT.STATE);
      if (state === holding) return true;
      if (state !== pending) return false;
      // Pairs with the compare-exchange in `settle`: it sees HOLDING, or this one fails.
      return ops.compareExchange(ring, base + SLOT.STATE, pending, holding) === pending;
    },
    regain(ring, base, worker, sequence) {
      if (ring[base + SLOT.SEQ] !== sequence) return false;
      const state = ops.load(ring, base + SLOT.STATE);
      if ((state & STATE_MASK) < SlotState.PENDING || state >> STATE_BITS !== worker) return false;
      const running = SlotState.RUNNING | (worker << STATE_BITS);
      return ops.compareExchange(ring, base + SLOT.STATE, state, running) === state;
    },
    settle(ring, base, state) {
      // RUNNING by nobody: the owner's own until `finish`.
      return ops.compareExchange(ring, base + SLOT.STATE, state, SlotState.RUNNING) === state;
    },
    isDone(ring, base) {
      return (ops.load(ring, base + SLOT.STATE) & STATE_MASK) === SlotState.DONE;
    },
    free(ring, base) {
      // Plain: only the owner acts on FREE, and `offer` publishes what it writes next.
      ring[base + SLOT.STATE] = SlotState.FREE;
    },
    passed(ring, next, awaited) {
      ops.store(ring, RING.PROCESSED, next);
      // Pairs with the load in `mustWake`.
      ops.store(ring, RING.WAKE_AT, awaited);
    },
    ownerMaySleep(control, anyDone) {
      ops.store(control, HEAD.OWNER_ASLEEP, 1);
      if (!anyDone()) return true;
      ops.store(control, HEAD.OWNER_ASLEEP, 0);
      return false;
    },
    ownerAwake(control) {
      ops.store(control, HEAD.OWNER_ASLEEP, 0);
    },
    offerAgain(ring) {
      ops.store(ring, RING.CLAIM, ops.load(ring, RING.PROCESSED));
    },
  };
}
