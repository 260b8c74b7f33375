/**
 * Jobs of a series between submission and callback.
 *
 *     ┌────────── sent, not delivered ──────────┐
 *     [ delivered | delivered+1 | …  | sent - 1 ]   at most `size` of them: a ring by sequence number
 *     then those that wait for room, in order of submission; they have no number before they enter
 */
import type { JobCallback } from '@bootmem/padata';
import type { Item } from '../wire/values.js';

/** A job that was submitted. */
export interface Job {
  readonly input: unknown;
  readonly callback: JobCallback<unknown>;
  readonly submittedAt: number;
  cancelled?: { readonly reason: unknown };
  /** What was sent, as it was then. */
  sent?: Item;
}

/** Places of jobs. */
export class JobWindow {
  readonly #size: number;
  readonly #ring: (Job | undefined)[];
  readonly #waiting: Job[] = [];
  #waitingFrom = 0;
  #sent = 0;
  #delivered = 0;

  /** @param size places */
  constructor(size: number) {
    this.#size = size;
    this.#ring = new Array<undefined>(size).fill(undefined);
  }

  /** Jobs that entered: the sequence number of the next one that does. */
  get sent(): number {
    return this.#sent;
  }

  /** Jobs that left: the sequence number of the next one that does. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Jobs in the window. */
  get held(): number {
    return this.#sent - this.#delivered;
  }

  /** Jobs that wait for room. */
  get waiting(): number {
    return this.#waiting.length - this.#waitingFrom;
  }

  /** No place is free. */
  get isFull(): boolean {
    return this.held >= this.#size;
  }

  /** Begins at a number other than 0: all jobs before it were delivered by somebody else. */
  beginAt(sequence: number): void {
    this.#sent = sequence;
    this.#delivered = sequence;
  }

  /** Gives a job its place. @returns its sequence number */
  enter(job: Job): number {
    const sequence = this.#sent;
    this.#sent += 1;
    this.#ring[sequence % this.#size] = job;
    return sequence;
  }

  /** Takes the next job to be delivered out. */
  leave(sequence: number): Job | undefined {
    const place = sequence % this.#size;
    const job = this.#ring[place];
    this.#ring[place] = undefined;
    this.#delivered += 1;
    return job;
  }

  /** Puts a job behind those that wait. */
  wait(job: Job): void {
    this.#waiting.push(job);
  }

  /** Takes the first of those that wait. */
  nextWaiting(): Job | undefined {
    const job = this.#waiting[this.#waitingFrom];
    if (job === undefined) return undefined;
    this.#waitingFrom += 1;
    if (this.#waitingFrom === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#waitingFrom = 0;
    }
    return job;
  }

  /** The job with that number, in the window or waiting; undefined when it was delivered. */
  at(sequence: number): Job | undefined {
    return sequence < this.#sent
      ? this.#ring[sequence % this.#size]
      : this.#waiting[this.#waitingFrom + (sequence - this.#sent)];
  }
}
