/**
 * The loop of a worker thread: take messages in, work, and when there is nothing, rest.
 *
 * ```
 *   look -> messages -> slots, lanes -> did something? -> again
 *                                    \-> spin (adapts) -> sleep: blocking, or in the event loop while
 *                                                         promises are pending or idle is 'loop'
 * ```
 */
import { prepareTypeScript } from '#typescript';
import { countWorks } from '../base/current-worker.js';
import { toErrorRecord } from '../base/error-record.js';
import type { AnyFunction } from '../base/function-ref.js';
import { performance } from '../base/host-time.js';
import { TurnClock } from '../base/turn-clock.js';
import { HEAD, WORKER, workerBase } from '../protocol/control-layout.js';
import { sleep } from '../protocol/machine.js';
import type { FromWorker, ToWorker } from '../protocol/messages.js';
import { Readings, fromWorkerAhead, inputsOf } from '../values/unread.js';
import type { Arrived } from '../values/unread.js';
import type { WorkerInit } from '../threads/platform.js';
import { ThreadSetup } from '../threads/thread-setup.js';
import { later } from '../threads/timers.js';
import { FirstAndLast } from './first-and-last.js';
import { ModuleImports } from './module-imports.js';
import type { NamedFunction } from './module-imports.js';
import { Presence } from './presence.js';
import { Rest } from './rest.js';
import type { RestingLoop } from './rest.js';
import { UnderWay } from './under-way.js';
import { Wear } from './wear.js';
import type { ThreadOutput, WorkerHost } from './worker-host.js';
import { withFunction } from './worker-loop.js';
import type { WorkerLoop } from './worker-loop.js';
import { RangeParticipant } from './worker-range.js';
import { WorkerRings } from './worker-rings.js';

const { load } = Atomics;
/** A thread keeps so many bytes of what was printed between jobs, at most; it takes no job before they have left. */
const MAX_OUTPUT = 1 << 18;
/** A busy worker with promises pending lets events in this often, in milliseconds. */
const EVENT_SLICE_MS = 5;
/** Turns of the event loop in which ticks, rejections and immediates that there are come about, and the worker's own loop goes round. */
const ROUND_TURNS = 2;

/** One worker thread's life. */
export class WorkerCore implements WorkerLoop, RestingLoop {
  readonly init: WorkerInit;
  readonly clock = new TurnClock();
  readonly #host: WorkerHost;
  readonly #words: Int32Array;
  readonly #base: number;
  readonly #ranges: RangeParticipant;
  readonly #rings: WorkerRings;
  readonly #imports: ModuleImports;
  readonly #presence: Presence;
  readonly #rest: Rest;
  readonly #underWay: UnderWay;
  readonly #edges: FirstAndLast;
  readonly #output: ThreadOutput | undefined;
  readonly #wear: Wear | undefined;
  readonly setup: ThreadSetup | undefined;
  /** Messages so far. */
  #received = 0;
  readonly #readings = new Readings<ToWorker>();
  /** It takes no more work. */
  isLeaving = false;

  constructor(init: WorkerInit, host: WorkerHost) {
    this.#host = host;
    this.init = init;
    this.#words = init.words;
    this.#base = workerBase(init.id);
    this.#output = host.output;
    this.#imports = new ModuleImports(
      (message) => {
        this.post(message);
      },
      () => this.#goRound(),
    );
    this.#rings = new WorkerRings(this);
    this.#ranges = new RangeParticipant(this);
    this.#presence = new Presence(init.words, init.id);
    this.#rest = new Rest(init, host, this.#rings, this);
    this.#underWay = new UnderWay(init.words, init.id, () => {
      this.#rest.kick();
    });
    this.#edges = new FirstAndLast({
      output: host.output,
      underWay: this.#underWay,
      isStopped: () => load(this.#words, HEAD.STOP) !== 0,
      turn: () => {
        this.#turn();
      },
      goRound: () => this.#goRound(),
      post: (message) => {
        this.post(message);
      },
    });
    this.#wear = this.#watchWear();
    if (init.setup !== undefined) {
      this.setup = new ThreadSetup(init.setup, init.id, prepareTypeScript);
    }
    if (this.#output !== undefined) {
      this.#output.onTaken = () => {
        this.#rest.kick();
      };
    }
  }

  /** A message arrived through the event loop. */
  deliver(message: unknown): void {
    this.#take(message as Arrived<ToWorker>);
    this.#rest.kick();
  }

  /** Runs until the pool stops the thread. */
  async run(): Promise<void> {
    const words = this.#words;
    this.post({ t: 'hello', tid: this.#host.tid });
    if (this.setup !== undefined) {
      this.#edges.setUp(this.setup, () => {
        this.isLeaving = true;
      });
    }
    let lastEvents = performance.now();
    // The epoch when it last looked around for a reason to go to sleep; undefined = it has worked since.
    let seen: number | undefined;
    while (this.#mayGoOn()) {
      this.#turn();
      this.#wear?.look(performance.now());
      // Free while it takes an input in or looks around: busy, it would look as if a job kept the others from it.
      this.takeMail();
      // Imports are no reason to stay for longer than a moment: a top-level await may never end.
      if (this.isLeaving && !this.#hasToStay()) {
        await this.#edges.untilImported();
        // What had come before its module may have begun meanwhile.
        if (!this.#hasToStay()) break;
      }
      const did = !this.isLeaving && this.#work();
      if (did) {
        seen = undefined;
        this.#rest.hasWorked();
        if (this.#rings.wantsFree) this.#pauseInTurn();
        if (
          this.#needsEvents &&
          (this.#isTalkative || performance.now() - lastEvents > EVENT_SLICE_MS)
        ) {
          await this.#host.yieldToEvents();
          while (this.#isTalkative && this.#mayGoOn()) await later(1);
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
      this.#rings.tell();
      this.#free();
      const before = seen;
      seen = undefined;
      // Jobs that wait are nothing to one that leaves: its promises need the event loop.
      if (!this.isLeaving && (this.#rest.spin(before) || this.#steal())) continue;
      const isIdle = !this.isLeaving && !this.#needsEvents;
      if (isIdle && this.init.idle === 'block' && this.#host.canBlock) {
        this.#rest.block(before);
      } else {
        await this.#rest.inEvents(before);
        lastEvents = performance.now();
      }
    }
    await this.#edges.settle();
    if (this.setup !== undefined) await this.#edges.tearDown(this.setup);
    this.#host.exit();
  }

  /** The pool has not stopped it. Plain: it looks again and again. */
  #mayGoOn(): boolean {
    return this.#words[HEAD.STOP] === 0;
  }

  /** Lets what was left for right after come about, and this loop go round: it looks for work, and begins its next sleep. */
  async #goRound(): Promise<void> {
    for (let turns = 0; turns < ROUND_TURNS; turns += 1) {
      this.#rest.kick();
      await this.#host.yieldToEvents();
    }
  }

  /** Promises are pending, or jobs wait that its functions have left to others, maybe to timers of this thread. */
  #hasToStay(): boolean {
    return this.#underWay.hasMore() || this.#rings.hasHandedOver;
  }

  /** Something goes on in the event loop: it must not stand still. */
  get #needsEvents(): boolean {
    return this.hasPromises || this.#output?.isPending === true;
  }

  get hasPromises(): boolean {
    return this.#underWay.count > 0;
  }

  /** It prints faster than the owner takes it: it waits, so that its memory is bounded. */
  get #isTalkative(): boolean {
    return this.#output?.isPending === true && this.#output.bytes > MAX_OUTPUT;
  }

  get settingUp(): Promise<void> | undefined {
    return this.#edges.settingUp;
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

  /** From here on it has nothing to do: inputs that wait with the owner may come. */
  #free(): void {
    if (this.isLeaving || this.settingUp !== undefined) return;
    this.#presence.free();
    // Pairs with the owner: it says that inputs wait, then looks who is free.
    this.#rings.askForHeld();
  }

  /** It goes from job to job, while an input waits for a thread that has nothing to do: for a moment it has nothing. */
  #pauseInTurn(): void {
    if (this.#presence.isPauseDue) this.pause();
  }

  pause(): boolean {
    if (this.isLeaving || !this.#host.canBlock) return false;
    // Its owner does not listen: what waits for it does so a little longer.
    if (!this.#presence.mayPause) return false;
    this.#free();
    return this.#presence.pause(this.#received);
  }

  beginsWork(now: number): void {
    this.#presence.begins(now);
  }

  wasBusy(ms: number): void {
    this.#presence.wasBusy(ms);
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

  post(message: FromWorker, transfer?: readonly unknown[]): void {
    const ahead = fromWorkerAhead(message, this.init.id);
    if (ahead !== undefined) this.#host.post(ahead);
    this.#host.post(message, transfer);
  }

  get hasJobs(): boolean {
    return this.#rings.canWork;
  }

  busyMs(): number | undefined {
    return this.#host.busyMs();
  }

  beginAsync(): void {
    this.#underWay.beginJob();
  }

  endAsync(): void {
    this.#underWay.endJob();
  }

  isSettling(href: string): boolean {
    return this.#imports.isSettling(href);
  }

  importModule(named: NamedFunction): Promise<AnyFunction> {
    return this.#underWay.during(() => this.#imports.load(named));
  }

  takeMail(): void {
    // Plain: read after the epoch before the thread sleeps.
    if (this.#words[this.#base + WORKER.MAIL] === this.#received) return;
    for (;;) {
      const message = this.#host.receive();
      if (message === undefined) return;
      this.#take(message as Arrived<ToWorker>);
    }
  }

  #take(arrived: Arrived<ToWorker>): void {
    const message = this.#readings.of(arrived);
    if (message === undefined) return;
    this.#received = (this.#received + 1) | 0;
    this.#handle(message);
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
        this.#rings.takeInputs(message.ring, inputsOf(message), message.ask);
        break;
      case 'abandon':
        this.#rings.abandon(message.ring, message.seq);
        break;
      case 'leave':
        if (message.ifIdle && this.#hasToStay()) {
          this.post({ t: 'stays' });
          break;
        }
        this.isLeaving = true;
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
}
