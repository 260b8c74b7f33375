/**
 * The owner's side of the worker threads: start, greet, wake, replace after a crash, resize, stop.
 *
 * A worker's id is its place in the control block and stays with its replacement; what was sent to a dead
 * thread (jobs, modules) is remembered by thread, so that the replacement is told again on demand.
 */
import { messageOf, toErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { HEAD, WORKER, workerBase } from '../protocol/control-layout.js';
import { sent, sleep, wakeWorker } from '../protocol/machine.js';
import type { FromWorker, ToWorker } from '../protocol/messages.js';
import { ModuleDeaths } from './module-deaths.js';
import { ENDING_LOOK_MS, EndingThreads, STILL_MS } from './ending-threads.js';
import { Recycling } from './recycling.js';
import { SetupWatch } from './setup-watch.js';
import type { SetupOptions } from './setup-watch.js';
import type { Platform, PlatformWorker, ThreadFactory, WearLimits, WorkerEnd } from './platform.js';

/** One thread, from start to end. */
export interface Member {
  readonly id: number;
  readonly platform: PlatformWorker;
  /** What the operating system calls the thread; 0 = it has not said yet, or does not know. */
  tid: number;
  /** Range jobs this thread was told about. */
  readonly jobs: Set<number>;
  /** Modules that it imports at the moment, and whether each as a suspect. */
  readonly importing: Map<string, boolean>;
  /** It has imported something: from then on jobs may run on it. */
  used: boolean;
  /** It was told of the rings that there are: from then on it hears of each as it comes, and may be sent inputs. */
  knowsRings: boolean;
  /** It is there to import a suspect and end. */
  readonly isProof: boolean;
  /** Its owner has ended it. */
  killed: boolean;
  /** It was asked to leave if it has nothing to do, and has not answered. */
  mayStay: boolean;
  /** When it was started, on this thread's clock. */
  readonly since: number;
  /** It could not be set up. */
  failed: boolean;
  state: 'starting' | 'settingUp' | 'ready' | 'leaving' | 'dead';
}

/** The pool's control block. */
export interface Control {
  /** Worker threads that fit. */
  readonly capacity: number;
  readonly words: Int32Array;
  readonly numbers: Float64Array;
}

/** What the pool wants to know. */
interface CrewEvents {
  onMessage(member: Member, message: FromWorker): void;
  onReady(member: Member): void;
  /** A thread is being started. */
  onStart(member: Member): void;
  /**
   * Called before a replacement is started; `expected` when the thread was asked to leave.
   * @returns whether it had work at hand
   */
  onEnd(member: Member, end: WorkerEnd, expected: boolean): boolean;
  /** A module has ended too many threads that imported it. */
  onGivenUp(error: PadataError): void;
  /** A thread could not be set up, or what was set up not be torn down. */
  onTrouble(error: PadataError): void;
  /** A thread that could not be set up is missing from now on, or no more. */
  onMissing(): void;
  /** No thread can be set up. */
  onSetupGivenUp(error: PadataError): void;
  /** There are no threads and will be none: everything runs on the calling thread. */
  onNoThreads(): void;
  /** Something is under way that keeps the process alive, after nothing was; or the other way round. */
  onHeld(): void;
  /** A thread that was to leave if it had nothing to do goes on. */
  onStays(): void;
}

/** How threads are made. */
interface CrewOptions {
  readonly name: string;
  readonly idle: 'block' | 'loop';
  readonly execArgv: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>> | undefined;
  readonly resourceLimits: Readonly<Record<string, number>> | undefined;
  readonly factory: ThreadFactory | undefined;
  readonly setup: SetupOptions | undefined;
  readonly wear: WearLimits | undefined;
}

/** Threads that die before they were ready, in a row, before the crew stops replacing them. */
const MAX_START_FAILURES = 3;
/** The owner looks so often whether what was printed is here, before the process may end, in milliseconds. */
const OUTPUT_MS = 5;
/**
 * First and longest delay of a replacement, in milliseconds, where threads die in a row that had nothing to do: while
 * they start, while they import, by a timer that they left behind. The first of a row is replaced at once.
 */
const RESPAWN_MS = 20;
const MAX_RESPAWN_MS = 1000;
/** A thread that lived so long died of something else, in milliseconds. */
const LIVED_MS = 10_000;
/** Whoever waits for a place looks again so often, in milliseconds. */
const WAIT_MS = 100;
/** As long as a timer may take, in milliseconds: nothing is done then. */
const HOLD_MS = 2 ** 31 - 1;
/** Codes of errors that are about options, not about threads. */
const MISTAKES = /^ERR_(WORKER_INVALID_EXEC_ARGV|INVALID_ARG|OUT_OF_RANGE)/;
const { load, store, add } = Atomics;

/** All threads of one pool. */
export class Crew {
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  readonly capacity: number;
  readonly #platform: Platform;
  readonly #options: CrewOptions;
  readonly #events: CrewEvents;
  readonly #members: (Member | undefined)[];
  /** By id: it is to be there. */
  readonly #wanted: boolean[];
  /** Their number changes by itself. */
  isElastic = false;
  #target = 0;
  #most = 0;
  #startFailures = 0;
  #lastStartError: unknown;
  /** Threads that died in a row without work at hand. */
  #idleDeaths = 0;
  readonly #respawns = new Map<number, ReturnType<typeof setTimeout>>();
  #refs = 0;
  #closing = false;
  /** A thread was made. */
  #hasStarted = false;
  #outputTimer: ReturnType<typeof setTimeout> | undefined;
  /** Keeps the process alive where no thread does. */
  #hold: ReturnType<typeof setInterval> | undefined;
  /** Why there are no threads, once it is certain that none can be started. */
  startError: unknown;
  /** Modules that end the threads that import them. */
  readonly modules = new ModuleDeaths();
  /** Undefined = threads have nothing to set up. */
  readonly #setup: SetupWatch | undefined;
  readonly #recycling = new Recycling<Member>({
    mayLeave: ({ id }) =>
      this.readyCount > 1 || load(this.words, workerBase(id) + WORKER.PENDING) === 0,
    retire: (member) => {
      this.retire(member);
    },
  });
  /** Threads that could not be set up the last time. */
  readonly #missing = new Set<number>();

  constructor(platform: Platform, control: Control, options: CrewOptions, events: CrewEvents) {
    this.#platform = platform;
    this.capacity = control.capacity;
    this.words = control.words;
    this.numbers = control.numbers;
    this.#options = options;
    this.#events = events;
    this.#members = new Array<Member | undefined>(control.capacity + 1).fill(undefined);
    if (options.setup !== undefined) this.#setup = this.#watchSetups(options.setup);
    this.#wanted = new Array<boolean>(control.capacity + 1).fill(false);
  }

  /** Threads wanted. */
  get target(): number {
    return this.#target;
  }

  /** The highest id that a thread may have: of those that are wanted, or that come when work waits. */
  get most(): number {
    return this.#most;
  }

  /** Is a thread with this id wanted? */
  isWanted(id: number): boolean {
    return this.#wanted[id] === true;
  }

  /** Is something under way that keeps the process alive? */
  get isHeld(): boolean {
    return this.#refs > 0;
  }

  /** The living member with this id. */
  member(id: number): Member | undefined {
    return this.#members[id];
  }

  /** Living members that are not leaving, in order of id. */
  *members(): Generator<Member> {
    for (const member of this.#members) {
      if (member !== undefined && member.state !== 'leaving') yield member;
    }
  }

  /** Living members that take work now, or may again. */
  *workers(): Generator<Member> {
    for (const member of this.#members) {
      if (member !== undefined && (member.state !== 'leaving' || member.mayStay)) yield member;
    }
  }

  /** Members whose threads have not ended, those that leave included. */
  living(): Member[] {
    return this.#members.filter((member) => member !== undefined);
  }

  /** The same as a list; no generator on the way of small jobs. */
  memberList(): Member[] {
    const list: Member[] = [];
    for (let id = 1; id <= this.capacity; id += 1) {
      const member = this.#members[id];
      if (member !== undefined && member.state !== 'leaving') list.push(member);
    }
    return list;
  }

  /** No thread takes jobs: none is wanted, or none can be started. */
  get isAlone(): boolean {
    return this.#most === 0 || this.startError !== undefined;
  }

  /** Why some of the threads that are wanted cannot be started; undefined = nothing is known against it. */
  get startTrouble(): unknown {
    return this.#startFailures >= MAX_START_FAILURES ? this.#lastStartError : undefined;
  }

  /** Why no thread is set up any more; undefined = they are, or none is wanted. */
  get setupError(): PadataError | undefined {
    return this.#target === 0 ? undefined : this.#setup?.error;
  }

  /** Why the calling thread is not to be set up. */
  get setupRefusal(): PadataError | undefined {
    return this.#setup?.refusal;
  }

  /** Threads that there may be, without those that cannot be set up while others can. */
  usableIds(): number[] {
    const wanted = Array.from({ length: this.isAlone ? 0 : this.#most }, (_, i) => i + 1);
    const there = wanted.filter((id) => !this.#missing.has(id));
    return there.length > 0 ? there : wanted;
  }

  /** Someone asks anew: threads that could not be set up get one more try. */
  trySetupAgain(): void {
    if (!this.isAlone && this.#setup?.tryAgain() === true) this.#apply();
  }

  /** Members that have said hello, and are set up. */
  get readyCount(): number {
    let count = 0;
    for (const member of this.members()) if (member.state === 'ready') count += 1;
    return count;
  }

  /**
   * Starts or retires threads until there are `count`; the highest ids leave first. Up to `most` may be wanted one by one;
   * of those that are, none leaves.
   */
  resize(count: number, most = count): void {
    if ((count !== this.#target || most !== this.#most) && this.startError !== undefined) {
      // Asked anew, so tried anew.
      this.startError = undefined;
      this.#startFailures = 0;
    }
    this.isElastic = count < most;
    this.#most = most;
    for (let id = 1; id <= this.capacity; id += 1) {
      const stays = this.isElastic && id <= most && this.#wanted[id]!;
      this.#wanted[id] = id <= count || stays;
    }
    this.#apply();
  }

  /** A thread with this id, 1 to `most`, is to be there. It is not the caller's fault if it cannot be made. */
  want(id: number): void {
    this.#wanted[id] = true;
    try {
      this.#apply();
    } catch (error) {
      this.#cannotStart(error);
    }
  }

  /** The thread leaves, unless it has begun something before it hears of it. */
  dismiss(member: Member): void {
    this.#wanted[member.id] = false;
    member.state = 'leaving';
    member.mayStay = true;
    this.post(member, { t: 'leave', ifIdle: true });
    this.#apply();
  }

  /** Starts and retires threads until those that are wanted are there. */
  #apply(): void {
    this.#target = this.#wanted.filter((isWanted) => isWanted).length;
    this.#recycling.resized((id) => this.isWanted(id));
    for (let id = 1; id <= this.capacity && this.startError === undefined; id += 1) {
      const member = this.#members[id];
      if (this.#wanted[id]!) {
        if (member === undefined && !this.#respawns.has(id)) this.#start(id);
        continue;
      }
      clearTimeout(this.#respawns.get(id));
      this.#respawns.delete(id);
      if (member === undefined) this.#markAbsent(id);
      else if (!member.mayStay || id > this.#most) this.retire(member);
    }
  }

  /** A thread that may come is one that others leave jobs to: when it is looked for it is started. */
  #markAbsent(id: number): void {
    const base = workerBase(id);
    store(this.words, base + WORKER.PENDING, 0);
    store(this.words, base + WORKER.FREE, Number(this.isElastic && id <= this.#most));
  }

  /** One that was to leave if it had nothing to do has something. */
  #stays(member: Member): void {
    // It was told since then that it has to.
    if (!member.mayStay || this.#closing) return;
    member.mayStay = false;
    member.state = 'ready';
    this.#wanted[member.id] = true;
    this.#apply();
    this.#events.onStays();
  }

  /** Ends a thread that does not give up by itself. */
  terminate(id: number): void {
    const member = this.#members[id];
    if (member === undefined) return;
    member.killed = true;
    void member.platform.terminate();
  }

  /** Posts a message; the worker takes it in at its next look. @throws when it cannot be cloned */
  post(member: Member, message: ToWorker, transfer?: readonly unknown[]): void {
    member.platform.post(message, transfer);
    add(this.words, workerBase(member.id) + WORKER.MAIL, 1);
    sleep.publish(this.words);
    this.wakeOne(member.id);
  }

  /** Wakes one worker if it sleeps. */
  wakeOne(id: number): boolean {
    return wakeWorker(this.words, id);
  }

  /** The worker takes no more work, and is replaced when it has ended what it has. */
  retire(member: Member): void {
    if ((member.state === 'leaving' && !member.mayStay) || member.state === 'dead') return;
    member.state = 'leaving';
    member.mayStay = false;
    this.post(member, { t: 'leave', ifIdle: false });
  }

  /** Makes the worker turn its loop soon, unless a function keeps the thread. */
  nudge(id: number): void {
    sleep.publish(this.words);
    this.wakeOne(id);
  }

  /** Turns of the worker's loop so far, modulo 2^32. */
  turnOf(id: number): number {
    return load(this.words, workerBase(id) + WORKER.TURN);
  }

  /** Is the worker asleep right now? */
  isAsleep(id: number): boolean {
    return load(this.words, workerBase(id) + WORKER.SLEEP) === 1;
  }

  /** Has the worker nothing to do right now? */
  isFree(id: number): boolean {
    return sent.isFree(this.words, workerBase(id));
  }

  /** Share of the time since the thread was started that it had something to do, 0..1. */
  busyShare({ id, since }: Member): number {
    const base = workerBase(id);
    const now = performance.now();
    const isFree = load(this.words, base + WORKER.FREE) !== 0;
    const from = this.words[base + WORKER.BUSY_FROM]!;
    const current =
      isFree || from === 0 ? 0 : (Math.floor(performance.timeOrigin + now) | 0) - from;
    const busyMs = (this.words[base + WORKER.BUSY_MS]! >>> 0) + Math.max(0, current | 0);
    return Math.min(1, busyMs / Math.max(1, now - since));
  }

  /** Takes waiting messages without the event loop, for an owner that blocks. */
  receiveAll(): void {
    for (const member of this.#members) {
      if (member === undefined) continue;
      for (;;) {
        const message = member.platform.receive();
        if (message === undefined) break;
        this.#deliver(member, message as FromWorker);
      }
    }
  }

  /**
   * Where no threads are wanted: one imports a suspect and ends, a few times, until its module is cleared or given up.
   * Resolves also when that could not be found out: an import takes longer than `ms`, or no thread can be made.
   */
  prove(href: string, name: string, ms: number): Promise<void> {
    let proof = this.#proofs.get(href);
    if (proof === undefined) {
      proof = this.#prove(href, name, ms).finally(() => this.#proofs.delete(href));
      this.#proofs.set(href, proof);
    }
    return proof;
  }

  async #prove(href: string, name: string, ms: number): Promise<void> {
    if (this.capacity === 0) return;
    // Those that were asked to leave may still have something to end.
    for (const until = performance.now() + ms; !this.#members.includes(undefined, 1);) {
      if (performance.now() >= until) return;
      await Promise.race([...this.living().map((m) => this.#endOf(m)), later(WAIT_MS)]);
    }
    const deaths = this.modules.deathsOf(href);
    const id = this.#members.indexOf(undefined, 1);
    if (this.#closing || this.startError !== undefined) return;
    this.#start(id, true);
    const member = this.#members[id];
    if (member === undefined) return;
    const aloneMs = this.modules.aloneMs(href);
    this.post(member, { t: 'load', id: 0, href, name, aloneMs });
    // It is told to leave when it has imported the module; here, should that never be.
    const timer = setTimeout(() => {
      if (member.state !== 'dead') this.post(member, { t: 'leave', ifIdle: false });
    }, ms);
    if (this.#refs === 0) unref(timer);
    await this.#endOf(member);
    clearTimeout(timer);
    // Neither an import that has ended nor a death that is its own: then nothing is known.
    const isWorse = this.modules.deathsOf(href) > deaths;
    if (isWorse && this.modules.error(href) === undefined) await this.#prove(href, name, ms);
  }

  /** Keeps the process alive until the matching `unref`. */
  ref(): void {
    this.#refs += 1;
    if (this.#refs !== 1) return;
    for (const m of this.#members) m?.platform.ref();
    for (const timer of this.#respawns.values()) ref(timer);
    this.#holdProcess();
    this.#events.onHeld();
  }

  unref(): void {
    this.#refs -= 1;
    this.#holdProcess();
    this.#letProcessEnd();
    if (this.#refs === 0) this.#events.onHeld();
  }

  /**
   * Where there is no thread, a timer keeps the process alive: what ends a job may be one that does not, such as that of
   * `AbortSignal.timeout`.
   */
  #holdProcess(): void {
    const hasThreads = this.#members.some((member) => member !== undefined);
    if (this.#refs === 0 || this.#closing || hasThreads) {
      clearInterval(this.#hold);
      this.#hold = undefined;
    } else this.#hold ??= setInterval(() => undefined, HOLD_MS);
  }

  /** The process may end when nothing is under way, and what functions have printed is here. */
  #letProcessEnd(): void {
    // A pool that closes holds the process until its threads have ended.
    if (this.#refs > 0 || this.#closing || this.#outputTimer !== undefined) return;
    if (this.living().some(({ id }) => this.#prints(id))) {
      this.#outputTimer = setTimeout(() => {
        this.#outputTimer = undefined;
        this.#letProcessEnd();
      }, OUTPUT_MS);
      return;
    }
    for (const m of this.#members) m?.platform.unref();
    for (const timer of this.#respawns.values()) unref(timer);
  }

  #prints(id: number): boolean {
    return load(this.words, workerBase(id) + WORKER.OUTPUT) !== 0;
  }

  /**
   * Stops all threads; those that a function keeps beyond `graceMs`, at least a second, are terminated. One that waits for
   * what it printed to be taken, or for its imports to end, is let alone for as long as that goes on.
   */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#recycling.stop();
    this.#holdProcess();
    for (const timer of this.#respawns.values()) clearTimeout(timer);
    this.#respawns.clear();
    store(this.words, HEAD.STOP, 1);
    sleep.publish(this.words);
    const left: Promise<void>[] = [];
    for (const member of this.#members) {
      if (member === undefined) continue;
      this.wakeOne(member.id);
      member.platform.ref();
      left.push(this.#endOf(member));
    }
    if (left.length === 0) return;
    const all = Promise.all(left);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs - STILL_MS);
    });
    await Promise.race([all, late]);
    clearTimeout(timer);
    const ending = new EndingThreads(this.words);
    for (;;) {
      const late = this.living();
      const waits = late.filter(
        (member) => ending.goesOn(member.id) || this.#setup?.isTearingDown(member) === true,
      );
      for (const member of late) if (!waits.includes(member)) void member.platform.terminate();
      if (waits.length === 0) break;
      await Promise.race([all, later(ENDING_LOOK_MS)]);
    }
    await all;
  }

  readonly #endWaiters = new Map<Member, (() => void)[]>();
  /** Suspects that are being proved. */
  readonly #proofs = new Map<string, Promise<void>>();

  /** Resolves when the thread has ended. */
  #endOf(member: Member): Promise<void> {
    return new Promise((resolve) => {
      this.#endWaiters.set(member, [...(this.#endWaiters.get(member) ?? []), resolve]);
    });
  }

  #start(id: number, isProof = false): void {
    if (this.#setup?.error !== undefined && !isProof) return;
    const base = workerBase(id);
    store(this.words, base + WORKER.SLEEP, 0);
    store(this.words, base + WORKER.MAIL, 0);
    store(this.words, base + WORKER.OUTPUT, 0);
    store(this.words, base + WORKER.PENDING, 0);
    store(this.words, base + WORKER.FREE, 0);
    store(this.words, base + WORKER.BUSY_MS, 0);
    store(this.words, base + WORKER.BUSY_FROM, 0);
    const box: { member: Member | undefined } = { member: undefined };
    const thread = this.#startPlatform(id, isProof, box);
    if (thread === undefined) return;
    this.#hasStarted = true;
    const member: Member = {
      id,
      platform: thread,
      jobs: new Set(),
      importing: new Map(),
      used: false,
      knowsRings: false,
      tid: 0,
      isProof,
      killed: false,
      failed: false,
      mayStay: false,
      since: performance.now(),
      state: isProof ? 'leaving' : 'starting',
    };
    box.member = member;
    this.#members[id] = member;
    if (this.#refs > 0) thread.ref();
    this.#holdProcess();
    this.#events.onStart(member);
  }

  /** Undefined = there are no threads here; the reason is `startError`. @throws ERR_PADATA_ARGUMENT */
  #startPlatform(
    id: number,
    isProof: boolean,
    box: { member: Member | undefined },
  ): PlatformWorker | undefined {
    try {
      return this.#startWorker(id, isProof, box);
    } catch (error) {
      const { code } = toErrorRecord(error);
      // A mistake of the caller's, if it shows at once: later there is nobody to throw it to.
      if (error instanceof PadataError && !this.#hasStarted) throw error;
      if (code !== undefined && MISTAKES.test(code)) {
        throw new PadataError(
          'ERR_PADATA_ARGUMENT',
          `threads do not start with these options: ${messageOf(error)}`,
          { code },
          { cause: error },
        );
      }
      this.#cannotStart(error);
      this.#idleDeaths += 1;
      if (this.startError === undefined) this.#respawnLater(id);
      return undefined;
    }
  }

  #cannotStart(error: unknown): void {
    this.#startFailures = MAX_START_FAILURES;
    this.#lastStartError = error;
    // Those that are there go on; without any, the calling thread does all.
    if (this.#members.some((member) => member !== undefined)) return;
    this.startError = error;
    this.#events.onNoThreads();
  }

  #startWorker(id: number, isProof: boolean, box: { member: Member | undefined }): PlatformWorker {
    return this.#platform.startWorker(
      {
        id,
        capacity: this.capacity,
        words: this.words,
        numbers: this.numbers,
        idle: this.#options.idle,
        // It runs no jobs, so it needs nothing of theirs.
        setup: isProof ? undefined : this.#setup?.plan,
        wear: this.#options.wear,
      },
      {
        ...this.#options,
        name: `${this.#options.name}-${id}`,
        onMessage: (message) => {
          if (box.member !== undefined) this.#deliver(box.member, message as FromWorker);
        },
        onEnd: (end) => {
          if (box.member !== undefined) this.#ended(box.member, end);
        },
      },
    );
  }

  #deliver(member: Member, message: FromWorker): void {
    if (message.t === 'hello') {
      member.platform.identify(message.tid);
      member.tid = message.tid;
      this.#startFailures = 0;
      const setsUp = !member.isProof && this.#setup !== undefined;
      if (member.state === 'starting') member.state = setsUp ? 'settingUp' : 'ready';
      if (setsUp) this.#setup.begins(member);
      else this.#isReady(member);
      return;
    }
    if (message.t === 'worn') {
      this.#recycling.worn(member);
      return;
    }
    if (message.t === 'setUp' || message.t === 'tearDown') {
      this.#setup?.onMessage(member, message);
      return;
    }
    if (message.t === 'importing') {
      member.importing.set(message.href, message.alone);
      return;
    }
    if (message.t === 'imported') {
      member.importing.delete(message.href);
      member.used = true;
      this.modules.imported(message.href);
      if (member.isProof) this.post(member, { t: 'leave', ifIdle: false });
      return;
    }
    if (message.t === 'stays') {
      this.#stays(member);
      return;
    }
    this.#events.onMessage(member, message);
  }

  #isReady(member: Member): void {
    this.#recycling.ready(member.id);
    this.#events.onReady(member);
  }

  #ended(member: Member, end: WorkerEnd): void {
    this.#recycling.ended(member);
    if (member.state === 'settingUp' && !this.#closing) {
      this.#setupFailed(member, this.#setup!.died(member.id, end));
    }
    this.#setup?.forget(member);
    const wasStarting = member.state === 'starting';
    const wasLeaving = member.state === 'leaving' && !member.failed;
    member.state = 'dead';
    this.#members[member.id] = undefined;
    this.#holdProcess();
    // Whoever dies awake leaves the place of the one that spins to others.
    Atomics.compareExchange(this.words, HEAD.SPINNER, member.id, 0);
    sent.busy(this.words, workerBase(member.id));
    const expected =
      (wasLeaving && !(member.isProof && member.importing.size > 0)) || this.#closing;
    if (wasStarting && !this.#closing) {
      this.#startFailures += 1;
      // A coded error says what is wrong with all of them.
      if (this.#startFailures >= MAX_START_FAILURES || end.error instanceof PadataError) {
        this.#cannotStart(end.error ?? new Error(`worker ended with exit code ${end.exitCode}`));
      }
    }
    if (!expected && !member.killed && member.importing.size > 0) {
      const { importing, used, id: worker } = member;
      const error = this.modules.ended({ importing, used, worker, end });
      if (error !== undefined) this.#events.onGivenUp(error);
    }
    const hadWork = this.#events.onEnd(member, end, expected);
    for (const resolve of this.#endWaiters.get(member) ?? []) resolve();
    this.#endWaiters.delete(member);
    if (this.#closing || this.startError !== undefined) return;
    const isWanted = this.#wanted[member.id]!;
    if (!isWanted && !wasLeaving) return;
    const lived = !member.failed && performance.now() - member.since > LIVED_MS;
    const isHarmless = expected || hadWork || lived || (member.killed && !member.failed);
    this.#idleDeaths = isHarmless ? 0 : this.#idleDeaths + 1;
    if (this.#idleDeaths < 2 || !isWanted) this.#apply();
    else this.#respawnLater(member.id);
  }

  #watchSetups(options: SetupOptions): SetupWatch {
    return new SetupWatch(options, {
      terminate: (worker) => {
        this.terminate(worker);
      },
      onDone: (worker) => {
        const member = this.#members[worker]!;
        if (member.state === 'settingUp') member.state = 'ready';
        if (this.#missing.delete(worker)) this.#events.onMissing();
        this.#isReady(member);
      },
      onFailed: (worker, error) => {
        this.#setupFailed(this.#members[worker]!, error);
      },
      onTeardownFailed: (error) => {
        this.#events.onTrouble(error);
      },
    });
  }

  /** Its end, which comes by itself, is no wish of the owner's. */
  #setupFailed(member: Member, error: PadataError): void {
    // One that was to leave anyway is missed by nobody.
    member.failed = member.state !== 'leaving';
    member.state = 'leaving';
    this.#events.onTrouble(error);
    if (this.#closing || !member.failed) return;
    this.#missing.add(member.id);
    this.#events.onMissing();
    if (!this.#setup!.failed(error, this.#target, this.readyCount > 0)) return;
    this.#missing.clear();
    for (const other of this.members()) this.retire(other);
    this.#events.onSetupGivenUp(error);
  }

  #respawnLater(id: number): void {
    const ms = Math.min(MAX_RESPAWN_MS, RESPAWN_MS * 2 ** Math.max(0, this.#idleDeaths - 2));
    const timer = setTimeout(() => {
      this.#respawns.delete(id);
      this.#apply();
    }, ms);
    if (this.#refs === 0) unref(timer);
    this.#respawns.set(id, timer);
  }
}

type Timer = ReturnType<typeof setTimeout>;
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Browsers' timers are numbers. */
const ref = (timer: Timer): void => (timer as { ref?: () => void }).ref?.();
const unref = (timer: Timer): void => (timer as { unref?: () => void }).unref?.();
