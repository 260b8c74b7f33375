/**
 * What becomes of jobs whose thread has died, owner's side.
 *
 * ```
 *   RUNNING(dead) ── may run again? ─▶ READY, or SENT by another thread
 *                 └─ no ────────────▶ fails
 *   SENT(dead) ──── input still here? ─▶ SENT by another thread: it was not begun
 *              └─── handed over ──────▶ fails
 * ```
 */
import { toErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { SentJob } from '../protocol/messages.js';
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

/** An input that went by message. */
interface SentInput {
  readonly input: unknown;
  readonly transferred: boolean;
}

/** What is kept of an input so that the job can be run again. */
interface Again {
  readonly kind: number;
  readonly length: number;
  readonly offset: number;
  readonly number: number;
  tries: number;
}

/** What the ring does for lost jobs. */
interface LostJobsHost {
  /** Gives the job to another thread, by message. */
  send(job: SentJob): void;
  /** Ends the job, unless someone else moved it on in the meantime. */
  fail(base: number, state: number, error: unknown): void;
  /** Error of a job that was cancelled, by itself or with its series; undefined = it goes on. */
  aborted(index: number): { readonly error: unknown } | undefined;
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
  readonly #host: LostJobsHost;
  readonly #inputs: (SentInput | undefined)[];
  readonly #again: (Again | undefined)[];

  /** @param retries times that a job may be run again */
  constructor(memory: RingMemory, retries: number, host: LostJobsHost) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#retries = retries;
    this.#host = host;
    this.#inputs = new Array<undefined>(memory.window).fill(undefined);
    this.#again = new Array<undefined>(memory.window).fill(undefined);
  }

  /** Keeps an input that goes by message. */
  keepInput(index: number, input: unknown, transferred: boolean): void {
    this.#inputs[index] = { input, transferred };
  }

  /** An input that went by message and can go once more. */
  sentInput(index: number): SentInput | undefined {
    const sent = this.#inputs[index];
    return sent?.transferred === true ? undefined : sent;
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
    this.#inputs[index] = undefined;
    this.#again[index] = undefined;
  }

  /** A thread has ended: settles what it ran or was sent of the jobs from `first` to before `end`. */
  workerDied(first: number, end: number, death: Death): void {
    for (let s = first; s !== end; s = (s + 1) | 0) {
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
    const sent = this.#inputs[index];
    const aborted = this.#host.aborted(index);
    if (again !== undefined && again.tries > 0 && !sent?.transferred && aborted === undefined) {
      again.tries -= 1;
      this.retried += 1;
      if (sent !== undefined) this.#host.send([sequence, sent.input]);
      else this.#offerAgain(base, index, again);
      return;
    }
    const error = aborted === undefined ? died(sequence, death, true) : aborted.error;
    this.#host.fail(base, state, error);
  }

  #offerAgain(base: number, index: number, again: Again): void {
    const words = this.#words;
    words[base + SLOT.KIND] = again.kind;
    words[base + SLOT.LENGTH] = again.length;
    words[base + SLOT.OFFSET] = again.offset;
    this.#memory.numbers[slotNumber(index) + SLOT_NUMBER.VALUE] = again.number;
    store(words, base + SLOT.STATE, SlotState.READY);
  }

  #sendAgain(sequence: number, base: number, state: number, death: Death): void {
    const sent = this.#inputs[sequence & (this.#memory.window - 1)];
    if (sent === undefined || sent.transferred) {
      this.#host.fail(base, state, died(sequence, death, false));
    } else this.#host.send([sequence, sent.input]);
  }
}

function died(sequence: number, { worker, exitCode, cause }: Death, started: boolean): PadataError {
  const why = cause === undefined ? '' : ` (${toErrorRecord(cause).message})`;
  return new PadataError(
    'ERR_PADATA_WORKER_DIED',
    `worker ${worker} ended with exit code ${exitCode}${why} ${started ? 'while it ran' : 'before it ran'} job ${sequence >>> 0}`,
    { seq: sequence >>> 0, worker, exitCode, started },
    { cause },
  );
}
