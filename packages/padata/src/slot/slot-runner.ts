/**
 * Runs the jobs of one ring on one thread: a worker's, or the owner's when it helps out.
 *
 * A synchronous function is read, called and finished in place. A promise leaves the slot PENDING and is
 * finished when it ends, unless the owner has settled the job; a deferred job is left to its completer. What a function
 * gives back is the function's own code too (`then`, getters, proxies): whatever of it throws is the job's error, and
 * none of it settles another job.
 */
import { messageOf } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import { bucketOf } from '../base/histogram.js';
import { performance } from '../base/host-time.js';
import { smallInteger } from '../base/small-integer.js';
import { StretchCounts } from '../base/stretch-counts.js';
import { isThenable, whenSettled } from '../base/thenable.js';
import type { TurnClock } from '../base/turn-clock.js';
import type { ArenaParts, PartMemory } from '../protocol/arena-parts.js';
import { isWorthMoving } from '../protocol/feed-policy.js';
import { ring as protocol, sent as sentProtocol, stepsOf } from '../protocol/machine.js';
import type { JobSteps } from '../protocol/machine.js';
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
  slotNumber,
  slotWord,
} from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { statOffsets } from '../protocol/ring-stats.js';
import { hasWorker } from '../protocol/worker-set.js';
import { AsyncShare } from './async-share.js';
import { HandedOver } from './deferred.js';
import { FreeThreads } from './free-threads.js';
import { SlotContext } from './job-context.js';
import type { ContextHome } from './job-context.js';
import { KeptInput } from './kept-input.js';
import { PendingJobs } from './pending-jobs.js';
import { withOwnBytes } from '../values/own-bytes.js';
import { seesContext } from './sees-context.js';
import { SlotOutcome } from './slot-outcome.js';
import { readValue } from '../values/slot-values.js';
import { copyOf } from '../values/views.js';

/** Jobs reserved in one step at most. */
const BATCH = 64;
/** A reservation should not take longer than this, in milliseconds. */
const BATCH_MS = 0.05;
/** Jobs that take longer are each a reason to wake the owner; smaller ones only all of a reservation. */
const SLOW_MS = 0.02;
/** Slots an idle worker looks at for something to take over, at first and later. */
const STEAL_SCAN = 64;
const LONG_SCAN = 65_536;
/** So many looks in a row, with ever longer sleeps between them, found nothing. */
const LONG_FROM = 4;
/** Jobs that take no longer, in nanoseconds, come sooner than a thread falls asleep and wakes. */
const SHORT_NS = 10_000;

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
  /** Byte inputs are the function's own. */
  readonly copyInput: boolean;
  /** Milliseconds to add to this thread's clock to get the owner's. */
  readonly clockOffset: number;
  /** Level of priority, see `levels/levels.ts`. */
  readonly level: number;
}

/** What the runner needs from its thread. */
export interface RunnerHost {
  readonly worker: number;
  /** The pool's control words. */
  readonly control: Int32Array;
  readonly clock: TurnClock;
  /** What the pool's `setup` has given on this thread. */
  readonly local: unknown;
  post(message: FromWorker, transfer?: readonly unknown[]): void;
  /** Takes in waiting messages, where that is possible without the event loop. */
  takeMail(): void;
  /** Wakes the owner. */
  wake(): void;
  /**
   * It begins something: from here on it has something to do. Before a job is made its own.
   * @param now this thread's clock, in milliseconds
   */
  beginsWork(now: number): void;
  beginAsync(): void;
  endAsync(): void;
  /** Milliseconds that the thread's event loop was busy so far; undefined = not known. */
  busyMs(): number | undefined;
  /** There is more to do than this thread can soon: wake one more. */
  wakeAnother(ring: Int32Array): void;
}

const { load } = Atomics;
const ignore = (): void => undefined;

/** The jobs of one ring on one thread. */
export class SlotRunner {
  readonly id: number;
  readonly level: number;
  readonly memory: RingMemory;
  /** Jobs that the last scan has made this thread's own, of those that it had reserved. */
  taken = 0;
  readonly #host: RunnerHost;
  readonly #worker: number;
  readonly #threads: number;
  readonly #contextHome: ContextHome;
  readonly #share: AsyncShare;
  readonly #outcome: SlotOutcome;
  /** Times that jobs waited, and times that they took. */
  readonly #waits: StretchCounts;
  readonly #counts: Int32Array;
  readonly #runAt: number;
  readonly #taken = { count: 0 };
  readonly #steps: JobSteps;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #mask: number;
  readonly #copyInput: boolean;
  readonly #pending: PendingJobs;
  #fn: AnyFunction | undefined;
  /** The function may see its context. */
  #seesContext = true;
  /** Stands for that of any job where it cannot. */
  readonly #unseen: SlotContext;
  /** Average time of a job here, in milliseconds; undefined before the first. */
  #averageMs: number | undefined;
  readonly #kept = new KeptInput();
  /** Looks in a row that found nothing: the next ones go further. */
  #fruitless = 0;
  /** Inputs that came while as many promises were pending as may be. */
  readonly #backlog: SentJob[] = [];
  readonly #handedOver: HandedOver;
  readonly #arena: ArenaParts;
  /** First word of the slot of a job that is this thread's and whose bytes it does not know yet; 0 = there is none. */
  #aside = 0;

  constructor(here: RingHere, host: RunnerHost) {
    const { id, memory, shared, stats, threads } = here;
    this.id = id;
    this.level = here.level;
    this.memory = memory;
    this.#words = memory.words;
    this.#handedOver = new HandedOver(memory.words);
    this.#arena = memory.arena;
    this.#steps = stepsOf(memory.words);
    this.#numbers = memory.numbers;
    this.#mask = memory.window - 1;
    this.#copyInput = here.copyInput;
    this.#host = host;
    this.#worker = host.worker;
    this.#threads = threads;
    const others = new FreeThreads(host.control, memory.words, host.worker);
    this.#share = new AsyncShare(memory.words, threads, here.pendingPerThread, others, host);
    this.#outcome = new SlotOutcome(id, memory, host);
    this.#pending = new PendingJobs(id, this.#share, this.#outcome, host, () => {
      this.#wakeOwner();
      this.#runBacklog();
    });
    this.#contextHome = {
      ring: memory,
      worker: host.worker,
      shared,
      get local() {
        return host.local;
      },
      control: host.control,
      announce: (at, state) => {
        this.#handedOver.add(at, state);
        host.post({ t: 'deferred', ring: id });
      },
      report: (sequence, value) => {
        postReport(host, id, sequence, withOwnBytes(value, memory.arena));
      },
      tellOutput: (sequence, output) => {
        host.post({ t: 'output', ring: id, seq: sequence, output });
      },
    };
    this.#unseen = new SlotContext(this.#contextHome, slotWord(memory.window, 0));
    this.#counts = stats;
    const { wait, run } = statOffsets(host.worker);
    this.#waits = new StretchCounts(stats, wait, here.clockOffset);
    this.#runAt = run;
  }

  get fn(): AnyFunction | undefined {
    return this.#fn;
  }

  /** Where it is here, jobs may be run. */
  set fn(fn: AnyFunction | undefined) {
    this.#fn = fn;
    this.#seesContext = fn === undefined || seesContext(fn);
  }

  /** A function of this thread has left a job to others, and it waits for them. */
  get hasHandedOver(): boolean {
    return this.#handedOver.count > 0;
  }

  /** Something is submitted and not delivered. */
  get isBusy(): boolean {
    const { words } = this.memory;
    return load(words, RING.PUBLISHED) !== load(words, RING.PROCESSED);
  }

  /** Are its jobs known to be shorter than what a sleep costs? */
  get areShort(): boolean {
    const ns = load(this.memory.words, RING.RUN_NS);
    return ns > 0 && ns <= SHORT_NS;
  }

  /** Something is submitted and not reserved. */
  get isWaiting(): boolean {
    const { words } = this.memory;
    return ((load(words, RING.PUBLISHED) - load(words, RING.CLAIM)) | 0) > 0;
  }

  /** Something waits that this thread may take, though it may leave it to others for a moment. */
  get isWanted(): boolean {
    return this.isWaiting && this.#mayRun;
  }

  /** Is the job at the next place to be reserved one that nobody has begun and that lies in its slot? */
  get isDue(): boolean {
    const { words, window } = this.memory;
    const base = this.#steps.slotAt(words, window, load(words, RING.CLAIM));
    return load(words, base + SLOT.STATE) === SlotState.READY;
  }

  /** Something waits that this thread may take. */
  get canWork(): boolean {
    return this.isWaiting && this.#mayRun && !this.#share.leavesToOthers();
  }

  /** The same question again, after other threads had time to take the rest. */
  #isWaitingStill(): boolean {
    return this.isWaiting;
  }

  /** May this thread take jobs of this ring now? What it set aside it must hear of first: others may know the part. */
  get #mayRun(): boolean {
    if (this.#aside !== 0) return false;
    return this.hasRoom && hasWorker(this.memory.words, RING.ALLOWED, this.#worker);
  }

  /** It leaves jobs to others for a moment. */
  get isPatient(): boolean {
    return this.#share.isPatient;
  }

  /** Reserves a few jobs, at most so many, and runs them; true = there were some. */
  scan(atMost = BATCH): boolean {
    const { words, window } = this.memory;
    // Plain: what counts is reserved below, and who is about to sleep asks again.
    if (((words[RING.PUBLISHED]! - words[RING.CLAIM]!) | 0) <= 0) {
      this.#share.takesAll();
      return false;
    }
    if (!this.#mayRun || this.#share.leavesToOthers()) return false;
    this.#share.takesAll();
    const average = this.#share.costMs(this.#averageMs);
    const most =
      average === undefined ? 1 : Math.max(1, Math.min(atMost, Math.floor(BATCH_MS / average)));
    // What is reserved is begun, and each may return a promise.
    const allowed = Math.min(most, this.#share.room);
    const began = this.#host.clock.begin();
    this.#host.beginsWork(began);
    const first = protocol.reserve(words, allowed, 2 * this.#threads, this.#taken);
    const { count } = this.#taken;
    if (count === 0) return false;
    this.#fruitless = 0;
    if ((average === undefined || average > 0.02) && this.#isWaitingStill()) {
      this.#host.wakeAnother(words);
    }
    let ran = 0;
    // What is done must not wait for the rest of the reservation when that is slow.
    const slow = average === undefined || average > SLOW_MS;
    const isLoose = this.#isLoose;
    for (let i = 0; i < count; i += 1) {
      if (slow && i > 0) this.#wakeOwner();
      // The rest of the reservation is for whoever takes it over.
      if (this.#aside !== 0) break;
      const place = (first + i) | 0;
      const base = this.#steps.slotAt(words, window, place);
      // The job of this place was taken over and is over: what lies there now has a place of its own, behind others.
      if (!isLoose && words[base + SLOT.SEQ] !== place) continue;
      if (this.#takeAndRun(base, began)) ran += 1;
    }
    if (ran > 0) this.#account(began, ran);
    this.taken = ran + Number(this.#aside !== 0);
    return true;
  }

  /**
   * Takes one job over that another thread has reserved but not begun; true = there was one. Notes the oldest input that
   * waits for another thread. Looks in a row go through all that is under way.
   */
  steal(): boolean {
    this.#kept.forget();
    if (!this.#mayRun || this.#share.leavesToOthers()) return false;
    const { words, window } = this.memory;
    // The first looks are at what is due: each slot that is looked at is taken from the cache of whoever works with it.
    const scan = this.#fruitless < LONG_FROM ? STEAL_SCAN : LONG_SCAN;
    const isLoose = this.#isLoose;
    // Where they begin is read before where they end: a look in between never goes beyond what is published.
    const due = load(words, RING.PROCESSED);
    const most = Math.min(isLoose ? window : (load(words, RING.PUBLISHED) - due) | 0, scan);
    // Without an order: slots of jobs begun in turn, about: the last of them, or all.
    const first = isLoose ? (load(words, RING.CLAIM) - most) | 0 : due;
    const began = performance.now();
    for (let i = 0; i < most; i += 1) {
      const base = slotWord(window, (first + i) | 0);
      const state = load(words, base + SLOT.STATE);
      // The slot may be a later job's by now, one that is not published: those before it go first.
      if (!isLoose && words[base + SLOT.SEQ] !== ((first + i) | 0)) continue;
      if (state === SlotState.READY) {
        this.#host.beginsWork(began);
        if (!this.#takeAndRun(base, began)) {
          if (this.#aside !== 0) return true;
          continue;
        }
        this.#fruitless = 0;
        this.#account(began, 1);
        return true;
      }
      if ((state & STATE_MASK) !== SlotState.SENT || this.#kept.isSeen) continue;
      const worker = state >> STATE_BITS;
      if (worker === 0 || worker === this.#worker) continue;
      this.#kept.see(words[base + SLOT.SEQ]!, worker);
    }
    this.#fruitless += 1;
    return false;
  }

  get #isLoose(): boolean {
    return this.#words[RING.LOOSE] !== 0;
  }

  /** An input of the ring waits for a thread that has nothing to do. */
  get wantsFree(): boolean {
    // Plain: who has nothing to do asks for it (`askForHeld`).
    return this.#words[RING.HELD]! >= HANDED_OVER && this.#mayRun;
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
    const isStill = this.#kept.ask();
    if (isStill === undefined) return;
    if (isStill || isWorthMoving(load(this.memory.words, RING.RUN_NS))) {
      this.#host.post({ t: 'idle', ring: this.id });
    }
  }

  /** Inputs wait behind a job of another thread. */
  get seesKept(): boolean {
    return this.#kept.isSeen;
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
    this.#host.beginsWork(began);
    const isMine = sentProtocol.begin(words, base, this.#worker, sequence | 0);
    if (ask && sentProtocol.mustAsk(words, this.#host.control)) this.#host.wake();
    // The owner may have taken it back in the meantime.
    if (!isMine) return;
    this.#run(base, input);
    this.#account(began, 1);
  }

  /** The function is here, and fewer promises are pending than may be, if what is set aside returns one too. */
  get hasRoom(): boolean {
    return this.fn !== undefined && this.#share.room > Number(this.#aside !== 0);
  }

  /** false = it is another's, or it was set aside. */
  #takeAndRun(base: number, now: number): boolean {
    if (!protocol.take(this.memory.words, base, this.#worker)) return false;
    if (this.#words[base + SLOT.FIRST]! >= this.#arena.end && !this.#learnsPart(base)) return false;
    this.#runTaken(base, now);
    return true;
  }

  /** A job that this thread has taken lies in a part of the arena that it was told of and has not heard. */
  #learnsPart(base: number): boolean {
    this.#host.takeMail();
    if (this.#words[base + SLOT.FIRST]! < this.#arena.end) return true;
    // The mail comes through the event loop here.
    this.#aside = base;
    this.#host.beginAsync();
    return false;
  }

  /** The arena has one more part. */
  addPart(part: PartMemory): void {
    this.#arena.add(part);
    const base = this.#aside;
    // It may lie in a part that comes yet.
    if (base === 0 || this.#words[base + SLOT.FIRST]! >= this.#arena.end) return;
    this.#aside = 0;
    const began = performance.now();
    this.#runTaken(base, began);
    this.#account(began, 1);
    this.#runBacklog();
    this.#host.endAsync();
  }

  #runTaken(base: number, now: number): void {
    const index = this.#index(base);
    const number = slotNumber(index);
    this.#waits.add(this.#numbers[number + SLOT_NUMBER.STAMP]!, now);
    const kind = this.#words[base + SLOT.KIND];
    if (kind === Kind.NUMBER) {
      this.#run(base, smallInteger(this.#numbers[number + SLOT_NUMBER.VALUE]!));
      return;
    }
    const input = readValue(this.memory, base, index);
    // A slice of shared memory is not shared.
    this.#run(base, this.#copyInput && kind === Kind.BYTES ? copyOf(input as Uint8Array) : input);
  }

  #index(base: number): number {
    return this.#words[base + SLOT.SEQ]! & this.#mask;
  }

  #run(base: number, input: unknown): void {
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
      own.pend(ArrayBuffer.isView(input) && this.memory.arena.has(input.buffer));
      this.#pending.wait(base, own, value as PromiseLike<unknown>);
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

  #contextOf(base: number): SlotContext {
    return new SlotContext(this.#contextHome, base);
  }

  #runBacklog(): void {
    while (this.#backlog.length > 0 && this.hasRoom) {
      const [sequence, input] = this.#backlog.shift()!;
      this.#runSent(sequence, input, true);
    }
  }

  /** The owner has settled a pending job: the thread waits for its function no longer. */
  abandon(sequence: number): void {
    this.#pending.abandon(sequence);
  }

  /** Wakes the owner if it sleeps and the next job in order is done; notes the time. */
  #account(began: number, jobs: number): void {
    this.#wakeOwner();
    const each = (this.#host.clock.end() - began) / jobs;
    this.#counts[this.#runAt + bucketOf(each)]! += jobs;
    const old = this.#averageMs;
    this.#averageMs = old === undefined ? each : old + (each - old) / 8;
    const cost = this.#share.costMs(this.#averageMs) ?? this.#averageMs;
    // Plain: a figure.
    this.#words[RING.RUN_NS] = Math.min(0x7fffffff, cost * 1e6) | 0 || 1;
  }

  /** This thread has nothing to do: the owner, if it sleeps, is told of what has ended. */
  tell(): void {
    if (this.#steps.mustTell(this.#words, this.#host.control, this.#mask + 1)) this.#host.wake();
  }

  #wakeOwner(): void {
    if (this.#steps.mustWake(this.#words, this.#host.control, this.#mask + 1)) {
      this.#host.wake();
    }
  }
}

/** @throws ERR_PADATA_CLONE */
function postReport(host: RunnerHost, ring: number, seq: number, value: unknown): void {
  try {
    host.post({ t: 'progress', ring, seq, value });
  } catch (cause) {
    throw new PadataError(
      'ERR_PADATA_CLONE',
      `what the job reports cannot be cloned: ${messageOf(cause)}`,
      {},
      { cause },
    );
  }
}
