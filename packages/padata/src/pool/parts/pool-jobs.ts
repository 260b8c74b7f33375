/**
 * What runs on a pool's threads: series, independent jobs, ranges, and the modules of their functions.
 *
 * ```
 *   PoolJobs ── RingHub (jobs of series on their way) ◀─ PoolSeries ◀─ IndependentRuns
 *            ├─ RangeEngine (multithreaded jobs)
 *            └─ FunctionLoads (modules: ModuleLoads in the threads, OwnFunctions here)
 * ```
 */
import { platform } from '#platform';
import type { PadataError } from '../../base/errors.js';
import type { FunctionRef } from '../../base/function-ref.js';
import type { Crew } from '../../crew/crew.js';
import type { ElasticThreads } from '../../crew/elastic-threads.js';
import { ModuleLoads } from '../../crew/modules/module-loads.js';
import type { Demand } from '../../crew/thread-need.js';
import type { WorkList } from '../../crew/work-list.js';
import type { JobFigures } from '../../hub/pool-figures.js';
import { RingHub } from '../../hub/ring-hub.js';
import type { FromWorker } from '../../protocol/messages.js';
import { RangeEngine } from '../../range/range-engine.js';
import type {
  MultithreadedJob,
  PreparedRange,
  RangeJobOptions,
  RangeResult,
} from '../../range/range-types.js';
import type { JobInput, JobResult, SeriesOptions } from '../../series/series-types.js';
import type { Series } from '../../series/series.js';
import type { Member } from '../../threads/member.js';
import { OwnFunctions } from '../../threads/own-functions.js';
import type { WorkerEnd } from '../../threads/platform.js';
import { FunctionLoads } from './function-loads.js';
import { IndependentRuns } from './independent-runs.js';
import type { RunOptions } from './independent-runs.js';
import { rangeJobError } from '../pool-errors.js';
import type { PoolPlan } from '../pool-options.js';
import { PoolSeries } from './pool-series.js';
import { prepareRange, runRange, runRangeSync } from '../../range/range-calls.js';

/** The pool that they run on. */
interface JobsHost {
  readonly plan: PoolPlan;
  readonly crew: Crew;
  readonly elastic: ElasticThreads;
  readonly works: WorkList;
  /** Something went wrong that belongs to no single job. */
  readonly onError: (error: PadataError) => void;
  /** @throws ERR_PADATA_CLOSED when nothing is to run any more */
  readonly checkOpen: () => void;
}

/** Those of one pool. */
export class PoolJobs {
  readonly #host: JobsHost;
  readonly #hub: RingHub;
  readonly #ranges: RangeEngine;
  readonly #series: PoolSeries;
  readonly #runs: IndependentRuns;
  readonly #own: OwnFunctions;
  readonly #loads: ModuleLoads;
  readonly #functions: FunctionLoads;

  constructor(host: JobsHost) {
    this.#host = host;
    const { plan, crew, elastic, works } = host;
    const own = new OwnFunctions(plan.loadTimeoutMs, plan.setup, () => crew.setupRefusal);
    const loads = new ModuleLoads(crew);
    this.#own = own;
    this.#loads = loads;
    this.#functions = new FunctionLoads({ crew, elastic, loads, own });
    this.#hub = new RingHub(platform, crew, own);
    this.#ranges = new RangeEngine({
      platform,
      crew,
      works,
      nodes: plan.nodes,
      onJobError: (job, worker, error) => {
        host.onError(rangeJobError(job, worker, error));
      },
      share: (count, allows) => {
        elastic.share(count, allows);
      },
      loadInThreads: (href, name) => loads.loadEverywhere(href, name),
      own,
    });
    this.#series = new PoolSeries({
      hub: this.#hub,
      capacity: crew.capacity,
      inline: plan.inline,
      load: (ref) => this.#functions.whereItRuns(ref),
    });
    this.#runs = new IndependentRuns(this);
  }

  /** See `WorkPool.seriesFrom`. */
  series<F>(options: SeriesOptions<F>, firstSequence = 0): Series<F> {
    return this.#series.make(options, firstSequence);
  }

  /** See `WorkPool.run`. */
  run<F>(
    ref: FunctionRef<F>,
    input: JobInput<F>,
    options: RunOptions | undefined,
  ): Promise<JobResult<F>> {
    return this.#runs.run(ref, input, options);
  }

  /** See `WorkPool.load`. */
  load(ref: FunctionRef): Promise<void> {
    return this.#functions.everywhere(ref);
  }

  /** See `WorkPool.runMultithreaded`. */
  runRange<F, V>(job: MultithreadedJob<F, V>): Promise<RangeResult<V>> {
    return runRange(this.#ranges, job);
  }

  /** See `WorkPool.runMultithreadedSync`. */
  runRangeSync<F, V>(job: MultithreadedJob<F, V>): RangeResult<V> {
    return runRangeSync(this.#ranges, job);
  }

  /** See `WorkPool.prepareRange`. */
  prepareRange<F, V>(options: RangeJobOptions<F, V>): Promise<PreparedRange<V>> {
    const { checkOpen } = this.#host;
    const loadInThreads = (ref: FunctionRef): Promise<void> => this.#functions.inThreads(ref);
    return prepareRange({ engine: this.#ranges, loadInThreads, checkOpen }, options);
  }

  /** What waits for threads; of each kind at most so many jobs are counted. O(jobs in flight). */
  demands(most: number): Iterable<Demand> {
    return this.#hub.demands(most);
  }

  /** Has this thread a job that it has begun, or a part in a range? O(jobs in flight). */
  isAtWork(worker: number): boolean {
    return this.#ranges.isPresent(worker) || this.#hub.isRunning(worker);
  }

  /** Is something on its way to this thread that it has to answer? */
  isAsked(worker: number): boolean {
    return this.#hub.hasInput(worker) || this.#loads.isAsked(worker) || this.#hub.hasDeferred;
  }

  /** Figures of jobs so far. O(series * threads). */
  figures(): JobFigures {
    return this.#hub.figures();
  }

  /** Who may run what has changed. */
  reassign(): void {
    this.#hub.reassign();
  }

  /** The number of threads that are wanted has changed. */
  onThreads(): void {
    this.#loads.onResize();
  }

  /** A thread is being started. */
  onStart(member: Member): void {
    this.#hub.onStart(member);
    this.#loads.onStart(member);
  }

  onMessage(member: Member, message: FromWorker): void {
    if (message.t === 'loaded') {
      this.#loads.onLoaded(member, message);
      return;
    }
    this.#ranges.onMessage(member, message);
    this.#hub.onMessage(member, message);
  }

  /** @returns whether the thread had work at hand */
  onEnd(member: Member, end: WorkerEnd): boolean {
    const hadWork = this.isAtWork(member.id);
    this.#ranges.onEnd(member.id, end);
    this.#hub.onEnd(member, end);
    this.#loads.onEnd(member.id, end);
    return hadWork;
  }

  /** A module ends the threads that import it. */
  onGivenUp(error: PadataError): void {
    this.#hub.onGivenUp(error);
  }

  /** No thread can be set up. */
  onSetupGivenUp(error: PadataError): void {
    this.#hub.onSetupGivenUp(error);
    this.#loads.giveUp(error);
  }

  /** Resolves when all that was accepted has ended; nothing more is accepted. */
  async drain(): Promise<void> {
    await this.#series.drain();
  }

  /** Jobs that have not ended end with this error. */
  abort(error: PadataError): void {
    this.#series.abort(error);
  }

  /** No thread answers any more. */
  close(error: PadataError): void {
    this.#series.abort(error);
    this.#loads.close(error);
  }

  /** Ends what was set up on the calling thread, after the ranges that use it. @throws ERR_PADATA_TEARDOWN */
  async tearDown(): Promise<void> {
    await this.#own.tearDown(this.#ranges.untilIdle());
  }
}
