/**
 * What keeps the process alive: threads do while something is under way; where there is no thread, a timer.
 *
 * Threads do not hold it by themselves, so a pool that nobody closes does not either. It may end when nothing is under way and what
 * functions have printed has arrived.
 */
import { clearInterval, setInterval, setTimeout } from '../base/host-time.js';
import { refTimer, unrefTimer } from '../threads/timers.js';
import type { Timer } from '../threads/timers.js';
import { isPrinting } from '../threads/thread-words.js';
import type { Roster } from './roster.js';

/** The owner looks so often whether what was printed is here, before the process may end, in milliseconds. */
const OUTPUT_MS = 5;
/** As long as a timer may take, in milliseconds: nothing is done then. */
const HOLD_MS = 2 ** 31 - 1;

interface HoldHost {
  readonly roster: Roster;
  readonly words: Int32Array;
  /** What is waited for besides: timers that start threads. */
  timers(): Iterable<Timer>;
  /** Something is under way after nothing was; or the other way round. */
  onHeld(): void;
}

/** Of one pool. */
export class ProcessHold {
  readonly #host: HoldHost;
  #refs = 0;
  #isClosing = false;
  #outputTimer: Timer | undefined;
  /** Keeps the process alive where no thread does. */
  #timer: Timer | undefined;

  constructor(host: HoldHost) {
    this.#host = host;
  }

  /** Is something under way that keeps the process alive? */
  get isOn(): boolean {
    return this.#refs > 0;
  }

  /** Keeps the process alive until the matching `unref`. */
  ref(): void {
    this.#refs += 1;
    if (this.#refs !== 1) return;
    for (const member of this.#host.roster.living()) member.platform.ref();
    for (const timer of this.#host.timers()) refTimer(timer);
    this.check();
    this.#host.onHeld();
  }

  unref(): void {
    this.#refs -= 1;
    this.check();
    this.#letProcessEnd();
    if (this.#refs === 0) this.#host.onHeld();
  }

  /** This timer holds the process while something is under way, as threads do. */
  adopt(timer: Timer): void {
    if (this.#refs === 0) unrefTimer(timer);
  }

  /**
   * A thread has come or gone. Where there is none, a timer keeps the process alive: what ends a job may be one that does not, such
   * as that of `AbortSignal.timeout`.
   */
  check(): void {
    if (this.#refs === 0 || this.#isClosing || !this.#host.roster.isEmpty) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else this.#timer ??= setInterval(() => undefined, HOLD_MS);
  }

  /** A pool that closes holds the process until its threads have ended. */
  close(): void {
    this.#isClosing = true;
    this.check();
    for (const member of this.#host.roster.living()) member.platform.ref();
  }

  /** The process may end when nothing is under way, and what functions have printed is here. */
  #letProcessEnd(): void {
    if (this.#refs > 0 || this.#isClosing || this.#outputTimer !== undefined) return;
    const { roster, words } = this.#host;
    if (roster.living().some(({ id }) => isPrinting(words, id))) {
      this.#outputTimer = setTimeout(() => {
        this.#outputTimer = undefined;
        this.#letProcessEnd();
      }, OUTPUT_MS);
      return;
    }
    for (const member of roster.living()) member.platform.unref();
    for (const timer of this.#host.timers()) unrefTimer(timer);
  }
}
