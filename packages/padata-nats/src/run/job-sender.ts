/**
 * Jobs on their way to the server: gathered within a turn of the event loop, cut into batches of consecutive ones, sealed
 * and stored. A rest waits for company while the workers have enough; each outcome asks again.
 *
 *     add ─▶ outgoing ─▶ batch ─▶ unanswered ─▶ stored: confirmed ─▶ outcome
 */
import type { LargeValues } from '../server/large-values.js';
import type { Publisher } from '../server/publisher.js';
import type { Engine } from '../server/streams.js';
import { BatchType, splitBySize } from '../wire/batch.js';
import { sealBatch, taggedRun } from '../wire/seal.js';
import type { Item } from '../wire/values.js';
import { enoughJobs, jobsPerBatch } from './batch-size.js';

/** What a sender needs to know of its run. */
interface SenderOptions {
  readonly engine: Engine;
  readonly publisher: Publisher;
  readonly large: LargeValues;
  readonly run: string;
  /** Subject of its jobs. */
  readonly subject: string;
  readonly window: number;
  /** Key and epoch as they are now; known when the run was started. */
  readonly sealing: () => { readonly key: Uint8Array; readonly epoch: number };
  /** Resolves when the run is known to workers. */
  readonly started: () => Promise<void> | undefined;
  /** Threads of all workers that offer the module. */
  readonly threads: () => number;
  /** Average time of a job, in milliseconds. */
  readonly averageMs: () => number | undefined;
  /** Does the job have an outcome already? Then it is not to be begun. */
  readonly hasOutcome: (sequence: number) => boolean;
  /** A job that could not be sent. */
  readonly onFailed: (sequence: number, error: unknown) => void;
  /** A value was put into the object store under this name. */
  readonly onStored: (name: string) => void;
}

interface Outgoing {
  readonly sequence: number;
  readonly item: Item;
}

/** Sends the jobs of one run. */
export class JobSender {
  readonly #options: SenderOptions;
  #outgoing: Outgoing[] = [];
  /** Jobs that were sent and have no outcome. */
  readonly #unanswered = new Set<number>();
  /** Those of them that the server has stored, as it says. */
  readonly #confirmed = new Set<number>();
  #flushing = false;
  #stored = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Sends a job, with others. */
  add(sequence: number, item: Item): void {
    this.#outgoing.push({ sequence, item });
    this.#flushSoon();
  }

  /** A job has its outcome: there may be room for others. */
  answered(sequence: number): void {
    this.#unanswered.delete(sequence);
    this.#confirmed.delete(sequence);
    if (this.#outgoing.length > 0) this.#flushSoon();
  }

  /** The outcome of a job is on its way from elsewhere: the server need not have it any more. */
  settled(sequence: number): void {
    this.#confirmed.delete(sequence);
  }

  /** Messages that the server has stored, as it says. */
  get stored(): number {
    return this.#stored;
  }

  /** Jobs that are stored for certain and have no outcome. */
  get open(): number[] {
    return [...this.#confirmed];
  }

  /** Takes back what is known of a job that the server lost; false when it was answered meanwhile. */
  lost(sequence: number): boolean {
    if (!this.#confirmed.delete(sequence)) return false;
    this.#unanswered.delete(sequence);
    return true;
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      void this.#flush();
    });
  }

  /** Sends full batches, and the rest unless the workers have enough. */
  async #flush(): Promise<void> {
    this.#flushing = false;
    const { started, hasOutcome, onFailed, window } = this.#options;
    try {
      await started();
    } catch (error) {
      for (const { sequence } of this.#outgoing.splice(0)) onFailed(sequence, error);
      return;
    }
    // Jobs that were settled while they waited, by an abort, are not to be begun.
    const jobs = this.#outgoing.filter(({ sequence }) => !hasOutcome(sequence));
    this.#outgoing = [];
    const threads = this.#options.threads();
    const inFlight = Math.min(window, jobs.length + this.#unanswered.size);
    const size = jobsPerBatch(this.#options.averageMs(), threads, inFlight);
    const enough = enoughJobs(size, threads, window);
    for (let at = 0; at < jobs.length;) {
      const end = endOfBatch(jobs, at, size);
      if (end === jobs.length && end - at < size && this.#unanswered.size >= enough) {
        this.#outgoing.unshift(...jobs.slice(at));
        return;
      }
      const batch = jobs.slice(at, end);
      for (const { sequence } of batch) this.#unanswered.add(sequence);
      void this.#send(batch);
      at = end;
    }
  }

  async #send(jobs: readonly Outgoing[]): Promise<void> {
    const { engine, publisher, run, subject, sealing, onFailed } = this.#options;
    let from = jobs[0]!.sequence;
    try {
      const items = await Promise.all(jobs.map((job) => this.#itemOf(job)));
      for (const part of splitBySize(items, engine.maxPayload)) {
        const { key, epoch } = sealing();
        const batch = { type: BatchType.JOBS, first: from, micros: 0, epoch, items: part };
        const id = engine.names.jobsId(taggedRun(run, key), epoch, from, part.length);
        await publisher.publish(subject, sealBatch(batch, key), id);
        this.#stored += 1;
        for (let end = from + part.length; from < end; from += 1) {
          if (this.#unanswered.has(from)) this.#confirmed.add(from);
        }
      }
    } catch (error) {
      for (const { sequence } of jobs) if (sequence >= from) onFailed(sequence, error);
    }
  }

  /** A job's input as it travels: beside the batch, if it is too large for one. */
  async #itemOf({ sequence, item }: Outgoing): Promise<Item> {
    const { large, run, sealing, onStored } = this.#options;
    const name = `${run}.${sequence}.in`;
    const sent = await large.outgoing(item, name, sealing().key);
    if (sent !== item) onStored(name);
    return sent;
  }
}

/** A batch is of consecutive jobs. */
function endOfBatch(jobs: readonly Outgoing[], at: number, size: number): number {
  let end = at + 1;
  while (
    end < jobs.length &&
    end - at < size &&
    jobs[end]!.sequence === jobs[end - 1]!.sequence + 1
  ) {
    end += 1;
  }
  return end;
}
