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
import { CHUNK_PHASE_BITS, ChunkPhase, LANE } from '../protocol/control-layout.js';
import type { Crew, Member } from '../crew/crew.js';
import { PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import { loadFunction, loadedFunction, moduleHref } from '../base/function-ref.js';
import type { FromWorker } from '../protocol/messages.js';
import type { Platform } from '../crew/platform.js';
import { lane as protocol } from '../protocol/machine.js';
import type { RangeJobState } from './range-job.js';
import { RangeLanes } from './range-lanes.js';
import type { LaneRun } from './range-run.js';
import { EVENT_SLICE_MS, callSync, finished, runAlone, runFast, startAlone } from './range-solo.js';
import type { SoloPart } from './range-solo.js';
import type { RangePlan, RangeShape } from './range-plan.js';
import { planRange, plannedThreads } from './range-plan.js';
import type { RangeJobOptions, RangeResult, RangeRun } from './range-types.js';
import type { WorkList } from '../crew/work-list.js';
import { isThenable } from '../base/thenable.js';

const { load, store, wait } = Atomics;
/** Work left that is worth sharing with a thread that is awake, in milliseconds. */
const SHARE_WORTH_MS = 0.01;
/** Work left that is worth waking a sleeping thread for, in milliseconds. */
const WAKE_WORTH_MS = 0.05;
/** How long the caller watches for helpers to leave before it sleeps, in milliseconds. */
const LEAVE_SPIN_MS = 0.05;
const PROGRESS_MS = 50;

/** Runs range jobs for one pool. */
export class RangeEngine {
  readonly #platform: Platform;
  readonly #crew: Crew;
  readonly #lanes: RangeLanes;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #onJobError: (job: RangeJobState, worker: number, error: unknown) => void;
  readonly #jobs = new Map<number, RangeJobState>();
  #nextJob = 1;

  constructor(
    platform: Platform,
    crew: Crew,
    works: WorkList,
    nodes: readonly number[],
    onJobError: (job: RangeJobState, worker: number, error: unknown) => void,
  ) {
    this.#platform = platform;
    this.#crew = crew;
    this.#lanes = new RangeLanes(crew, works, nodes);
    this.#words = crew.words;
    this.#numbers = crew.numbers;
    this.#onJobError = onJobError;
  }

  /** Makes a job known; nothing is sent yet. @throws ERR_PADATA_ARGUMENT */
  define(options: RangeJobOptions, once: boolean): RangeJobState {
    const href = moduleHref(options.threadFn);
    const job: RangeJobState = {
      id: this.#nextJob++,
      options,
      href,
      name: options.threadFn.name,
      once,
      fn: undefined,
      undo: undefined,
      msPerUnit: undefined,
      disposed: false,
    };
    this.#jobs.set(job.id, job);
    return job;
  }

  /** Imports the job's functions on this thread. @throws ERR_PADATA_MODULE */
  async prepare(job: RangeJobState): Promise<void> {
    job.fn ??= await loadFunction(job.href, job.name);
    const { undoFn } = job.options;
    if (undoFn !== undefined) job.undo ??= await loadFunction(moduleHref(undoFn), undoFn.name);
  }

  /** Tells all threads to forget the job. */
  dispose(job: RangeJobState): void {
    job.disposed = true;
    this.#jobs.delete(job.id);
    for (const member of this.#crew.members()) {
      if (member.jobs.delete(job.id)) this.#crew.post(member, { t: 'drop', job: job.id });
    }
  }

  /** Sends job and argument to every living thread now. @throws ERR_PADATA_CLONE */
  announce(job: RangeJobState): void {
    for (const member of this.#crew.members()) this.#lanes.announceTo(member, job);
  }

  /** Shape of a run with defaults filled in. @throws ERR_PADATA_ARGUMENT */
  shape(job: RangeJobState, start: number, size: number): RangeShape {
    const { align = 1, minChunk = 1, maxThreads = this.#crew.capacity + 1 } = job.options;
    return { start, size, align, minChunk, maxThreads };
  }

  /** Runs in the event loop. */
  async run(job: RangeJobState, start: number, size: number, run: RangeRun): Promise<RangeResult> {
    const began = performance.now();
    const shape = this.shape(job, start, size);
    const empty = planRange(shape, 0);
    run.signal?.throwIfAborted();
    if (size === 0) return finished(job, shape, empty, began, []);
    await this.prepare(job);
    run.signal?.throwIfAborted();
    if (empty.fastPath) return await runFast(job, shape, empty, run, began);
    const { plan, lane } = this.#lanes.take(shape);
    if (lane === undefined) {
      try {
        return await runAlone(this.#platform, job, shape, plan, run, began);
      } finally {
        this.#lanes.giveBack(plan, lane);
      }
    }
    const active = this.#lanes.describe(job, shape, plan, lane);
    this.#crew.hold();
    const onAbort = (): void => {
      protocol.stop(this.#words, active.place.base);
    };
    run.signal?.addEventListener('abort', onAbort, { once: true });
    let timer: ReturnType<typeof setInterval> | undefined;
    if (run.onProgress !== undefined) {
      const report = run.onProgress;
      timer = setInterval(() => {
        report(active.doneUnits(), size);
      }, PROGRESS_MS);
    }
    try {
      this.#lanes.open(job, active);
      this.#lanes.wakeAllowed(active);
      await this.#takePart(job, active, run.signal);
      this.#lanes.close(active);
      await this.#untilEmpty(active);
      active.findUnbegun();
      await this.#redo(job, active);
      await this.#untilGathered(active);
      await this.#undoIfNeeded(job, active, run.signal);
      if (active.failure !== undefined) throw active.failure.error;
      run.signal?.throwIfAborted();
      const result = this.#gather(job, active, began);
      run.onProgress?.(size, size);
      return result;
    } finally {
      clearInterval(timer);
      run.signal?.removeEventListener('abort', onAbort);
      this.#lanes.giveBack(plan, lane);
      this.#crew.release();
    }
  }

  /** Runs blocking. The function must be loaded. */
  runSync(job: RangeJobState, start: number, size: number): RangeResult {
    const began = performance.now();
    const shape = this.shape(job, start, size);
    if (!this.#platform.canBlock()) {
      throw new PadataError('ERR_PADATA_CANNOT_BLOCK', 'this thread may not block');
    }
    const fn = (job.fn ??= loadedFunction(job.href, job.name));
    if (fn === undefined) {
      throw new PadataError(
        'ERR_PADATA_MODULE',
        `${job.href} must be loaded before a synchronous run: await pool.load(ref)`,
        { module: job.href, name: job.name },
      );
    }
    if (size === 0) return finished(job, shape, planRange(shape, 0), began, []);
    if (plannedThreads(shape) === 1) {
      const plan = planRange(shape, 0);
      const value = callSync(fn, start, start + size, job.options.arg, 0);
      return finished(job, shape, plan, began, [value]);
    }
    const { plan, lane } = this.#lanes.take(shape);
    try {
      const result = this.#runPlanSync(job, fn, shape, plan, lane, began);
      job.msPerUnit = mix(job.msPerUnit, result.wallMs / size);
      return result;
    } finally {
      this.#lanes.giveBack(plan, lane);
    }
  }

  /** Alone as long as it is small, then with helpers. */
  #runPlanSync(
    job: RangeJobState,
    fn: AnyFunction,
    shape: RangeShape,
    plan: RangePlan,
    lane: number | undefined,
    began: number,
  ): RangeResult {
    const worthMs = lane === undefined ? Infinity : SHARE_WORTH_MS;
    let alone: SoloPart | undefined;
    if (lane === undefined || (!job.once && (job.msPerUnit ?? 0) * shape.size <= worthMs)) {
      alone = startAlone(job, fn, shape, plan, began, worthMs);
      if (lane === undefined || alone.chunks === plan.chunkCount) {
        return finished(job, shape, plan, began, alone.values);
      }
    }
    const active = this.#lanes.describe(job, shape, plan, lane);
    if (alone !== undefined) active.beginWith(alone);
    this.#lanes.open(job, active);
    this.#takePartSync(job, fn, active, began, alone?.chunks ?? 0);
    this.#lanes.close(active);
    this.#untilEmptySync(active);
    active.findUnbegun();
    for (const k of active.redo.splice(0)) this.#runChunkSync(job, fn, active, k);
    if (active.missingValues() > 0 || active.missingError()) this.#crew.receiveAll();
    if (active.failure !== undefined) {
      this.#undoSync(job, active);
      throw active.failure.error;
    }
    return this.#gather(job, active, began);
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

  /** A thread has ended: its chunks are settled, nobody waits for it. */
  onEnd(worker: number, exitCode: number, cause: unknown): void {
    for (const active of this.#lanes.runs) {
      if (active === undefined) continue;
      const lost = load(this.#words, active.place.present + worker) !== 0;
      if (!lost) continue;
      active.workerDied(worker, exitCode, cause);
      if (active.failure !== undefined) protocol.stop(this.#words, active.place.base);
    }
  }

  async #takePart(
    job: RangeJobState,
    active: LaneRun,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const fn = job.fn!;
    const began = performance.now();
    let lastEvents = began;
    for (;;) {
      const k = protocol.claim(this.#words, active.place.base);
      if (k < 0) break;
      const { start, end } = this.#begin(active, k);
      try {
        const value = fn(start, end, job.options.arg);
        this.#finish(job, active, k, isThenable(value) ? await value : value);
      } catch (error) {
        this.#fail(active, k, error);
      }
      const now = performance.now();
      if (now - lastEvents > EVENT_SLICE_MS || job.options.priority === 'low') {
        await this.#platform.yieldToEvents();
        lastEvents = performance.now();
        if (signal?.aborted === true) protocol.stop(this.#words, active.place.base);
      }
    }
    this.#numbers[active.place.stats + 2]! += performance.now() - began;
  }

  /** @param ran chunks that the caller has run before */
  #takePartSync(
    job: RangeJobState,
    fn: AnyFunction,
    active: LaneRun,
    began: number,
    ran: number,
  ): void {
    const total = active.end - active.start;
    let done = ran === 0 ? 0 : active.bounds(ran - 1).end - active.start;
    const left = (): number => ((performance.now() - began) / done) * (total - done);
    const first = done > 0 ? left() : (job.msPerUnit ?? 0) * total;
    let woken = job.once || first > WAKE_WORTH_MS;
    if (woken) this.#lanes.wakeAllowed(active);
    for (;;) {
      const k = protocol.claim(this.#words, active.place.base);
      if (k < 0) break;
      done += this.#runChunkSync(job, fn, active, k);
      ran += 1;
      // The clock costs as much as a small chunk: looked at after 1, 2, 4, 8 ... chunks.
      if (!woken && (ran & (ran - 1)) === 0 && done < total && left() > WAKE_WORTH_MS) {
        woken = true;
        this.#lanes.wakeAllowed(active);
      }
    }
    this.#numbers[active.place.stats + 2]! += performance.now() - began;
  }

  #runChunkSync(job: RangeJobState, fn: AnyFunction, active: LaneRun, k: number): number {
    const { start, end } = this.#begin(active, k);
    try {
      this.#finish(job, active, k, callSync(fn, start, end, job.options.arg, k));
    } catch (error) {
      this.#fail(active, k, error);
    }
    return end - start;
  }

  #begin(active: LaneRun, k: number): { start: number; end: number } {
    const bounds = active.bounds(k);
    const stat = active.place.stats;
    this.#numbers[stat]! += 1;
    this.#numbers[stat + 1]! += bounds.end - bounds.start;
    this.#words[active.place.chunks + k] = ChunkPhase.RUNNING;
    return bounds;
  }

  #finish(job: RangeJobState, active: LaneRun, k: number, value: unknown): void {
    let phase: number = ChunkPhase.DONE;
    if (job.options.reduce !== undefined && value !== undefined) {
      active.values.set(k, value);
      phase = ChunkPhase.DONE_MESSAGE;
    }
    this.#words[active.place.chunks + k] = phase;
  }

  #fail(active: LaneRun, k: number, error: unknown): void {
    protocol.stop(this.#words, active.place.base);
    this.#words[active.place.chunks + k] = ChunkPhase.FAILED | (0 << CHUNK_PHASE_BITS);
    active.fail(k, 0, error);
  }

  /** Waits in the event loop until no helper is present. */
  async #untilEmpty(active: LaneRun): Promise<void> {
    for (;;) {
      const deadline = performance.now() + LEAVE_SPIN_MS;
      while (this.#present(active) !== 0 && performance.now() < deadline);
      if (this.#present(active) === 0) return;
      const left = new Promise<void>((resolve) => {
        active.onLeft = resolve;
      });
      // Pairs with `leave`: it clears PRESENT, then loads WAITING.
      store(this.#words, active.place.base + LANE.WAITING, 1);
      if (this.#present(active) !== 0) await left;
      active.onLeft = undefined;
    }
  }

  #untilEmptySync(active: LaneRun): void {
    let deadline = -1;
    for (;;) {
      const w = this.#present(active);
      if (w === 0) return;
      const now = performance.now();
      if (deadline < 0) deadline = now + LEAVE_SPIN_MS;
      if (now < deadline) continue;
      store(this.#words, active.place.base + LANE.WAITING, 2);
      if (wait(this.#words, active.place.present + w, 1, 20) !== 'timed-out') continue;
      const member = this.#crew.member(w);
      if (member !== undefined && !member.platform.isAlive()) {
        this.onEnd(w, 1, undefined);
      }
    }
  }

  /** A worker that is present, or 0. */
  #present(active: LaneRun): number {
    for (let w = 1; w <= this.#crew.capacity; w += 1) {
      if (!protocol.hasLeft(this.#words, active.place.present, w)) return w;
    }
    return 0;
  }

  async #redo(job: RangeJobState, active: LaneRun): Promise<void> {
    for (const k of active.redo.splice(0)) {
      const { start, end } = this.#begin(active, k);
      try {
        this.#finish(job, active, k, await job.fn!(start, end, job.options.arg));
      } catch (error) {
        this.#fail(active, k, error);
      }
    }
  }

  /** Values and errors that were posted before their sender left are on their way; takes them in. */
  async #untilGathered(active: LaneRun): Promise<void> {
    while (active.missingValues() > 0 || active.missingError()) {
      const arrived = new Promise<void>((resolve) => {
        active.onLeft = resolve;
      });
      this.#crew.receiveAll();
      if (active.missingValues() > 0 || active.missingError()) await arrived;
      active.onLeft = undefined;
    }
  }

  async #undoIfNeeded(
    job: RangeJobState,
    active: LaneRun,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (job.undo === undefined) return;
    if (active.failure === undefined && signal?.aborted !== true) return;
    for (const { start, end } of active.spans()) await job.undo(start, end, job.options.arg);
  }

  #undoSync(job: RangeJobState, active: LaneRun): void {
    if (job.undo === undefined) return;
    for (const { start, end } of active.spans()) {
      callSync(job.undo, start, end, job.options.arg, 0);
    }
  }

  #gather(job: RangeJobState, active: LaneRun, began: number): RangeResult {
    const { reduce, initial } = job.options;
    let value = initial;
    if (reduce !== undefined) {
      for (let k = 0; k < active.plan.chunkCount; k += 1) {
        const { start, end } = active.bounds(k);
        value = reduce(value, active.valueOf(k), start, end);
      }
    }
    return {
      planned: active.plan.planned,
      got: active.plan.got,
      chunkSize: active.plan.chunkSize,
      chunks: active.plan.chunkCount,
      value,
      wallMs: performance.now() - began,
      workers: active.stats(this.#crew.capacity),
    };
  }
}

/** Moving average that follows quickly. */
function mix(old: number | undefined, now: number): number {
  return old === undefined ? now : old + (now - old) / 4;
}
