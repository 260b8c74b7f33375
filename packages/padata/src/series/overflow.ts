/** Jobs that wait in the caller, in order, until there is room for them in the window. */
import { Fifo } from '../base/fifo.js';
import type { SerialCallback, Settle } from '../ring/job-ring.js';

/** A job that was submitted and has no slot. */
export interface WaitingJob {
  readonly input: unknown;
  readonly callback: SerialCallback;
  readonly transfer: readonly unknown[] | undefined;
  readonly use: number;
  readonly reject: Settle | undefined;
  readonly more: boolean;
  /** Set when it is not to be run any more. */
  readonly failed?: { readonly error: unknown };
}

/** The jobs of one series, first come first served. */
export class Overflow {
  readonly #jobs = new Fifo<WaitingJob>();

  /** Jobs that wait. */
  get length(): number {
    return this.#jobs.length;
  }

  /** The job that waits longest. There must be one. */
  get first(): WaitingJob {
    return this.#jobs.at(0)!;
  }

  push(job: WaitingJob): void {
    this.#jobs.push(job);
  }

  /** The first has left. */
  shift(): void {
    this.#jobs.shift();
  }

  /** The n-th that waits, from 0, is not to be run: it ends with this error in its turn. */
  fail(n: number, error: unknown): void {
    const job = this.#jobs.at(n);
    if (job !== undefined) this.#jobs.replace(n, { ...job, failed: { error } });
  }

  /** None of them is to be run: each ends with this error in its turn. */
  failAll(error: unknown): void {
    for (let n = 0; n < this.length; n += 1) this.fail(n, error);
  }
}
