/**
 * The work pool: worker threads made once, a bounded stock of works, and what runs on them.
 *
 * ```
 *   WorkPool ── Crew (threads, start, death, replacement)
 *            ├─ WorkList (works, shared by everything below)
 *            └─ RangeEngine (multithreaded jobs)
 * ```
 * The thread that makes the pool is its owner (worker 0). All methods belong to that thread.
 */
import { platform } from '#platform';
import { currentWorker, isImportingOnly } from '../base/current-worker.js';
import { Emitter } from '../base/emitter.js';
import { PadataError } from '../base/errors.js';
import { moduleHref } from '../base/function-ref.js';
import type { FunctionRef } from '../base/function-ref.js';
import { checkChoice, checkFunction, checkOptions } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import { Crew } from '../crew/crew.js';
import type { Member } from '../crew/crew.js';
import { ElasticThreads } from '../crew/elastic-threads.js';
import { ModuleLoads } from '../crew/module-loads.js';
import { OwnFunctions } from '../crew/own-functions.js';
import type { WorkerEnd } from '../crew/platform.js';
import { WorkList } from '../crew/work-list.js';
import type { FromWorker } from '../protocol/messages.js';
import { preparedRange } from '../range/prepared-range.js';
import { RangeEngine } from '../range/range-engine.js';
import type { RangeJobState } from '../range/range-job.js';
import type {
  MultithreadedJob,
  PreparedRange,
  RangeJobOptions,
  RangeResult,
  RangeRunner,
} from '../range/range-types.js';
import { RingHub } from '../hub/ring-hub.js';
import type { JobInput, JobOptions, JobResult, SeriesOptions } from '../series/series-types.js';
import { Series } from '../series/series.js';
import type { SeriesHost } from '../series/series.js';
import { IndependentRuns } from './independent-runs.js';
import { notice } from './notice.js';
import { makeControl, poolPlan } from './pool-options.js';
import type { WorkPoolOptions } from './pool-options.js';
import { POOL_EVENTS } from './pool-types.js';
import type { WorkPoolEvents, WorkPoolStats } from './pool-types.js';
import { Readiness } from './readiness.js';
import { threadBounds } from './thread-range.js';
import type { ThreadRange } from './thread-range.js';

const CLOSE_OPTIONS: OptionKinds<{ readonly drain?: boolean }> = { drain: 'true or false' };

/** Threads that ended unexpectedly before close may take this long, in milliseconds. */
const CLOSE_GRACE_MS = 2000;

/** See `createWorkPool`. */
export class WorkPool implements RangeRunner {
  readonly #crew: Crew;
  /** The stock of works that series, shells and range jobs draw on. */
  readonly works: WorkList;
  readonly #ranges: RangeEngine;
  readonly #hub: RingHub;
  readonly #series = new Set<Series>();
  readonly #runs: IndependentRuns;
  readonly #inline: boolean;
  readonly #own: OwnFunctions;
  #nextRing = 1;
  readonly #events = new Emitter<WorkPoolEvents>();
  readonly #loads: ModuleLoads;
  readonly #elastic: ElasticThreads;
  #deaths = 0;
  #closed: Promise<void> | undefined;
  #draining = false;
  readonly #readiness: Readiness;

  constructor(options: WorkPoolOptions = {}) {
    if (isImportingOnly()) throw nestedImport();
    const plan = poolPlan(options);
    const { bounds, loadTimeoutMs, setup, wear } = plan;
    this.works = new WorkList(options.works ?? bounds.max);
    this.#crew = new Crew(
      platform,
      makeControl(plan),
      {
        name: options.name ?? 'padata',
        idle: options.idle ?? 'block',
        execArgv: options.execArgv,
        env: options.env,
        resourceLimits: options.resourceLimits,
        factory: options.worker,
        setup,
        wear,
      },
      {
        onMessage: (member, message) => {
          this.#onMessage(member, message);
        },
        onReady: (member) => {
          this.#events.emit('worker-ready', { worker: member.id, tid: member.tid });
          this.#readiness.check();
        },
        onStart: (member) => {
          this.#hub.onStart(member);
          this.#loads.onStart(member);
        },
        onEnd: (member, end, expected) => {
          return this.#onEnd(member, end, expected);
        },
        onGivenUp: (error) => {
          this.#hub.onGivenUp(error);
          this.#events.emit('error', { error });
        },
        onTrouble: (error) => {
          this.#events.emit('error', { error });
        },
        onMissing: () => {
          this.#hub.reassign();
        },
        onSetupGivenUp: (error) => {
          this.#hub.onSetupGivenUp(error);
          this.#loads.giveUp(error);
          this.#readiness.reject(error);
        },
        onNoThreads: () => {
          this.#onNoThreads();
        },
        onHeld: () => {
          this.#elastic.begin();
        },
        onStays: () => {
          this.#onThreads();
        },
      },
    );
    this.#inline = plan.inline;
    this.#readiness = new Readiness(this.#crew);
    this.#runs = new IndependentRuns(this);
    this.#loads = new ModuleLoads(this.#crew);
    this.#own = new OwnFunctions(loadTimeoutMs, setup, () => this.#crew.setupRefusal);
    this.#hub = new RingHub(platform, this.#crew, this.#own);
    this.#ranges = new RangeEngine({
      platform,
      crew: this.#crew,
      works: this.works,
      nodes: options.nodes ?? [],
      onJobError: (job, worker, error) => {
        this.#jobError(job, worker, error);
      },
      share: (count, allows) => {
        this.#elastic.share(count, allows);
      },
      loadInThreads: (href, name) => this.#loads.loadEverywhere(href, name),
      own: this.#own,
    });
    this.#elastic = new ElasticThreads(this.#crew, {
      demands: (most) => this.#hub.demands(most),
      isAsked: (worker) => this.#hub.hasInput(worker) || this.#loads.isAsked(worker),
      onChange: () => {
        this.#onThreads();
      },
    });
    if (bounds.max > 0) this.#elastic.set(bounds);
  }

  /** Worker threads wanted now. */
  get threads(): number {
    return this.#crew.target;
  }

  /** Worker threads that there may be without a `resize`: `threads`, or its `max`. */
  get maxThreads(): number {
    return this.#crew.most;
  }

  /** Most worker threads that `resize` may ask for. */
  get capacity(): number {
    return this.#crew.capacity;
  }

  /** Lets events be handled, then goes on. */
  yieldToEvents(): Promise<void> {
    return platform.yieldToEvents();
  }

  /** Resolves when all threads run and are set up; rejects when they cannot be. */
  async ready(): Promise<void> {
    this.#checkOpen();
    if (this.#readiness.isReady) return;
    if (this.#crew.setupError !== undefined) throw this.#crew.setupError;
    if (this.#crew.startTrouble !== undefined) throw this.#startError();
    await this.#readiness.wait();
  }

  /**
   * Imports a function's module in every thread and in the caller.
   * @throws ERR_PADATA_MODULE when one of them cannot, or the caller not within `loadTimeoutMs`;
   *         ERR_PADATA_WORKER_DIED when a thread ends meanwhile
   */
  async load(ref: FunctionRef): Promise<void> {
    this.#checkOpen();
    // The threads first: what ends them is not to end the program.
    await this.#loadInThreads(ref);
    await this.#loadHere(ref);
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
    const state = this.#ranges.define(job as RangeJobOptions, true);
    try {
      return (await this.#ranges.run(state, job.start, job.size, job)) as RangeResult<V>;
    } finally {
      this.#ranges.dispose(state);
    }
  }

  /**
   * `runMultithreaded`, blocking the calling thread. The module must have been loaded before.
   * @throws as `runMultithreaded`, and ERR_PADATA_CANNOT_BLOCK, ERR_PADATA_ASYNC_IN_SYNC
   * @kernel padata_do_multithreaded
   */
  runMultithreadedSync<F, V>(job: MultithreadedJob<F, V>): RangeResult<V> {
    this.#checkOpen();
    const state = this.#ranges.define(job as RangeJobOptions, true);
    try {
      return this.#ranges.runSync(state, job.start, job.size) as RangeResult<V>;
    } finally {
      this.#ranges.dispose(state);
    }
  }

  /** Loads function and argument everywhere, for many runs without a message. */
  async prepareRange<F, V>(options: RangeJobOptions<F, V>): Promise<PreparedRange<V>> {
    this.#checkOpen();
    const state = this.#ranges.define(options as RangeJobOptions, false);
    try {
      await this.#ranges.prepare(state);
      await this.#loadInThreads(options.threadFn);
      this.#ranges.announce(state);
    } catch (error) {
      this.#ranges.dispose(state);
      throw error;
    }
    return preparedRange<V>(this.#ranges, state, () => {
      this.#checkOpen();
    });
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
    const series = new Series<F>(options, this.#seriesHost(), firstSequence);
    this.#series.add(series);
    return series;
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
    return await this.#runs.run(ref, input, options);
  }

  /**
   * Changes the number of threads, or its bounds, and the number of works unless they were set by hand.
   * @param threads 0..capacity, or bounds up to that
   * @throws ERR_PADATA_ARGUMENT, ERR_PADATA_CLOSED
   */
  resize(threads: number | ThreadRange): void {
    this.#checkOpen();
    const bounds = threadBounds(threads, undefined, this.#crew.capacity);
    const before = this.#crew.most;
    this.#elastic.set(bounds);
    if (this.works.total === before) this.works.resize(bounds.max);
    this.#hub.reassign();
    this.#onThreads();
  }

  /** The number of threads that are wanted has changed. */
  #onThreads(): void {
    this.#loads.onResize();
    this.#events.emit('resize', { threads: this.#crew.target });
    this.#readiness.check();
  }

  /** Figures of this moment, and of all jobs so far. O(series * threads). */
  stats(): WorkPoolStats {
    const { jobs, wait, run } = this.#hub.figures();
    return {
      threads: this.#crew.target,
      minThreads: this.#elastic.bounds.min,
      maxThreads: this.#elastic.bounds.max,
      ready: this.#crew.readyCount,
      works: this.works.total,
      freeWorks: this.works.free,
      deaths: this.#deaths,
      jobs: jobs.reduce((sum, count) => sum + count, 0),
      wait,
      run,
      workers: [...this.#crew.members()].map((member) => ({
        worker: member.id,
        jobs: jobs[member.id]!,
        busy: this.#crew.busyShare(member),
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
    else if (this.#draining) this.#abortSeries();
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drainAndClose(): Promise<void> {
    this.#draining = true;
    try {
      await Promise.all([...this.#series].map((series) => series.close()));
    } finally {
      this.#draining = false;
    }
    await this.#close();
  }

  #abortSeries(): void {
    for (const series of this.#series) series.abort(closedError());
  }

  async #close(): Promise<void> {
    const error = closedError();
    this.#readiness.reject(error);
    this.#abortSeries();
    this.#loads.close(error);
    this.#elastic.close();
    await this.#crew.close(CLOSE_GRACE_MS);
    await this.#own.tearDown(this.#ranges.untilIdle()).catch((error: unknown) => {
      this.#events.emit('error', { error: error as PadataError });
    });
  }

  #seriesHost(): SeriesHost {
    return {
      hub: this.#hub,
      capacity: this.#crew.capacity,
      inline: this.#inline,
      workers: () => Array.from({ length: this.#crew.capacity }, (_, i) => i + 1),
      nextRing: () => this.#nextRing++,
      load: (ref) => (this.#crew.isAlone ? this.#loadHere(ref) : this.#loadInThreads(ref)),
      onClosed: (series) => {
        this.#series.delete(series);
      },
    };
  }

  async #loadHere(ref: FunctionRef): Promise<void> {
    await this.#own.loadWithin(moduleHref(ref), ref.name);
  }

  async #loadInThreads(ref: FunctionRef): Promise<void> {
    const href = moduleHref(ref);
    // One at least: what ends threads would end the program here.
    if (this.#crew.target === 0) this.#elastic.share(1, () => true);
    await this.#loads.loadEverywhere(href, ref.name);
  }

  #checkOpen(): void {
    if (this.#closed !== undefined) throw closedError();
  }

  #onMessage(member: Member, message: FromWorker): void {
    if (message.t === 'loaded') {
      this.#loads.onLoaded(member, message);
      return;
    }
    this.#ranges.onMessage(member, message);
    this.#hub.onMessage(member, message);
  }

  /** @returns whether the thread had work at hand */
  #onEnd(member: Member, end: WorkerEnd, expected: boolean): boolean {
    if (!expected) this.#deaths += 1;
    const hadWork = this.#ranges.isPresent(member.id) || this.#hub.isRunning(member.id);
    this.#ranges.onEnd(member.id, end);
    this.#hub.onEnd(member, end);
    this.#loads.onEnd(member.id, end);
    this.#events.emit('worker-exit', {
      worker: member.id,
      exitCode: end.exitCode,
      error: end.error,
      expected,
    });
    if (this.#crew.startTrouble !== undefined) {
      this.#readiness.reject(this.#startError());
    }
    this.#readiness.check();
    return hadWork;
  }

  /** Everything runs on the calling thread from now on. */
  #onNoThreads(): void {
    const error = this.#startError();
    this.#hub.reassign();
    this.#loads.onResize();
    this.#readiness.reject(error);
    if (error.code === 'ERR_PADATA_MODULE') notice(error.message);
    this.#events.emit('error', { error });
  }

  #startError(): PadataError {
    const { startTrouble } = this.#crew;
    // It says what is wrong with the program.
    if (startTrouble instanceof PadataError) return startTrouble;
    return new PadataError(
      'ERR_PADATA_WORKER_DIED',
      'worker threads cannot be started; jobs run on those that run, or on the calling thread',
      {},
      { cause: startTrouble },
    );
  }

  #jobError(job: RangeJobState, worker: number, error: unknown): void {
    this.#events.emit('error', {
      error: new PadataError(
        'ERR_PADATA_MODULE',
        `worker ${worker} cannot load ${job.name} of ${job.href}; the job runs without it`,
        { worker, module: job.href, name: job.name },
        { cause: error },
      ),
    });
  }
}

/** What a check has thrown. */
function asError(reason: unknown): Error {
  return reason as Error;
}

function closedError(): PadataError {
  return new PadataError('ERR_PADATA_CLOSED', 'the pool was closed');
}

/** A module that makes a pool whenever it is imported makes one in each thread of that pool, and so on without end. */
function nestedImport(): PadataError {
  const worker = currentWorker();
  return new PadataError(
    'ERR_PADATA_MODULE',
    `createWorkPool was called while worker ${worker} imports the module of a job; let only the main thread do that: if (isMainThread) main()`,
    { worker },
  );
}

/**
 * Makes a pool; its threads start in the background.
 * @throws ERR_PADATA_ARGUMENT; ERR_PADATA_MODULE from the top level of a module that a worker imports for its jobs
 */
export function createWorkPool(options: WorkPoolOptions = {}): WorkPool {
  return new WorkPool(options);
}
