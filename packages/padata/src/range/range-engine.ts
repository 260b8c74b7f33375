/**
 * Range jobs, owner's side: take works and a lane, invite helpers, take part, wait until all have left,
 * gather. The calling thread always takes part, so a job makes progress with no helper at all.
 *
 * ```
 *  plan ─ fast path (one participant): call the function, no shared state
 *       └ works, lane ─ small: the first chunks alone, or all of them
 *                     └ describe, open ─ wake helpers ─ claim and run ─ close ─ all left? ─ gather
 * ```
 * For a job run once helpers are let in and woken at once. Of a prepared job the cost is known, from earlier runs or
 * from the chunks that the caller has just run alone: helpers that are awake are let in when what is left is worth the
 * traffic between the caches, and those that sleep are woken when it is worth that.
 */
import { PadataError, checkInteger } from '../base/errors.js';
import { moduleHref } from '../base/function-ref.js';
import type { AnyFunction } from '../base/function-ref.js';
import {
  clearInterval,
  clearTimeout,
  performance,
  setInterval,
  setTimeout,
} from '../base/host-time.js';
import { checkChoice, checkOptions } from '../base/options.js';
import type { OptionKinds } from '../base/options.js';
import type { Crew } from '../crew/crew.js';
import type { Member } from '../threads/member.js';
import type { OwnFunctions } from '../threads/own-functions.js';
import type { Platform, WorkerEnd } from '../threads/platform.js';
import type { WorkList } from '../crew/work-list.js';
import { MAX_THREADS } from '../protocol/control-layout.js';
import { lane as protocol } from '../protocol/machine.js';
import type { FromWorker } from '../protocol/messages.js';
import { CallerPart } from './caller-part.js';
import { cloneArg } from './own-arg.js';
import type { PlannedRun, RangeJobState } from './range-job.js';
import { RangeLanes } from './range-lanes.js';
import { planRange, plannedThreads } from './range-plan.js';
import type { RangeShape } from './range-plan.js';
import { finished, runAlone, runFast, runFastSync, startAlone } from './range-solo.js';
import type { SoloPart } from './range-solo.js';
import type { MultithreadedJob, RangeJobOptions, RangeResult, RangeRun } from './range-types.js';

/** Work left that is worth sharing with a thread that is awake, in milliseconds. */
const SHARE_WORTH_MS = 0.01;
const PROGRESS_MS = 50;
/** The import here is waited for so long before the threads are asked, in milliseconds. */
const OWN_FIRST_MS = 50;

const RANGE_OPTIONS: OptionKinds<RangeJobOptions> = {
  threadFn: 'anything',
  arg: 'anything',
  align: 'a number',
  minChunk: 'a number',
  maxThreads: 'a number',
  undoFn: 'anything',
  reduce: 'a function',
  initial: 'anything',
  priority: 'a text',
  nodeAware: 'true or false',
  workers: 'a list',
  idempotent: 'true or false',
};
const RUN_OPTIONS: OptionKinds<RangeRun> = { signal: 'an AbortSignal', onProgress: 'a function' };
const JOB_OPTIONS: OptionKinds<MultithreadedJob> = {
  ...RANGE_OPTIONS,
  ...RUN_OPTIONS,
  start: 'a number',
  size: 'a number',
};

/** @throws ERR_PADATA_ARGUMENT */
export function checkRun(run: RangeRun): void {
  checkOptions('a run', run, RUN_OPTIONS);
}

type OnJobError = (job: RangeJobState, worker: number, error: unknown) => void;

/** What range jobs run on. */
interface RangeParts {
  readonly platform: Platform;
  readonly crew: Crew;
  readonly works: WorkList;
  /** Node of each worker thread; missing = 0. */
  readonly nodes: readonly number[];
  /** Told when a thread cannot load a job's function; the job runs without it. */
  readonly onJobError: OnJobError;
  /** Threads come, if more may, so that up to `count` share a range. */
  readonly share: (count: number, allows: (worker: number) => boolean) => void;
  /** Imports a function's module in every thread. */
  loadInThreads(href: string, name: string): Promise<void>;
  /** Functions on the calling thread. */
  readonly own: OwnFunctions;
}

/** An import on the calling thread that has not ended. */
interface PendingImport {
  readonly ended: Promise<void>;
}

/** Runs range jobs for one pool. */
export class RangeEngine {
  readonly #platform: Platform;
  readonly #crew: Crew;
  readonly #lanes: RangeLanes;
  readonly #words: Int32Array;
  readonly #caller: CallerPart;
  readonly #onJobError: OnJobError;
  readonly #parts: RangeParts;
  readonly #jobs = new Map<number, RangeJobState>();
  #nextJob = 1;
  /** Runs in the event loop that have not ended, where somebody may wait for their end. */
  #running = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(parts: RangeParts) {
    const { platform, crew, works, nodes, onJobError } = parts;
    this.#parts = parts;
    this.#platform = platform;
    this.#crew = crew;
    this.#lanes = new RangeLanes(crew, works, nodes, parts.share);
    this.#words = crew.words;
    this.#caller = new CallerPart(platform, crew, this.#lanes);
    this.#onJobError = onJobError;
  }

  /** Makes a job known; nothing is sent yet. @throws ERR_PADATA_ARGUMENT */
  define(options: RangeJobOptions, once: boolean): RangeJobState {
    checkOptions('a range job', options, once ? JOB_OPTIONS : RANGE_OPTIONS);
    checkChoice('priority', options.priority, ['normal', 'low']);
    for (const id of options.workers ?? []) checkInteger('workers', id, 1, MAX_THREADS);
    const href = moduleHref(options.threadFn);
    if (options.undoFn !== undefined) moduleHref(options.undoFn);
    const job: RangeJobState = {
      id: this.#nextJob++,
      options,
      href,
      name: options.threadFn.name,
      once,
      arg: undefined,
      hasArg: false,
      fn: undefined,
      undo: undefined,
      msPerUnit: undefined,
      disposed: false,
    };
    this.#jobs.set(job.id, job);
    return job;
  }

  /** Imports the job's functions on this thread. @throws ERR_PADATA_MODULE, also when it takes too long */
  async #loadHere(job: RangeJobState): Promise<void> {
    const { own } = this.#parts;
    job.fn ??= await own.loadChunks(job.href, job.name);
    const { undoFn } = job.options;
    if (undoFn === undefined) return;
    job.undo ??= await own.loadChunks(moduleHref(undoFn), undoFn.name);
  }

  /**
   * Makes the job's functions ready to be called: here; or, where the import here is still pending when all threads
   * have theirs, in the threads alone, as for a module that awaits this very job at its top level.
   * @returns undefined = here; else the import that is pending
   * @throws ERR_PADATA_MODULE, ERR_PADATA_CLONE
   */
  async prepare(job: RangeJobState): Promise<PendingImport | undefined> {
    cloneArg(job);
    const { undoFn } = job.options;
    if (job.fn !== undefined && (job.undo !== undefined || undoFn === undefined)) return undefined;
    const own = this.#loadHere(job);
    if (this.#crew.isAlone) {
      await own;
      return undefined;
    }
    let isPending = true;
    const ended = own.finally(() => {
      isPending = false;
    });
    const isPendingStill = (): boolean => isPending;
    ended.catch(() => undefined);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const later = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, OWN_FIRST_MS);
    });
    try {
      await Promise.race([ended, later]);
    } finally {
      clearTimeout(timer);
    }
    if (!isPendingStill()) return undefined;
    // Threads that cannot load it are no reason to wait less for this one.
    const threads = this.#parts.loadInThreads(job.href, job.name).catch(() => ended);
    await Promise.race([ended, threads]);
    return isPendingStill() ? { ended } : undefined;
  }

  /** Tells all threads to forget the job. */
  dispose(job: RangeJobState): void {
    job.disposed = true;
    this.#jobs.delete(job.id);
    for (const member of this.#crew.workers()) {
      if (member.jobs.delete(job.id)) this.#crew.post(member, { t: 'drop', job: job.id });
    }
  }

  /** Sends job and argument to every living thread now. @throws ERR_PADATA_CLONE */
  announce(job: RangeJobState): void {
    if (this.#crew.modules.error(job.href) !== undefined) return;
    for (const member of this.#lanes.helpersOf(job)) this.#lanes.announceTo(member, job);
  }

  /** Shape of a run with defaults filled in. @throws ERR_PADATA_ARGUMENT */
  shape(job: RangeJobState, start: number, size: number): RangeShape {
    const { most, isAlone } = this.#crew;
    // One thread is what a machine of one CPU gets: who shares a range there only waits for the other.
    const all = isAlone || most === 1 ? 1 : most + 1;
    const { align = 1, minChunk = 1, maxThreads = all, workers } = job.options;
    const shape = { start, size, align, minChunk, maxThreads };
    if (workers === undefined) return shape;
    // Works that nobody may take would make the chunks smaller for nothing.
    const helpers = this.#lanes.countHelpers(job);
    return { ...shape, maxThreads: Math.min(maxThreads, helpers + 1) };
  }

  /** Runs in the event loop. */
  run(job: RangeJobState, start: number, size: number, options: RangeRun): Promise<RangeResult> {
    const run = this.#run(job, start, size, options);
    // Only what is set up here is torn down here.
    if (!this.#parts.own.setsUp) return run;
    this.#running += 1;
    return run.finally(() => {
      this.#running -= 1;
      if (this.#running > 0) return;
      for (const resolve of this.#idleWaiters.splice(0)) resolve();
    });
  }

  /** Resolves when no run is under way here whose functions may use what is set up. */
  async untilIdle(): Promise<void> {
    if (this.#running === 0) return;
    await new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve);
    });
  }

  async #run(
    job: RangeJobState,
    start: number,
    size: number,
    options: RangeRun,
  ): Promise<RangeResult> {
    const began = performance.now();
    const shape = this.shape(job, start, size);
    const empty = { job, shape, plan: planRange(shape, 0), began };
    options.signal?.throwIfAborted();
    if (size === 0) return finished(empty, []);
    const own = (await this.prepare(job))?.ended;
    options.signal?.throwIfAborted();
    if (empty.plan.fastPath && own === undefined) return await runFast(empty, options);
    const { plan, lane } =
      own === undefined ? this.#lanes.take(shape) : this.#lanes.takeForThreads(shape);
    const run: PlannedRun = { job, shape, plan, began };
    if (lane === undefined) {
      try {
        await own;
        return await runAlone(this.#platform, run, options);
      } finally {
        this.#lanes.giveBack(plan, lane);
      }
    }
    const active = this.#lanes.describe(run, lane);
    this.#crew.ref();
    const onAbort = (): void => {
      protocol.stop(this.#words, active.place.base);
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    let timer: ReturnType<typeof setInterval> | undefined;
    if (options.onProgress !== undefined) {
      const report = options.onProgress;
      timer = setInterval(() => {
        report(active.doneUnits(), size);
      }, PROGRESS_MS);
    }
    try {
      this.#lanes.open(job, active);
      this.#lanes.wakeAllowed(active);
      if (own === undefined) await this.#caller.takePart(job, active, options.signal);
      else await this.#caller.watch(job, active, own, options.signal);
      this.#lanes.close(active);
      await this.#caller.untilEmpty(active);
      active.findUnbegun();
      if (own !== undefined) await this.#caller.untilHere(active, own);
      await this.#caller.redo(job, active);
      await this.#caller.untilGathered(active);
      await this.#caller.undoIfNeeded(job, active, options.signal, own);
      if (active.failure !== undefined) throw active.failure.error;
      options.signal?.throwIfAborted();
      const result = this.#caller.gather(run, active);
      options.onProgress?.(size, size);
      return result;
    } finally {
      clearInterval(timer);
      options.signal?.removeEventListener('abort', onAbort);
      this.#lanes.giveBack(plan, lane);
      this.#crew.unref();
    }
  }

  /** Runs blocking. The function must be loaded. */
  runSync(job: RangeJobState, start: number, size: number): RangeResult {
    const began = performance.now();
    const shape = this.shape(job, start, size);
    if (!this.#platform.canBlock()) {
      throw new PadataError('ERR_PADATA_CANNOT_BLOCK', 'this thread may not block');
    }
    const fn = (job.fn ??= this.#parts.own.loadedChunks(job.href, job.name));
    if (fn === undefined) {
      throw new PadataError(
        'ERR_PADATA_MODULE',
        `${job.href} must be loaded before a synchronous run: await pool.load(ref)`,
        { module: job.href, name: job.name },
      );
    }
    if (size === 0) return finished({ job, shape, plan: planRange(shape, 0), began }, []);
    cloneArg(job);
    if (plannedThreads(shape) === 1) {
      return runFastSync({ job, shape, plan: planRange(shape, 0), began }, fn);
    }
    const { plan, lane } = this.#lanes.take(shape);
    try {
      const result = this.#runPlanSync({ job, shape, plan, began }, fn, lane);
      job.msPerUnit = mix(job.msPerUnit, result.wallMs / size);
      return result;
    } finally {
      this.#lanes.giveBack(plan, lane);
    }
  }

  /** Alone as long as it is small, then with helpers. */
  #runPlanSync(run: PlannedRun, fn: AnyFunction, lane: number | undefined): RangeResult {
    const { job, shape, plan } = run;
    const worthMs = lane === undefined ? Infinity : SHARE_WORTH_MS;
    let alone: SoloPart | undefined;
    if (lane === undefined || (!job.once && (job.msPerUnit ?? 0) * shape.size <= worthMs)) {
      alone = startAlone(run, fn, worthMs);
      if (lane === undefined || alone.chunks === plan.chunkCount) {
        return finished(run, alone.values);
      }
    }
    const active = this.#lanes.describe(run, lane);
    if (alone !== undefined) active.beginWith(alone);
    this.#lanes.open(job, active);
    this.#caller.takePartSync(run, fn, active, alone?.chunks ?? 0);
    this.#lanes.close(active);
    this.#caller.untilEmptySync(active);
    active.findUnbegun();
    for (const k of active.redo.splice(0)) this.#caller.runChunkSync(job, fn, active, k);
    if (active.missingValues() > 0 || active.missingError()) this.#crew.receiveAll();
    if (active.failure !== undefined) {
      this.#caller.undoSync(job, active);
      throw active.failure.error;
    }
    return this.#caller.gather(run, active);
  }

  /** Routes a worker's message to its run. */
  onMessage(member: Member, message: FromWorker): void {
    switch (message.t) {
      case 'value':
      case 'fail':
        this.#lanes.runs[message.lane]?.note(message, member.id);
        this.#lanes.runs[message.lane]?.onLeft?.();
        break;
      case 'left':
        this.#lanes.runs[message.lane]?.onLeft?.();
        break;
      case 'jobError': {
        const job = this.#jobs.get(message.job);
        if (job !== undefined) this.#onJobError(job, member.id, message.error);
        break;
      }
    }
  }

  /** Does this thread take part in a run? */
  isPresent(worker: number): boolean {
    return this.#lanes.isPresent(worker);
  }

  /** A thread has ended: its chunks are settled, nobody waits for it. */
  onEnd(worker: number, { exitCode, error }: WorkerEnd): void {
    this.#lanes.workerDied(worker, exitCode, error);
  }
}

/** Moving average that follows quickly. */
function mix(old: number | undefined, now: number): number {
  return old === undefined ? now : old + (now - old) / 4;
}
