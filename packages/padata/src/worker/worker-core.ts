/**
 * The loop of a worker thread: take messages in, work, and when there is nothing, spin for a moment and
 * sleep on the thread's own word.
 *
 * ```
 *   look -> messages -> slots, lanes -> did something? -> again
 *                                    \-> spin (adapts) -> sleep: blocking, or in the event loop while
 *                                                         promises are pending or idle is 'loop'
 * ```
 * Spinning adapts: a hit doubles the time that the worker is willing to spin, a miss halves it down to
 * nothing, and at most one worker in two spins. Blocking stops the thread's event loop, so the loop never
 * blocks while asynchronous work is under way, or while something printed has not left the thread.
 */
import { prepareTypeScript } from '#typescript';
import { countWorks } from '../base/current-worker.js';
import { toErrorRecord } from '../base/error-record.js';
import type { AnyFunction } from '../base/function-ref.js';
import { TurnClock } from '../base/turn-clock.js';
import type { WorkerInit } from '../crew/platform.js';
import { ThreadSetup } from '../crew/thread-setup.js';
import { HEAD, WORKER, workerBase } from '../protocol/control-layout.js';
import { sent, sleep } from '../protocol/machine.js';
import type { FromWorker, ToWorker } from '../protocol/messages.js';
import { Wear } from './wear.js';
import { ModuleImports } from './module-imports.js';
import type { NamedFunction } from './module-imports.js';
import { withFunction } from './worker-loop.js';
import type { WorkerLoop } from './worker-loop.js';
import { RangeParticipant } from './worker-range.js';
import { WorkerRings } from './worker-rings.js';

/** What a thread has printed and its owner's thread has not taken. */
export interface ThreadOutput {
  readonly isPending: boolean;
  /** Bytes of it. */
  readonly bytes: number;
  /** Called in the event loop when nothing is pending any more. */
  onTaken: (() => void) | undefined;
}

/** What a backend gives to the loop. */
interface WorkerHost {
  post(message: unknown, transfer?: readonly unknown[]): void;
  /** Takes one message without the event loop; undefined = none, or not possible. */
  receive(): unknown;
  yieldToEvents(): Promise<void>;
  /** Ends the thread. */
  exit(): void;
  /** Name of the thread for the operating system, 0 = unknown. */
  readonly tid: number;
  readonly canBlock: boolean;
  /** Milliseconds that the thread's event loop was busy so far; undefined = not known. */
  busyMs(): number | undefined;
  /** Bytes in use on the thread's heap; undefined = not known. */
  heapBytes(): number | undefined;
  /** What functions print; undefined = it leaves the thread by itself. */
  readonly output: ThreadOutput | undefined;
}

const { load, store, compareExchange, wait } = Atomics;
const ORIGIN = performance.timeOrigin;
/** Longest time a worker spins before it sleeps, in milliseconds, when it adapts. */
const SPIN_MAX_MS = 0.05;
const SPIN_MIN_MS = 0.002;
/** First and longest sleep of an idle worker while jobs are under way, in milliseconds. */
const BUSY_SLICE_MS = 1;
const MAX_BUSY_SLICE_MS = 64;
/** A thread that was busy for so long has nothing to do for a moment, if an input waits for that, in milliseconds. */
const BUSY_MS = 10;
const PAUSE_MS = 1;
/** A worker that gave up spinning tries it again once in so many times. */
const SPIN_RETRY = 64;
/** A blocked worker re-reads its word at least this often, in milliseconds. */
const WAIT_SLICE_MS = 1000;
/**
 * A thread that is to end waits for its imports so long, in milliseconds, and for so many turns of its event loop: a
 * top-level await may never end, and on a busy machine a second may be a few turns.
 */
const LOAD_MS = 1000;
const LOAD_TURNS = 250;
/** A thread keeps so many bytes of what was printed between jobs, at most; it takes no job before they have left. */
const MAX_OUTPUT = 1 << 18;
/** A busy worker with promises pending lets events in this often, in milliseconds. */
const EVENT_SLICE_MS = 5;

/** Lets the event loop run for a millisecond. */
const moment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** One worker thread's life. */
export class WorkerCore implements WorkerLoop {
  readonly init: WorkerInit;
  readonly clock = new TurnClock();
  readonly #host: WorkerHost;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #ranges: RangeParticipant;
  readonly #rings: WorkerRings;
  readonly #imports: ModuleImports;
  #received = 0;
  #leaving = false;
  #pendingAsync = 0;
  /** Imports under way. */
  #loads = 0;
  readonly #id: number;
  #spinMs = SPIN_MIN_MS;
  #idleMs = BUSY_SLICE_MS;
  #misses = 0;
  /** It has said that it has nothing to do. */
  #isFree = false;
  #freeAt = 0;
  /** When it last had nothing to do for an input that did not come. */
  #inVainAt = -BUSY_MS;
  /** When it began what it does now; what it did before took so long, in milliseconds. */
  #busyAt: number | undefined;
  #busyMs = 0;
  #kick: (() => void) | undefined;
  readonly #output: ThreadOutput | undefined;
  readonly setup: ThreadSetup | undefined;
  readonly #wear: Wear | undefined;
  /** Ends when the thread is set up: no function is there before. Undefined = it is. */
  settingUp: Promise<void> | undefined;
  /** It is, or it could not be. */
  #isSetUpOver = false;

  constructor(init: WorkerInit, host: WorkerHost) {
    this.#host = host;
    this.init = init;
    this.#words = init.words;
    this.#id = init.id;
    this.#base = workerBase(init.id);
    this.#imports = new ModuleImports((message) => {
      this.post(message);
    });
    this.#rings = new WorkerRings(this);
    this.#ranges = new RangeParticipant(this);
    this.#output = host.output;
    this.#wear = this.#watchWear();
    if (init.setup !== undefined) {
      this.setup = new ThreadSetup(init.setup, init.id, prepareTypeScript);
    }
    if (this.#output !== undefined) this.#output.onTaken = () => this.#kick?.();
  }

  /** The pool has not stopped it. Plain: it looks again and again. */
  #mayGoOn(): boolean {
    return this.#words[HEAD.STOP] === 0;
  }

  /** Something goes on in the event loop: it must not stand still. */
  get #needsEvents(): boolean {
    return this.#pendingAsync > 0 || this.#output?.isPending === true;
  }

  /** A message arrived through the event loop. */
  deliver(message: unknown): void {
    this.#received = (this.#received + 1) | 0;
    this.#handle(message as ToWorker);
    this.#kick?.();
  }

  /** Runs until the pool stops the thread. */
  async run(): Promise<void> {
    const words = this.#words;
    this.post({ t: 'hello', tid: this.#host.tid });
    if (this.setup !== undefined) this.#setUp(this.setup);
    let lastEvents = performance.now();
    // The epoch when it last looked around for a reason to go to sleep; undefined = it has worked since.
    let seen: number | undefined;
    while (this.#mayGoOn()) {
      this.#turn();
      this.#wear?.look(performance.now());
      // Free while it takes an input in or looks around: busy, it would look as if a job kept the others from it.
      this.takeMail();
      // Imports are no reason to stay for longer than a moment: a top-level await may never end.
      if (this.#leaving && this.#pendingAsync === this.#loads) {
        await this.#untilImported();
        // What had come before its module may have begun meanwhile.
        if (this.#pendingAsync === this.#loads) break;
      }
      const did = !this.#leaving && this.#work();
      if (did) {
        seen = undefined;
        this.#idleMs = BUSY_SLICE_MS;
        if (this.#rings.wantsFree) this.#pauseInTurn();
        if (
          this.#needsEvents &&
          (this.#isTalkative || performance.now() - lastEvents > EVENT_SLICE_MS)
        ) {
          await this.#host.yieldToEvents();
          while (this.#isTalkative && this.#mayGoOn()) await moment();
          lastEvents = performance.now();
          this.clock.passed();
        }
        continue;
      }
      this.clock.passed();
      if (seen === undefined) {
        // What has come before this epoch the next turn sees; what comes later changes it.
        seen = sleep.look(words);
        continue;
      }
      this.#free();
      const before = seen;
      seen = undefined;
      if (this.#spin(before)) continue;
      if (!this.#leaving && this.#steal()) continue;
      if (!this.#needsEvents && this.init.idle === 'block' && this.#host.canBlock) {
        this.#block(before);
      } else {
        await this.#waitInEvents(before);
        lastEvents = performance.now();
      }
    }
    await this.#settle();
    if (this.setup !== undefined) await this.#tearDown(this.setup);
    this.#host.exit();
  }

  #watchWear(): Wear | undefined {
    const { wear } = this.init;
    if (wear === undefined) return undefined;
    const rings = this.#rings;
    return new Wear(wear, {
      get jobsRun() {
        return rings.jobsRun;
      },
      heapBytes: () => this.#host.heapBytes(),
      tell: () => {
        this.post({ t: 'worn' });
      },
    });
  }

  /** Functions wait for it. It takes as long as its owner lets it, also when the thread is to leave meanwhile. */
  #setUp(setup: ThreadSetup): void {
    this.#pendingAsync += 1;
    const over = (error?: unknown): void => {
      this.#pendingAsync -= 1;
      this.#isSetUpOver = true;
      if (error !== undefined) this.#leaving = true;
      else this.settingUp = undefined;
      this.#kick?.();
    };
    this.settingUp = new Promise((resolve) => {
      setup.run().then(
        () => {
          this.post({ t: 'setUp' });
          over();
          resolve();
        },
        (error: unknown) => {
          this.post({ t: 'setUp', error: toErrorRecord(error) });
          over({ error });
        },
      );
    });
  }

  /** Nothing of the program's runs any more, or it was asked to end and does not. */
  async #tearDown(setup: ThreadSetup): Promise<void> {
    while (!this.#isSetUpOver) await this.#breathe();
    if (!setup.isDone) return;
    await this.#moments(() => this.#pendingAsync > this.#loads);
    this.post({ t: 'tearDown' });
    let isOver = false;
    setup.tearDown().then(
      () => (isOver = true),
      (error: unknown) => {
        this.post({ t: 'tearDown', error: toErrorRecord(error) });
        isOver = true;
      },
    );
    const isOverNow = (): boolean => isOver;
    while (!isOverNow()) await this.#breathe();
    await this.#settle();
  }

  /** From here on it has nothing to do: inputs that wait with the owner may come. */
  #free(): void {
    if (this.#leaving || this.settingUp !== undefined) return;
    if (!this.#isFree) {
      this.#isFree = true;
      this.#freeAt = performance.now();
      if (this.#busyAt !== undefined) this.#wasBusy(this.#freeAt - this.#busyAt);
      sent.free(this.#words, this.#base);
    }
    // Pairs with the owner: it says that inputs wait, then looks who is free.
    this.#rings.askForHeld();
  }

  /** It goes from job to job, while an input waits for a thread that has nothing to do: for a moment it has nothing. */
  #pauseInTurn(): void {
    if (performance.now() - this.#freeAt >= BUSY_MS) this.pause();
  }

  pause(): boolean {
    const words = this.#words;
    const at = this.#base + WORKER.SLEEP;
    const mail = this.#base + WORKER.MAIL;
    if (this.#leaving || !this.#host.canBlock) return false;
    // Its owner does not listen: what waits for it does so a little longer.
    if (performance.now() - this.#inVainAt < BUSY_MS) return false;
    this.#free();
    store(words, at, 1);
    // Pairs with the owner: it counts the message, then looks who sleeps.
    if (load(words, mail) === this.#received) wait(words, at, 1, PAUSE_MS);
    sleep.awake(words, this.#base);
    const hasCome = load(words, mail) !== this.#received;
    if (!hasCome) this.#inVainAt = performance.now();
    return hasCome;
  }

  beginsWork(now: number): void {
    if (!this.#isFree) return;
    this.#isFree = false;
    this.#busyAt = now;
    // Plain, as BUSY_MS: figures of the moment.
    this.#words[this.#base + WORKER.BUSY_FROM] = Math.floor(ORIGIN + now) | 0;
    sent.busy(this.#words, this.#base);
  }

  #wasBusy(ms: number): void {
    this.#busyMs += ms;
    this.#words[this.#base + WORKER.BUSY_MS] = this.#busyMs | 0;
  }

  /** It prints faster than the owner takes it: it waits, so that its memory is bounded. */
  get #isTalkative(): boolean {
    return this.#output?.isPending === true && this.#output.bytes > MAX_OUTPUT;
  }

  /** A thread that ends in the middle of an import leaves the file open. */
  async #untilImported(): Promise<void> {
    await this.#moments(() => this.#loads > 0);
  }

  /** Waits, for as long as a thread that is to end does. */
  async #moments(isUnderWay: () => boolean): Promise<void> {
    const until = performance.now() + LOAD_MS;
    for (let turns = 0; isUnderWay(); turns += 1) {
      if (turns >= LOAD_TURNS && performance.now() >= until) return;
      await this.#breathe();
    }
  }

  /** A moment of its event loop. */
  async #breathe(): Promise<void> {
    this.#turn();
    await moment();
  }

  async #settle(): Promise<void> {
    if (load(this.#words, HEAD.STOP) !== 0) await this.#untilImported();
    // The owner ends a thread that takes too long, unless it goes on turning and what it printed goes on leaving.
    while (this.#output?.isPending === true) await this.#breathe();
  }

  /** Plain: the owner looks at it again and again. What keeps the thread, keeps this word. */
  #turn(): void {
    this.#words[this.#base + WORKER.TURN] = (this.#words[this.#base + WORKER.TURN]! + 1) | 0;
  }

  #work(): boolean {
    countWorks(1);
    const ranges = this.#ranges.scan();
    const did = this.#rings.scan() || ranges;
    countWorks(-1);
    return did;
  }

  #steal(): boolean {
    countWorks(1);
    const did = this.#rings.steal();
    countWorks(-1);
    return did;
  }

  /** While jobs are under way elsewhere, an idle worker looks around now and then: it may take some over. */
  #slice(): number {
    if (!this.#rings.isBusy) return WAIT_SLICE_MS;
    if (this.#rings.isPatient || this.#rings.seesKept) return BUSY_SLICE_MS;
    this.#idleMs = Math.min(MAX_BUSY_SLICE_MS, this.#idleMs * 2);
    return this.#idleMs;
  }

  post(message: FromWorker, transfer?: readonly unknown[]): void {
    this.#host.post(message, transfer);
  }

  get hasJobs(): boolean {
    return this.#rings.canWork;
  }

  busyMs(): number | undefined {
    return this.#host.busyMs();
  }

  beginAsync(): void {
    countWorks(1);
    this.#pendingAsync += 1;
    this.#words[this.#base + WORKER.PENDING] = this.#pendingAsync;
  }

  endAsync(): void {
    countWorks(-1);
    this.#pendingAsync -= 1;
    this.#words[this.#base + WORKER.PENDING] = this.#pendingAsync;
    this.#kick?.();
  }

  async importModule(named: NamedFunction): Promise<AnyFunction> {
    this.#loads += 1;
    this.#pendingAsync += 1;
    try {
      return await this.#imports.load(named);
    } finally {
      this.#loads -= 1;
      this.#pendingAsync -= 1;
      this.#kick?.();
    }
  }

  takeMail(): void {
    // Plain: read after the epoch before the thread sleeps.
    if (this.#words[this.#base + WORKER.MAIL] === this.#received) return;
    for (;;) {
      const message = this.#host.receive();
      if (message === undefined) return;
      this.#received = (this.#received + 1) | 0;
      this.#handle(message as ToWorker);
    }
  }

  #handle(message: ToWorker): void {
    countWorks(1);
    this.#dispatch(message);
    countWorks(-1);
    this.clock.passed();
  }

  #dispatch(message: ToWorker): void {
    switch (message.t) {
      case 'job':
        this.#ranges.define(message);
        break;
      case 'drop':
        this.#ranges.drop(message.job);
        break;
      case 'ring':
        this.#rings.define(message);
        break;
      case 'dropRing':
        this.#rings.drop(message.ring);
        break;
      case 'part':
        this.#rings.addPart(message);
        break;
      case 'inputs':
        this.#rings.takeInputs(message.ring, message.jobs, message.ask);
        break;
      case 'abandon':
        this.#rings.abandon(message.ring, message.seq);
        break;
      case 'leave':
        if (message.ifIdle && this.#pendingAsync > this.#loads) {
          this.post({ t: 'stays' });
          break;
        }
        this.#leaving = true;
        // Nobody is to leave jobs to a thread that takes no more.
        this.beginsWork(performance.now());
        break;
      case 'load':
        this.#load(message);
        break;
    }
  }

  #load(message: Extract<ToWorker, { t: 'load' }>): void {
    const { id } = message;
    withFunction(
      this,
      message,
      () => {
        this.post({ t: 'loaded', id });
      },
      (error) => {
        this.post({ t: 'loaded', id, error: toErrorRecord(error) });
      },
    );
  }

  /** Watches for a publication for a short while; true = there was one. */
  #spin(seen: number): boolean {
    const words = this.#words;
    const fixed = words[HEAD.SPIN_US]!;
    let limit = fixed >= 0 ? fixed / 1000 : this.#spinMs;
    if (limit === 0) {
      this.#misses += 1;
      if (fixed === 0 || this.#misses % SPIN_RETRY !== 0) return false;
      limit = SPIN_MAX_MS;
    }
    // One spinner is enough to take the next job at once.
    if (fixed < 0 && compareExchange(words, HEAD.SPINNER, 0, this.#id) !== 0) return false;
    const until = performance.now() + limit;
    let hit = false;
    do {
      for (let i = 0; i < 32 && !hit; i += 1) {
        hit = load(words, HEAD.EPOCH) !== seen || this.#rings.canWork;
      }
    } while (!hit && performance.now() < until);
    if (fixed < 0) store(words, HEAD.SPINNER, 0);
    this.#spinMs = hit
      ? Math.min(SPIN_MAX_MS, Math.max(SPIN_MIN_MS, this.#spinMs * 2))
      : this.#spinMs / 2 < SPIN_MIN_MS
        ? 0
        : this.#spinMs / 2;
    return hit;
  }

  /** The SLEEP word is set; neither an epoch nor a submission came since the last look. */
  #maySleep(seen: number): boolean {
    if (!sleep.maySleep(this.#words, this.#base, seen)) return false;
    // Pairs with the owner: it stores PUBLISHED, then loads SLEEP.
    if (this.#leaving || !this.#rings.canWork) return true;
    sleep.awake(this.#words, this.#base);
    return false;
  }

  #block(seen: number): void {
    const words = this.#words;
    if (!this.#maySleep(seen)) return;
    // Pairs with claimSleeper: the publisher writes 0 and notifies. A time limit lets a missed
    // notification cost a second instead of for ever.
    wait(words, this.#base + WORKER.SLEEP, 1, this.#slice());
    sleep.awake(words, this.#base);
  }

  async #waitInEvents(seen: number): Promise<void> {
    const words = this.#words;
    if (!this.#maySleep(seen)) {
      await this.#host.yieldToEvents();
      return;
    }
    const before = this.#pendingAsync > 0 ? this.#host.busyMs() : undefined;
    await new Promise<void>((resolve) => {
      this.#kick = resolve;
      const result = Atomics.waitAsync(words, this.#base + WORKER.SLEEP, 1, this.#slice());
      if (result.async) {
        void result.value.then(() => {
          resolve();
        });
      } else {
        resolve();
      }
    });
    // What promises that it waited for have computed meanwhile.
    if (before !== undefined) this.#wasBusy((this.#host.busyMs() ?? before) - before);
    this.#kick = undefined;
    sleep.awake(words, this.#base);
    await this.#host.yieldToEvents();
  }
}
