/**
 * What becomes of jobs whose thread has died, owner's side.
 *
 * ```
 *   RUNNING(dead) ── may run again? ─▶ READY, or SENT(0): waits for another thread
 *                 └─ no ────────────▶ fails
 *   SENT(dead) ──── input still here? ─▶ SENT(0): it was not begun
 *              └─── handed over ──────▶ fails
 * ```
 */
import { toErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import {
  SLOT,
  SLOT_NUMBER,
  STATE_BITS,
  STATE_MASK,
  SlotState,
  isPending,
  slotNumber,
  slotWord,
} from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import type { JobEnds } from './job-ends.js';
import type { SentJobs } from './sent-jobs.js';

/** What is kept of an input so that the job can be run again. */
interface Again {
  readonly kind: number;
  readonly length: number;
  readonly offset: number;
  readonly number: number;
  tries: number;
}

/** How a thread ended. */
interface Death {
  readonly worker: number;
  readonly exitCode: number;
  readonly cause: unknown;
}

const { load, store } = Atomics;

/** Inputs that may be needed once more, by slot. */
export class LostJobs {
  /** Jobs that were run again. */
  retried = 0;
  readonly #memory: RingMemory;
  readonly #words: Int32Array;
  readonly #retries: number;
  readonly #sent: SentJobs;
  readonly #ends: JobEnds;
  readonly #again: (Again | undefined)[];

  /** @param retries times that a job may be run again */
  constructor(memory: RingMemory, retries: number, sent: SentJobs, ends: JobEnds) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#retries = retries;
    this.#sent = sent;
    this.#ends = ends;
    this.#again = new Array<undefined>(memory.window).fill(undefined);
  }

  /** Keeps what the slot says of its input; the result will overwrite it. */
  remember(base: number, index: number): void {
    const words = this.#words;
    this.#again[index] = {
      kind: words[base + SLOT.KIND]!,
      length: words[base + SLOT.LENGTH]!,
      offset: words[base + SLOT.OFFSET]!,
      number: this.#memory.numbers[slotNumber(index) + SLOT_NUMBER.VALUE]!,
      tries: this.#retries,
    };
  }

  /** The job is delivered. */
  forget(index: number): void {
    this.#again[index] = undefined;
  }

  /** A thread has ended: settles what it ran or was sent of these jobs. */
  workerDied(jobs: Iterable<number>, death: Death): void {
    for (const s of jobs) {
      const base = slotWord(this.#memory.window, s);
      const state = load(this.#words, base + SLOT.STATE);
      if (state >> STATE_BITS !== death.worker) continue;
      const phase = state & STATE_MASK;
      if (phase === SlotState.RUNNING || isPending(state)) this.#lost(s, base, state, death);
      else if (phase === SlotState.SENT) this.#sendAgain(s, base, state, death);
    }
  }

  #lost(sequence: number, base: number, state: number, death: Death): void {
    const index = sequence & (this.#memory.window - 1);
    const again = this.#again[index];
    const sent = this.#sent.input(index);
    const aborted = this.#ends.reasonOf(index);
    if (again !== undefined && again.tries > 0 && sent?.gone !== true && aborted === undefined) {
      again.tries -= 1;
      this.retried += 1;
      if (sent !== undefined) this.#sent.requeue(sequence);
      else this.#offerAgain(base, index, again);
      return;
    }
    const value = aborted === undefined ? died(this.#number(base), death, true) : aborted.error;
    this.#ends.settle(base, state, { failed: true, value });
  }

  #offerAgain(base: number, index: number, again: Again): void {
    const words = this.#words;
    words[base + SLOT.KIND] = again.kind;
    words[base + SLOT.LENGTH] = again.length;
    words[base + SLOT.OFFSET] = again.offset;
    this.#memory.numbers[slotNumber(index) + SLOT_NUMBER.VALUE] = again.number;
    store(words, base + SLOT.STATE, SlotState.READY);
  }

  #number(base: number): number {
    return this.#words[base + SLOT.NUMBER]!;
  }

  #sendAgain(sequence: number, base: number, state: number, death: Death): void {
    const index = sequence & (this.#memory.window - 1);
    if (this.#sent.input(index)?.gone === false) this.#sent.requeue(sequence);
    else {
      const value = died(this.#number(base), death, false);
      this.#ends.settle(base, state, { failed: true, value });
    }
  }
}

function died(number: number, { worker, exitCode, cause }: Death, started: boolean): PadataError {
  const why = cause === undefined ? '' : ` (${toErrorRecord(cause).message})`;
  return new PadataError(
    'ERR_PADATA_WORKER_DIED',
    `worker ${worker} ended with exit code ${exitCode}${why} ${
      started ? 'while it ran' : 'before it ran'
    } job ${number >>> 0}`,
    { seq: number >>> 0, worker, exitCode, started },
    { cause },
  );
}
