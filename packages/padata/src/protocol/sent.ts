/**
 * Jobs whose inputs travel by message: where the input is, who may begin the job, and how no thread stays idle while an
 * input waits.
 *
 * ```
 *   FREE ─ keep ─▶ SENT(0) ─ bind ─▶ SENT(w) ─ begin: CAS ─▶ RUNNING(w)
 *                    ▲  the input is    │  ▲    a message with the input is on its way to w
 *                    │  the owner's     │  └─ bind: CAS, from another thread that has not begun it
 *                    └──── bind: CAS ───┘
 * ```
 * The input goes with each message that `bind` is followed by; one that comes to a thread that the slot does not name any
 * more is left.
 *
 * Invariants:
 *  S1 each job is begun once at most, by the thread that its slot names and with its own input: `begin` and `bind` are
 *     one compare-exchange on the same word, and `begin` looks at the number after it;
 *  S2 while inputs wait with the owner, a thread that has begun so many that it wants more is seen: it begins (state),
 *     then loads HELD and ASLEEP; the owner stores HELD, then ASLEEP, then looks at the states;
 *  S3 the same for a thread that has nothing to do: it stores FREE, then loads HELD and ASLEEP;
 *  S4 an input that waits behind a job of another thread is seen by one that has nothing to do: this one stores FREE, then
 *     looks at the states; the owner binds (state), then loads FREE;
 *  S5 a thread that the owner takes for free is: it stores FREE := 0 before it begins; the owner looks at the states, finds
 *     nothing of its that is not begun, then loads FREE.
 */
import type { AtomicOps, Words } from './atomic-ops.js';
import { HEAD, WORKER } from './control-layout.js';
import { RING, SLOT, STATE_BITS, SlotState } from './ring-layout.js';

/** Steps of the protocol. `ring` are the ring's words, `control` the pool's; `worker` 0 = the owner. */
export interface SentProtocol {
  /** Owner: the job's input waits here. */
  keep(ring: Words, base: number): void;
  /** Owner: the job is `to`'s now; false = someone has begun it, or it has ended. A message with the input follows. */
  bind(ring: Words, base: number, from: number, to: number): boolean;
  /** Worker: makes the job of an input that has come its own; false = it is another's by now, or has ended. */
  begin(ring: Words, base: number, worker: number, sequence: number): boolean;
  /** Owner: so many inputs of the ring wait here; before it looks whether a thread wants one, and before it may sleep. */
  holds(ring: Words, count: number): void;
  /** Worker, after `begin` or `free`: true = inputs wait with the owner, who sleeps; this caller wakes it. */
  mustAsk(ring: Words, control: Words): boolean;
  /** Worker: it has nothing to do; before `mustAsk` and before its look at the slots. */
  free(control: Words, base: number): void;
  /** Worker: it has. */
  busy(control: Words, base: number): void;
  /** Owner: has this worker nothing to do? After `bind`. */
  isFree(control: Words, base: number): boolean;
}

/** STATE of a job whose input is with this worker, or on its way to it. */
export function sentTo(worker: number): number {
  return SlotState.SENT | (worker << STATE_BITS);
}

/** The protocol over given operations. */
export function makeSentProtocol(ops: AtomicOps): SentProtocol {
  return {
    keep(ring, base) {
      // Publishes the slot's plain words; the owner alone moves it on from here.
      ops.store(ring, base + SLOT.STATE, sentTo(0));
    },
    bind(ring, base, from, to) {
      // Pairs with `begin`: one of the two wins.
      const old = sentTo(from);
      return ops.compareExchange(ring, base + SLOT.STATE, old, sentTo(to)) === old;
    },
    begin(ring, base, worker, sequence) {
      const sent = sentTo(worker);
      const running = SlotState.RUNNING | (worker << STATE_BITS);
      if (ops.compareExchange(ring, base + SLOT.STATE, sent, running) !== sent) return false;
      // Now that the slot stands still: it may be a later job's, whose input is on its way to this worker too.
      if (ring[base + SLOT.SEQ] === sequence) return true;
      ops.store(ring, base + SLOT.STATE, sent);
      return false;
    },
    holds(ring, count) {
      ops.store(ring, RING.HELD, count);
    },
    mustAsk(ring, control) {
      if (ops.load(ring, RING.HELD) === 0) return false;
      // Pairs with the owner's look after it has said that it sleeps.
      if (ops.load(control, HEAD.OWNER_ASLEEP) === 0) return false;
      return ops.compareExchange(control, HEAD.OWNER_ASLEEP, 1, 0) === 1;
    },
    free(control, base) {
      ops.store(control, base + WORKER.FREE, 1);
    },
    busy(control, base) {
      ops.store(control, base + WORKER.FREE, 0);
    },
    isFree(control, base) {
      return ops.load(control, base + WORKER.FREE) === 1;
    },
  };
}
