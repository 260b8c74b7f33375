/**
 * How a series ends: it is closed, and what was accepted is delivered; or by an error, that of an abort, a signal, a halt. Then
 * jobs that wait end at once, running ones are asked to stop and, after a grace time, lose their thread.
 */
import { abortReason } from '../base/abort.js';
import { PadataError } from '../base/errors.js';
import { queueMicrotask } from '../base/host-time.js';
import type { RingHub } from '../hub/ring-hub.js';
import type { JobRing } from '../ring/job-ring.js';
import type { Backpressure } from './backpressure.js';
import type { HaltCounter } from './halt.js';
import { graceOf } from './series-options.js';
import type { SeriesOptions } from './series-types.js';
import { startWatchdog } from './series-watchdog.js';

/** What ends. */
interface Ending {
  readonly hub: RingHub;
  readonly ring: JobRing;
  readonly backpressure: Backpressure;
  readonly halt: HaltCounter;
  readonly options: Pick<SeriesOptions, 'graceMs' | 'halt' | 'onStall' | 'signal' | 'watchdogMs'>;
}

/** The end of one series. */
export class Shutdown {
  /** Set when nothing more is accepted: what its submitters get. */
  ended: { readonly error: unknown } | undefined;
  readonly #of: Ending;
  #closed: Promise<void> | undefined;
  readonly #stopWatchdog: () => void;
  readonly #onAbort: () => void;

  /** A signal that was aborted already ends it here. */
  constructor(of: Ending) {
    const { signal, watchdogMs, onStall } = of.options;
    this.#of = of;
    this.#stopWatchdog = startWatchdog(of.ring, watchdogMs, onStall);
    this.#onAbort = () => {
      this.abort(signal?.reason);
    };
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Ends it with an error, without one with an AbortError. */
  abort(reason: unknown): void {
    this.#end(abortReason(reason), true);
  }

  /** Counts an outcome towards the halt policy, in order of submission. */
  noteOutcome(failed: boolean): void {
    const { halt, options } = this.#of;
    if (!halt.count(failed) || this.ended !== undefined) return;
    const error = new PadataError(
      'ERR_PADATA_HALTED',
      `the series halted: ${options.halt ?? 'never'}`,
      { halt: options.halt },
    );
    this.#end(error, halt.now);
  }

  /**
   * Nothing more is accepted, and what was is delivered. Idempotent.
   * @param leave lets go of the ring, when nothing is out any more
   */
  close(leave: () => Promise<void>): Promise<void> {
    this.#closed ??= this.#close(leave);
    return this.#closed;
  }

  async #close(leave: () => Promise<void>): Promise<void> {
    const { backpressure } = this.#of;
    const drained = backpressure.drain();
    this.ended ??= { error: new PadataError('ERR_PADATA_CLOSED', 'the series was closed') };
    backpressure.shut();
    await drained;
    this.#letGo();
    await leave();
  }

  /** Jobs were delivered: the last, it may be. */
  afterDeliveries(): void {
    if (this.ended !== undefined && this.#of.backpressure.isIdle) this.#letGo();
  }

  /** It has ended, and nothing is out: neither a timer nor the program's signal keeps its memory any longer. */
  #letGo(): void {
    this.#stopWatchdog();
    this.#of.options.signal?.removeEventListener('abort', this.#onAbort);
  }

  #end(reason: unknown, now: boolean): void {
    if (this.ended !== undefined && this.#closed === undefined) return;
    const { ring, hub, backpressure } = this.#of;
    this.ended = { error: reason };
    backpressure.shut();
    ring.ends.abortError = { error: reason };
    ring.ends.cancelWaiting(reason);
    backpressure.failAll(reason);
    if (now) this.#stopAll(reason);
    const { submitted } = ring;
    // A getter of an input may have come here: its job is submitted when this has ended.
    queueMicrotask(() => {
      if (ring.submitted === submitted) return;
      ring.ends.cancelWaiting(reason);
      if (now) this.#stopAll(reason);
      hub.turns.scheduleDelivery();
    });
    backpressure.letIn();
    this.afterDeliveries();
    hub.turns.scheduleDelivery();
  }

  #stopAll(reason: unknown): void {
    const { ring, hub, options } = this.#of;
    ring.ends.askToStop();
    hub.stopAll(ring, graceOf(options), reason);
  }
}
