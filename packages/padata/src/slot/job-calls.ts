/**
 * The calls of a ring's function on one thread: a job is taken, its input read, the function called, its outcome put into
 * the slot.
 *
 * A synchronous function is read, called and finished in place. A promise leaves the slot PENDING and is
 * finished when it ends, unless the owner has settled the job; a deferred job is left to its completer. What a function
 * gives back is the function's own code too (`then`, getters, proxies): whatever of it throws is the job's error, and
 * none of it settles another job.
 */
import { messageOf } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import { smallInteger } from '../base/small-integer.js';
import { StretchCounts } from '../share/stretch-counts.js';
import { isThenable, whenSettled } from '../base/thenable.js';
import { ring as protocol, stepsOf } from '../protocol/machine.js';
import type { JobSteps } from '../protocol/machine.js';
import type { FromWorker } from '../protocol/messages.js';
import { Kind, SLOT, SLOT_NUMBER, slotNumber, slotWord } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { statOffsets } from '../protocol/ring-stats.js';
import { refusal } from '../values/unread.js';
import { JobBytes } from '../values/job-bytes.js';
import { noteGiven, toPost } from '../values/own-bytes.js';
import { readValue } from '../values/slot-values.js';
import { copyOf } from '../values/views.js';
import type { AsyncShare } from '../share/async-share.js';
import { HandedOver } from './deferred.js';
import { SlotContext } from './job-context.js';
import type { ContextHome } from './job-context.js';
import { PendingJobs } from './pending-jobs.js';
import type { RingHere } from './ring-here.js';
import { seesContext } from './sees-context.js';
import type { SetAside } from './set-aside.js';
import { SlotOutcome } from './slot-outcome.js';

/** What the calls need of their thread. */
interface CallHost {
  readonly worker: number;
  /** The pool's control words. */
  readonly control: Int32Array;
  /** What the pool's `setup` has given on this thread. */
  readonly local: unknown;
  post(message: FromWorker, transfer?: readonly unknown[]): void;
  beginAsync(): void;
  endAsync(): void;
}

/** What else has to do with the jobs of this ring on this thread. */
interface CallParts {
  readonly share: AsyncShare;
  readonly aside: SetAside;
  /** The promise of a job has ended, or is waited for no longer. */
  readonly onPromiseEnd: () => void;
}

const ignore = (): void => undefined;

/** The calls of one ring's function on one thread. */
export class JobCalls {
  /** Jobs whose functions have returned promises. */
  readonly pending: PendingJobs;
  /** Jobs that functions of this thread have left to others. */
  readonly handedOver: HandedOver;
  readonly #memory: RingMemory;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #mask: number;
  readonly #worker: number;
  readonly #copyInput: boolean;
  readonly #steps: JobSteps;
  readonly #aside: SetAside;
  /** Times that jobs waited. */
  readonly #waits: StretchCounts;
  readonly #outcome: SlotOutcome;
  readonly #contextHome: ContextHome;
  /** Stands for the context of any job where the function cannot see it. */
  readonly #unseen: SlotContext;
  #fn: AnyFunction | undefined;
  /** The function may see its context. */
  #seesContext = true;

  constructor(here: RingHere, host: CallHost, { share, aside, onPromiseEnd }: CallParts) {
    const { id, memory } = here;
    const { words, numbers, window } = memory;
    this.#memory = memory;
    this.#words = words;
    this.#numbers = numbers;
    this.#mask = window - 1;
    this.#worker = host.worker;
    this.#copyInput = here.copyInput;
    this.#steps = stepsOf(words);
    this.#aside = aside;
    this.#waits = new StretchCounts(here.stats, statOffsets(host.worker).wait, here.clockOffset);
    this.#outcome = new SlotOutcome(id, memory, host);
    this.pending = new PendingJobs(id, share, this.#outcome, host, onPromiseEnd);
    this.handedOver = new HandedOver(words);
    this.#contextHome = contextHome(here, host, this.handedOver);
    this.#unseen = new SlotContext(this.#contextHome, slotWord(window, 0));
  }

  get fn(): AnyFunction | undefined {
    return this.#fn;
  }

  /** Where it is here, jobs may be run. */
  set fn(fn: AnyFunction | undefined) {
    this.#fn = fn;
    this.#seesContext = fn === undefined || seesContext(fn);
  }

  /**
   * Takes the job in this slot and runs it; false = it is another's, or it was set aside.
   * @param now this thread's clock, in milliseconds
   */
  take(base: number, now: number): boolean {
    if (!protocol.take(this.#words, base, this.#worker) || !this.#aside.hasBytes(base))
      return false;
    this.runTaken(base, now);
    return true;
  }

  /** Runs a job that this thread has taken, with what lies in its slot. */
  runTaken(base: number, now: number): void {
    const index = this.#index(base);
    const number = slotNumber(index);
    this.#waits.add(this.#numbers[number + SLOT_NUMBER.STAMP]!, now);
    const kind = this.#words[base + SLOT.KIND];
    if (kind === Kind.NUMBER) {
      this.run(base, smallInteger(this.#numbers[number + SLOT_NUMBER.VALUE]!));
      return;
    }
    const input = readValue(this.#memory, base, index);
    if (kind !== Kind.BYTES) this.run(base, input);
    // A slice of shared memory is not shared.
    else if (this.#copyInput) this.run(base, copyOf(input as Uint8Array));
    else {
      noteGiven();
      this.run(base, input);
    }
  }

  #index(base: number): number {
    return this.#words[base + SLOT.SEQ]! & this.#mask;
  }

  /** Runs a job that is this thread's. */
  run(base: number, input: unknown): void {
    // Who sees it may keep it, and jobs may run within jobs: each has a context of its own then.
    const context = this.#seesContext ? this.#contextOf(base) : this.#unseen;
    const fn = this.#fn!;
    let value: unknown;
    let pending: boolean;
    try {
      value = fn.call(undefined, input, context);
      // Looked at here: a `then` that throws when it is read is an error of the job.
      pending = typeof value === 'object' && isThenable(value);
    } catch (error) {
      context.end();
      this.#outcome.failUnlessHandedOver(base, context, error);
      return;
    }
    if (pending && !context.deferred) {
      const own = this.#seesContext ? context : this.#contextOf(base);
      own.pend(ArrayBuffer.isView(input) && this.#memory.arena.has(input.buffer));
      this.pending.wait(base, own, value as PromiseLike<unknown>);
      return;
    }
    context.end();
    if (typeof value === 'number' && !context.deferred && !context.hasReported) {
      this.#numbers[slotNumber(this.#index(base)) + SLOT_NUMBER.VALUE] = value;
      this.#words[base + SLOT.KIND] = Kind.NUMBER;
      this.#steps.finish(this.#words, base);
    } else if (!context.deferred) this.#outcome.finish(base, value, context);
    else if (pending) {
      // `defer` has handed the slot over; a promise that comes with it may still fail.
      whenSettled(value as PromiseLike<unknown>, ignore, (error) => {
        this.#outcome.failUnlessHandedOver(base, context, error);
      });
    }
  }

  /** Ends a job that is this thread's and whose input could not be read. */
  refuse(base: number): void {
    this.#outcome.fail(base, new PadataError('ERR_PADATA_CLONE', refusal('the input')));
  }

  #contextOf(base: number): SlotContext {
    return new SlotContext(this.#contextHome, base);
  }
}

/** What the contexts of this ring's jobs have in common on this thread. */
function contextHome(here: RingHere, host: CallHost, handedOver: HandedOver): ContextHome {
  const { id, memory } = here;
  return {
    ring: memory,
    worker: host.worker,
    get shared() {
      return here.shared;
    },
    get local() {
      return host.local;
    },
    control: host.control,
    announce: (at, state) => {
      handedOver.add(at, state);
      host.post({ t: 'deferred', ring: id });
    },
    report: (sequence, value) => {
      postReport(
        host,
        id,
        sequence,
        value,
        new JobBytes(memory, slotWord(memory.window, sequence)),
      );
    },
    tellOutput: (sequence, output) => {
      host.post({ t: 'output', ring: id, seq: sequence, output });
    },
  };
}

/** @throws ERR_PADATA_CLONE */
function postReport(
  host: CallHost,
  ring: number,
  seq: number,
  value: unknown,
  bytes: JobBytes,
): void {
  try {
    host.post({ t: 'progress', ring, seq, value: toPost(value, bytes) });
  } catch (cause) {
    throw new PadataError(
      'ERR_PADATA_CLONE',
      `what the job reports cannot be cloned: ${messageOf(cause)}`,
      {},
      { cause },
    );
  }
}
