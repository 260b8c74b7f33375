/**
 * What a thread does when it has found nothing to do: it spins for a moment, then sleeps on its own word.
 *
 * Spinning adapts: it is paid from the sleeps that it has saved before, and one worker spins at a time. Blocking stops the
 * thread's event loop, so the loop never blocks while asynchronous work is under way, or while something printed has not left
 * the thread.
 */
import { Patience } from '../threads/patience.js';
import { performance } from '../base/host-time.js';
import { HEAD, WORKER, workerBase } from '../protocol/control-layout.js';
import { sleep } from '../protocol/machine.js';
import { WAKE_UP_NS } from '../protocol/sleep.js';
import type { WorkerHost } from './worker-host.js';

const { load, store, compareExchange, wait } = Atomics;
/**
 * Longest time a worker spins before it sleeps, in milliseconds, when it adapts: where jobs come in slots longer than the owner's
 * wake-up takes, so that it meets what that publishes; where all comes by message, the CPU is better left to who unpacks it.
 */
const SPIN_MAX_MS = 0.1;
const MAIL_SPIN_MAX_MS = 0.05;
/**
 * Where threads and owner are more than the processors, who spins keeps the owner, or a job, from its own. Jobs up to `SHORT_NS`
 * come sooner than a thread falls asleep and wakes; longer ones are worth a shorter time; and beyond `WAKE_UP_NS` none.
 */
const CROWDED_SPIN_MAX_MS = 0.02;
const SHORT_NS = 10_000;
/** First and longest sleep of an idle worker while jobs are under way, in milliseconds. */
const BUSY_SLICE_MS = 1;
const MAX_BUSY_SLICE_MS = 64;
/** A blocked worker re-reads its word at least this often, in milliseconds. */
const WAIT_SLICE_MS = 1000;

/** What it looks at: the rings of its thread. */
interface Rings {
  /** Could this thread reserve something right now? */
  readonly canWork: boolean;
  readonly isBusy: boolean;
  /** Time of the longest jobs under way, in nanoseconds; Infinity = not known, undefined = there are none. */
  readonly longestNs: number | undefined;
  /** Jobs are left to others for a moment, or inputs wait behind theirs. */
  readonly isPatient: boolean;
  readonly seesKept: boolean;
}

/** What a sleep depends on besides. */
export interface RestingLoop {
  readonly isLeaving: boolean;
  /** Promises are pending: what they compute is not sleep. */
  readonly hasPromises: boolean;
  /** They have computed for so long meanwhile, in milliseconds. */
  wasBusy(ms: number): void;
}

/** The rest of one thread. */
export class Rest {
  readonly #words: Int32Array;
  readonly #id: number;
  readonly #base: number;
  readonly #host: WorkerHost;
  readonly #rings: Rings;
  readonly #loop: RestingLoop;
  readonly #patience = new Patience();
  /** Of the jobs that were under way when it was last asked. */
  #longestNs = Infinity;
  /** What it last waited awake for came in a slot. */
  #isBySlots = false;
  #sliceMs = BUSY_SLICE_MS;
  #kick: (() => void) | undefined;

  constructor(
    { words, id }: { readonly words: Int32Array; readonly id: number },
    host: WorkerHost,
    rings: Rings,
    loop: RestingLoop,
  ) {
    this.#words = words;
    this.#id = id;
    this.#base = workerBase(id);
    this.#host = host;
    this.#rings = rings;
    this.#loop = loop;
  }

  /** Ends a sleep in the event loop. */
  kick(): void {
    this.#kick?.();
  }

  /** It has found something to do: the next sleep is short again. */
  hasWorked(): void {
    this.#sliceMs = BUSY_SLICE_MS;
  }

  /** Watches for a publication for a short while; true = there was one. @param seen see `sleep.look` */
  spin(seen: number): boolean {
    const words = this.#words;
    const fixed = words[HEAD.SPIN_US]!;
    const limit = fixed >= 0 ? fixed / 1000 : this.#patience.limit(this.#mostSpin());
    if (limit === 0) return false;
    // One spinner is enough to take the next job at once.
    if (fixed < 0 && compareExchange(words, HEAD.SPINNER, 0, this.#id) !== 0) return false;
    const began = performance.now();
    let now: number;
    let hit = false;
    do {
      for (let i = 0; i < 32 && !hit; i += 1) {
        hit = load(words, HEAD.EPOCH) !== seen || this.#rings.canWork;
      }
      now = performance.now();
    } while (!hit && now < began + limit);
    if (fixed < 0) store(words, HEAD.SPINNER, 0);
    this.#patience.waited(Math.min(now - began, limit), hit);
    if (hit) this.#isBySlots = this.#rings.canWork;
    return hit;
  }

  /** In milliseconds. */
  #mostSpin(): number {
    if (this.#words[HEAD.CROWDED] === 1) {
      this.#longestNs = this.#rings.longestNs ?? this.#longestNs;
      if (this.#longestNs === Infinity) return CROWDED_SPIN_MAX_MS;
      if (this.#longestNs > WAKE_UP_NS) return 0;
      if (this.#longestNs > SHORT_NS) return CROWDED_SPIN_MAX_MS;
    }
    return this.#isBySlots ? SPIN_MAX_MS : MAIL_SPIN_MAX_MS;
  }

  /** Sleeps; the event loop stands still. */
  block(seen: number): void {
    const words = this.#words;
    if (!this.#maySleep(seen)) return;
    // Pairs with claimSleeper: the publisher writes 0 and notifies. A time limit lets a missed
    // notification cost a second instead of for ever.
    wait(words, this.#base + WORKER.SLEEP, 1, this.#slice());
    sleep.awake(words, this.#base);
  }

  /** Sleeps while the event loop goes on. */
  async inEvents(seen: number): Promise<void> {
    const words = this.#words;
    if (!this.#maySleep(seen)) {
      await this.#host.yieldToEvents();
      return;
    }
    const before = this.#loop.hasPromises ? this.#host.busyMs() : undefined;
    await new Promise<void>((resolve) => {
      this.#kick = resolve;
      const result = Atomics.waitAsync(words, this.#base + WORKER.SLEEP, 1, this.#slice());
      if (result.async) {
        void result.value.then(() => {
          resolve();
        });
      } else {
        resolve();
      }
    });
    // What promises that it waited for have computed meanwhile.
    if (before !== undefined) this.#loop.wasBusy((this.#host.busyMs() ?? before) - before);
    this.#kick = undefined;
    sleep.awake(words, this.#base);
    await this.#host.yieldToEvents();
  }

  /** The SLEEP word is set; neither an epoch nor a submission came since the last look. */
  #maySleep(seen: number): boolean {
    if (!sleep.maySleep(this.#words, this.#base, seen)) return false;
    // Pairs with the owner: it stores PUBLISHED, then loads SLEEP.
    if (this.#loop.isLeaving || !this.#rings.canWork) return true;
    sleep.awake(this.#words, this.#base);
    return false;
  }

  /** While jobs are under way elsewhere, an idle worker looks around now and then: it may take some over. */
  #slice(): number {
    if (!this.#rings.isBusy) return WAIT_SLICE_MS;
    if (this.#rings.isPatient || this.#rings.seesKept) return BUSY_SLICE_MS;
    this.#sliceMs = Math.min(MAX_BUSY_SLICE_MS, this.#sliceMs * 2);
    return this.#sliceMs;
  }
}
