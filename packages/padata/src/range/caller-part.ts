/**
 * The caller's part in a run that has a lane: it claims and runs chunks like any helper, in its event loop or
 * blocking, waits until all helpers have left, runs what was lost, gathers.
 *
 * Its chunk words need no atomics: nobody reads them before the run is over, but for progress.
 */
import type { AnyFunction } from '../base/function-ref.js';
import { clearTimeout, performance, setTimeout } from '../base/host-time.js';
import { isThenable } from '../base/thenable.js';
import type { Crew } from '../crew/crew.js';
import type { Platform } from '../threads/platform.js';
import { CHUNK_PHASE_BITS, ChunkPhase, LANE } from '../protocol/control-layout.js';
import { lane as protocol } from '../protocol/machine.js';
import { WAKE_UP_MS } from '../protocol/sleep.js';
import type { LaneRun } from './lane-run.js';
import type { PlannedRun, RangeJobState } from './range-job.js';
import type { RangeLanes } from './range-lanes.js';
import { ownError } from '../values/chunk-values.js';
import { EVENT_SLICE_MS, callSync, chunkValue } from './range-solo.js';
import type { RangeResult } from './range-types.js';

const { load, store, wait } = Atomics;
/** How long the caller watches for helpers to leave before it sleeps, in milliseconds. */
const LEAVE_SPIN_MS = 0.05;
/** How often a caller without the function looks whether helpers need something, in milliseconds. */
const WATCH_MS = 20;

/** What the calling thread does in runs of one pool. */
export class CallerPart {
  readonly #platform: Platform;
  readonly #crew: Crew;
  readonly #lanes: RangeLanes;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  constructor(platform: Platform, crew: Crew, lanes: RangeLanes) {
    this.#platform = platform;
    this.#crew = crew;
    this.#lanes = lanes;
    this.#words = crew.words;
    this.#numbers = crew.numbers;
  }

  async takePart(
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
        const value = fn(start, end, job.arg);
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

  /**
   * Lets the helpers run until all chunks are claimed; takes part as soon as the function is here.
   * @param own the import of the function here; when it fails and no helper is there, so does the run
   */
  async watch(
    job: RangeJobState,
    active: LaneRun,
    own: Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const state: { isHere: boolean; failed?: { error: unknown } } = { isHere: false };
    own.then(
      () => {
        state.isHere = true;
        active.onLeft?.();
      },
      (error: unknown) => {
        state.failed = { error };
        active.onLeft?.();
      },
    );
    const { base } = active.place;
    for (;;) {
      if (state.isHere) {
        await this.takePart(job, active, signal);
        return;
      }
      if (load(this.#words, base + LANE.STOPPED) !== 0) return;
      if (load(this.#words, base + LANE.CLAIM) >= active.plan.chunkCount) return;
      if (state.failed !== undefined && this.#present(active) === 0) {
        protocol.stop(this.#words, base);
        active.failure ??= state.failed;
        return;
      }
      this.#lanes.helpAgain(job, active);
      let timer: ReturnType<typeof setTimeout> | undefined;
      const moved = new Promise<void>((resolve) => {
        active.onLeft = resolve;
        timer = setTimeout(resolve, WATCH_MS);
      });
      // Whoever leaves says so from now on.
      store(this.#words, base + LANE.WAITING, 1);
      await moved;
      clearTimeout(timer);
      active.onLeft = undefined;
    }
  }

  /** What helpers left behind needs the function here. */
  async untilHere(active: LaneRun, own: Promise<void>): Promise<void> {
    if (active.redo.length === 0) return;
    try {
      await own;
    } catch (error) {
      active.redo.length = 0;
      active.failure ??= { error };
    }
  }

  /** @param ran chunks that the caller has run before */
  takePartSync({ job, began }: PlannedRun, fn: AnyFunction, active: LaneRun, ran: number): void {
    const total = active.end - active.start;
    let done = ran === 0 ? 0 : active.bounds(ran - 1).end - active.start;
    const left = (): number => ((performance.now() - began) / done) * (total - done);
    const first = done > 0 ? left() : (job.msPerUnit ?? 0) * total;
    let woken = job.once || first > WAKE_UP_MS;
    if (woken) this.#lanes.wakeAllowed(active);
    for (;;) {
      const k = protocol.claim(this.#words, active.place.base);
      if (k < 0) break;
      done += this.runChunkSync(job, fn, active, k);
      ran += 1;
      // The clock costs as much as a small chunk: looked at after 1, 2, 4, 8 ... chunks.
      if (!woken && (ran & (ran - 1)) === 0 && done < total && left() > WAKE_UP_MS) {
        woken = true;
        this.#lanes.wakeAllowed(active);
      }
    }
    this.#numbers[active.place.stats + 2]! += performance.now() - began;
  }

  runChunkSync(job: RangeJobState, fn: AnyFunction, active: LaneRun, k: number): number {
    const { start, end } = this.#begin(active, k);
    try {
      this.#finish(job, active, k, callSync(fn, start, end, job.arg, k));
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
      active.values.set(k, chunkValue(job, value, k));
      phase = ChunkPhase.DONE_MESSAGE;
    }
    this.#words[active.place.chunks + k] = phase;
  }

  #fail(active: LaneRun, k: number, error: unknown): void {
    protocol.stop(this.#words, active.place.base);
    this.#words[active.place.chunks + k] = ChunkPhase.FAILED | (0 << CHUNK_PHASE_BITS);
    active.fail(k, 0, ownError(error));
  }

  /** Waits in the event loop until no helper is present. */
  async untilEmpty(active: LaneRun): Promise<void> {
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

  untilEmptySync(active: LaneRun): void {
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
        this.#lanes.workerDied(w, 1, undefined);
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

  async redo(job: RangeJobState, active: LaneRun): Promise<void> {
    for (const k of active.redo.splice(0)) {
      const { start, end } = this.#begin(active, k);
      try {
        this.#finish(job, active, k, await job.fn!(start, end, job.arg));
      } catch (error) {
        this.#fail(active, k, error);
      }
    }
  }

  /** Values and errors that were posted before their sender left are on their way; takes them in. */
  async untilGathered(active: LaneRun): Promise<void> {
    while (active.missingValues() > 0 || active.missingError()) {
      const arrived = new Promise<void>((resolve) => {
        active.onLeft = resolve;
      });
      this.#crew.receiveAll();
      if (active.missingValues() > 0 || active.missingError()) await arrived;
      active.onLeft = undefined;
    }
  }

  /** @param own the import of the functions here, if it was pending: what is to be undone waits for it */
  async undoIfNeeded(
    job: RangeJobState,
    active: LaneRun,
    signal: AbortSignal | undefined,
    own: Promise<void> | undefined,
  ): Promise<void> {
    if (job.options.undoFn === undefined) return;
    if (active.failure === undefined && signal?.aborted !== true) return;
    try {
      await own;
    } catch (error) {
      active.failure ??= { error };
      return;
    }
    for (const { start, end } of active.spans()) await job.undo!(start, end, job.arg);
  }

  undoSync(job: RangeJobState, active: LaneRun): void {
    if (job.undo === undefined) return;
    for (const { start, end } of active.spans()) {
      callSync(job.undo, start, end, job.arg, 0);
    }
  }

  gather({ job, began }: PlannedRun, active: LaneRun): RangeResult {
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
