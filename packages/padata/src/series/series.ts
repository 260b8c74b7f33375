/**
 * A series: jobs of one function, run in parallel, delivered in order of submission or, with `order: 'none'`, of completion.
 *
 * The window is the only bound: jobs submitted and not yet handed to their callback. What comes beyond it
 * waits in the caller (`overflow`), in order. The end of a series by abort or halt goes one way: jobs that
 * wait end at once, running ones are asked to stop and, after a grace time, lose their thread.
 */
import { abortReason } from '../base/abort.js';
import { PadataError } from '../base/errors.js';
import { moduleHref } from '../base/function-ref.js';
import { queueMicrotask } from '../base/host-time.js';
import { checkFunction, checkKind } from '../base/options.js';
import { HaltCounter } from './halt.js';
import { LimitedRuns, checkJobOptions, hasConditions, listens } from './limited-runs.js';
import { OrderedIterator } from './ordered-iterator.js';
import type { OwnerTurns } from '../turns/owner-turns.js';
import type { RingEntry } from '../turns/ring-entry.js';
import type { RingHub } from '../hub/ring-hub.js';
import { Overflow } from './overflow.js';
import type { WaitingJob } from './overflow.js';
import { startWatchdog } from './series-watchdog.js';
import {
  DEFAULT_GRACE_MS,
  DEFAULT_PENDING_PER_THREAD,
  checkSeriesOptions,
  checkWorker,
  outputBytesOf,
  ringShape,
} from './series-options.js';
import { seriesStats } from './series-stats.js';
import type {
  EntriesOptions,
  JobCallback,
  JobInput,
  JobOptions,
  JobResult,
  MapOptions,
  OrderedJobs,
  SeriesOptions,
  SeriesStats,
  Source,
  StreamedJobs,
} from './series-types.js';
import { levelOf } from '../levels/levels.js';
import { LooseRing } from '../loose/loose-ring.js';
import type { JobRing, SerialCallback, Settle } from '../ring/job-ring.js';
import { Left } from '../ring/slot-records.js';
import { SlotRing } from '../ring/slot-ring.js';
import { inContext } from '#context';
import { makeDuplex, makeTransform } from '#streams';
import type { SeriesDuplex, SeriesTransform } from './series-types.js';

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
  readonly #hub: RingHub;
  readonly #turns: OwnerTurns;
  readonly #ring: JobRing;
  readonly #entry: RingEntry;
  readonly #halt: HaltCounter;
  readonly #overflow = new Overflow();
  readonly #firstSequence: number;
  #limited: LimitedRuns | undefined;
  /** What its jobs write is kept. */
  readonly #captures: boolean;
  /** Bits of `Left` that all jobs have as somebody listens to their progress. */
  readonly #listens: number;
  #submitted = 0;
  #roomWaiters: (() => void)[] = [];
  #drainWaiters: (() => void)[] = [];
  #ended: { readonly error: unknown } | undefined;
  /** It has ended, or others wait: no job goes straight to the ring. */
  #isBarred = false;
  #closed: Promise<void> | undefined;
  /** Figures at the end; the ring's memory is another's then. */
  #lastStats: SeriesStats | undefined;
  readonly #stopWatchdog: () => void;
  readonly #onAbort: () => void;

  constructor(options: SeriesOptions<F>, host: SeriesHost, firstSequence = 0) {
    checkSeriesOptions(options);
    const outputBytes = outputBytesOf(options);
    this.#captures = outputBytes > 0;
    this.#halt = new HaltCounter(options.halt ?? 'never');
    const shape = ringShape(options);
    this.window = shape.window;
    this.#options = options;
    this.#firstSequence = firstSequence;
    this.#host = host;
    this.#hub = host.hub;
    this.#turns = host.hub.turns;
    const href = moduleHref(options.fn);
    const Ring = options.order === 'none' ? LooseRing : SlotRing;
    this.#ring = new Ring(
      {
        id: host.nextRing(),
        ...shape,
        outputBytes: options.outputBytes ?? ((n) => n),
        firstSequence,
        block: host.hub.takeBlock(shape.window, shape.arenaBytes),
        shared: !host.inline,
        copyBytes: (options.bytes ?? 'copy') === 'copy',
        retries: options.idempotent === true ? (options.retries ?? 1) : 0,
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
                this.#noteOutcome(failed);
              },
      },
      host.hub,
    );
    this.#listens = options.onJobProgress === undefined ? 0 : listens(options.progress);
    this.#entry = host.hub.add(this.#ring, {
      href,
      name: options.fn.name,
      shared: options.shared,
      pendingPerThread: options.pendingPerThread ?? DEFAULT_PENDING_PER_THREAD,
      copyInput: options.inputBytes === 'copy',
      outputBytes,
      level: levelOf(options.priority),
      workers: options.workers ?? host.workers(),
      onDelivered: () => {
        this.#afterDeliveries();
      },
    });
    if (options.onFull === 'inline') this.#entry.load().catch(() => undefined);
    this.#stopWatchdog = startWatchdog(this.#ring, options.watchdogMs, options.onStall);
    this.#onAbort = () => {
      this.#end(abortReason(options.signal?.reason), true);
    };
    if (options.signal?.aborted === true) this.#onAbort();
    else options.signal?.addEventListener('abort', this.#onAbort, { once: true });
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
    this.#submitted += 1;
    turns.noteSubmit(ring);
    return !ring.isFull;
  }

  /** Gives back the bytes of the oldest result that was kept. */
  release(): void {
    this.#ring.release();
    this.#pump();
  }

  /** Resolves when a job can be submitted without waiting. */
  async room(): Promise<void> {
    while (this.#ring.isFull || this.#overflow.length > 0) {
      if (this.#ended !== undefined) return;
      await new Promise<void>((resolve) => {
        this.#roomWaiters.push(resolve);
      });
    }
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
      checkJobOptions(options, this.#captures);
    } catch (error) {
      return Promise.reject(asError(error));
    }
    if (!hasConditions(options)) return this.#run(input, options.transfer);
    this.#limited ??= this.#makeLimited();
    return this.#limited.run(input, options) as Promise<JobResult<F>>;
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
  async drain(): Promise<void> {
    // A getter of an input may have come here: that job is counted when its `submit` ends.
    await Promise.resolve();
    while (this.#ring.outstanding > 0 || this.#overflow.length > 0) {
      await new Promise<void>((resolve) => {
        this.#drainWaiters.push(resolve);
      });
    }
  }

  /** Figures since the beginning. */
  stats(): SeriesStats {
    if (this.#lastStats !== undefined) return this.#lastStats;
    const { capacity } = this.#host;
    const overflow = this.#overflow.length;
    return seriesStats(this.#ring, { capacity, submitted: this.#submitted, overflow });
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
    return this.#ring.outstanding + this.#overflow.length;
  }

  /** Jobs submitted whose function has not ended. O(window). */
  busyJobs(): number {
    return this.#ring.busyJobs() + this.#overflow.length;
  }

  /** Runs the job submitted last in the calling thread, unless a worker has it already. */
  runNewestHere(): void {
    this.#ring.publish();
    if (this.#ring.outstanding > 0) this.#entry.runner.runOne(this.#ring.newest);
    this.#turns.scheduleDelivery();
  }

  /** Limits the jobs not yet begun to these workers, ids 1 .. 255. @throws ERR_PADATA_ARGUMENT */
  setWorkers(workers: Iterable<number>): void {
    checkKind('workers', workers, 'a list');
    const ids = [...workers];
    for (const id of ids) checkWorker(id);
    this.#hub.setWorkers(this.#entry, ids);
  }

  /** Takes no more jobs, waits for those under way, frees the memory. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Ends the series with an error: what waits fails now, what runs is asked to stop.
   * @param reason error of all that ends by it; without one an AbortError (DOMException)
   */
  abort(reason?: unknown): void {
    this.#end(abortReason(reason), true);
  }

  async #close(): Promise<void> {
    const closed = new PadataError('ERR_PADATA_CLOSED', 'the series was closed');
    const drained = this.drain();
    this.#ended ??= { error: closed };
    this.#isBarred = true;
    await drained;
    this.#letGo();
    this.#lastStats = this.stats();
    const room = this.#hub.remove(this.#ring);
    this.#host.onClosed(this);
    await room;
  }

  /** The way to the ring is barred, or the ring takes nothing now. */
  #submitElse(job: WaitingJob): boolean {
    if (this.#ended !== undefined) throw asError(this.#ended.error);
    if (this.#ring.broken !== undefined) throw asError(this.#ring.broken);
    return this.#submitFull(job);
  }

  #submitFull(job: WaitingJob): boolean {
    const { onFull = 'wait' } = this.#options;
    if (onFull === 'reject') {
      throw new PadataError(
        'ERR_PADATA_FULL',
        `${this.window} jobs are in flight; wait for room()`,
        { window: this.window },
      );
    }
    this.#overflow.push(job);
    this.#isBarred = true;
    // There is room, but not now: this job was submitted by a getter of another's input.
    if (this.#overflow.length === 1 && !this.#ring.isFull) {
      queueMicrotask(() => {
        this.#pump();
      });
    }
    if (onFull === 'inline') {
      // The caller does what it would otherwise wait for: oldest jobs first.
      while (this.#overflow.length > 0) {
        if (!this.#hub.helpOnce(this.#entry)) break;
        this.#pump();
      }
    }
    return false;
  }

  /** Moves waiting jobs into the ring. */
  #pump(): void {
    const turns = this.#turns;
    while (this.#overflow.length > 0) {
      const job = this.#overflow.first;
      const failed = job.failed ?? this.#ring.failure;
      if (failed === undefined ? this.#ring.isFull : !this.#ring.takesSettled) break;
      if (failed !== undefined) {
        this.#ring.submitSettled(job.callback, failed.error, turns.stamp, job.reject);
      } else {
        try {
          const { input, callback, transfer, use, reject, more } = job;
          const { stamp, isLazy } = turns;
          if (!this.#ring.submit(input, callback, transfer, stamp, use, isLazy, reject, more)) {
            break;
          }
        } catch (error) {
          // Accepted long ago, so the error is the job's own; its place in the order is now.
          this.#ring.submitSettled(job.callback, error, turns.stamp, job.reject);
        }
      }
      this.#submitted += 1;
      this.#overflow.shift();
      turns.noteSubmit(this.#ring);
    }
    this.#isBarred = this.#ended !== undefined || this.#overflow.length > 0;
  }

  #afterDeliveries(): void {
    this.#pump();
    if (!this.#ring.isFull && this.#overflow.length === 0 && this.#roomWaiters.length > 0) {
      for (const resolve of this.#roomWaiters.splice(0)) resolve();
    }
    if (this.#ring.outstanding === 0 && this.#overflow.length === 0) {
      for (const resolve of this.#drainWaiters.splice(0)) resolve();
      if (this.#ended !== undefined) this.#letGo();
    }
  }

  /** It has ended, and nothing is out: neither a timer nor the program's signal keeps its memory any longer. */
  #letGo(): void {
    this.#stopWatchdog();
    this.#options.signal?.removeEventListener('abort', this.#onAbort);
  }

  /** Counts an outcome towards the halt policy, in order of submission. */
  #noteOutcome(failed: boolean): void {
    if (!this.#halt.count(failed) || this.#ended !== undefined) return;
    this.#end(
      new PadataError('ERR_PADATA_HALTED', `the series halted: ${this.#options.halt ?? 'never'}`, {
        halt: this.#options.halt,
      }),
      this.#halt.now,
    );
  }

  #makeLimited(): LimitedRuns {
    const next = (): number => this.#submitted + this.#overflow.length;
    const { progress } = this.#options;
    return new LimitedRuns({
      progress,
      get next() {
        return next();
      },
      submit: (input, callback, transfer, use) => {
        this.submitUsed(input, callback, transfer, use);
      },
      cancel: (n, reason) => {
        this.#cancel(n, reason);
      },
      seqOf: (n) => (this.#firstSequence + n) >>> 0,
      begun: () => {
        const numbers = this.#ring.begunNumbers();
        return (n) => n < this.#submitted && numbers.has((this.#firstSequence + n) | 0);
      },
      hasEnded: (n) => n < this.#submitted && this.#ring.hasEnded(this.#ring.sequenceOf(n)),
    });
  }

  /** Cancels the n-th job submitted. */
  #cancel(n: number, reason: unknown): void {
    // Jobs still in the overflow have no slot yet.
    if (n >= this.#submitted) {
      this.#overflow.fail(n - this.#submitted, reason);
      return;
    }
    const graceMs = this.#options.graceMs ?? DEFAULT_GRACE_MS;
    this.#hub.cancel(this.#ring, this.#ring.sequenceOf(n), graceMs, reason);
  }

  #end(reason: unknown, now: boolean): void {
    if (this.#ended !== undefined && this.#closed === undefined) return;
    this.#ended = { error: reason };
    this.#isBarred = true;
    this.#ring.ends.abortError = { error: reason };
    this.#ring.ends.cancelWaiting(reason);
    this.#overflow.failAll(reason);
    this.#pump();
    if (now) this.#stopAll(reason);
    const submitted = this.#submitted;
    // A getter of an input may have come here: its job is submitted when this has ended.
    queueMicrotask(() => {
      if (this.#submitted === submitted) return;
      this.#ring.ends.cancelWaiting(reason);
      if (now) this.#stopAll(reason);
      this.#turns.scheduleDelivery();
    });
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
    if (this.inFlight === 0) this.#letGo();
    this.#turns.scheduleDelivery();
  }

  #stopAll(reason: unknown): void {
    this.#ring.ends.askToStop();
    this.#hub.stopAll(this.#ring, this.#options.graceMs ?? DEFAULT_GRACE_MS, reason);
  }
}

/** Whatever a signal or a function gave, for those who may only throw errors; the value stays what it is. */
function asError(reason: unknown): Error {
  return reason as Error;
}
