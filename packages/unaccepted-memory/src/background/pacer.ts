/**
 * How fast a background helper goes: small steps, a rate limit, and a pause when the machine is busy.
 *
 * Two reasons to sleep after a step. The **rate**: so many bytes a second at most. The **load**: a step that took
 * several times longer than steps usually do was descheduled or starved, so others want the CPU, and the helper
 * stands back for as long as that step took. Neither holds when the caller says that memory is short: then
 * demand would stop anyway.
 *
 * ```text
 * shared words   0 MAGIC   1 layout version
 *                2 stop    3 wake    4 paused    5 rate in KiB/s (0 = unlimited)    6 steps    7 load pauses    8 bytes in KiB
 * ```
 * Words 2–8 are atomic; the owner writes 2–5, the helper 6–8. Time comes in through `clock`, so tests have none.
 */
import { allocateBuffer, checkHandle } from '@bootmem/memmap/shared';
import type { HandleFormat } from '@bootmem/memmap/shared';
import type { Words } from '../memory/bitmap.js';
import { checkInteger, checkObject } from '../base/check.js';
import { handleError } from '../base/errors.js';

const { add, load, notify, store, wait } = Atomics;

/** "PACE" */
const MAGIC = 0x50414345;
/** Changes whenever the words do. */
const VERSION = 1;
const WORD = {
  MAGIC: 0,
  VERSION: 1,
  STOP: 2,
  WAKE: 3,
  PAUSED: 4,
  RATE: 5,
  STEPS: 6,
  LOAD_PAUSES: 7,
  KIB: 8,
  COUNT: 9,
} as const;
const FORMAT: HandleFormat = {
  type: 'bootmem.pacer',
  header: { field: 'buffer' },
  magic: MAGIC,
  version: VERSION,
  headerWords: WORD.COUNT,
  needs: () => [],
};
const DEFAULT_STEP = 256 * 1024;
const DEFAULT_IDLE_MS = 50;
/** A step that takes this many times the usual was disturbed. */
const LOAD_FACTOR = 4;
/** Weight of the newest step in what is usual. */
const NEWEST = 1 / 8;
const LONGEST_LOAD_PAUSE_MS = 20;

/** Settings of this thread's end. */
export interface PacerOptions {
  /** Bytes of a step; default 256 KiB. The backend's granularity is the least. */
  readonly stepBytes?: number;
  /** Longest sleep when there is nothing to do, in ms; default 50. */
  readonly idleMs?: number;
  /** Stand back when steps become slow; default true. */
  readonly yieldToLoad?: boolean;
  /** Milliseconds, monotone; default `performance.now`. */
  readonly clock?: () => number;
  /** Sleeps; default `Atomics.wait` on the wake word. */
  readonly sleep?: (ms: number) => void;
}

/** Names a pacer for another thread; survives `postMessage`. */
export interface PacerHandle {
  readonly type: 'bootmem.pacer';
  /** The shared words. */
  readonly buffer: ArrayBufferLike;
}

/** What the helper did. */
export interface PacerStats {
  /** Steps taken. */
  readonly steps: number;
  /** Times it stood back because a step was slow. */
  readonly loadPauses: number;
  /** Bytes prepared, in whole KiB times 1024. */
  readonly bytes: number;
}

/** Control of a helper, shared by its owner and itself. */
export class Pacer {
  /** Bytes of a step. */
  readonly stepBytes: number;
  /** Longest idle sleep in ms. */
  readonly idleMs: number;
  readonly #words: Words;
  readonly #yieldToLoad: boolean;
  readonly #clock: () => number;
  readonly #sleep: (ms: number) => void;
  #last: number;
  #usual = 0;

  private constructor(buffer: ArrayBufferLike, options: PacerOptions) {
    this.stepBytes = options.stepBytes ?? DEFAULT_STEP;
    this.idleMs = options.idleMs ?? DEFAULT_IDLE_MS;
    checkInteger('stepBytes', this.stepBytes, 1);
    this.#yieldToLoad = options.yieldToLoad ?? true;
    this.#clock = options.clock ?? (() => performance.now());
    this.#words = new Int32Array(buffer, 0, WORD.COUNT);
    this.#sleep =
      options.sleep ??
      ((ms) => {
        const words = this.#words as Int32Array<SharedArrayBuffer>;
        // Pairs with `wake`: a wake between the two makes the wait return at once.
        wait(words, WORD.WAKE, load(words, WORD.WAKE), ms);
      });
    this.#last = this.#clock();
  }

  /** Makes a pacer; the other end attaches to it. @throws ERR_ACCEPT_ARGUMENT when `stepBytes` is no positive integer */
  static create(options: PacerOptions = {}): Pacer {
    checkObject('options', options);
    const buffer = allocateBuffer(WORD.COUNT * 4);
    const words = new Int32Array(buffer);
    words[WORD.VERSION] = VERSION;
    words[WORD.MAGIC] = MAGIC;
    return new Pacer(buffer, options);
  }

  /**
   * The other end of a pacer.
   * @param handle   from {@link Pacer.toHandle}
   * @param options  settings of this end
   * @throws ERR_ACCEPT_HANDLE when the handle is not one of ours
   */
  static attach(handle: PacerHandle, options: PacerOptions = {}): Pacer {
    checkHandle(handle, FORMAT, handleError);
    return new Pacer(handle.buffer, options);
  }

  /** A plain object from which the other end attaches. */
  toHandle(): PacerHandle {
    return { type: 'bootmem.pacer', buffer: this.#words.buffer };
  }

  /** Asks the helper to end after its step. */
  stop(): void {
    store(this.#words, WORD.STOP, 1);
    this.wake();
  }

  /** True once {@link Pacer.stop} was called. */
  get stopped(): boolean {
    return load(this.#words, WORD.STOP) === 1;
  }

  /** Holds the helper between two steps until {@link Pacer.resume}. */
  pause(): void {
    store(this.#words, WORD.PAUSED, 1);
  }

  /** Lets it go on. */
  resume(): void {
    store(this.#words, WORD.PAUSED, 0);
    this.wake();
  }

  /** Ends a sleep of the helper. */
  wake(): void {
    add(this.#words, WORD.WAKE, 1);
    notify(this.#words, WORD.WAKE);
  }

  /** Limits the pace. @param bytesPerSecond 0 = unlimited; rounded to whole KiB */
  setRate(bytesPerSecond: number): void {
    checkInteger('bytesPerSecond', bytesPerSecond, 0, 2 ** 41);
    store(this.#words, WORD.RATE, Math.ceil(bytesPerSecond / 1024));
    this.wake();
  }

  /** What the helper did so far. */
  stats(): PacerStats {
    return {
      steps: load(this.#words, WORD.STEPS),
      loadPauses: load(this.#words, WORD.LOAD_PAUSES),
      bytes: (load(this.#words, WORD.KIB) >>> 0) * 1024,
    };
  }

  /**
   * Helper side, after each step: sleeps as the settings ask for.
   * @param bytes   what the step prepared, at least 1
   * @param urgent  memory is short: neither rate nor load makes it sleep
   */
  after(bytes: number, urgent: boolean): void {
    add(this.#words, WORD.STEPS, 1);
    add(this.#words, WORD.KIB, Math.ceil(bytes / 1024));
    const took = this.#clock() - this.#last;
    const perByte = took / bytes;
    const slow = this.#usual > 0 && perByte > this.#usual * LOAD_FACTOR;
    this.#usual += (perByte - this.#usual) * (this.#usual === 0 ? 1 : NEWEST);
    if (!urgent) this.#standBack(bytes, took, slow);
    while (load(this.#words, WORD.PAUSED) === 1 && !this.stopped) this.#sleep(this.idleMs);
    this.#last = this.#clock();
  }

  #standBack(bytes: number, took: number, slow: boolean): void {
    let rest = 0;
    if (slow && this.#yieldToLoad) {
      add(this.#words, WORD.LOAD_PAUSES, 1);
      rest = Math.min(took, LONGEST_LOAD_PAUSE_MS);
    }
    const rate = load(this.#words, WORD.RATE);
    if (rate > 0) rest = Math.max(rest, (bytes / 1024 / rate) * 1000 - took);
    if (rest > 0 && !this.stopped) this.#sleep(rest);
  }
}
