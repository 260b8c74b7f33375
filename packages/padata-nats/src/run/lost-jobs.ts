/**
 * Jobs that the server has lost, or says nothing of: sent again as they were where they may be run again, else ended with a code.
 *
 *     lost ─▶ idempotent, and not lost too often ─▶ sent again, under a new epoch
 *       └ else, or the run was taken away ─▶ its outcome
 */
import { PadataNatsError, textOf } from '../wire/errors.js';
import type { Item } from '../wire/values.js';
import type { Outcome } from './outcome.js';

/** A job that the server loses so often is sent no more. */
const MOST_LOSSES = 3;

/** What is to be done with them. */
interface LossesOf {
  readonly run: string;
  /** The input of a job that may be run again; undefined = it fails. */
  readonly inputOf: (sequence: number) => Item | undefined;
  /** Takes back what is known of a job as sent; false when it was answered meanwhile. */
  readonly takeBack: (sequence: number) => boolean;
  readonly settle: (sequence: number, outcome: Outcome) => void;
  readonly send: (sequence: number, item: Item) => void;
  /** Begins a new epoch: the server may remember message ids of what it lost. Anything but 'ours': the run was taken away meanwhile. */
  readonly renew: () => Promise<'ours' | 'ended' | 'taken'>;
}

/** The lost jobs of one run. */
export class LostJobs {
  readonly #of: LossesOf;
  /** Times that each open job was lost. */
  readonly #losses = new Map<number, number>();
  #sentAgain = 0;

  constructor(of: LossesOf) {
    this.#of = of;
  }

  /** Jobs that were sent again. */
  get sentAgain(): number {
    return this.#sentAgain;
  }

  /** A job has its outcome. */
  forget(sequence: number): void {
    if (this.#losses.size > 0) this.#losses.delete(sequence);
  }

  /** The server has neither the jobs nor their results; `ended`: somebody has taken their run away. */
  async onLost(sequences: readonly number[], ended: boolean): Promise<void> {
    const isOver = ended || (await this.#of.renew()) !== 'ours';
    for (const sequence of sequences) {
      if (!this.#of.takeBack(sequence)) continue;
      if (isOver) this.#of.settle(sequence, { state: 'skipped' });
      else this.#sendAgain(sequence);
    }
  }

  /** The server is there, and does not say what became of these. */
  onRefused(sequences: readonly number[], cause: unknown): void {
    for (const sequence of sequences) {
      if (!this.#of.takeBack(sequence)) continue;
      this.#fail(
        sequence,
        `the server does not say what became of job ${sequence}: ${textOf(cause)}`,
        cause,
      );
    }
  }

  #sendAgain(sequence: number): void {
    const losses = (this.#losses.get(sequence) ?? 0) + 1;
    const item = losses > MOST_LOSSES ? undefined : this.#of.inputOf(sequence);
    if (item === undefined) {
      this.#fail(sequence, `the server lost job ${sequence}; it may have been run`);
      return;
    }
    this.#losses.set(sequence, losses);
    this.#sentAgain += 1;
    this.#of.send(sequence, item);
  }

  #fail(sequence: number, message: string, cause?: unknown): void {
    const details = { run: this.#of.run, seq: sequence };
    const error = new PadataNatsError('ERR_PADATA_NATS_SERVER', message, details, { cause });
    this.#of.settle(sequence, { state: 'failed', error });
  }
}
