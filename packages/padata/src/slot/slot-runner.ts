/**
 * Runs the jobs of one ring on one thread: a worker's, or the owner's when it helps out.
 *
 * A synchronous function is read, called and finished in place. A promise leaves the slot PENDING and is
 * finished when it ends, unless the owner has settled the job; a deferred job is left to its completer. What a function
 * gives back is the function's own code too (`then`, getters, proxies): whatever of it throws is the job's error, and
 * none of it settles another job.
 */
import { messageOf, toErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import { bucketOf } from '../base/histogram.js';
import { smallInteger } from '../base/small-integer.js';
import { isThenable, whenSettled } from '../base/thenable.js';
import { checkTransfer, transferListOf } from '../base/transfer.js';
import { isWorthMoving } from '../protocol/feed-policy.js';
import { ring as protocol, sent as sentProtocol } from '../protocol/machine.js';
import type { FromWorker, SentJob } from '../protocol/messages.js';
import {
  HANDED_OVER,
  Kind,
  RING,
  SLOT,
  SLOT_NUMBER,
  STATE_BITS,
  STATE_MASK,
  SlotState,
  deferredState,
  slotNumber,
  slotWord,
} from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { statOffsets } from '../protocol/ring-stats.js';
import { countWorkers, hasWorker } from '../protocol/worker-set.js';
import { SlotContext } from './job-context.js';
import type { ContextHome } from './job-context.js';
import { readValue, writeValue } from './slot-values.js';

/** Jobs reserved in one step at most. */
const BATCH = 64;
/** A reservation should not take longer than this, in milliseconds. */
const BATCH_MS = 0.05;
/** Jobs that take longer are each a reason to wake the owner; smaller ones only all of a reservation. */
const SLOW_MS = 0.02;
/** A wake-up costs about so much, in milliseconds: jobs that are longer are worth a thread of their own. */
const WAKE_MS = 0.05;
/** A thread leaves jobs of that kind beyond its share to others for so long, in milliseconds. */
const PATIENCE_MS = 1;
/** The time of such jobs is looked at not more often than this, in milliseconds. */
const MEASURE_MS = 1;
/** Slots an idle worker looks at for something to take over, at first and later. */
const STEAL_SCAN = 64;
const LONG_SCAN = 65_536;
/** So many looks in a row, with ever longer sleeps between them, found nothing. */
const LONG_FROM = 4;

/** A ring as one thread sees it. */
interface RingHere {
  readonly id: number;
  readonly memory: RingMemory;
  /** The series' `shared` value. */
  readonly shared: unknown;
  /** Histograms, see `protocol/ring-stats.ts`. */
  readonly stats: Int32Array;
  /** Threads that share the jobs, at least 1. */
  readonly threads: number;
  /** Promises of this ring that may be pending on one thread. */
  readonly pendingPerThread: number;
  /** Milliseconds to add to this thread's clock to get the owner's. */
  readonly clockOffset: number;
}

/** What the runner needs from its thread. */
export interface RunnerHost {
  readonly worker: number;
  /** The pool's control words. */
  readonly control: Int32Array;
  post(message: FromWorker, transfer?: readonly unknown[]): void;
  /** Wakes the owner. */
  wake(): void;
  /** It had nothing to do, and takes a job over. */
  takesOver(): void;
  beginAsync(): void;
  endAsync(): void;
  /** Milliseconds that the thread's event loop was busy so far; undefined = not known. */
  busyMs(): number | undefined;
  /** There is more to do than this thread can soon: wake one more. */
  wakeAnother(ring: Int32Array): void;
}

const { load, store, compareExchange } = Atomics;
const ignore = (): void => undefined;

/** The jobs of one ring on one thread. */
export class SlotRunner {
  readonly id: number;
  readonly memory: RingMemory;
  fn: AnyFunction | undefined;
  readonly #host: RunnerHost;
  readonly #worker: number;
  readonly #threads: number;
  readonly #clockOffset: number;
  readonly #contextHome: ContextHome;
  readonly #counts: Int32Array;
  readonly #waitAt: number;
  readonly #runAt: number;
  readonly #taken = { count: 0 };
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #mask: number;
  /** Waiting times are counted by stretches of jobs that were submitted and begun together. */
  #stampSeen = -1;
  #nowSeen = -1;
  #bucketSeen = 0;
  #async = 0;
  /** Jobs whose promises are waited for, by sequence number. */
  readonly #pending = new Map<number, SlotContext>();
  #context: SlotContext | undefined;
  /** Average time of a job here, in milliseconds; undefined before the first. */
  #averageMs: number | undefined;
  readonly #pendingPerThread: number;
  /** The function has returned a promise before. */
  #isAsync = false;
  /** CPU time of a job whose function returned a promise, all of it; undefined = not known. */
  #asyncMs: number | undefined;
  /** Where the measure of it began: the thread's busy time, the clock, and promises that have ended since. */
  #busyFrom: number | undefined;
  #measuredAt = 0;
  #endedSince = 0;
  /** The oldest input that waited for another thread, at the last look and at the last question; worker 0 = none. */
  #kept = { sequence: 0, worker: 0 };
  #keptBefore = { sequence: 0, worker: 0 };
  /** Looks in a row that found nothing: the next ones go further. */
  #fruitless = 0;
  /** Inputs that came while as many promises were pending as may be. */
  readonly #backlog: SentJob[] = [];
  /** Since when jobs are left to others; 0 = they are not. */
  #leftSince = 0;

  constructor(here: RingHere, host: RunnerHost) {
    const { id, memory, shared, stats, threads, clockOffset } = here;
    this.#pendingPerThread = here.pendingPerThread;
    this.id = id;
    this.memory = memory;
    this.#words = memory.words;
    this.#numbers = memory.numbers;
    this.#mask = memory.window - 1;
    this.#host = host;
    this.#worker = host.worker;
    this.#threads = threads;
    this.#clockOffset = clockOffset;
    this.#contextHome = {
      ring: memory,
      worker: host.worker,
      shared,
      control: host.control,
      announce: () => {
        host.post({ t: 'deferred', ring: id });
      },
    };
    this.#counts = stats;
    const { wait, run } = statOffsets(host.worker);
    this.#waitAt = wait;
    this.#runAt = run;
  }

  /** Something is submitted and not delivered. */
  get isBusy(): boolean {
    const { words } = this.memory;
    return load(words, RING.PUBLISHED) !== load(words, RING.PROCESSED);
  }

  /** Something is submitted and not reserved. */
  get isWaiting(): boolean {
    const { words } = this.memory;
    return ((load(words, RING.PUBLISHED) - load(words, RING.CLAIM)) | 0) > 0;
  }

  /** Something waits that this thread may take. */
  get canWork(): boolean {
    return this.isWaiting && this.#mayRun && !this.#leavesToOthers();
  }

  /** The same question again, after other threads had time to take the rest. */
  #isWaitingStill(): boolean {
    return this.isWaiting;
  }

  /** May this thread take jobs of this ring now? */
  get #mayRun(): boolean {
    return this.hasRoom && hasWorker(this.memory.words, RING.ALLOWED, this.#worker);
  }

  /**
   * A promise says nothing of the CPU that its function still needs. Where that is more than a wake-up, or not known,
   * a thread has no more of them than its share while others may come for theirs: they are woken, and get a moment.
   */
  #leavesToOthers(): boolean {
    if (this.#async === 0 || (this.#asyncMs !== undefined && this.#asyncMs <= WAKE_MS))
      return false;
    const { words } = this.memory;
    const out = (load(words, RING.PUBLISHED) - load(words, RING.PROCESSED)) | 0;
    if (this.#async * countWorkers(words, RING.ALLOWED, this.#threads) < out) return false;
    const now = performance.now();
    if (this.#leftSince === 0) {
      this.#leftSince = now;
      this.#host.wakeAnother(words);
    }
    return now - this.#leftSince < PATIENCE_MS;
  }

  /** It leaves jobs to others for a moment. */
  get isPatient(): boolean {
    return this.#leftSince !== 0;
  }

  /** Reserves a few jobs and runs them; true = there were some. */
  scan(): boolean {
    const { words, window } = this.memory;
    if (!this.isWaiting) {
      this.#leftSince = 0;
      return false;
    }
    if (!this.#mayRun || this.#leavesToOthers()) return false;
    this.#leftSince = 0;
    const average = this.#costMs;
    const most =
      average === undefined ? 1 : Math.max(1, Math.min(BATCH, Math.floor(BATCH_MS / average)));
    // What is reserved is begun, and each may return a promise.
    const allowed = Math.min(most, this.#pendingPerThread - this.#async);
    const first = protocol.reserve(words, allowed, 2 * this.#threads, this.#taken);
    const { count } = this.#taken;
    if (count === 0) return false;
    this.#fruitless = 0;
    if (this.#isWaitingStill() && (average === undefined || average > 0.02)) {
      this.#host.wakeAnother(words);
    }
    const began = performance.now();
    let ran = 0;
    // What is done must not wait for the rest of the reservation when that is slow.
    const slow = average === undefined || average > SLOW_MS;
    for (let i = 0; i < count; i += 1) {
      if (slow && i > 0) this.#wakeOwner();
      if (this.#takeAndRun(slotWord(window, (first + i) | 0), began)) ran += 1;
    }
    if (ran > 0) this.#account(began, ran);
    return true;
  }

  /**
   * Takes one job over that another thread has reserved but not begun; true = there was one. Notes the oldest input that
   * waits for another thread. Looks in a row go through all that is under way.
   */
  steal(): boolean {
    this.#kept.worker = 0;
    if (!this.#mayRun || this.#leavesToOthers()) return false;
    const { words, window } = this.memory;
    const first = load(words, RING.PROCESSED);
    const pending = (load(words, RING.PUBLISHED) - first) | 0;
    // The first looks are at what is due: each slot that is looked at is taken from the cache of whoever works with it.
    const most = Math.min(pending, this.#fruitless < LONG_FROM ? STEAL_SCAN : LONG_SCAN);
    const began = performance.now();
    for (let i = 0; i < most; i += 1) {
      const sequence = (first + i) | 0;
      const base = slotWord(window, sequence);
      const state = load(words, base + SLOT.STATE);
      if (state === SlotState.READY) {
        this.#host.takesOver();
        if (!this.#takeAndRun(base, began)) continue;
        this.#fruitless = 0;
        this.#account(began, 1);
        return true;
      }
      if ((state & STATE_MASK) !== SlotState.SENT || this.#kept.worker !== 0) continue;
      const worker = state >> STATE_BITS;
      if (worker !== 0 && worker !== this.#worker) this.#kept = { sequence, worker };
    }
    this.#fruitless += 1;
    return false;
  }

  /** An input of the ring waits for a thread that has nothing to do. */
  get wantsFree(): boolean {
    return load(this.memory.words, RING.HELD) >= HANDED_OVER && this.#mayRun;
  }

  /** This thread has nothing to do: the owner, if it sleeps, is told when inputs wait there. */
  askForHeld(): void {
    if (!this.#mayRun) return;
    if (sentProtocol.mustAsk(this.memory.words, this.#host.control)) this.#host.wake();
  }

  /**
   * Asks the owner for inputs that were sent to another thread and are not begun, if the last look has seen some: at once
   * where a job is worth it, else when the other has not begun one since the look before.
   */
  askForSent(): void {
    const { sequence, worker } = this.#kept;
    const before = this.#keptBefore;
    this.#keptBefore = { sequence, worker };
    if (worker === 0) return;
    const isStill = before.sequence === sequence && before.worker === worker;
    if (isStill || isWorthMoving(load(this.memory.words, RING.RUN_NS))) {
      this.#host.post({ t: 'idle', ring: this.id });
    }
  }

  /** Inputs wait behind a job of another thread. */
  get seesKept(): boolean {
    return this.#kept.worker !== 0;
  }

  /** Runs this job if nobody has begun it; false = somebody has, or the function is not loaded here. */
  runOne(sequence: number): boolean {
    if (this.fn === undefined) return false;
    const began = performance.now();
    if (!this.#takeAndRun(slotWord(this.memory.window, sequence), began)) return false;
    this.#account(began, 1);
    return true;
  }

  /**
   * A job whose input came by message. It waits while as many promises are pending here as may be.
   * @param ask the owner is told that it may send more
   */
  runSent(sequence: number, input: unknown, ask: boolean): void {
    if (!this.hasRoom) this.#backlog.push([sequence, input]);
    else this.#runSent(sequence, input, ask);
  }

  #runSent(sequence: number, input: unknown, ask: boolean): void {
    const { words, window } = this.memory;
    const base = slotWord(window, sequence);
    const began = performance.now();
    const isMine = sentProtocol.begin(words, base, this.#worker, sequence | 0);
    if (ask && sentProtocol.mustAsk(words, this.#host.control)) this.#host.wake();
    // The owner may have taken it back in the meantime.
    if (!isMine) return;
    this.#run(base, input);
    this.#account(began, 1);
  }

  /** The function is here, and fewer promises are pending than may be. */
  get hasRoom(): boolean {
    return this.fn !== undefined && this.#async < this.#pendingPerThread;
  }

  #takeAndRun(base: number, now: number): boolean {
    if (!protocol.take(this.memory.words, base, this.#worker)) return false;
    const index = this.#index(base);
    const number = slotNumber(index);
    const stamp = this.#numbers[number + SLOT_NUMBER.STAMP]!;
    if (stamp !== this.#stampSeen || now !== this.#nowSeen) {
      this.#stampSeen = stamp;
      this.#nowSeen = now;
      this.#bucketSeen = this.#waitAt + bucketOf(now + this.#clockOffset - stamp);
    }
    this.#counts[this.#bucketSeen]! += 1;
    this.#run(
      base,
      this.#words[base + SLOT.KIND] === Kind.NUMBER
        ? smallInteger(this.#numbers[number + SLOT_NUMBER.VALUE]!)
        : readValue(this.memory, base, index),
    );
    return true;
  }

  #index(base: number): number {
    return this.#words[base + SLOT.SEQ]! & this.#mask;
  }

  #run(base: number, input: unknown): void {
    // One context serves job after job, until a function keeps it beyond its return.
    this.#context ??= new SlotContext(this.#contextHome);
    const context = this.#context;
    context.enter(base);
    let value: unknown;
    let pending: boolean;
    try {
      value = this.fn!(input, context);
      // Looked at here: a `then` that throws when it is read is an error of the job.
      pending = typeof value === 'object' && isThenable(value);
    } catch (error) {
      if (context.deferred) this.#context = undefined;
      this.#failUnlessHandedOver(base, context, error);
      return;
    }
    if (typeof value === 'number' && !context.deferred) {
      this.#numbers[slotNumber(this.#index(base)) + SLOT_NUMBER.VALUE] = value;
      this.#words[base + SLOT.KIND] = Kind.NUMBER;
      protocol.finish(this.#words, base);
    } else if (context.deferred) {
      // `defer` has handed the slot over; a promise that comes with it may still fail.
      this.#context = undefined;
      if (pending) {
        whenSettled(value as PromiseLike<unknown>, ignore, (error) => {
          this.#failUnlessHandedOver(base, context, error);
        });
      }
    } else if (pending) {
      this.#context = undefined;
      context.pend(ArrayBuffer.isView(input) && input.buffer === this.memory.buffer);
      this.#await(base, context, value as PromiseLike<unknown>);
    } else this.#finish(base, value);
  }

  /** What a job costs a thread, with the rest of an asynchronous one; undefined before it is known. */
  get #costMs(): number | undefined {
    const sync = this.#averageMs;
    if (sync === undefined || !this.#isAsync) return sync;
    return this.#asyncMs === undefined ? undefined : Math.max(sync, this.#asyncMs);
  }

  /** Divides the time that the event loop was busy among the promises that ended in it. */
  #measure(): void {
    const now = performance.now();
    if (this.#async > 0 && now - this.#measuredAt < MEASURE_MS) return;
    const busy = this.#host.busyMs();
    if (busy !== undefined && this.#busyFrom !== undefined) {
      const each = (busy - this.#busyFrom) / this.#endedSince;
      const old = this.#asyncMs;
      this.#asyncMs = old === undefined ? each : old + (each - old) / 4;
    }
    this.#busyFrom = busy;
    this.#measuredAt = now;
    this.#endedSince = 0;
  }

  #await(base: number, context: SlotContext, value: PromiseLike<unknown>): void {
    this.#isAsync = true;
    if (this.#async === 0) {
      this.#busyFrom = this.#host.busyMs();
      this.#measuredAt = performance.now();
      this.#endedSince = 0;
    }
    this.#pending.set(context.seq, context);
    this.#async += 1;
    this.#host.beginAsync();
    whenSettled(
      value,
      (result) => {
        if (context.deferred) this.#ended(context);
        else if (!context.regain()) this.#endedLate(context);
        else {
          this.#finish(base, result);
          this.#ended(context);
        }
      },
      (error) => {
        if (context.deferred) this.#failUnlessHandedOver(base, context, error);
        else if (!context.regain()) {
          this.#endedLate(context);
          return;
        } else this.#fail(base, error);
        this.#ended(context);
      },
    );
  }

  /** The promise of a job that the owner has settled has ended after all. */
  #endedLate(context: SlotContext): void {
    this.#host.post({ t: 'ended', ring: this.id, seq: context.seq });
    this.#ended(context);
  }

  #ended(context: SlotContext): void {
    if (context.abandoned) return;
    this.#pending.delete(context.seq);
    this.#async -= 1;
    this.#endedSince += 1;
    this.#measure();
    this.#wakeOwner();
    while (this.#backlog.length > 0 && this.hasRoom) {
      const [sequence, input] = this.#backlog.shift()!;
      this.#runSent(sequence, input, true);
    }
    this.#host.endAsync();
  }

  /** The owner has settled a pending job: the thread waits for its function no longer. */
  abandon(sequence: number): void {
    const context = this.#pending.get(sequence);
    if (context === undefined) return;
    this.#ended(context);
    context.abandoned = true;
  }

  /** Fails the job; after `defer` only if nobody has completed it yet, as `completeDeferred` claims it. */
  #failUnlessHandedOver(base: number, context: SlotContext, error: unknown): void {
    if (context.deferred) {
      const { words } = this.memory;
      const deferred = deferredState(this.memory.window, context.seq);
      const running = SlotState.RUNNING | (this.#worker << STATE_BITS);
      if (compareExchange(words, base + SLOT.STATE, deferred, running) !== deferred) return;
      Atomics.sub(words, RING.DEFERRED, 1);
    }
    this.#fail(base, error);
  }

  #finish(base: number, value: unknown): void {
    const { words } = this.memory;
    const offset = words[base + SLOT.FIRST]! + words[base + SLOT.IN_ROOM]!;
    const room = words[base + SLOT.OUT_ROOM]!;
    const index = this.#index(base);
    try {
      // Writing reads the value's properties, which may be getters or a proxy's.
      const list = transferListOf(value);
      if (list !== undefined) checkTransfer(list);
      if (list === undefined && writeValue(this.memory, base, index, value, offset, room)) {
        protocol.finish(words, base);
        return;
      }
      // Posted before DONE: whoever sees DONE finds the message in the port.
      this.#host.post({ t: 'result', ring: this.id, seq: words[base + SLOT.SEQ]!, value }, list);
    } catch (error) {
      this.#fail(
        base,
        new PadataError(
          'ERR_PADATA_CLONE',
          `the result cannot be cloned: ${messageOf(error)}`,
          {},
          { cause: error },
        ),
      );
      return;
    }
    words[base + SLOT.KIND] = Kind.MESSAGE;
    protocol.finish(words, base);
  }

  #fail(base: number, error: unknown): void {
    const { words } = this.memory;
    this.#host.post({
      t: 'jobFailed',
      ring: this.id,
      seq: words[base + SLOT.SEQ]!,
      worker: this.#worker,
      error: toErrorRecord(error),
    });
    words[base + SLOT.KIND] = Kind.ERROR;
    protocol.finish(words, base);
  }

  /** Wakes the owner if it sleeps and the next job in order is done; notes the time. */
  #account(began: number, jobs: number): void {
    this.#wakeOwner();
    const each = (performance.now() - began) / jobs;
    this.#counts[this.#runAt + bucketOf(each)]! += jobs;
    const old = this.#averageMs;
    this.#averageMs = old === undefined ? each : old + (each - old) / 8;
    const cost = this.#costMs ?? this.#averageMs;
    store(this.memory.words, RING.RUN_NS, Math.min(0x7fffffff, cost * 1e6) | 0 || 1);
  }

  #wakeOwner(): void {
    if (protocol.mustWake(this.memory.words, this.#host.control, this.memory.window)) {
      this.#host.wake();
    }
  }
}
