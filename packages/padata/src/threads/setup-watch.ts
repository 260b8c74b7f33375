/**
 * The set-up of a pool's threads, as their owner sees it: how long it may take, and when it is given up.
 *
 * ```
 *   hello ── set up ─────────────────────────▶ ready ─ jobs ─ told to leave ── torn down ──▶ end
 *     └ throws, ends its thread, takes too long ─▶ end, and a new thread tries    └ takes too long ─▶ ended by force
 *        └ as many in a row as there are threads, 3 at least, and none is ready ─▶ given up
 * ```
 * A thread that is still setting up has run nothing of anybody else's: whatever ends it then is the set-up's own. While
 * others are ready, one that cannot be (a database that takes no more connections) is tried again, later and later.
 */
import { fromErrorRecord } from '../base/error-record.js';
import type { PadataError } from '../base/errors.js';
import { clearTimeout, setTimeout } from '../base/host-time.js';
import { unrefTimer } from './timers.js';
import type { Timer } from './timers.js';
import type { FromWorker } from '../protocol/messages.js';
import { setupError, teardownError } from './thread-setup.js';
import type { SetupPlan } from './thread-setup.js';
import type { WorkerEnd } from './platform.js';

/** Failures in a row before it is given up, at least. */
export const MIN_FAILURES = 3;

/** How threads are set up. */
export interface SetupOptions {
  readonly plan: SetupPlan;
  /** Time that each may take, in milliseconds. */
  readonly setupMs: number;
  readonly teardownMs: number;
}

/** What is watched. */
interface Watched {
  readonly id: number;
}

interface SetupHost {
  /** Ends a thread that has taken too long. */
  terminate(worker: number): void;
  /** It is ready. */
  onDone(worker: number): void;
  onFailed(worker: number, error: PadataError): void;
  onTeardownFailed(error: PadataError): void;
}

/** Watches the threads of one pool. */
export class SetupWatch {
  /** Why no thread is set up any more; undefined = they are. */
  error: PadataError | undefined;
  readonly #options: SetupOptions;
  readonly #host: SetupHost;
  #failures = 0;
  /** It has ended a thread, or kept it, since it went well last. */
  #isDeadly = false;
  /** Ends of the time that threads have, by thread. */
  readonly #timers = new Map<Watched, Timer>();
  readonly #tearingDown = new Set<Watched>();

  constructor(options: SetupOptions, host: SetupHost) {
    this.#options = options;
    this.#host = host;
  }

  /** Why it is not to be tried on the calling thread; undefined = it may be. */
  get refusal(): PadataError | undefined {
    return this.#isDeadly ? this.error : undefined;
  }

  get plan(): SetupPlan {
    return this.#options.plan;
  }

  /** The thread runs, and sets itself up. */
  begins(thread: Watched): void {
    const { plan, setupMs } = this.#options;
    this.#limit(thread, setupMs, () => {
      this.#isDeadly = true;
      this.#host.onFailed(thread.id, setupError(plan, thread.id, undefined, late(setupMs)));
    });
  }

  /** What the thread says of it. */
  onMessage(
    thread: Watched,
    message: Extract<FromWorker, { t: 'setUp' | 'tearDown' | 'tornDown' }>,
  ): void {
    const { plan, teardownMs } = this.#options;
    if (message.t === 'tornDown') {
      this.#forget(thread);
      return;
    }
    const cause = message.error === undefined ? undefined : fromErrorRecord(message.error);
    // What comes when its time is over comes too late.
    const isAwaited = this.#timers.has(thread) || message.t === 'tearDown';
    this.#clear(thread);
    if (message.t === 'setUp') {
      if (!isAwaited) return;
      if (message.error === undefined) {
        this.#failures = 0;
        this.#isDeadly = false;
        this.#host.onDone(thread.id);
      } else this.#host.onFailed(thread.id, setupError(plan, thread.id, cause));
    } else if (message.error !== undefined) {
      if (!this.#tearingDown.delete(thread)) return;
      this.#host.onTeardownFailed(teardownError(plan, thread.id, cause));
    } else {
      this.#tearingDown.add(thread);
      this.#limit(thread, teardownMs, () => {
        this.#host.onTeardownFailed(teardownError(plan, thread.id, undefined, late(teardownMs)));
      });
    }
  }

  /** It ended while it was set up. */
  died(worker: number, { exitCode, error }: WorkerEnd): PadataError {
    const { plan } = this.#options;
    this.#isDeadly = true;
    return setupError(plan, worker, error, endedWith(exitCode));
  }

  /** The thread has ended: in its teardown, if that has said nothing yet. */
  ended(thread: Watched, { exitCode, error }: WorkerEnd): void {
    if (this.#tearingDown.has(thread)) {
      const { plan } = this.#options;
      this.#host.onTeardownFailed(teardownError(plan, thread.id, error, endedWith(exitCode)));
    }
    this.#forget(thread);
  }

  #forget(thread: Watched): void {
    this.#clear(thread);
    this.#tearingDown.delete(thread);
  }

  /** It tears down, and has time left for that. */
  isTearingDown(thread: Watched): boolean {
    return this.#tearingDown.has(thread);
  }

  /**
   * One more thread could not be set up.
   * @param threads that are wanted
   * @param isAnyReady others are set up
   * @returns whether it is given up now
   */
  failed(error: PadataError, threads: number, isAnyReady: boolean): boolean {
    this.#failures += 1;
    if (isAnyReady || this.#failures < Math.max(MIN_FAILURES, threads)) return false;
    if (this.error !== undefined) return false;
    this.error = error;
    return true;
  }

  /** Someone asks anew: one more try. @returns whether it was given up */
  tryAgain(): boolean {
    if (this.error === undefined) return false;
    this.error = undefined;
    return true;
  }

  #limit(thread: Watched, ms: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#forget(thread);
      then();
      this.#host.terminate(thread.id);
    }, ms);
    // The thread itself keeps the process, if something is to.
    unrefTimer(timer);
    this.#timers.set(thread, timer);
  }

  #clear(thread: Watched): void {
    clearTimeout(this.#timers.get(thread));
    this.#timers.delete(thread);
  }
}

function endedWith(exitCode: number): string {
  return `the thread ended with exit code ${exitCode}`;
}

function late(ms: number): string {
  return `it has not ended in ${ms} ms`;
}
