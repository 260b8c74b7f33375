/**
 * The results of a run: opened, each taken once, handed over in order.
 *
 *     message ─ sealed with the run's key? ─▶ outcomes ─▶ reorder buffer ─▶ deliver
 *                └ no: no result               settle (done here) ─┘
 *
 * Nothing here knows windows or policies: whoever sends sees to it that no more than `window` jobs are between
 * `sent` and `deliver`. Exactly one `deliver` a job: the buffer drops what comes twice.
 */
import type { LargeValues } from '../server/large-values.js';
import { BatchType } from '../wire/batch.js';
import type { Batch } from '../wire/batch.js';
import type { PadataNatsError } from '../wire/errors.js';
import { openBatch } from '../wire/seal.js';
import { ItemKind } from '../wire/values.js';
import type { Item } from '../wire/values.js';
import type { Delivered } from './delivered.js';
import { outcomeOf } from './outcome.js';
import type { Outcome } from './outcome.js';
import { ReorderBuffer } from './reorder-buffer.js';

/** Whose results they are, and who is told. */
interface ResultsOf {
  readonly run: string;
  readonly window: number;
  readonly large: LargeValues;
  readonly delivered: Delivered;
  /** The run's name is this submitter's; else its large values are another's. */
  readonly isOurs: () => boolean;
  /** What this run's messages are sealed with. */
  readonly key: () => Uint8Array;
  /** Called once a job, in order. */
  readonly deliver: (sequence: number, outcome: Outcome) => void;
  /** Called after one or more deliveries. */
  readonly onDelivered: () => void;
  /** Called once a job as soon as its outcome is there, in any order. */
  readonly onOutcome?: (sequence: number, outcome: Outcome) => void;
  /** The server has a result of this job, which is on its way. */
  readonly onStored: (sequence: number) => void;
  /** A job has an outcome; called again for what comes twice. */
  readonly onAnswered: (sequence: number) => void;
}

/** A new average counts for so much. */
const SMOOTHING = 1 / 8;

const decoder = new TextDecoder();

/** Those of one run. */
export class RunResults {
  readonly #of: ResultsOf;
  #buffer: ReorderBuffer<Outcome>;
  /** Jobs whose input or result lies in the object store. */
  readonly #stored = new Set<string>();
  #averageMs: number | undefined;
  #redelivered = 0;
  /** Sequence number of the job sent last. */
  #highest = -1;
  #messages = 0;
  #refused = 0;

  constructor(of: ResultsOf) {
    this.#of = of;
    this.#buffer = new ReorderBuffer<Outcome>(of.window);
  }

  /** Sequence number of the next job to be delivered. */
  get next(): number {
    return this.#buffer.next;
  }

  /** All that was sent is delivered. */
  get isIdle(): boolean {
    return this.#buffer.next > this.#highest;
  }

  /** Average time of a job, in milliseconds; undefined before the first result. */
  get averageMs(): number | undefined {
    return this.#averageMs;
  }

  /** Jobs that workers ran again because it was unknown whether they had been run. */
  get redelivered(): number {
    return this.#redelivered;
  }

  /** Messages taken in. */
  get messages(): number {
    return this.#messages;
  }

  /** Those of them that nobody of this run wrote. */
  get refused(): number {
    return this.#refused;
  }

  /** Begins with this job, before anything is sent. */
  startAt(position: number): void {
    this.#buffer = new ReorderBuffer<Outcome>(this.#of.window, position);
  }

  /** Has the job an outcome that is not delivered yet? */
  has(sequence: number): boolean {
    return this.#buffer.has(sequence);
  }

  /** A job is sent. @returns whether its outcome is there already; it is delivered then */
  sent(sequence: number): boolean {
    this.#highest = Math.max(this.#highest, sequence);
    if (!this.#buffer.has(sequence)) return false;
    this.#deliverSoon();
    return true;
  }

  /** An input or a result lies in the object store. */
  stored(name: string): void {
    this.#stored.add(name);
  }

  /** A message of results. @param stream its number in the stream */
  arrived(data: Uint8Array, stream: number): void {
    this.#messages += 1;
    let batch: Batch;
    try {
      batch = openBatch(data, BatchType.RESULTS, this.#of.key());
    } catch {
      // Whoever may write to the subject may write nonsense; the job's own result still comes.
      this.#refused += 1;
      return;
    }
    const { first, items, micros } = batch;
    if (micros > 0) {
      const old = this.#averageMs;
      this.#averageMs = old === undefined ? micros / 1000 : old + (micros / 1000 - old) * SMOOTHING;
    }
    this.#of.delivered.arrived(stream, first + items.length - 1);
    for (const [i, item] of items.entries()) {
      if (this.#buffer.has(first + i)) continue;
      if (batch.again === true) this.#redelivered += 1;
      this.#take(first + i, item);
    }
    this.#deliver();
    this.#of.delivered.trim();
  }

  /** The outcome of a job that was done here, or that will not be done. */
  settle(sequence: number, outcome: Outcome): void {
    this.#highest = Math.max(this.#highest, sequence);
    this.#offer(sequence, outcome);
    this.#deliverSoon();
  }

  /** All that was sent and is not delivered ends with this error. */
  failAll(error: PadataNatsError): void {
    for (let sequence = this.#buffer.next; sequence <= this.#highest; sequence += 1) {
      this.#offer(sequence, { state: 'failed', error });
    }
    this.#deliver();
  }

  /** Takes all large values of the run off the server. */
  async forgetAll(): Promise<void> {
    await Promise.all([...this.#stored].map((name) => this.#of.large.forget(name)));
  }

  #take(sequence: number, item: Item): void {
    if (item.kind !== ItemKind.STORED) {
      this.#offer(sequence, outcomeOf(item));
      return;
    }
    this.#stored.add(decoder.decode(item.bytes));
    this.#of.onStored(sequence);
    void this.#of.large.incoming(item, this.#of.key()).then(
      (fetched) => {
        this.settle(sequence, outcomeOf(fetched));
      },
      (error: unknown) => {
        this.settle(sequence, { state: 'failed', error });
      },
    );
  }

  #offer(sequence: number, outcome: Outcome): void {
    this.#of.onAnswered(sequence);
    if (this.#buffer.offer(sequence, outcome) === 'taken') {
      this.#of.onOutcome?.(sequence, outcome);
    }
  }

  #deliverSoon(): void {
    queueMicrotask(() => {
      this.#deliver();
    });
  }

  #deliver(): void {
    let count = 0;
    // A resumed run may hold results whose jobs its new submitter has not come to yet.
    while (this.#buffer.next <= this.#highest) {
      const sequence = this.#buffer.next;
      const outcome = this.#buffer.take();
      if (outcome === undefined) break;
      count += 1;
      this.#forget(sequence);
      this.#of.deliver(sequence, outcome);
    }
    if (count === 0) return;
    this.#of.delivered.upTo(this.#buffer.next);
    this.#of.onDelivered();
  }

  /** Takes a delivered job's large values off the server. */
  #forget(sequence: number): void {
    if (this.#stored.size === 0 || !this.#of.isOurs()) return;
    const { run, large } = this.#of;
    for (const end of ['in', 'out']) {
      const name = `${run}.${sequence}.${end}`;
      if (this.#stored.delete(name)) void large.forget(name).catch(() => undefined);
    }
  }
}
