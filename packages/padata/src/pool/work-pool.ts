/**
 * The work pool: worker threads made once, a bounded stock of works, and what runs on them.
 *
 * ```
 *   WorkPool ── PoolThreads (start, death, replacement, how many)
 *            ├─ WorkList (works, shared by everything below)
 *            └─ PoolJobs (series, independent jobs, ranges)
 * ```
 * A new pool starts its first thread before it makes the rest: a thread takes longer to boot than all of that together.
 * The thread that makes the pool is its owner (worker 0). All methods belong to that thread.
 */
import { platform } from '#platform';
import { isImportingOnly } from '../base/current-worker.js';
import { Emitter } from '../base/emitter.js';
import type { PadataError } from '../base/errors.js';
import type { FunctionRef } from '../base/function-ref.js';
import { checkChoice, checkFunction, checkOptions } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import { WorkList } from '../crew/work-list.js';
import type {
  MultithreadedJob,
  PreparedRange,
  RangeJobOptions,
  RangeResult,
  RangeRunner,
} from '../range/range-types.js';
import type { JobInput, JobOptions, JobResult, SeriesOptions } from '../series/series-types.js';
import type { Series } from '../series/series.js';
import { ThreadMaker } from '../threads/thread-maker.js';
import { closedError, nestedImport, unreadPart } from './pool-errors.js';
import type { PoolJobs } from './parts/pool-jobs.js';
import { makeControl, poolPlan, threadOptions } from './pool-options.js';
import type { PoolPlan, WorkPoolOptions } from './pool-options.js';
import { poolParts } from './parts/pool-parts.js';
import type { PoolParts } from './parts/pool-parts.js';
import type { PoolThreads } from './parts/pool-threads.js';
import { POOL_EVENTS } from './pool-types.js';
import type { WorkPoolEvents, WorkPoolStats } from './pool-types.js';
import { threadBounds } from './thread-range.js';
import type { ThreadRange } from './thread-range.js';

const CLOSE_OPTIONS: OptionKinds<{ readonly drain?: boolean }> = { drain: 'true or false' };

/** The thread that is started first: its id. */
const FIRST = 1;

/** See `createWorkPool`. */
export class WorkPool implements RangeRunner {
  /** The stock of works that series, shells and range jobs draw on. */
  readonly works: WorkList;
  readonly #threads: PoolThreads;
  readonly #jobs: PoolJobs;
  readonly #events = new Emitter<WorkPoolEvents>();
  #closed: Promise<void> | undefined;
  #draining = false;
  /** No thread is wanted any more. */
  #isOver = false;

  constructor(options: WorkPoolOptions = {}) {
    if (isImportingOnly()) throw nestedImport();
    const plan = poolPlan(options);
    this.works = new WorkList(options.works ?? plan.bounds.max);
    const maker = new ThreadMaker(platform, makeControl(plan), threadOptions(plan, options));
    if (plan.bounds.min > 0) maker.startAhead(FIRST, plan.setup?.plan);
    const { threads, jobs } = this.#makeParts(plan, maker);
    this.#threads = threads;
    this.#jobs = jobs;
  }

  /** Worker threads wanted now; 0 once the pool was closed. */
  get threads(): number {
    return this.#isOver ? 0 : this.#threads.crew.target;
  }

  /** Worker threads that there may be without a `resize`: `threads`, or its `max`; 0 once the pool was closed. */
  get maxThreads(): number {
    return this.#isOver ? 0 : this.#threads.crew.most;
  }

  /** Most worker threads that `resize` may ask for: as the pool was made. */
  get capacity(): number {
    return this.#threads.crew.capacity;
  }

  /** Lets events be handled, then goes on. */
  yieldToEvents(): Promise<void> {
    return platform.yieldToEvents();
  }

  /** Resolves when all threads run and are set up; rejects when they cannot be, one of them not three times in a row. */
  async ready(): Promise<void> {
    this.#checkOpen();
    await this.#threads.ready();
  }

  /**
   * Imports a function's module in every thread and in the caller.
   * @throws ERR_PADATA_MODULE when one of them cannot, or the caller not within `loadTimeoutMs`;
   *         ERR_PADATA_WORKER_DIED when a thread ends meanwhile
   */
  async load(ref: FunctionRef): Promise<void> {
    this.#checkOpen();
    await this.#jobs.load(ref);
  }

  /**
   * Runs a function over a range on several threads, the calling one included.
   * @returns shares and reduced value
   * @throws ERR_PADATA_CHUNK_FAILED (cause: the function's error), ERR_PADATA_WORKER_DIED,
   *         ERR_PADATA_MODULE, ERR_PADATA_CLONE, ERR_PADATA_ARGUMENT, the signal's reason
   * @remarks about 1 us of overhead per chunk; a sleeping thread costs a wake-up of some 10 us
   * @kernel padata_do_multithreaded
   */
  async runMultithreaded<F, V>(job: MultithreadedJob<F, V>): Promise<RangeResult<V>> {
    this.#checkOpen();
    this.#threads.crew.startAll();
    return await this.#jobs.runRange(job);
  }

  /**
   * `runMultithreaded`, blocking the calling thread. The module must have been loaded before.
   * @throws as `runMultithreaded`, and ERR_PADATA_CANNOT_BLOCK, ERR_PADATA_ASYNC_IN_SYNC
   * @kernel padata_do_multithreaded
   */
  runMultithreadedSync<F, V>(job: MultithreadedJob<F, V>): RangeResult<V> {
    this.#checkOpen();
    this.#threads.crew.startAll();
    return this.#jobs.runRangeSync(job);
  }

  /** Loads function and argument everywhere, for many runs without a message. */
  async prepareRange<F, V>(options: RangeJobOptions<F, V>): Promise<PreparedRange<V>> {
    this.#checkOpen();
    return await this.#jobs.prepareRange(options);
  }

  /**
   * Makes a series of ordered jobs of one function. Series are cheap and share the threads.
   * @throws ERR_PADATA_ARGUMENT, ERR_PADATA_CLONE (the `shared` value), ERR_PADATA_CLOSED
   * @kernel padata_alloc_shell
   */
  series<F>(options: SeriesOptions<F>): Series<F> {
    return this.seriesFrom(options, 0);
  }

  /** `series` whose first sequence number is given, modulo 2^32; for tests of the wrap-around. */
  seriesFrom<F>(options: SeriesOptions<F>, firstSequence: number): Series<F> {
    this.#checkOpen();
    return this.#jobs.series(options, firstSequence);
  }

  /**
   * Runs one job that has nothing to do with others: it waits for a thread, never for a job that was submitted before and
   * takes longer. All calls of one function share a series with `order: 'none'`; where the order, a window, `shared` or
   * another option of a series is wanted, make that.
   * @param ref     the function, by module and export
   * @param input   value for it
   * @param options objects to hand over; a signal that cancels the job; its priority
   * @returns its result; rejects with ERR_PADATA_JOB_FAILED (cause: the function's error), ERR_PADATA_WORKER_DIED,
   *          ERR_PADATA_MODULE, ERR_PADATA_CLONE, ERR_PADATA_CLOSED, ERR_PADATA_ARGUMENT, the signal's reason
   * @remarks about 0.5 us more than `run` of a series
   */
  async run<F>(
    ref: FunctionRef<F>,
    input: JobInput<F>,
    options?: JobOptions & {
      /** As the option of a series of that name: which of the jobs that wait begins first. Default 'normal'. */
      readonly priority?: 'high' | 'normal' | 'low';
    },
  ): Promise<JobResult<F>> {
    this.#checkOpen();
    return await this.#jobs.run(ref, input, options);
  }

  /**
   * Changes the number of threads, or its bounds, and the number of works unless they were set by hand.
   * @param threads 0..capacity, or bounds up to that
   * @throws ERR_PADATA_ARGUMENT, ERR_PADATA_CLOSED
   */
  resize(threads: number | ThreadRange): void {
    this.#checkOpen();
    const bounds = threadBounds(threads, undefined, this.#threads.crew.capacity);
    const before = this.#threads.crew.most;
    this.#threads.set(bounds);
    if (this.works.total === before) this.works.resize(bounds.max);
    this.#jobs.reassign();
    this.#threads.onChange();
  }

  /** Figures of this moment, and of all jobs so far. O(series * threads). */
  stats(): WorkPoolStats {
    const { jobs, wait, run } = this.#jobs.figures();
    const isOver = this.#isOver;
    return {
      threads: this.threads,
      minThreads: isOver ? 0 : this.#threads.elastic.bounds.min,
      maxThreads: this.maxThreads,
      ready: isOver ? 0 : this.#threads.crew.readyCount,
      works: isOver ? 0 : this.works.total,
      freeWorks: isOver ? 0 : this.works.free,
      deaths: this.#threads.deaths,
      jobs: jobs.reduce((sum, count) => sum + count, 0),
      wait,
      run,
      workers: [...this.#threads.crew.members()].map((member) => ({
        worker: member.id,
        jobs: jobs[member.id]!,
        busy: this.#threads.crew.busyShare(member),
      })),
    };
  }

  /** Registers a listener; returns how to remove it. @throws ERR_PADATA_ARGUMENT for an event that there is not */
  on<K extends keyof WorkPoolEvents>(
    event: K,
    listener: (data: WorkPoolEvents[K]) => void,
  ): () => void {
    checkChoice('event', event, POOL_EVENTS);
    checkFunction('listener', listener);
    return this.#events.on(event, listener);
  }

  /**
   * Stops all threads; those that do not leave soon are terminated. Idempotent: the first call counts.
   * @param options drain: what was accepted (by series, shells and `run`) ends first; nothing more is accepted from here on.
   *                Without it jobs end with ERR_PADATA_CLOSED. Range jobs under way end by themselves either way.
   * @remarks a call without `drain` while another drains ends what is left at once
   */
  close(options: { readonly drain?: boolean } = {}): Promise<void> {
    try {
      checkOptions('close', options, CLOSE_OPTIONS);
    } catch (error) {
      return Promise.reject(asError(error));
    }
    if (options.drain === true) this.#closed ??= this.#drainAndClose();
    else if (this.#draining) this.#jobs.abort(closedError());
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drainAndClose(): Promise<void> {
    this.#draining = true;
    try {
      await this.#jobs.drain();
    } finally {
      this.#draining = false;
    }
    await this.#close();
  }

  async #close(): Promise<void> {
    const error = closedError();
    this.#isOver = true;
    this.#threads.refuse(error);
    this.#jobs.close(error);
    await this.#threads.close();
    await this.#jobs.tearDown().catch((error: unknown) => {
      this.#events.emit('error', { error: error as PadataError });
    });
  }

  /** @throws what goes wrong, after the threads are ended that have begun */
  #makeParts(plan: PoolPlan, maker: ThreadMaker): PoolParts {
    const { works } = this;
    const checkOpen = (): void => {
      this.#checkOpen();
    };
    try {
      return poolParts({ plan, maker, works, events: this.#events, checkOpen });
    } catch (error) {
      maker.endAhead();
      throw unreadPart(error) ?? error;
    }
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw closedError();
  }
}

/** What a check has thrown. */
function asError(reason: unknown): Error {
  return reason as Error;
}

/**
 * Makes a pool; its threads start in the background.
 * @throws ERR_PADATA_ARGUMENT; ERR_PADATA_MODULE from the top level of a module that a worker imports for its jobs
 */
export function createWorkPool(options: WorkPoolOptions = {}): WorkPool {
  return new WorkPool(options);
}
