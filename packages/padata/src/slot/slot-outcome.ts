/**
 * A job's outcome goes into its slot, or by message where it does not fit; then the slot is DONE. A message is posted
 * before that: whoever sees DONE finds it in the port.
 */
import { messageOf, toErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { checkTransfer, transferListOf } from '../values/transfer.js';
import { stepsOf } from '../protocol/machine.js';
import type { JobSteps } from '../protocol/machine.js';
import type { FromWorker } from '../protocol/messages.js';
import { Kind, RING, SLOT, STATE_BITS, SlotState, deferredState } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import type { SlotContext } from './job-context.js';
import { JobBytes } from '../values/job-bytes.js';
import { toPost, withOwnBytes } from '../values/own-bytes.js';
import { isPlain, writeValue } from '../values/slot-values.js';

/** Where outcomes come from. */
interface OutcomeHost {
  readonly worker: number;
  post(message: FromWorker, transfer?: readonly unknown[]): void;
}

/** Puts the outcomes of one ring's jobs on one thread in place. */
export class SlotOutcome {
  readonly #id: number;
  readonly #memory: RingMemory;
  readonly #host: OutcomeHost;
  readonly #steps: JobSteps;
  /** Bytes of the job whose outcome it is. */
  readonly #bytes: JobBytes;
  /** The same value, its bytes its own. */
  readonly #own = (value: unknown): unknown => withOwnBytes(value, this.#bytes);

  /** @param id the ring's */
  constructor(id: number, memory: RingMemory, host: OutcomeHost) {
    this.#id = id;
    this.#memory = memory;
    this.#bytes = new JobBytes(memory);
    this.#host = host;
    this.#steps = stepsOf(memory.words);
  }

  /** The job has given this value. */
  finish(base: number, value: unknown, context?: SlotContext): void {
    // A getter of a result that is being written may have come here: that one goes on afterwards.
    const before = this.#bytes.base;
    this.#bytes.base = base;
    this.#finish(base, value, context);
    this.#bytes.base = before;
  }

  #finish(base: number, value: unknown, context?: SlotContext): void {
    const { words, window } = this.#memory;
    const offset = words[base + SLOT.FIRST]! + words[base + SLOT.IN_ROOM]!;
    const room = words[base + SLOT.OUT_ROOM]!;
    const index = words[base + SLOT.SEQ]! & (window - 1);
    const hasReported = context?.hasReported === true;
    const hasOutput = context?.holds === true;
    try {
      context?.endReports();
      // Writing reads the value's properties, which may be getters or a proxy's.
      const list = transferListOf(value);
      if (list !== undefined) checkTransfer(list);
      // Encoding would overwrite what lies in the room before it is read.
      const ready = hasOutput && isPlain(value) ? this.#own(value) : value;
      const fits = list === undefined && !hasReported;
      if (fits && writeValue(this.#memory, base, index, ready, offset, room, this.#bytes)) {
        this.#steps.finish(words, base);
        return;
      }
      const seq = words[base + SLOT.SEQ]!;
      const sent = list === undefined ? toPost(ready, this.#bytes) : this.#own(ready);
      this.#host.post({ t: 'result', ring: this.#id, seq, value: sent }, list);
    } catch (error) {
      this.fail(
        base,
        new PadataError(
          'ERR_PADATA_CLONE',
          `the result cannot be cloned: ${messageOf(error)}`,
          {},
          { cause: error },
        ),
      );
      return;
    }
    words[base + SLOT.KIND] = Kind.MESSAGE;
    this.#steps.finish(words, base);
  }

  /** The job has failed with this error. */
  fail(base: number, error: unknown, context?: SlotContext): void {
    const { words } = this.#memory;
    try {
      context?.endReports();
    } catch {
      // What cannot be cloned is not told; the job has its error.
    }
    const before = this.#bytes.base;
    this.#bytes.base = base;
    const record = toErrorRecord(error, this.#own);
    this.#bytes.base = before;
    this.#host.post({
      t: 'jobFailed',
      ring: this.#id,
      seq: words[base + SLOT.SEQ]!,
      worker: this.#host.worker,
      error: record,
    });
    words[base + SLOT.KIND] = Kind.ERROR;
    this.#steps.finish(words, base);
  }

  /** The same; after `defer` only if nobody has completed it yet, as `completeDeferred` claims it. */
  failUnlessHandedOver(base: number, context: SlotContext, error: unknown): void {
    if (context.deferred) {
      const { words, window } = this.#memory;
      const deferred = deferredState(window, context.sequence);
      const running = SlotState.RUNNING | (this.#host.worker << STATE_BITS);
      const state = Atomics.compareExchange(words, base + SLOT.STATE, deferred, running);
      if (state !== deferred) return;
      Atomics.sub(words, RING.DEFERRED, 1);
    }
    this.fail(base, error, context);
  }
}
