/**
 * A worker's part in range jobs: join open lanes, claim chunks, run them, leave.
 *
 * Chunk words are written in this order: RUNNING, the user's function, value, then DONE; so whatever a
 * dying worker leaves behind tells which chunk was lost. Messages about a chunk are posted before the
 * presence word is cleared: when the owner sees the worker gone, they are in its port.
 */
import {
  CHUNK_PHASE_BITS,
  ChunkPhase,
  HEAD,
  LANE,
  LANE_COUNT,
  LANE_NUMBER,
  LANE_STAT_NUMBERS,
  controlLayout,
  lanePlace,
} from '../protocol/control-layout.js';
import type { LanePlace } from '../protocol/control-layout.js';
import { PadataError, toErrorRecord } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import { loadedFunction, loadFunction } from '../base/function-ref.js';
import type { FromWorker, ToWorker } from '../protocol/messages.js';
import type { WorkerInit } from '../crew/platform.js';
import { lane as protocol } from '../protocol/machine.js';
import { chunkEnd, chunkStart } from '../range/range-plan.js';
import { smallInteger } from '../base/small-integer.js';
import { isThenable } from '../base/thenable.js';

interface RangeJobHere {
  fn: AnyFunction | undefined;
  readonly arg: unknown;
  readonly wantValues: boolean;
  failed: boolean;
}

/** What the loop around needs to give. */
interface RangeHost {
  readonly init: WorkerInit;
  post(message: FromWorker, transfer?: readonly unknown[]): void;
  /** Takes in waiting messages. */
  drainMail(): void;
  /** Is there other work that a low-priority lane should yield to? */
  otherWork(): boolean;
  /** Work goes on outside the loop until `endAsync`. */
  beginAsync(): void;
  endAsync(): void;
  recover(href: string, error: unknown): Promise<boolean>;
}

const { load, store } = Atomics;

/** Joins lanes on behalf of one worker. */
export class RangeParticipant {
  readonly #host: RangeHost;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #id: number;
  readonly #places: LanePlace[] = [];
  /** Opening of each lane in which this worker found nothing left. */
  readonly #exhausted = new Int32Array(LANE_COUNT);
  readonly #jobs = new Map<number, RangeJobHere>();

  constructor(host: RangeHost) {
    this.#host = host;
    this.#words = host.init.words;
    this.#numbers = host.init.numbers;
    this.#id = host.init.id;
    const layout = controlLayout(host.init.capacity);
    for (let i = 0; i < LANE_COUNT; i += 1) this.#places.push(lanePlace(layout, i));
  }

  /** Registers a job; its module is imported if this thread does not have it yet. */
  define(message: Extract<ToWorker, { t: 'job' }>): void {
    const { job, href, name, arg, wantValues } = message;
    const here: RangeJobHere = { fn: undefined, arg, wantValues, failed: false };
    this.#jobs.set(job, here);
    const fail = (error: unknown): void => {
      here.failed = true;
      this.#host.post({ t: 'jobError', job, error: toErrorRecord(error) });
    };
    try {
      here.fn = loadedFunction(href, name);
    } catch (error) {
      fail(error);
      return;
    }
    if (here.fn !== undefined) return;
    this.#host.beginAsync();
    loadFunction(href, name, (h, e) => this.#host.recover(h, e))
      .then((fn) => {
        here.fn = fn;
      }, fail)
      .finally(() => {
        this.#host.endAsync();
      });
  }

  /** Forgets a job. */
  drop(job: number): void {
    this.#jobs.delete(job);
  }

  /** One pass over the lanes; true = something was done. */
  scan(): boolean {
    if (load(this.#words, HEAD.OPEN_LANES) === 0) return false;
    let did = false;
    for (let i = 0; i < LANE_COUNT; i += 1) {
      const place = this.#places[i]!;
      const gate = load(this.#words, place.base + LANE.GATE);
      if ((gate & 1) === 0 || gate === this.#exhausted[i]) continue;
      if (!this.#isAllowed(place)) continue;
      if (this.#visit(i, place, gate)) did = true;
    }
    return did;
  }

  #isAllowed(place: LanePlace): boolean {
    const word = load(this.#words, place.base + LANE.ALLOWED + (this.#id >>> 5));
    return ((word >>> (this.#id & 31)) & 1) === 1;
  }

  #visit(index: number, place: LanePlace, gate: number): boolean {
    const words = this.#words;
    if (!protocol.join(words, place.base, place.present, this.#id, gate)) {
      return this.#leave(index, place, false);
    }
    if (!this.#isAllowed(place)) return this.#leave(index, place, false);
    const id = words[place.base + LANE.JOB]!;
    let job = this.#jobs.get(id);
    if (job === undefined) {
      // The owner posts a job before it opens a lane for it, so it can only be in the port.
      this.#host.drainMail();
      job = this.#jobs.get(id);
    }
    if (job?.fn === undefined) {
      if (job?.failed === true) this.#exhausted[index] = gate;
      return this.#leave(index, place, false);
    }
    return this.#participate(index, place, gate, job, job.fn);
  }

  #participate(
    index: number,
    place: LanePlace,
    gate: number,
    job: RangeJobHere,
    fn: AnyFunction,
  ): boolean {
    const began = performance.now();
    for (;;) {
      const k = protocol.claim(this.#words, place.base);
      if (k < 0) {
        this.#exhausted[index] = gate;
        break;
      }
      const result = this.#runChunk(index, place, gate, job, fn, k);
      if (isThenable(result)) {
        // This visit goes on by itself; the scan must not enter the same opening a second time.
        this.#exhausted[index] = gate;
        this.#host.beginAsync();
        void this.#participateAsync(index, place, gate, job, fn, k, result, began);
        return true;
      }
      if (this.#words[place.base + LANE.LOW_PRIORITY] !== 0 && this.#host.otherWork()) break;
    }
    this.#account(place, began);
    return this.#leave(index, place, true);
  }

  /** The rest of a visit once the function turned out to be asynchronous. */
  async #participateAsync(
    index: number,
    place: LanePlace,
    gate: number,
    job: RangeJobHere,
    fn: AnyFunction,
    first: number,
    pending: PromiseLike<unknown>,
    began: number,
  ): Promise<void> {
    let k = first;
    let result: unknown = pending;
    while (k >= 0) {
      if (isThenable(result)) {
        try {
          this.#finish(index, place, gate, job, k, await result);
        } catch (error) {
          this.#fail(index, place, gate, k, error);
        }
      }
      k = protocol.claim(this.#words, place.base);
      if (k >= 0) result = this.#runChunk(index, place, gate, job, fn, k);
    }
    this.#account(place, began);
    this.#leave(index, place, true);
    this.#host.endAsync();
  }

  /** Runs one chunk; returns a promise when the function did, which is then still to be finished. */
  #runChunk(
    index: number,
    place: LanePlace,
    gate: number,
    job: RangeJobHere,
    fn: AnyFunction,
    k: number,
  ): PromiseLike<unknown> | undefined {
    const numbers = this.#numbers;
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
      const value = fn(a, b, job.arg);
      if (isThenable(value)) return value;
      this.#finish(index, place, gate, job, k, value);
    } catch (error) {
      this.#fail(index, place, gate, k, error);
    }
    return undefined;
  }

  #finish(
    index: number,
    place: LanePlace,
    gate: number,
    job: RangeJobHere,
    k: number,
    value: unknown,
  ): void {
    let phase: number = ChunkPhase.DONE;
    if (job.wantValues && value !== undefined) {
      if (typeof value === 'number') {
        this.#numbers[place.values + k] = value;
        phase = ChunkPhase.DONE_NUMBER;
      } else {
        try {
          this.#host.post({ t: 'value', lane: index, gate, index: k, value });
        } catch (error) {
          throw new PadataError(
            'ERR_PADATA_CLONE',
            `the value of chunk ${k} cannot be cloned`,
            { index: k },
            { cause: error },
          );
        }
        phase = ChunkPhase.DONE_MESSAGE;
      }
    }
    // Pairs with the owner's load after it saw this worker leave, and with progress reports.
    store(this.#words, place.chunks + k, phase | (this.#id << CHUNK_PHASE_BITS));
  }

  #fail(index: number, place: LanePlace, gate: number, k: number, error: unknown): void {
    protocol.stop(this.#words, place.base);
    this.#host.post({ t: 'fail', lane: index, gate, index: k, error: toErrorRecord(error) });
    store(this.#words, place.chunks + k, ChunkPhase.FAILED | (this.#id << CHUNK_PHASE_BITS));
  }

  #account(place: LanePlace, began: number): void {
    const stat = place.stats + this.#id * LANE_STAT_NUMBERS;
    this.#numbers[stat + 2]! += performance.now() - began;
  }

  #leave(index: number, place: LanePlace, did: boolean): boolean {
    const waiting = protocol.leave(this.#words, place.base, place.present, this.#id);
    if (waiting === 1) this.#host.post({ t: 'left', lane: index });
    else if (waiting === 2) Atomics.notify(this.#words, place.present + this.#id);
    return did;
  }
}
