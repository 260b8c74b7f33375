/**
 * When a thread's cache is parked, so that others may take from it: while the thread sleeps, and when its event loop comes
 * round a while after the cache came into use.
 *
 *     in use ── timer, at the next turn of the event loop ─▶ parked ── next request ─▶ in use, the timer runs again
 *       └────── wait ──────────────────────────────────────────▲
 */
import type { WorkerCache } from '../cache/worker-cache-types.js';
import { createIdleTimer, type IdleTimer, sleepOn } from './idle.js';

/** Default of `parkAfterMs`, in milliseconds. */
const PARK_AFTER_MS = 100;

/** What is parked. */
type ParkedCache = Pick<WorkerCache, 'park' | 'unpark'>;

/** The parking of one thread's cache. */
export class CacheParking {
  /** The cache has come into use. */
  readonly used: () => void;
  readonly #cache: () => ParkedCache | undefined;
  readonly #timer: IdleTimer;

  /**
   * @param cache  the thread's; undefined where it has none
   * @param afterMs  how long after it came into use it is parked; never from 2^31 on
   */
  constructor(cache: () => ParkedCache | undefined, afterMs = PARK_AFTER_MS) {
    this.#cache = cache;
    this.#timer = createIdleTimer(afterMs, () => {
      this.#parkIdle();
    });
    this.used = this.#timer.arm;
  }

  /** The cache is the thread's own again. @throws ERR_LOCK_TIMEOUT (MemmapError) */
  unpark(): void {
    this.#cache()?.unpark();
  }

  /** Sleeps on a word with the cache parked. @throws ERR_BUDDY_ARGUMENT where the thread must not sleep */
  sleepOn(
    words: Int32Array,
    index: number,
    value: number,
    ms: number,
  ): 'ok' | 'not-equal' | 'timed-out' {
    this.#cache()?.park();
    return sleepOn(words, index, value, ms);
  }

  /** The cache is not parked by itself any more. */
  stop(): void {
    this.#timer.stop();
  }

  /** The event loop has come round; nobody is there who could catch an error. */
  #parkIdle(): void {
    try {
      this.#cache()?.park();
    } catch (error) {
      // The cache was asked for, and somebody keeps the lock: next time.
      if ((error as { code?: unknown }).code !== 'ERR_LOCK_TIMEOUT') throw error;
      this.#timer.arm();
    }
  }
}
