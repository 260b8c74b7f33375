/**
 * One run of a range job in one lane, seen from the owner: what became of each chunk, who failed first,
 * what the values are.
 *
 * The words of the lane are the truth; messages only bring what does not fit a word (errors, values that
 * are not numbers).
 */
import { fromErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { smallInteger } from '../base/small-integer.js';
import type { Control } from '../threads/member.js';
import {
  CHUNK_PHASE_BITS,
  CHUNK_PHASE_MASK,
  ChunkPhase,
  LANE,
  LANE_STAT_NUMBERS,
} from '../protocol/control-layout.js';
import type { LanePlace } from '../protocol/control-layout.js';
import type { FromWorker } from '../protocol/messages.js';
import { arrivedValue } from '../values/chunk-values.js';
import { chunkFailure } from './chunk-failure.js';
import type { PlannedRun } from './range-job.js';
import { chunkEnd, chunkStart } from './range-plan.js';
import type { RangePlan } from './range-plan.js';
import type { SoloPart } from './range-solo.js';
import type { RangeWorkerStats } from './range-types.js';

const { load, store } = Atomics;

/** A stretch of completed units. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** State of one run. */
export class LaneRun {
  readonly place: LanePlace;
  readonly plan: RangePlan;
  readonly start: number;
  readonly end: number;
  readonly idempotent: boolean;
  gate = 0;
  /** The first failure in time. */
  failure: { error: unknown } | undefined;
  /** Chunks lost with their worker that may be run again. */
  readonly redo: number[] = [];
  #values: Map<number, unknown> | undefined;
  /** Resolved when someone left while the owner slept in its event loop. */
  onLeft: (() => void) | undefined;
  #someoneDied = false;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;

  constructor({ words, numbers }: Control, place: LanePlace, run: PlannedRun) {
    this.#words = words;
    this.#numbers = numbers;
    this.place = place;
    this.plan = run.plan;
    this.start = run.shape.start;
    this.end = run.shape.start + run.shape.size;
    this.idempotent = run.job.options.idempotent === true;
  }

  /** Values that are no numbers, by chunk; made when the first comes. */
  get values(): Map<number, unknown> {
    return (this.#values ??= new Map<number, unknown>());
  }

  /** The caller has run the first chunks alone; the lane is not open yet. */
  beginWith({ chunks, values }: SoloPart): void {
    const { place } = this;
    this.#words[place.base + LANE.CLAIM] = chunks;
    for (let k = 0; k < chunks; k += 1) {
      const value = values[k];
      this.#words[place.chunks + k] =
        value === undefined ? ChunkPhase.DONE : ChunkPhase.DONE_MESSAGE;
      if (value !== undefined) this.values.set(k, value);
    }
    this.#numbers[place.stats]! += chunks;
    this.#numbers[place.stats + 1]! += this.bounds(chunks - 1).end - this.start;
  }

  /** Bounds of a chunk. */
  bounds(index: number): Span {
    return {
      start: chunkStart(this.start, this.plan.chunkSize, index),
      end: chunkEnd(this.start, this.end, this.plan.chunkSize, index),
    };
  }

  phase(index: number): number {
    return load(this.#words, this.place.chunks + index) & CHUNK_PHASE_MASK;
  }

  /** Notes a message of a participant; messages of earlier openings are ignored. */
  note(message: Extract<FromWorker, { t: 'value' | 'fail' }>, worker: number): void {
    if (message.gate !== this.gate) return;
    if (message.t === 'value') {
      this.values.set(message.index, arrivedValue(message));
      return;
    }
    // One that was announced and could not be read comes no more.
    this.values.set(message.index, undefined);
    this.fail(message.index, worker, fromErrorRecord(message.error));
  }

  /** The first failure wins. */
  fail(index: number, worker: number, cause: unknown): void {
    if (this.failure !== undefined) return;
    const { start, end } = this.bounds(index);
    this.failure = { error: chunkFailure({ index, start, end, worker }, cause) };
  }

  /** A worker died: finds its chunk, clears its presence. */
  workerDied(worker: number, exitCode: number, cause: unknown): void {
    this.#someoneDied = true;
    for (let k = 0; k < this.plan.chunkCount; k += 1) {
      const word = load(this.#words, this.place.chunks + k);
      if (word !== (ChunkPhase.RUNNING | (worker << CHUNK_PHASE_BITS))) continue;
      if (this.idempotent) {
        this.redo.push(k);
        continue;
      }
      store(this.#words, this.place.chunks + k, ChunkPhase.FAILED | (worker << CHUNK_PHASE_BITS));
      const { start, end } = this.bounds(k);
      this.failure ??= {
        error: new PadataError(
          'ERR_PADATA_WORKER_DIED',
          `worker ${worker} ended with exit code ${exitCode} in chunk [${start}, ${end})`,
          { start, end, worker, index: k, exitCode },
          { cause },
        ),
      };
    }
    store(this.#words, this.place.present + worker, 0);
    this.onLeft?.();
  }

  /**
   * Adds to `redo` what a dead worker had claimed and not begun; only when all have left. Nobody has touched these
   * chunks, so they can be run whether the job is idempotent or not. Found by exploring the interleavings.
   */
  findUnbegun(): void {
    if (!this.#someoneDied || load(this.#words, this.place.base + LANE.STOPPED) !== 0) return;
    const claimed = Math.min(load(this.#words, this.place.base + LANE.CLAIM), this.plan.chunkCount);
    for (let k = 0; k < claimed; k += 1) {
      if (this.phase(k) === ChunkPhase.NONE) this.redo.push(k);
    }
  }

  /** Units of finished chunks. */
  doneUnits(): number {
    let units = 0;
    for (let k = 0; k < this.plan.chunkCount; k += 1) {
      const phase = this.phase(k);
      if (phase < ChunkPhase.DONE || phase === ChunkPhase.FAILED) continue;
      const { start, end } = this.bounds(k);
      units += end - start;
    }
    return units;
  }

  /** Maximal completed stretches, ascending. */
  spans(): Span[] {
    const spans: Span[] = [];
    let open: { start: number; end: number } | undefined;
    for (let k = 0; k < this.plan.chunkCount; k += 1) {
      const phase = this.phase(k);
      if (phase < ChunkPhase.DONE || phase === ChunkPhase.FAILED) {
        open = undefined;
        continue;
      }
      const { start, end } = this.bounds(k);
      if (open === undefined) spans.push((open = { start, end }));
      else open.end = end;
    }
    return spans;
  }

  /** Value of a finished chunk; undefined when it gave none. */
  valueOf(index: number): unknown {
    const phase = this.phase(index);
    if (phase === ChunkPhase.DONE_NUMBER)
      return smallInteger(this.#numbers[this.place.values + index]!);
    if (phase === ChunkPhase.DONE_MESSAGE) return this.values.get(index);
    return undefined;
  }

  /** Values that were announced by a word but have not arrived by message. */
  missingValues(): number {
    let missing = 0;
    for (let k = 0; k < this.plan.chunkCount; k += 1) {
      if (this.phase(k) === ChunkPhase.DONE_MESSAGE && !this.values.has(k)) missing += 1;
    }
    return missing;
  }

  /** Did a chunk fail whose error is still on its way? */
  missingError(): boolean {
    if (this.failure !== undefined) return false;
    for (let k = 0; k < this.plan.chunkCount; k += 1) {
      if (this.phase(k) === ChunkPhase.FAILED) return true;
    }
    return false;
  }

  /** Shares of those who ran a chunk. */
  stats(capacity: number): RangeWorkerStats[] {
    const list: RangeWorkerStats[] = [];
    for (let worker = 0; worker <= capacity; worker += 1) {
      const at = this.place.stats + worker * LANE_STAT_NUMBERS;
      const chunks = this.#numbers[at]!;
      if (chunks === 0) continue;
      list.push({ worker, chunks, units: this.#numbers[at + 1]!, ms: this.#numbers[at + 2]! });
    }
    return list;
  }
}
