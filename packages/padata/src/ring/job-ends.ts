/**
 * Ends of jobs from outside, owner's side of one ring: those that have not begun are settled, those that run are asked to
 * give up, those whose promise is pending are abandoned. What the slot says decides, by one compare-exchange
 * (`protocol/ring.ts`); the outcome of a job that was cancelled is the reason, whatever its function comes to.
 */
import { ring as protocol, stepsOf } from '../protocol/machine.js';
import type { JobSteps } from '../protocol/machine.js';
import {
  Ask,
  Kind,
  RING,
  SLOT,
  STATE_BITS,
  STATE_MASK,
  SlotState,
  isPending,
  slotWord,
} from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import type { Reply } from './replies.js';
import type { Arena } from '../arena/slot-arena.js';

const { load, store } = Atomics;

/** What the ring tells of its jobs, and takes. */
interface EndsHost {
  /** Jobs that are submitted and not delivered, oldest first; what their slots say is up to date. */
  jobs(): readonly number[];
  /** Is this one of them? The same. */
  isOut(sequence: number): boolean;
  /** Its memory may be another ring's by now. */
  readonly closed: boolean;
  /** The job's outcome, which does not lie in its slot. */
  reply(index: number, reply: Reply): void;
  /** The job has a reason: its delivery asks for it. */
  noteReason(index: number): void;
}

/** Ends jobs of one ring. */
export class JobEnds {
  /** Error that cancelled and killed jobs get; undefined = the ring was not aborted. */
  abortError: { readonly error: unknown } | undefined;
  /** A function of it was abandoned. */
  hasAbandoned = false;
  readonly #words: Int32Array;
  readonly #window: number;
  readonly #arena: Arena;
  readonly #host: EndsHost;
  readonly #steps: JobSteps;
  /** Reasons of jobs that were cancelled while they ran, by slot: their outcome, whatever they come to. */
  readonly #reasons = new Map<number, unknown>();

  constructor(memory: RingMemory, arena: Arena, host: EndsHost) {
    this.#words = memory.words;
    this.#window = memory.window;
    this.#arena = arena;
    this.#host = host;
    this.#steps = stepsOf(memory.words);
  }

  /** Ends every job that has not begun with this error. */
  cancelWaiting(error: unknown): void {
    for (const s of this.#host.jobs()) {
      const base = slotWord(this.#window, s);
      const state = load(this.#words, base + SLOT.STATE);
      const phase = state & STATE_MASK;
      if (phase !== SlotState.READY && phase !== SlotState.SENT && phase !== SlotState.DEFERRED) {
        continue;
      }
      this.settle(base, state, { failed: true, value: error });
    }
  }

  /**
   * Ends one job if it has not begun; else asks its function to give up. Its outcome is `error` from now on.
   * @returns true = its function has begun, and has to be stopped
   */
  cancelOne(sequence: number, error: unknown): boolean {
    if (!this.#host.isOut(sequence)) return false;
    const base = slotWord(this.#window, sequence);
    const index = sequence & (this.#window - 1);
    this.#reasons.set(index, error);
    this.#host.noteReason(index);
    for (;;) {
      const state = load(this.#words, base + SLOT.STATE);
      const phase = state & STATE_MASK;
      if (phase === SlotState.DONE) return false;
      if (phase === SlotState.RUNNING || phase >= SlotState.PENDING) {
        store(this.#words, base + SLOT.ASKS, this.#words[base + SLOT.ASKS]! | Ask.STOP);
        return true;
      }
      // Somebody may begin it at this moment.
      if (this.settle(base, state, { failed: true, value: error })) return false;
    }
  }

  /** Why the job in this slot was cancelled; it is delivered now. */
  takeReason(index: number): unknown {
    const reason = this.#reasons.get(index);
    this.#reasons.delete(index);
    return reason;
  }

  /** Was this job cancelled by itself? */
  wasCancelled(index: number): boolean {
    return this.#reasons.has(index);
  }

  /** Error of a job that was cancelled, by itself or with its series; undefined = it goes on. */
  reasonOf(index: number): { readonly error: unknown } | undefined {
    return this.#reasons.has(index) ? { error: this.#reasons.get(index) } : this.abortError;
  }

  /** A job whose function has begun and not ended: its state, see `SlotState`; undefined = there is none. */
  begunState(sequence: number): number | undefined {
    if (!this.#host.isOut(sequence)) return undefined;
    const state = load(this.#words, slotWord(this.#window, sequence) + SLOT.STATE);
    return (state & STATE_MASK) === SlotState.RUNNING || isPending(state) ? state : undefined;
  }

  /** Jobs whose functions have begun and not ended, in order. */
  begun(): readonly number[] {
    return this.#host.jobs().filter((s) => this.begunState(s) !== undefined);
  }

  /** Has this worker begun a job that has not ended? */
  isRunning(worker: number): boolean {
    return this.begun().some((s) => (this.begunState(s) ?? 0) >> STATE_BITS === worker);
  }

  /** Does this worker run a job, without a pause, that nobody has cancelled? */
  keepsBusy(worker: number): boolean {
    const running = SlotState.RUNNING | (worker << STATE_BITS);
    return this.begun().some(
      (s) => this.begunState(s) === running && !this.#reasons.has(s & (this.#window - 1)),
    );
  }

  /**
   * Ends a job whose function has returned a promise, without it. Bytes that the function may still see or write go
   * to no other job until it has ended (`functionEnded`) or its thread.
   * @returns false when the promise is not pending (any more)
   */
  abandon(sequence: number, error: unknown): boolean {
    const state = this.begunState(sequence);
    if (state === undefined || !isPending(state)) return false;
    const base = slotWord(this.#window, sequence);
    if (!this.settle(base, state, { failed: true, value: error })) return false;
    this.hasAbandoned = true;
    if ((state & STATE_MASK) === SlotState.HOLDING) {
      const first = this.#words[base + SLOT.FIRST]!;
      const end = first + this.#words[base + SLOT.IN_ROOM]! + this.#words[base + SLOT.OUT_ROOM]!;
      const hole = { sequence: sequence | 0, worker: state >> STATE_BITS, first, end };
      this.#arena.keepHole(hole, sequence & (this.#window - 1));
    }
    return true;
  }

  /**
   * Ends a job that was cancelled while its function ran, which then left the completion to others: they may never come.
   * @returns false when it is not left to others (any more)
   */
  endDeferred(sequence: number, error: unknown): boolean {
    if (!this.#host.isOut(sequence)) return false;
    const base = slotWord(this.#window, sequence);
    const state = load(this.#words, base + SLOT.STATE);
    if ((state & STATE_MASK) !== SlotState.DEFERRED) return false;
    return this.settle(base, state, { failed: true, value: error });
  }

  /** The function of an abandoned job has ended. */
  functionEnded(sequence: number): void {
    this.#arena.closeHole(sequence | 0);
  }

  /** Tells running functions to give up. */
  askToStop(): void {
    if (this.#host.closed) return;
    store(this.#words, RING.ABORTED, 1);
  }

  /** Ends a job from outside; false = someone else moved it on in the meantime. */
  settle(base: number, state: number, reply: Reply): boolean {
    if (!protocol.settle(this.#words, base, state)) return false;
    if ((state & STATE_MASK) === SlotState.DEFERRED) Atomics.sub(this.#words, RING.DEFERRED, 1);
    this.#host.reply(this.#words[base + SLOT.SEQ]! & (this.#window - 1), reply);
    this.#words[base + SLOT.KIND] = Kind.ERROR;
    this.#steps.finish(this.#words, base);
    return true;
  }
}
