/**
 * Jobs of one ring whose functions have returned promises on one thread, until these end: the outcome goes into the slot, unless
 * the owner has settled the job meanwhile, or the function has handed its completion over.
 */
import { whenSettled } from '../base/thenable.js';
import type { FromWorker } from '../protocol/messages.js';
import type { AsyncShare } from '../share/async-share.js';
import type { SlotContext } from './job-context.js';
import type { SlotOutcome } from './slot-outcome.js';

/** What it needs of its thread. */
interface PendingHost {
  post(message: FromWorker): void;
  beginAsync(): void;
  endAsync(): void;
}

/** The promises of one ring on one thread. */
export class PendingJobs {
  readonly #ring: number;
  readonly #share: AsyncShare;
  readonly #outcome: SlotOutcome;
  readonly #host: PendingHost;
  readonly #onEnd: () => void;
  /** By SEQ. */
  readonly #contexts = new Map<number, SlotContext>();

  /**
   * @param ring  its id
   * @param onEnd one of them has ended, or is waited for no longer; the thread still counts it as work
   */
  constructor(
    ring: number,
    share: AsyncShare,
    outcome: SlotOutcome,
    host: PendingHost,
    onEnd: () => void,
  ) {
    this.#ring = ring;
    this.#share = share;
    this.#outcome = outcome;
    this.#host = host;
    this.#onEnd = onEnd;
  }

  /** The function of the job in this slot has returned a promise. */
  wait(base: number, context: SlotContext, value: PromiseLike<unknown>): void {
    this.#contexts.set(context.sequence, context);
    this.#share.begin();
    this.#host.beginAsync();
    whenSettled(
      value,
      (result) => {
        if (context.deferred) this.#ended(context);
        else if (!context.regain()) this.#endedLate(context);
        else {
          this.#outcome.finish(base, result, context);
          this.#ended(context);
        }
      },
      (error) => {
        if (context.deferred) this.#outcome.failUnlessHandedOver(base, context, error);
        else if (!context.regain()) {
          this.#endedLate(context);
          return;
        } else this.#outcome.fail(base, error, context);
        this.#ended(context);
      },
    );
  }

  /** The owner has settled this job: the thread waits for its function no longer. */
  abandon(sequence: number): void {
    const context = this.#contexts.get(sequence | 0);
    if (context === undefined) return;
    context.end();
    this.#ended(context);
  }

  /** The promise of a job that the owner has settled has ended after all. */
  #endedLate(context: SlotContext): void {
    this.#host.post({ t: 'ended', ring: this.#ring, seq: context.sequence });
    this.#ended(context);
  }

  #ended(context: SlotContext): void {
    // Once: nobody waits for one that was abandoned.
    if (!this.#contexts.delete(context.sequence)) return;
    this.#share.end();
    this.#onEnd();
    this.#host.endAsync();
  }
}
