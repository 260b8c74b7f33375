/**
 * What becomes of jobs for which the window has no room: they wait here in order (`Overflow`), are refused, or the caller
 * does what it would otherwise wait for. And who waits for room, or until nothing is out.
 *
 * ```
 *   submit ─▶ the ring, while it has room and nobody waits
 *         └─▶ Overflow ─ pump, after deliveries ─▶ the ring
 * ```
 */
import { PadataError } from '../base/errors.js';
import { queueMicrotask } from '../base/host-time.js';
import type { JobRing } from '../ring/job-ring.js';
import type { OwnerTurns } from '../turns/owner-turns.js';
import { Overflow } from './overflow.js';
import type { WaitingJob } from './overflow.js';
import type { SeriesOptions } from './series-types.js';

/** What this needs of a series. */
interface FullSeries {
  readonly ring: JobRing;
  readonly turns: OwnerTurns;
  readonly onFull: SeriesOptions['onFull'];
  /** Runs one waiting job of the ring in the calling thread; false = there was none. */
  helpOnce(): boolean;
  /** Others wait, or the series has ended: no job goes straight to the ring. */
  bar(isBarred: boolean): void;
}

/** The jobs of one series beyond its window. */
export class Backpressure {
  readonly #series: FullSeries;
  readonly #ring: JobRing;
  readonly #turns: OwnerTurns;
  readonly #overflow = new Overflow();
  #roomWaiters: (() => void)[] = [];
  #drainWaiters: (() => void)[] = [];
  /** Nothing more is accepted. */
  #isShut = false;

  constructor(series: FullSeries) {
    this.#series = series;
    this.#ring = series.ring;
    this.#turns = series.turns;
  }

  /** Jobs that wait. */
  get length(): number {
    return this.#overflow.length;
  }

  /** Is no job out, neither here nor in the ring? */
  get isIdle(): boolean {
    return this.#ring.outstanding === 0 && this.#overflow.length === 0;
  }

  /** Would a job have to wait? */
  get #isFull(): boolean {
    return this.#ring.isFull || this.#overflow.length > 0;
  }

  /** Takes a job that the ring does not take now. @returns false @throws ERR_PADATA_FULL */
  submit(job: WaitingJob): false {
    const { onFull = 'wait' } = this.#series;
    if (onFull === 'reject') throw fullError(this.#ring.memory.window);
    this.#overflow.push(job);
    this.#series.bar(true);
    // There is room, but not now: this job was submitted by a getter of another's input.
    if (this.#overflow.length === 1 && !this.#ring.isFull) {
      queueMicrotask(() => {
        this.pump();
      });
    }
    if (onFull === 'inline') {
      // The caller does what it would otherwise wait for: oldest jobs first.
      while (this.#overflow.length > 0) {
        if (!this.#series.helpOnce()) break;
        this.pump();
      }
    }
    return false;
  }

  /** Moves waiting jobs into the ring. */
  pump(): void {
    if (this.#overflow.length === 0) return;
    const ring = this.#ring;
    const turns = this.#turns;
    while (this.#overflow.length > 0) {
      const job = this.#overflow.first;
      const failed = job.failed ?? ring.failure;
      if (failed === undefined ? ring.isFull : !ring.takesSettled) break;
      if (failed !== undefined) {
        ring.submitSettled(job.callback, failed.error, turns.stamp, job.reject);
      } else {
        try {
          const { input, callback, transfer, use, reject, more } = job;
          const { stamp, isLazy } = turns;
          if (!ring.submit(input, callback, transfer, stamp, use, isLazy, reject, more)) break;
        } catch (error) {
          // Accepted long ago, so the error is the job's own; its place in the order is now.
          ring.submitSettled(job.callback, error, turns.stamp, job.reject);
        }
      }
      this.#overflow.shift();
      turns.noteSubmit(ring);
    }
    this.#series.bar(this.#isShut || this.#overflow.length > 0);
  }

  /** The ring has delivered: there may be room. */
  afterDeliveries(): void {
    this.pump();
    if (this.#roomWaiters.length > 0 && !this.#isFull) this.letIn();
    if (this.#drainWaiters.length > 0 && this.isIdle) {
      for (const resolve of this.#drainWaiters.splice(0)) resolve();
    }
  }

  /** Resolves when a job can be submitted without waiting, or none any more. */
  async room(): Promise<void> {
    while (this.#isFull) {
      if (this.#isShut) return;
      await new Promise<void>((resolve) => {
        this.#roomWaiters.push(resolve);
      });
    }
  }

  /** Resolves when all jobs submitted so far were delivered. */
  async drain(): Promise<void> {
    // A getter of an input may have come here: that job is counted when its `submit` ends.
    await Promise.resolve();
    while (!this.isIdle) {
      await new Promise<void>((resolve) => {
        this.#drainWaiters.push(resolve);
      });
    }
  }

  /** Nothing more is accepted; what waits goes on. */
  shut(): void {
    this.#isShut = true;
    this.#series.bar(true);
  }

  /** The n-th job that waits, from 0, ends with this error in its turn. */
  fail(n: number, reason: unknown): void {
    this.#overflow.fail(n, reason);
  }

  /** The same for all that wait. */
  failAll(reason: unknown): void {
    this.#overflow.failAll(reason);
    this.pump();
  }

  /** Nobody waits for room any more: there is some, or there will be none. */
  letIn(): void {
    for (const resolve of this.#roomWaiters.splice(0)) resolve();
  }
}

function fullError(window: number): PadataError {
  return new PadataError('ERR_PADATA_FULL', `${window} jobs are in flight; wait for room()`, {
    window,
  });
}
