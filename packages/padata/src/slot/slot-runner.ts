/**
 * The jobs of one ring that one thread does, a worker or the owner when it helps out: where it gets them from.
 *
 * ```
 *   scan     reserves the next few places ─▶ takes each that nobody has begun ─┐
 *   steal    what another thread has reserved and not begun ──────────────────┤
 *   runSent  an input that came by message ───────────────────────────────────┴─▶ JobCalls
 * ```
 * What keeps it from taking more: the promises that may be pending (`AsyncShare`), and a job whose bytes are yet to come
 * (`SetAside`). When the owner is to hear of what is done is decided here too.
 */
import type { AnyFunction } from '../base/function-ref.js';
import { performance } from '../base/host-time.js';
import type { TurnClock } from '../base/turn-clock.js';
import type { PartMemory } from '../protocol/arena-parts.js';
import { isWorthMoving } from '../protocol/feed-policy.js';
import { ring as protocol, sent as sentProtocol, stepsOf } from '../protocol/machine.js';
import type { JobSteps } from '../protocol/machine.js';
import type { FromWorker, SentJob } from '../protocol/messages.js';
import {
  HANDED_OVER,
  RING,
  SLOT,
  STATE_BITS,
  STATE_MASK,
  SlotState,
  slotWord,
} from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { UNREAD_INPUT } from '../values/unread.js';
import { hasWorker } from '../protocol/worker-set.js';
import { AsyncShare } from '../share/async-share.js';
import { FreeThreads } from '../share/free-threads.js';
import { JobCalls } from './job-calls.js';
import { JobTimes, jobsPerReservation } from '../share/job-times.js';
import { KeptInput } from '../share/kept-input.js';
import type { RingHere } from './ring-here.js';
import { SetAside } from './set-aside.js';

/** Jobs reserved in one step at most. */
const BATCH = 64;
/** Jobs that take longer are each a reason to wake the owner; smaller ones only all of a reservation. */
const SLOW_MS = 0.02;
/** Slots an idle worker looks at for something to take over, at first and later. */
const STEAL_SCAN = 64;
const LONG_SCAN = 65_536;
/** So many looks in a row, with ever longer sleeps between them, found nothing. */
const LONG_FROM = 4;

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
  readonly #share: AsyncShare;
  readonly #calls: JobCalls;
  readonly #aside: SetAside;
  readonly #times: JobTimes;
  readonly #taken = { count: 0 };
  readonly #steps: JobSteps;
  readonly #words: Int32Array;
  readonly #kept = new KeptInput();
  /** Looks in a row that found nothing: the next ones go further. */
  #fruitless = 0;
  /** Inputs that came while as many promises were pending as may be. */
  readonly #backlog: SentJob[] = [];

  constructor(here: RingHere, host: RunnerHost) {
    const { id, memory, threads } = here;
    const { words } = memory;
    this.id = id;
    this.level = here.level;
    this.memory = memory;
    this.#words = words;
    this.#steps = stepsOf(words);
    this.#host = host;
    this.#worker = host.worker;
    this.#threads = threads;
    const others = new FreeThreads(host.control, words, host.worker);
    this.#share = new AsyncShare(words, threads, here.pendingPerThread, others, host);
    this.#aside = new SetAside(memory, host);
    this.#times = new JobTimes(words, here.stats, host.worker, this.#share);
    this.#calls = new JobCalls(here, host, {
      share: this.#share,
      aside: this.#aside,
      onPromiseEnd: () => {
        this.#wakeOwner();
        this.#runBacklog();
      },
    });
  }

  get fn(): AnyFunction | undefined {
    return this.#calls.fn;
  }

  /** Where it is here, jobs may be run. */
  set fn(fn: AnyFunction | undefined) {
    this.#calls.fn = fn;
  }

  /** A function of this thread has left a job to others, and it waits for them. */
  get hasHandedOver(): boolean {
    return this.#calls.handedOver.count > 0;
  }

  /** Something is submitted and not delivered. */
  get isBusy(): boolean {
    const { words } = this.memory;
    return load(words, RING.PUBLISHED) !== load(words, RING.PROCESSED);
  }

  /** Time of a job, in nanoseconds; 0 = not known. */
  get runNs(): number {
    return load(this.memory.words, RING.RUN_NS);
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

  /** The function is here, and fewer promises are pending than may be, if what is set aside returns one too. */
  get hasRoom(): boolean {
    return this.fn !== undefined && this.#share.room > Number(this.#aside.isThere);
  }

  /** May this thread take jobs of this ring now? What it set aside it must hear of first: others may know the part. */
  get #mayRun(): boolean {
    if (this.#aside.isThere) return false;
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
    const costMs = this.#times.costMs;
    const most = jobsPerReservation(costMs, atMost);
    // What is reserved is begun, and each may return a promise.
    const allowed = Math.min(most, this.#share.room);
    const began = this.#host.clock.begin();
    this.#host.beginsWork(began);
    const first = protocol.reserve(words, allowed, 2 * this.#threads, this.#taken);
    const { count } = this.#taken;
    if (count === 0) return false;
    this.#fruitless = 0;
    const areSlow = costMs === undefined || costMs > SLOW_MS;
    // Other threads had time to take the rest.
    if (areSlow && this.isWaiting) this.#host.wakeAnother(words);
    let ran = 0;
    const isLoose = this.#isLoose;
    for (let i = 0; i < count; i += 1) {
      // What is done must not wait for the rest of the reservation when that is slow.
      if (areSlow && i > 0) this.#wakeOwner();
      // The rest of the reservation is for whoever takes it over.
      if (this.#aside.isThere) break;
      const place = (first + i) | 0;
      const base = this.#steps.slotAt(words, window, place);
      // The job of this place was taken over and is over: what lies there now has a place of its own, behind others.
      if (!isLoose && words[base + SLOT.SEQ] !== place) continue;
      if (this.#calls.take(base, began)) ran += 1;
    }
    if (ran > 0) this.#account(began, ran);
    this.taken = ran + Number(this.#aside.isThere);
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
        if (!this.#calls.take(base, began)) {
          if (this.#aside.isThere) return true;
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

  /** Runs this job if nobody has begun it; false = somebody has, or the function is not loaded here. */
  runOne(sequence: number): boolean {
    if (this.fn === undefined) return false;
    const began = performance.now();
    if (!this.#calls.take(slotWord(this.memory.window, sequence), began)) return false;
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
    if (input === UNREAD_INPUT) this.#calls.refuse(base);
    else this.#calls.run(base, input);
    this.#account(began, 1);
  }

  #runBacklog(): void {
    while (this.#backlog.length > 0 && this.hasRoom) {
      const [sequence, input] = this.#backlog.shift()!;
      this.#runSent(sequence, input, true);
    }
  }

  /** The arena has one more part. */
  addPart(part: PartMemory): void {
    this.memory.arena.add(part);
    const base = this.#aside.takeBack();
    if (base === undefined) return;
    const began = performance.now();
    this.#calls.runTaken(base, began);
    this.#account(began, 1);
    this.#runBacklog();
    this.#host.endAsync();
  }

  /** The owner has settled a pending job: the thread waits for its function no longer. */
  abandon(sequence: number): void {
    this.#calls.pending.abandon(sequence);
  }

  /** Wakes the owner if it sleeps and the next job in order is done; notes the time. */
  #account(began: number, jobs: number): void {
    this.#wakeOwner();
    this.#times.note(jobs, this.#host.clock.end() - began);
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
    if (isStill || isWorthMoving(this.runNs)) {
      this.#host.post({ t: 'idle', ring: this.id });
    }
  }

  /** Inputs wait behind a job of another thread. */
  get seesKept(): boolean {
    return this.#kept.isSeen;
  }

  /** This thread has nothing to do: the owner, if it sleeps, is told of what has ended. */
  tell(): void {
    if (this.#steps.mustTell(this.#words, this.#host.control, this.memory.window))
      this.#host.wake();
  }

  #wakeOwner(): void {
    if (this.#steps.mustWake(this.#words, this.#host.control, this.memory.window)) {
      this.#host.wake();
    }
  }
}
