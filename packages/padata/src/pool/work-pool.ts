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
import { isImportingOnly } from '../base/current-worker.js';
import { Emitter } from '../base/emitter.js';
import type { PadataError } from '../base/errors.js';
import type { FunctionRef } from '../base/function-ref.js';
import { checkChoice, checkFunction, checkOptions } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import { Crew } from '../crew/crew.js';
import { ElasticThreads } from '../crew/elastic-threads.js';
import { ModuleLoads } from '../crew/module-loads.js';
import { WorkList } from '../crew/work-list.js';
import { RingHub } from '../hub/ring-hub.js';
import type { FromWorker } from '../protocol/messages.js';
import { RangeEngine } from '../range/range-engine.js';
import type {
  MultithreadedJob,
  PreparedRange,
  RangeJobOptions,
  RangeResult,
  RangeRunner,
} from '../range/range-types.js';
import type { JobInput, JobOptions, JobResult, SeriesOptions } from '../series/series-types.js';
import type { Series } from '../series/series.js';
import type { Member } from '../threads/member.js';
import { OwnFunctions } from '../threads/own-functions.js';
import type { WorkerEnd } from '../threads/platform.js';
import { FunctionLoads } from './function-loads.js';
import { IndependentRuns } from './independent-runs.js';
import { notice } from './notice.js';
import { closedError, nestedImport, rangeJobError, startError } from './pool-errors.js';
import { makeControl, poolPlan } from './pool-options.js';
import type { PoolPlan, WorkPoolOptions } from './pool-options.js';
import { PoolSeries } from './pool-series.js';
import { POOL_EVENTS } from './pool-types.js';
import type { WorkPoolEvents, WorkPoolStats } from './pool-types.js';
import { prepareRange, runRange, runRangeSync } from './range-calls.js';
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
  readonly #series: PoolSeries;
  readonly #runs: IndependentRuns;
  readonly #own: OwnFunctions;
  readonly #events = new Emitter<WorkPoolEvents>();
  readonly #loads: ModuleLoads;
  readonly #functions: FunctionLoads;
  readonly #elastic: ElasticThreads;
  #deaths = 0;
  #closed: Promise<void> | undefined;
  #draining = false;
  /** No thread is wanted any more. */
  #isOver = false;
  readonly #readiness: Readiness;

  constructor(options: WorkPoolOptions = {}) {
    if (isImportingOnly()) throw nestedImport();
    const plan = poolPlan(options);
    const { bounds, loadTimeoutMs, setup } = plan;
    this.works = new WorkList(options.works ?? bounds.max);
    this.#crew = this.#makeCrew(plan, options);
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
        this.#events.emit('error', { error: rangeJobError(job, worker, error) });
      },
      share: (count, allows) => {
        this.#elastic.share(count, allows);
      },
      loadInThreads: (href, name) => this.#loads.loadEverywhere(href, name),
      own: this.#own,
    });
    this.#elastic = new ElasticThreads(this.#crew, {
      demands: (most) => this.#hub.demands(most),
      isAtWork: (worker) => this.#ranges.isPresent(worker) || this.#hub.isRunning(worker),
      isAsked: (worker) =>
        this.#hub.hasInput(worker) || this.#loads.isAsked(worker) || this.#hub.hasDeferred,
      onChange: () => {
        this.#onThreads();
      },
    });
    this.#functions = new FunctionLoads({
      crew: this.#crew,
      elastic: this.#elastic,
      loads: this.#loads,
      own: this.#own,
    });
    this.#series = new PoolSeries({
      hub: this.#hub,
      capacity: this.#crew.capacity,
      inline: plan.inline,
      load: (ref) => this.#functions.whereItRuns(ref),
    });
    if (bounds.max > 0) this.#elastic.set(bounds);
  }

  /** Worker threads wanted now; 0 once the pool was closed. */
  get threads(): number {
    return this.#isOver ? 0 : this.#crew.target;
  }

  /** Worker threads that there may be without a `resize`: `threads`, or its `max`; 0 once the pool was closed. */
  get maxThreads(): number {
    return this.#isOver ? 0 : this.#crew.most;
  }

  /** Most worker threads that `resize` may ask for: as the pool was made. */
  get capacity(): number {
    return this.#crew.capacity;
  }

  /** Lets events be handled, then goes on. */
  yieldToEvents(): Promise<void> {
    return platform.yieldToEvents();
  }

  /** Resolves when all threads run and are set up; rejects when they cannot be, one of them not three times in a row. */
  async ready(): Promise<void> {
    this.#checkOpen();
    this.#crew.startAll();
    if (this.#readiness.isReady) return;
    const setupError = this.#crew.setupError ?? this.#crew.setupTrouble;
    if (setupError !== undefined) throw setupError;
    if (this.#crew.startTrouble !== undefined) throw startError(this.#crew.startTrouble);
    await this.#readiness.wait();
  }

  /**
   * Imports a function's module in every thread and in the caller.
   * @throws ERR_PADATA_MODULE when one of them cannot, or the caller not within `loadTimeoutMs`;
   *         ERR_PADATA_WORKER_DIED when a thread ends meanwhile
   */
  async load(ref: FunctionRef): Promise<void> {
    this.#checkOpen();
    await this.#functions.everywhere(ref);
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
    this.#crew.startAll();
    return await runRange(this.#ranges, job);
  }

  /**
   * `runMultithreaded`, blocking the calling thread. The module must have been loaded before.
   * @throws as `runMultithreaded`, and ERR_PADATA_CANNOT_BLOCK, ERR_PADATA_ASYNC_IN_SYNC
   * @kernel padata_do_multithreaded
   */
  runMultithreadedSync<F, V>(job: MultithreadedJob<F, V>): RangeResult<V> {
    this.#checkOpen();
    this.#crew.startAll();
    return runRangeSync(this.#ranges, job);
  }

  /** Loads function and argument everywhere, for many runs without a message. */
  async prepareRange<F, V>(options: RangeJobOptions<F, V>): Promise<PreparedRange<V>> {
    this.#checkOpen();
    return await prepareRange(
      {
        engine: this.#ranges,
        loadInThreads: (ref) => this.#functions.inThreads(ref),
        checkOpen: () => {
          this.#checkOpen();
        },
      },
      options,
    );
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
    return this.#series.make(options, firstSequence);
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
    const isOver = this.#isOver;
    return {
      threads: this.threads,
      minThreads: isOver ? 0 : this.#elastic.bounds.min,
      maxThreads: this.maxThreads,
      ready: isOver ? 0 : this.#crew.readyCount,
      works: isOver ? 0 : this.works.total,
      freeWorks: isOver ? 0 : this.works.free,
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
    else if (this.#draining) this.#series.abort(closedError());
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #drainAndClose(): Promise<void> {
    this.#draining = true;
    try {
      await this.#series.drain();
    } finally {
      this.#draining = false;
    }
    await this.#close();
  }

  async #close(): Promise<void> {
    const error = closedError();
    this.#isOver = true;
    this.#readiness.reject(error);
    this.#series.abort(error);
    this.#loads.close(error);
    this.#elastic.close();
    await this.#crew.close(CLOSE_GRACE_MS);
    await this.#own.tearDown(this.#ranges.untilIdle()).catch((error: unknown) => {
      this.#events.emit('error', { error: error as PadataError });
    });
  }

  #makeCrew(plan: PoolPlan, options: WorkPoolOptions): Crew {
    return new Crew(
      platform,
      makeControl(plan),
      {
        name: options.name ?? 'padata',
        idle: options.idle ?? 'block',
        execArgv: options.execArgv,
        env: options.env,
        resourceLimits: options.resourceLimits,
        factory: options.worker,
        setup: plan.setup,
        wear: plan.wear,
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
          const { setupTrouble } = this.#crew;
          if (setupTrouble !== undefined) this.#readiness.reject(setupTrouble);
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
        onStays: (isCounted) => {
          if (isCounted) this.#readiness.check();
          else this.#onThreads();
        },
      },
    );
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
      this.#readiness.reject(startError(this.#crew.startTrouble));
    }
    this.#readiness.check();
    return hadWork;
  }

  /** Everything runs on the calling thread from now on. */
  #onNoThreads(): void {
    const error = startError(this.#crew.startTrouble);
    this.#hub.reassign();
    this.#loads.onResize();
    this.#readiness.reject(error);
    if (error.code === 'ERR_PADATA_MODULE') notice(error.message);
    this.#events.emit('error', { error });
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
