/**
 * A visit of one worker to one opening of a lane: claim chunks, run them, leave.
 *
 * Chunk words are written in this order: RUNNING, the user's function, value, then DONE; so whatever a
 * dying worker leaves behind tells which chunk was lost. Messages about a chunk are posted before the
 * presence word is cleared: when the owner sees the worker gone, they are in its port.
 */
import { toErrorRecord } from '../base/error-record.js';
import type { AnyFunction } from '../base/function-ref.js';
import { performance } from '../base/host-time.js';
import { smallInteger } from '../base/small-integer.js';
import { isThenable } from '../base/thenable.js';
import {
  CHUNK_PHASE_BITS,
  ChunkPhase,
  LANE,
  LANE_NUMBER,
  LANE_STAT_NUMBERS,
} from '../protocol/control-layout.js';
import type { LanePlace } from '../protocol/control-layout.js';
import { lane as protocol } from '../protocol/machine.js';
import { chunkEnd, chunkStart } from '../range/range-plan.js';
import { sentAsRead, sentValue, valueError } from '../values/chunk-values.js';
import type { ChunkValue } from '../values/chunk-values.js';
import { withOwnBytes } from '../values/own-bytes.js';
import { transferListOf } from '../values/transfer.js';
import type { WorkerLoop } from './worker-loop.js';

const { store } = Atomics;

/** One opening of a lane. */
interface LaneOpening {
  /** Index of the lane. */
  readonly lane: number;
  readonly place: LanePlace;
  /** The odd gate value. */
  readonly gate: number;
}

/** A range job whose function is loaded. */
export interface ReadyJob {
  readonly fn: AnyFunction;
  readonly arg: unknown;
  readonly wantValues: boolean;
}

/** Ends a visit, and tells an owner that waits for it. */
export function leaveLane(loop: WorkerLoop, lane: number, place: LanePlace): void {
  const { id, words } = loop.init;
  const waiting = protocol.leave(words, place.base, place.present, id);
  if (waiting === 1) loop.post({ t: 'left', lane });
  else if (waiting === 2) Atomics.notify(words, place.present + id);
}

/** One visit, from joining on. */
export class LaneVisit {
  readonly #loop: WorkerLoop;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #id: number;
  readonly #lane: number;
  readonly #place: LanePlace;
  readonly #gate: number;
  readonly #job: ReadyJob;
  readonly #began = performance.now();

  constructor(loop: WorkerLoop, { lane, place, gate }: LaneOpening, job: ReadyJob) {
    this.#loop = loop;
    this.#words = loop.init.words;
    this.#numbers = loop.init.numbers;
    this.#id = loop.init.id;
    this.#lane = lane;
    this.#place = place;
    this.#gate = gate;
    this.#job = job;
  }

  /**
   * Runs chunks until none is left, or until other work is more urgent; then leaves. With an asynchronous function
   * it goes on by itself.
   * @returns true when this thread has no more to look for in this opening
   */
  run(): boolean {
    const { base } = this.#place;
    let isOver = false;
    while (!isOver) {
      const k = protocol.claim(this.#words, base);
      if (k < 0) {
        isOver = true;
        break;
      }
      const result = this.#runChunk(k);
      if (result !== undefined) {
        this.#loop.beginAsync();
        void this.#goOn(k, result);
        return true;
      }
      if (this.#words[base + LANE.LOW_PRIORITY] !== 0 && this.#loop.hasJobs) break;
    }
    this.#end();
    return isOver;
  }

  /** The rest of a visit once the function turned out to be asynchronous. */
  async #goOn(first: number, pending: PromiseLike<unknown>): Promise<void> {
    let k = first;
    let result: PromiseLike<unknown> | undefined = pending;
    while (k >= 0) {
      if (result !== undefined) {
        try {
          this.#finish(k, await result);
        } catch (error) {
          this.#fail(k, error);
        }
      }
      k = protocol.claim(this.#words, this.#place.base);
      if (k >= 0) result = this.#runChunk(k);
    }
    this.#end();
    this.#loop.endAsync();
  }

  /** Runs one chunk; returns a promise when the function did, which is then still to be finished. Never throws. */
  #runChunk(k: number): PromiseLike<unknown> | undefined {
    const numbers = this.#numbers;
    const place = this.#place;
    const from = numbers[place.numbers + LANE_NUMBER.START]!;
    const end = numbers[place.numbers + LANE_NUMBER.END]!;
    const size = numbers[place.numbers + LANE_NUMBER.CHUNK_SIZE]!;
    const a = smallInteger(chunkStart(from, size, k));
    const b = smallInteger(chunkEnd(from, end, size, k));
    const stat = place.stats + this.#id * LANE_STAT_NUMBERS;
    numbers[stat]! += 1;
    numbers[stat + 1]! += b - a;
    store(this.#words, place.chunks + k, ChunkPhase.RUNNING | (this.#id << CHUNK_PHASE_BITS));
    try {
      const { fn, arg } = this.#job;
      const value = fn(a, b, arg);
      if (isThenable(value)) return value;
      this.#finish(k, value);
    } catch (error) {
      this.#fail(k, error);
    }
    return undefined;
  }

  #finish(k: number, value: unknown): void {
    const place = this.#place;
    let phase: number = ChunkPhase.DONE;
    if (this.#job.wantValues && value !== undefined) {
      if (typeof value === 'number') {
        this.#numbers[place.values + k] = value;
        phase = ChunkPhase.DONE_NUMBER;
      } else {
        this.#postValue(k, value);
        phase = ChunkPhase.DONE_MESSAGE;
      }
    }
    // Pairs with the owner's load after it saw this worker leave, and with progress reports.
    store(this.#words, place.chunks + k, phase | (this.#id << CHUNK_PHASE_BITS));
  }

  #postValue(k: number, value: unknown): void {
    try {
      const list = transferListOf(value);
      const sent = sentValue(value, list);
      try {
        this.#post(k, sent, list);
      } catch (refusal) {
        this.#post(k, sentAsRead(value, refusal));
      }
    } catch (cause) {
      throw valueError(k, cause);
    }
  }

  #post(index: number, { value, isPlain }: ChunkValue, list?: readonly unknown[]): void {
    const [lane, gate] = [this.#lane, this.#gate];
    this.#loop.post({ t: 'value', lane, gate, index, value, isPlain }, list);
  }

  #fail(k: number, thrown: unknown): void {
    const place = this.#place;
    protocol.stop(this.#words, place.base);
    const error = toErrorRecord(thrown, withOwnBytes);
    this.#loop.post({ t: 'fail', lane: this.#lane, gate: this.#gate, index: k, error });
    store(this.#words, place.chunks + k, ChunkPhase.FAILED | (this.#id << CHUNK_PHASE_BITS));
  }

  #end(): void {
    const stat = this.#place.stats + this.#id * LANE_STAT_NUMBERS;
    this.#numbers[stat + 2]! += performance.now() - this.#began;
    leaveLane(this.#loop, this.#lane, this.#place);
  }
}
