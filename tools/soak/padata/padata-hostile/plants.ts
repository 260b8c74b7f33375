/** Faults that are none of padata's, planted between it and the books: each must be reported, or the soak sees nothing. */
import { openSync } from 'node:fs';
import type { Book, Job } from './book.js';
import type { Outcome } from './kinds.js';

/** What may be planted. */
export const PLANTS = ['result', 'lost', 'order', 'memory', 'descriptors'] as const;
export type Plant = (typeof PLANTS)[number];

/** A fault is planted in every so-manieth job. */
const EVERY = 50;
const LEAK_BYTES = 4 << 20;

/** Tells the book of jobs that end, with the planted fault in it. */
export class Planter {
  readonly #book: Book;
  readonly #plant: Plant | undefined;
  #count = 0;
  #held: { job: Job; outcome: Outcome } | undefined;
  readonly #leaked: Uint8Array[] = [];

  constructor(book: Book, plant: Plant | undefined) {
    this.#book = book;
    this.#plant = plant;
  }

  /** A job has ended. */
  see(job: Job, outcome: Outcome): void {
    this.#count += 1;
    const now = this.#count % EVERY === 0;
    if (this.#plant === 'result' && now && !outcome.failed) {
      this.#book.endJob(job, { failed: false, value: 'of another job' });
    } else if (this.#plant === 'order') this.#swap(job, outcome, now);
    else if (this.#plant !== 'lost' || !now) this.#book.endJob(job, outcome);
  }

  /** A round has ended. */
  endRound(): void {
    if (this.#plant === 'memory') this.#leaked.push(new Uint8Array(LEAK_BYTES).fill(1));
    if (this.#plant === 'descriptors') openSync('/dev/null', 'r');
  }

  /** One job is told of after the next of its series. */
  #swap(job: Job, outcome: Outcome, now: boolean): void {
    const held = this.#held;
    const mayHold = job.series.hasOrder && job.abort === undefined && !outcome.failed;
    if (held === undefined && now && mayHold) {
      this.#held = { job, outcome };
      return;
    }
    this.#book.endJob(job, outcome);
    if (held === undefined) return;
    const follows = held.job.series === job.series && held.job.way === job.way && !outcome.failed;
    if (!follows && this.#count % EVERY < EVERY / 2) return;
    this.#held = undefined;
    this.#book.endJob(held.job, held.outcome);
  }
}
