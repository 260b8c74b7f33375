/**
 * A series whose jobs run on other hosts: padata's `OrderedJobs`, to the letter.
 *
 *     submit ─▶ [ window: sent and not delivered ] ─▶ callback, in order
 *        └─▶ overflow, in order, while the window is full
 *
 * Halt and errors are kept here, jobs in their window (`job-window`); transport is the run link's business.
 */
import { PadataError } from '@bootmem/padata';
import type {
  JobCallback,
  JobInput,
  JobOptions,
  JobResult,
  MapOptions,
  OrderedJobs,
  SeriesDuplex,
  SeriesOptions,
  SeriesStats,
  SeriesTransform,
  Source,
} from '@bootmem/padata';
import { HaltCounter, OrderedIterator, makeDuplex, makeTransform } from '@bootmem/padata/backend';
import { StallWatch } from '../watch/stall-watch.js';
import { PadataNatsError, abortReason } from '../wire/errors.js';
import { ItemKind, encodeValue } from '../wire/values.js';
import type { Item } from '../wire/values.js';
import { JobWindow } from './job-window.js';
import { outcomeOf } from '../run/outcome.js';
import type { Outcome } from '../run/outcome.js';
import type { Job } from './job-window.js';
import { RunLink } from '../run/run-link.js';
import type { RunLinkHost } from '../run/run-link.js';
import { SeriesFigures } from './series-figures.js';
import { Waiters } from './waiters.js';
import { checkedWindow, describeSeries, refuseLocalRun } from './series-options.js';
import type { NatsSeriesOptions } from './series-options.js';

const DEFAULT_WORKER_WAIT_MS = 30_000;

/** What a series needs from its pool. */
export interface NatsSeriesHost extends RunLinkHost {
  newRun(): string;
  /**
   * Runs a job in the calling thread, for `onFull: 'inline'`; never rejects.
   * @returns its answer, as from a worker; undefined = the function is not to be had here
   */
  runHere(options: SeriesOptions, sequence: number, input: Item): Promise<Item | undefined>;
  onClosed(series: NatsSeries): void;
}

/** See `NatsPool.series`. */
export class NatsSeries<F = unknown> implements OrderedJobs<JobInput<F>, JobResult<F>> {
  readonly window: number;
  /** Id of the run, for `resume` and for the command. */
  readonly runId: string;
  readonly #options: NatsSeriesOptions<F>;
  readonly #host: NatsSeriesHost;
  readonly #link: RunLink;
  readonly #halt: HaltCounter;
  readonly #jobs: JobWindow;
  readonly #stalls: StallWatch;
  /** A resumed run: nothing is sent before its position is known. */
  #resuming = false;
  readonly #figures = new SeriesFigures();
  readonly #room = new Waiters();
  readonly #drained = new Waiters();
  #ended: { readonly error: unknown } | undefined;
  #closed: Promise<void> | undefined;
  #ready: Promise<void>;
  readonly #onAbort: () => void;

  constructor(options: NatsSeriesOptions<F>, host: NatsSeriesHost) {
    const window = checkedWindow(options);
    this.#halt = new HaltCounter(options.halt ?? 'never');
    this.window = window;
    this.#options = options;
    this.#host = host;
    this.runId = options.run === undefined ? host.newRun() : host.engine.names.run(options.run);
    this.#jobs = new JobWindow(window);
    this.#link = new RunLink(
      {
        run: this.runId,
        window,
        keepsPosition: options.run !== undefined,
        workerWaitMs: options.workerWaitMs ?? DEFAULT_WORKER_WAIT_MS,
        info: describeSeries(options),
        inputOf: (sequence) =>
          options.idempotent === true ? this.#jobs.at(sequence)?.sent : undefined,
        deliver: (sequence, outcome) => {
          this.#deliver(sequence, outcome);
        },
        onDelivered: () => {
          this.#afterDeliveries();
        },
      },
      host,
    );
    this.#stalls = new StallWatch(options, {
      next: () => this.#jobs.delivered,
      held: () => this.#jobs.held,
    });
    const { resume = false } = options;
    if (resume === false) this.#ready = this.#link.start();
    else {
      this.#resuming = true;
      this.#ready = this.#resume(resume === true ? undefined : resume.from);
    }
    this.#ready.catch((error: unknown) => {
      this.#end(error, false);
    });
    this.#onAbort = () => {
      this.#end(abortReason(options.signal?.reason), true);
    };
    if (options.signal?.aborted === true) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /**
   * Resolves when the run is known to the server; for a resumed run, before the first submission.
   * @throws ERR_PADATA_NATS_RUN, ERR_PADATA_NATS_SERVER, ERR_PADATA_CLONE (the shared value)
   */
  async ready(): Promise<void> {
    await this.#ready;
  }

  /** Sequence number of the next job to be submitted; for a resumed run, the first input that is wanted. */
  get position(): number {
    return this.#jobs.sent + this.#jobs.waiting;
  }

  /**
   * Submits a job; its callback runs after those of all jobs submitted before.
   * @param transfer must be absent or empty: nothing is handed over between hosts
   * @returns false when the window is full now: wait for `room()` before the next
   * @throws ERR_PADATA_CLOSED, the halt's or abort's error, ERR_PADATA_CLONE, ERR_PADATA_FULL; the callback is
   *   not called then
   */
  submit(
    input: JobInput<F>,
    callback: JobCallback<JobResult<F>>,
    transfer?: readonly unknown[],
  ): boolean {
    if (this.#ended !== undefined) throw asError(this.#ended.error);
    if (transfer !== undefined && transfer.length > 0) {
      throw new PadataNatsError(
        'ERR_PADATA_NATS_ARGUMENT',
        'nothing can be transferred to another host; values are copied',
      );
    }
    const job: Job = {
      input,
      callback: callback as JobCallback<unknown>,
      submittedAt: performance.now(),
    };
    if (this.#jobs.waiting > 0 || this.#isFull) return this.#submitFull(job);
    this.#send(job);
    return !this.#isFull;
  }

  /** Resolves when a job can be submitted without waiting. */
  async room(): Promise<void> {
    while (this.#isFull || this.#jobs.waiting > 0) {
      if (this.#ended !== undefined) return;
      await this.#room.wait();
    }
  }

  /**
   * Submits a job and resolves with its result, in order of submission. Waits for room first. When the signal aborts,
   * it rejects at once; the job keeps its place in the order.
   * @throws ERR_PADATA_JOB_FAILED (cause: the function's error), ERR_PADATA_WORKER_DIED, the signal's reason
   */
  run(input: JobInput<F>, options: JobOptions = {}): Promise<JobResult<F>> {
    return new Promise((resolve, reject) => {
      const { signal, transfer } = options;
      refuseLocalRun(options);
      if (signal?.aborted === true) {
        reject(asError(abortReason(signal.reason)));
        return;
      }
      const sequence = this.position;
      const onAbort = (): void => {
        reject(asError(abortReason(signal?.reason)));
        this.#cancel(sequence, abortReason(signal?.reason));
      };
      this.submit(
        input,
        (error, value) => {
          signal?.removeEventListener('abort', onAbort);
          if (error === undefined) resolve(value!);
          else reject(asError(error));
        },
        transfer,
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /**
   * Runs every item of a source and gives the results in the source's order; at most `window` items are read
   * ahead.
   * @param options errors: 'throw' (default), 'skip' or 'collect'; entries: true gives `[index, value]`
   */
  map(
    source: Source<JobInput<F>>,
    options: MapOptions & { readonly entries: true },
  ): AsyncIterableIterator<[index: number, value: JobResult<F>]> & AsyncDisposable;
  map(
    source: Source<JobInput<F>>,
    options?: MapOptions,
  ): AsyncIterableIterator<JobResult<F>> & AsyncDisposable;
  map(source: Source<JobInput<F>>, options: MapOptions = {}): never {
    return new OrderedIterator<JobInput<F>, JobResult<F>>(
      {
        window: this.window,
        keep: false,
        submit: (input, callback) => this.submit(input, callback),
        room: () => this.room(),
        release: () => undefined,
      },
      source,
      options,
    ) as never;
  }

  /** A node:stream Duplex: chunks in, results out, in order. */
  duplex(): SeriesDuplex {
    return makeDuplex(this.#streamed());
  }

  /** A pair of Web streams: chunks in, results out, in order. */
  transform(): SeriesTransform<JobInput<F>, JobResult<F>> {
    return makeTransform(this.#streamed()) as SeriesTransform<JobInput<F>, JobResult<F>>;
  }

  /** Resolves when all jobs submitted so far were delivered. */
  async drain(): Promise<void> {
    while (this.inFlight > 0) await this.#drained.wait();
  }

  /** Jobs submitted and not delivered. */
  get inFlight(): number {
    return this.#jobs.held + this.#jobs.waiting;
  }

  /**
   * Figures since the beginning; times of jobs are those that their workers report for a batch. `refused`: messages among the
   * results that no worker of this run wrote.
   */
  stats(): SeriesStats & { readonly refused: number } {
    return {
      submitted: this.#jobs.sent,
      delivered: this.#jobs.delivered,
      retried: this.#link.redelivered,
      refused: this.#link.refused,
      inFlight: this.#jobs.held,
      overflow: this.#jobs.waiting,
      ...this.#figures.summary(),
    };
  }

  /** Takes no more jobs, waits for those under way, takes the run off the server. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends the series with an error: all that waits fails now, what runs is asked to stop. */
  abort(reason?: unknown): void {
    this.#end(abortReason(reason), true);
  }

  get #isFull(): boolean {
    return this.#resuming || this.#jobs.isFull;
  }

  async #resume(from: number | undefined): Promise<void> {
    await this.#link.resume(from);
    this.#jobs.beginAt(this.#link.next);
    this.#resuming = false;
    this.#afterDeliveries();
  }

  async #close(): Promise<void> {
    const closed = new PadataError('ERR_PADATA_CLOSED', 'the series was closed');
    const drained = this.drain();
    this.#ended ??= { error: closed };
    await drained;
    this.#stalls.stop();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
    await this.#link.close();
    this.#host.onClosed(this);
  }

  #streamed(): Parameters<typeof makeDuplex>[0] {
    return {
      window: this.window,
      submit: (input, callback) => this.submit(input as JobInput<F>, callback),
      room: () => this.room(),
      drain: () => this.drain(),
    };
  }

  #submitFull(job: Job): boolean {
    const { onFull = 'wait' } = this.#options;
    if (onFull === 'reject' && !this.#resuming) {
      throw new PadataError(
        'ERR_PADATA_FULL',
        `${this.window} jobs are in flight; wait for room()`,
        { window: this.window },
      );
    }
    this.#jobs.wait(job);
    return false;
  }

  /** Sends a job, or has it run here when all threads have enough (`onFull: 'inline'`). */
  #send(job: Job): void {
    // Encoded first: a value that cannot leave the process throws, and nothing has happened.
    // Bytes are copied: they leave later, and the caller may use their memory again.
    const item = owned(encodeValue(job.input));
    job.sent = item;
    const sequence = this.#jobs.enter(job);
    if (!this.#jobs.isFull || this.#options.onFull !== 'inline') {
      this.#link.send(sequence, item);
      return;
    }
    // The window's last place is the caller's: it does what it would otherwise wait for.
    void this.#host.runHere(this.#options as SeriesOptions, sequence, item).then((answer) => {
      if (answer === undefined) this.#link.send(sequence, item);
      else this.#link.settle(sequence, outcomeOf(answer));
    });
  }

  /** Moves waiting jobs into the window. */
  #pump(): void {
    while (!this.#isFull) {
      const job = this.#jobs.nextWaiting();
      if (job === undefined) return;
      if (this.#ended !== undefined) this.#settleUnsent(job, this.#ended.error);
      else if (job.cancelled !== undefined) this.#settleUnsent(job, job.cancelled.reason);
      else {
        try {
          this.#send(job);
        } catch (thrown) {
          // Accepted long ago, so the error is the job's own; its place in the order is now.
          this.#settleUnsent(job, thrown);
        }
      }
    }
  }

  #settleUnsent(job: Job, error: unknown): void {
    this.#link.settle(this.#jobs.enter(job), { state: 'failed', error });
  }

  #deliver(sequence: number, outcome: Outcome): void {
    const job = this.#jobs.leave(sequence);
    const now = performance.now();
    this.#stalls.moved(now);
    if (job === undefined) return;
    let error: unknown;
    let value: unknown;
    if (job.cancelled !== undefined) error = job.cancelled.reason;
    else if (outcome.state === 'failed') error = outcome.error;
    else if (outcome.state === 'skipped') error = this.#ended?.error ?? taken(this.runId);
    else value = outcome.value;
    const isFailed = error !== undefined;
    this.#figures.delivered(now - job.submittedAt, this.#link.averageMs ?? 0, isFailed);
    this.#noteOutcome(isFailed);
    try {
      job.callback(error, value, sequence);
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  #afterDeliveries(): void {
    this.#pump();
    if (!this.#isFull && this.#jobs.waiting === 0) this.#room.wake();
    if (this.inFlight === 0) this.#drained.wake();
  }

  #noteOutcome(failed: boolean): void {
    if (!this.#halt.count(failed) || this.#ended !== undefined) return;
    this.#end(
      new PadataError('ERR_PADATA_HALTED', `the series halted: ${this.#options.halt ?? 'never'}`, {
        halt: this.#options.halt,
      }),
      this.#halt.now,
    );
  }

  #cancel(sequence: number, reason: unknown): void {
    const job = this.#jobs.at(sequence);
    if (job !== undefined) job.cancelled = { reason };
  }

  /** `now`: everything fails at once. Otherwise what has begun is waited for. */
  #end(reason: unknown, now: boolean): void {
    if (this.#ended !== undefined && this.#closed === undefined) return;
    this.#ended = { error: reason };
    this.#resuming = false;
    if (now) {
      this.#link.abort('now');
      void this.#link.purge();
      const { delivered, sent } = this.#jobs;
      for (let sequence = delivered; sequence < sent; sequence += 1) {
        this.#link.settle(sequence, { state: 'failed', error: reason });
      }
    } else {
      this.#link.abort('soon');
    }
    this.#pump();
    this.#room.wake();
  }
}

/** Somebody else has ended the run, as `padata-nats purge` does. */
function taken(run: string): PadataNatsError {
  return new PadataNatsError('ERR_PADATA_NATS_RUN', `the run '${run}' was ended by somebody else`, {
    run,
  });
}

function owned(item: Item): Item {
  return item.kind === ItemKind.BYTES ? { kind: item.kind, bytes: item.bytes.slice() } : item;
}

/** Whatever a signal or a function gave, for those who may only throw errors; the value stays what it is. */
function asError(reason: unknown): Error {
  return reason as Error;
}
