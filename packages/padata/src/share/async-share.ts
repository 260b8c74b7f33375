/**
 * How many promises of one ring a thread takes on: policy, and the measure that it rests on.
 *
 * A promise says nothing of the CPU that its function still needs: that comes later, in the thread's event loop. The time
 * that the loop was busy is divided among the promises that ended in it. Where that is more than a wake-up, or not known,
 * a thread begins no second one while another has nothing to do and none, and none beyond its share while another has
 * nothing to do and fewer: they are woken and waited for, since on a busy machine a thread takes its time to come. Those
 * that work get a moment, and only for what is beyond its share.
 *
 * Its share are the jobs that have not ended, divided among the threads and rounded down: what is over goes to whoever has
 * the fewest. Its patience is measured in looks. While its own promises compute it does not look, and nobody loses by a
 * job that is left; where it gets no processor, the others may get none either.
 */
import { performance } from '../base/host-time.js';
import { RING } from '../protocol/ring-layout.js';
import { WAKE_UP_MS } from '../protocol/sleep.js';
import { countWorkers } from '../protocol/worker-set.js';
import { Seen } from './free-threads.js';
import type { FreeThreads } from './free-threads.js';

/**
 * Threads that have nothing to do are waited for so long, in milliseconds: those that were woken and get no CPU do come. One
 * that does not (it imports the module, or is about to end) is not waited for again.
 */
const PATIENCE_MS = 50;
/** Those that work may be about to end, and are waited for so long. */
const MOMENT_MS = 1;
/** Between two looks it has waited for so long at most: beyond that a job kept it, or it had no processor, as the others. */
const LOOK_MS = 1;
/** One of them is woken so often, in milliseconds. */
const WAKE_EVERY_MS = 1;
/** The time of such jobs is looked at not more often than this, in milliseconds. */
const MEASURE_MS = 1;

/** What the share needs of its thread. */
interface ShareHost {
  /** Milliseconds that the thread's event loop was busy so far; undefined = not known. */
  busyMs(): number | undefined;
  /** There is more to do than this thread can soon: wake one more. */
  wakeAnother(ring: Int32Array): void;
}

const { load } = Atomics;

/** The promises of one ring on one thread, as a number. */
export class AsyncShare {
  /** It leaves jobs to others for a moment. */
  isPatient = false;
  readonly #words: Int32Array;
  readonly #threads: number;
  readonly #most: number;
  readonly #host: ShareHost;
  readonly #others: FreeThreads;
  #count = 0;
  /** The function has returned a promise before. */
  #isAsync = false;
  /** CPU time of a job whose function returned a promise, all of it; undefined = not known. */
  #costMs: number | undefined;
  /** Where the measure of it began: the thread's busy time, the clock, and promises that have ended since. */
  #busyFrom: number | undefined;
  #measuredAt = 0;
  #endedSince = 0;
  /** For how long it has waited for them, and when it looked last. */
  #waitedMs = 0;
  #lookedAt = 0;
  #wokenAt = 0;

  /**
   * @param words   the ring's
   * @param threads threads that share the jobs, at least 1
   * @param most    promises that may be pending on this thread
   * @param others  the other threads
   */
  constructor(
    words: Int32Array,
    threads: number,
    most: number,
    others: FreeThreads,
    host: ShareHost,
  ) {
    this.#words = words;
    this.#threads = threads;
    this.#most = most;
    this.#others = others;
    this.#host = host;
  }

  /** Promises that may still be taken on. */
  get room(): number {
    return this.#most - this.#count;
  }

  /** Are the jobs that wait left to other threads for now? */
  leavesToOthers(): boolean {
    if (this.#count === 0 || (this.#costMs !== undefined && this.#costMs <= WAKE_UP_MS))
      return false;
    const words = this.#words;
    const hasShare =
      (this.#count + 1) * countWorkers(words, RING.ALLOWED, this.#threads) > this.#unended;
    // Whoever has fewer of all promises than this thread of this ring's has room for one of them.
    const below = hasShare ? this.#count : 1;
    const seen = this.#others.look(below);
    if (seen === Seen.NONE || (seen === Seen.WORKS && !hasShare)) {
      this.isPatient = false;
      return false;
    }
    const now = performance.now();
    if (!this.isPatient) this.#waitedMs = 0;
    else this.#waitedMs += Math.min(LOOK_MS, now - this.#lookedAt);
    this.isPatient = true;
    this.#lookedAt = now;
    if (this.#waitedMs >= (seen === Seen.FREE ? PATIENCE_MS : MOMENT_MS)) {
      if (seen === Seen.FREE) this.#others.giveUp(below);
      return false;
    }
    if (now - this.#wokenAt >= WAKE_EVERY_MS) {
      this.#wokenAt = now;
      this.#host.wakeAnother(words);
    }
    return true;
  }

  /** Jobs of the ring that have not ended, at most. What has ended and is not delivered may be far more than those. */
  get #unended(): number {
    const words = this.#words;
    const published = load(words, RING.PUBLISHED);
    const out = (published - load(words, RING.PROCESSED)) | 0;
    const unbegun = Math.max(0, (published - load(words, RING.CLAIM)) | 0);
    return Math.min(out, unbegun + this.#count + this.#others.pending);
  }

  /** Nothing is left to others (any more). */
  takesAll(): void {
    this.isPatient = false;
  }

  /** What a job costs a thread, with the rest of an asynchronous one; undefined before it is known. */
  costMs(syncMs: number | undefined): number | undefined {
    if (syncMs === undefined || !this.#isAsync) return syncMs;
    return this.#costMs === undefined ? undefined : Math.max(syncMs, this.#costMs);
  }

  /** A function has returned a promise. */
  begin(): void {
    this.#isAsync = true;
    if (this.#count === 0) {
      this.#busyFrom = this.#host.busyMs();
      this.#measuredAt = performance.now();
      this.#endedSince = 0;
    }
    this.#count += 1;
  }

  /** A promise has ended, or nobody waits for it any more. */
  end(): void {
    this.#count -= 1;
    this.#endedSince += 1;
    this.#measure();
  }

  #measure(): void {
    const now = performance.now();
    if (this.#count > 0 && now - this.#measuredAt < MEASURE_MS) return;
    const busy = this.#host.busyMs();
    if (busy !== undefined && this.#busyFrom !== undefined) {
      const each = (busy - this.#busyFrom) / this.#endedSince;
      const old = this.#costMs;
      this.#costMs = old === undefined ? each : old + (each - old) / 4;
    }
    this.#busyFrom = busy;
    this.#measuredAt = now;
    this.#endedSince = 0;
  }
}
