/**
 * The calling thread as one that runs jobs: a runner for each ring, with the ring's function and what it shares as a thread
 * would have them. It runs what no thread will, and what the program asks it to.
 */
import { PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import type { Crew } from '../crew/crew.js';
import type { FromWorker } from '../protocol/messages.js';
import type { JobRing } from '../ring/job-ring.js';
import { jobFunction } from '../slot/job-function.js';
import type { RingHere } from '../slot/ring-here.js';
import { SlotRunner } from '../slot/slot-runner.js';
import type { RunnerHost } from '../slot/slot-runner.js';
import type { OwnFunctions } from '../threads/own-functions.js';
import type { OwnerTurns } from '../turns/owner-turns.js';
import type { RingEntry, RingUse } from '../turns/ring-entry.js';
import { OwnShared } from './own-shared.js';

/** The owner's runners of one pool. */
export class OwnRunners {
  readonly #crew: Crew;
  readonly #own: OwnFunctions;
  readonly #turns: OwnerTurns;
  /** The same for all rings. */
  readonly #host: RunnerHost;

  /** @param onMessage takes what a thread would post */
  constructor(
    crew: Crew,
    own: OwnFunctions,
    turns: OwnerTurns,
    onMessage: (message: FromWorker) => void,
  ) {
    this.#crew = crew;
    this.#own = own;
    this.#turns = turns;
    const soon = (): void => {
      turns.scheduleDelivery();
    };
    // What a worker posts and wakes is done here, soon.
    this.#host = {
      worker: 0,
      control: crew.words,
      clock: turns.clock,
      get local() {
        return own.local;
      },
      post: (message, transfer) => {
        onMessage(asArrived(message, transfer));
      },
      takeMail: () => undefined,
      wake: soon,
      beginsWork: () => undefined,
      beginAsync: () => undefined,
      endAsync: soon,
      busyMs: () => undefined,
      wakeAnother: () => undefined,
    };
  }

  /**
   * The runner of a new ring, and how its function is loaded here.
   * @param threads that share the jobs, at least 1
   * @throws ERR_PADATA_CLONE where there are no threads
   */
  make(ring: JobRing, use: RingUse, threads: number): Pick<RingEntry, 'runner' | 'load'> {
    const { id, memory, stats } = ring;
    const { href, name, pendingPerThread, copyInput, level } = use;
    const own = new OwnShared(use.shared);
    // As it is now, like a thread's.
    if (this.#crew.isAlone) own.clone();
    const here: RingHere = {
      id,
      memory,
      get shared() {
        return own.value;
      },
      stats,
      threads,
      clockOffset: 0,
      pendingPerThread,
      copyInput,
      level,
    };
    const runner = new SlotRunner(here, this.#host);
    let loading: Promise<AnyFunction> | undefined;
    const load = (): Promise<AnyFunction> => {
      loading ??= this.#load(href, name, own).then(
        (fn) => {
          runner.fn = jobFunction(fn, use.outputBytes);
          this.#turns.scheduleDelivery();
          return fn;
        },
        (error: unknown) => {
          // Threads, where there are some, say themselves whether they can.
          if (this.#crew.isAlone) ring.breakWith(error);
          else loading = undefined;
          this.#turns.scheduleDelivery();
          throw error;
        },
      );
      return loading;
    };
    return { runner, load };
  }

  /** The function and what it shares. */
  async #load(href: string, name: string, shared: OwnShared): Promise<AnyFunction> {
    const fn = await this.#own.load(href, name);
    shared.clone();
    return fn;
  }

  /** Loads a function here because its jobs must run here; they end with an error when that fails or takes too long. */
  async loadForJobs(entry: RingEntry): Promise<void> {
    const { href, name, ring } = entry;
    const { modules } = this.#crew;
    try {
      // What ends threads would end the program here.
      if (modules.isSuspect(href)) await this.#crew.prove(href, name, this.#own.timeoutMs);
      if (modules.isSuspect(href)) throw modules.error(href) ?? suspectError(href);
      await Promise.all([this.#own.loadWithin(href, name), entry.load()]);
    } catch (error) {
      if (this.#crew.isAlone) ring.breakWith(error);
    }
    this.#turns.scheduleDelivery();
  }
}

/** What a job of the calling thread gives is what would arrive from a thread: a copy. @throws when it cannot be cloned */
function asArrived(message: FromWorker, transfer: readonly unknown[] = []): FromWorker {
  if (message.t !== 'result' && message.t !== 'progress') return message;
  return {
    ...message,
    value: structuredClone(message.value, { transfer: [...transfer] as never[] }),
  };
}

function suspectError(module: string): PadataError {
  return new PadataError(
    'ERR_PADATA_MODULE',
    `a thread ended while it loaded ${module}, and there are no threads left to try again`,
    { module },
  );
}
