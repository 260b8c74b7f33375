/**
 * A series: jobs of one function, run in parallel, delivered in order of submission or, with `order: 'none'`, of completion.
 *
 * The window is the only bound: jobs submitted and not yet handed to their callback. What comes beyond it, and who waits for
 * room: `backpressure.ts`. How a series ends: `shutdown.ts`.
 */
import { asError } from '../base/errors.js';
import { checkFunction, checkKind } from '../base/options.js';
import type { RingHub } from '../hub/ring-hub.js';
import { LooseRing } from '../loose/loose-ring.js';
import type { JobRing, SerialCallback, Settle } from '../ring/job-ring.js';
import { Left } from '../ring/slot-records.js';
import { SlotRing } from '../ring/slot-ring.js';
import type { OwnerTurns } from '../turns/owner-turns.js';
import type { RingEntry } from '../turns/ring-entry.js';
import { Backpressure } from './backpressure.js';
import { HaltCounter } from './halt.js';
import { LimitedRuns, checkJobOptions, hasConditions, listens } from './limited-runs.js';
import { NumberedJobs } from './numbered-jobs.js';
import { OrderedIterator } from './ordered-iterator.js';
import type { WaitingJob } from './overflow.js';
import { checkSeriesOptions, graceOf, idsOf, ringOptions, ringUse } from './series-options.js';
import { seriesStats } from './series-stats.js';
import type {
  EntriesOptions,
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
  StreamedJobs,
} from './series-types.js';
import { Shutdown } from './shutdown.js';
import { inContext } from '#context';
import { makeDuplex, makeTransform } from '#streams';

/** What a series needs from its pool. */
export interface SeriesHost {
  readonly hub: RingHub;
  readonly capacity: number;
  readonly inline: boolean;
  workers(): Iterable<number>;
  nextRing(): number;
  /** Imports a module where the jobs run: in the threads, or here when there are none. */
  load(ref: { module: string | URL; name: string }): Promise<void>;
  onClosed(series: Series): void;
}

/** What `new Promise` takes. */
type Executor<R> = (resolve: (value: R) => void, reject: Settle) => void;

/** What `map` gives, by `entries`. */
type AnyIterator<R> = AsyncIterableIterator<R> &
  AsyncIterableIterator<[index: number, value: R]> &
  AsyncDisposable;

let resolveNext: Settle;
let rejectNext: Settle;
/** One executor for all promises: `run` makes no closure a job. */
const takeSettlers = (resolve: Settle, reject: Settle): void => {
  resolveNext = resolve;
  rejectNext = reject;
};

/** See `WorkPool.series`. */
export class Series<F = unknown> implements OrderedJobs<JobInput<F>, JobResult<F>> {
  readonly window: number;
  readonly #options: SeriesOptions<F>;
  readonly #host: SeriesHost;
  readonly #turns: OwnerTurns;
  readonly #ring: JobRing;
  readonly #entry: RingEntry;
  readonly #backpressure: Backpressure;
  readonly #shutdown: Shutdown;
  readonly #firstSequence: number;
  #limited: LimitedRuns | undefined;
  /** Bits of `Left` that all jobs have as somebody listens to their progress. */
  readonly #listens: number;
  /** It has ended, or others wait: no job goes straight to the ring. */
  #isBarred = false;
  /** Figures at the end; the ring's memory is another's then. */
  #lastStats: SeriesStats | undefined;

  constructor(options: SeriesOptions<F>, host: SeriesHost, firstSequence = 0) {
    checkSeriesOptions(options);
    const halt = new HaltCounter(options.halt ?? 'never');
    const use = ringUse(options);
    const shape = ringOptions(options);
    this.window = shape.window;
    this.#options = options;
    this.#firstSequence = firstSequence;
    this.#host = host;
    this.#turns = host.hub.turns;
    const Ring = options.order === 'none' ? LooseRing : SlotRing;
    this.#ring = new Ring(
      {
        ...shape,
        id: host.nextRing(),
        firstSequence,
        block: host.hub.takeBlock(shape.window, shape.arenaBytes),
        shared: !host.inline,
        capacity: host.capacity,
        onProgress: (seq, value) => {
          this.#limited?.onProgress(seq, value);
          options.onJobProgress?.(value, seq);
        },
        onOutput: (seq, output) => {
          this.#limited?.onOutput(seq, output);
          options.onJobOutput?.(output, seq);
        },
        onOutcome:
          options.halt === undefined
            ? undefined
            : (failed) => {
                this.#shutdown.noteOutcome(failed);
              },
      },
      host.hub,
    );
    this.#backpressure = new Backpressure({
      ring: this.#ring,
      turns: this.#turns,
      onFull: options.onFull,
      helpOnce: () => host.hub.helpOnce(this.#entry),
      bar: (isBarred) => {
        this.#isBarred = isBarred;
      },
    });
    this.#listens = options.onJobProgress === undefined ? 0 : listens(options.progress);
    this.#entry = host.hub.add(this.#ring, {
      ...use,
      workers: options.workers ?? host.workers(),
      onDelivered: () => {
        this.#backpressure.afterDeliveries();
        this.#shutdown.afterDeliveries();
      },
    });
    if (options.onFull === 'inline') this.#entry.load().catch(() => undefined);
    this.#shutdown = new Shutdown({
      hub: host.hub,
      ring: this.#ring,
      backpressure: this.#backpressure,
      halt,
      options,
    });
  }

  /** Resolves when the function is loaded in every thread. @throws ERR_PADATA_MODULE */
  async ready(): Promise<void> {
    await this.#host.load(this.#options.fn);
  }

  /**
   * Submits a job; its callback runs after those of all jobs submitted before.
   * @param input    value for the function
   * @param callback gets (error, result, seq), never during this call; in the async context of this call
   *                 (AsyncLocalStorage), as what follows an `await` of `run` is
   * @param transfer objects to hand over with the input
   * @param more     others follow, and nobody waits for this result alone: its callback may come with that of the
   *                 next job submitted without `more`, or when half the window is done, or 64 ms later. Saves waking
   *                 this thread for each of them: some 50 us of CPU a job
   * @returns false when the window is full now: wait for `room()` before the next
   * @throws ERR_PADATA_CLOSED, the halt's or abort's error, ERR_PADATA_CLONE; the callback is not called then
   * @remarks about 0.2 us for values that fit a slot; others go by structured clone
   * @kernel padata_do_parallel
   */
  submit(
    input: JobInput<F>,
    callback: JobCallback<JobResult<F>>,
    transfer?: readonly unknown[],
    more = false,
  ): boolean {
    checkFunction('callback', callback);
    checkKind('transfer', transfer, 'a list');
    const bound = inContext(callback) as SerialCallback;
    return this.submitUsed(input, bound, transfer, 0, undefined, more);
  }

  /**
   * `submit` whose byte result is not for the callback alone.
   * @param use `Left.KEPT`: valid until `release`; `Left.OWN`: a copy; 0: as the option `bytes` says
   */
  submitUsed(
    input: unknown,
    callback: SerialCallback,
    transfer: readonly unknown[] | undefined,
    use: number,
    reject?: Settle,
    more = false,
  ): boolean {
    const ring = this.#ring;
    const turns = this.#turns;
    const used = use | this.#listens;
    if (
      this.#isBarred ||
      !ring.submit(input, callback, transfer, turns.stamp, used, turns.isLazy, reject, more)
    ) {
      return this.#submitElse({ input, callback, transfer, use: used, reject, more });
    }
    turns.noteSubmit(ring);
    return !ring.isFull;
  }

  /** Gives back the bytes of the oldest result that was kept. */
  release(): void {
    this.#ring.release();
    this.#backpressure.pump();
  }

  /** Resolves when a job can be submitted without waiting. */
  room(): Promise<void> {
    return this.#backpressure.room();
  }

  /**
   * Submits a job and resolves with its result, in the series' order. Waits for room first. When the signal aborts, or its
   * time is over, it rejects at once; the job keeps its place in the order, where it counts as failed, and its function is asked to
   * stop. A job that is not accepted (the series has ended, its module was given up, the window is full with `onFull:
   * 'reject'`, the input cannot be sent) has no place in the order: it rejects at once, before those that were.
   * @throws ERR_PADATA_JOB_FAILED (cause: the function's error), ERR_PADATA_WORKER_DIED, ERR_PADATA_TIMEOUT, the
   *         signal's reason
   */
  run(input: JobInput<F>, options?: JobOptions): Promise<JobResult<F>> {
    return options === undefined ? this.#run(input) : this.#runWith(input, options);
  }

  #run(input: unknown, transfer?: readonly unknown[]): Promise<JobResult<F>> {
    const promise = new Promise<JobResult<F>>(takeSettlers as Executor<JobResult<F>>);
    const reject = rejectNext;
    try {
      this.submitUsed(input, resolveNext, transfer, 0, reject);
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  #runWith(input: unknown, options: JobOptions): Promise<JobResult<F>> {
    try {
      checkJobOptions(options, this.#entry.outputBytes > 0);
    } catch (error) {
      return Promise.reject(asError(error));
    }
    if (!hasConditions(options)) return this.#run(input, options.transfer);
    return (this.#limited ??= this.#makeLimited()).run(input, options) as Promise<JobResult<F>>;
  }

  /**
   * Runs every item of a source and gives the results in the source's order; with `order: 'none'` each when it is there.
   * Reads at most `window` items more than were handed out.
   * @param source  iterable, async iterable or ReadableStream
   * @param options errors: 'throw' (default), 'skip' or 'collect'; entries: true gives `[index, value]`
   */
  map(
    source: Source<JobInput<F>>,
    options: EntriesOptions,
  ): AsyncIterableIterator<[index: number, value: JobResult<F>]> & AsyncDisposable;
  map(
    source: Source<JobInput<F>>,
    options?: MapOptions,
  ): AsyncIterableIterator<JobResult<F>> & AsyncDisposable;
  map(source: Source<JobInput<F>>, options: MapOptions = {}): AnyIterator<JobResult<F>> {
    return new OrderedIterator<JobInput<F>, JobResult<F>>(
      {
        window: this.window,
        keep: this.#options.bytes === 'view',
        submit: (input, callback, keep) =>
          this.submitUsed(input, callback as SerialCallback, undefined, keep ? Left.KEPT : 0),
        room: () => this.room(),
        release: () => {
          this.release();
        },
      },
      source,
      options,
    ) as unknown as AnyIterator<JobResult<F>>;
  }

  /** A node:stream Duplex: chunks in, results out, in order. */
  duplex(): SeriesDuplex {
    return makeDuplex(this.#streamed());
  }

  /** A pair of Web streams: chunks in, results out, in order. */
  transform(): SeriesTransform<JobInput<F>, JobResult<F>> {
    return makeTransform(this.#streamed()) as SeriesTransform<JobInput<F>, JobResult<F>>;
  }

  /** Streams hold results until they are read. */
  #streamed(): StreamedJobs {
    return {
      window: this.window,
      submit: (input, callback) => {
        const bound = inContext(callback) as SerialCallback;
        return this.submitUsed(input, bound, undefined, Left.OWN);
      },
      room: () => this.room(),
      drain: () => this.drain(),
    };
  }

  /** Resolves when all jobs submitted so far were delivered. */
  drain(): Promise<void> {
    return this.#backpressure.drain();
  }

  /** Figures since the beginning. */
  stats(): SeriesStats {
    if (this.#lastStats !== undefined) return this.#lastStats;
    return seriesStats(this.#ring, this.#host.capacity, this.#backpressure.length);
  }

  /** Loads the function in the calling thread too, so that jobs can be run here. */
  async loadHere(): Promise<void> {
    await this.#entry.load();
  }

  /** Why its jobs are run no more: its module was given up, no thread can be set up. Undefined = they are. */
  get failure(): unknown {
    return this.#ring.broken;
  }

  /** Jobs submitted and not delivered. */
  get inFlight(): number {
    return this.#ring.outstanding + this.#backpressure.length;
  }

  /** Jobs submitted whose function has not ended. O(window). */
  busyJobs(): number {
    return this.#ring.busyJobs() + this.#backpressure.length;
  }

  /** Runs the job submitted last in the calling thread, unless a worker has it already. */
  runNewestHere(): void {
    this.#ring.publish();
    if (this.#ring.outstanding > 0) this.#entry.runner.runOne(this.#ring.newest);
    this.#turns.scheduleDelivery();
  }

  /** Limits the jobs not yet begun to these workers, ids 1 .. 255. @throws ERR_PADATA_ARGUMENT */
  setWorkers(workers: Iterable<number>): void {
    this.#host.hub.setWorkers(this.#entry, idsOf(workers));
  }

  /** Takes no more jobs, waits for those under way, frees the memory. Idempotent. */
  close(): Promise<void> {
    return this.#shutdown.close(() => this.#leave());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Ends the series with an error: what waits fails now, what runs is asked to stop.
   * @param reason error of all that ends by it; without one an AbortError (DOMException)
   */
  abort(reason?: unknown): void {
    this.#shutdown.abort(reason);
  }

  /** All is delivered: its ring is another's from here on. */
  #leave(): Promise<void> {
    this.#lastStats = this.stats();
    const room = this.#host.hub.remove(this.#ring);
    this.#host.onClosed(this);
    return room;
  }

  /** The way to the ring is barred, or the ring takes nothing now. */
  #submitElse(job: WaitingJob): boolean {
    const { ended } = this.#shutdown;
    if (ended !== undefined) throw asError(ended.error);
    if (this.#ring.broken !== undefined) throw asError(this.#ring.broken);
    return this.#backpressure.submit(job);
  }

  #makeLimited(): LimitedRuns {
    return new LimitedRuns({
      jobs: new NumberedJobs({
        hub: this.#host.hub,
        ring: this.#ring,
        backpressure: this.#backpressure,
        firstSequence: this.#firstSequence,
        graceMs: graceOf(this.#options),
      }),
      submit: (input, callback, transfer, use) => {
        this.submitUsed(input, callback, transfer, use);
      },
      progress: this.#options.progress,
    });
  }
}
