/**
 * The owner's side of the worker threads: start, greet, wake, replace after a crash, resize, stop.
 *
 * ```
 *   Crew ── Roster         who is there, and how each is reached
 *        ├─ WantedThreads  who is to be there
 *        ├─ FirstStarts    which of a new pool's threads wait for the first
 *        ├─ Replacements   when one that has ended is replaced
 *        ├─ Setups, Recycling, ModuleDeaths, ModuleProofs: set up, worn, killed by what they import
 *        ├─ ProcessHold    what keeps the process alive
 *        └─ ThreadEnds     who waits for an end
 * ```
 * A worker's id is its place in the control block and stays with its replacement; what was sent to a dead
 * thread (jobs, modules) is remembered by thread, so that the replacement is told again on demand.
 */
import type { PadataError } from '../base/errors.js';
import { performance } from '../base/host-time.js';
import { HEAD, workerBase } from '../protocol/control-layout.js';
import { sent, sleep } from '../protocol/machine.js';
import type { FromWorker } from '../protocol/messages.js';
import type { Arrived } from '../values/unread.js';
import type { Member } from '../threads/member.js';
import type { Platform, WorkerEnd } from '../threads/platform.js';
import type { SetupOptions } from '../threads/setup-watch.js';
import type { ThreadMaker } from '../threads/thread-maker.js';
import { hasPromises, markAbsent } from '../threads/thread-words.js';
import type { CrewEvents } from './crew-events.js';
import { FirstStarts } from './first-starts.js';
import { ModuleDeaths } from './modules/module-deaths.js';
import { ModuleProofs } from './modules/module-proofs.js';
import { ProcessHold } from './process-hold.js';
import { Recycling } from './recycling.js';
import { Replacements } from './replacements.js';
import { Roster } from './roster.js';
import { Setups } from './setup/setups.js';
import { ThreadEnds } from './thread-ends.js';
import { WantedThreads } from './wanted-threads.js';

/** A thread that lived so long died of something else, in milliseconds. */
const LIVED_MS = 10_000;

/** All threads of one pool. */
export class Crew extends Roster {
  readonly #maker: ThreadMaker;
  readonly #events: CrewEvents;
  readonly #wanted: WantedThreads;
  #closing = false;
  readonly #ends = new ThreadEnds();
  readonly #replacements = new Replacements(() => {
    this.#apply();
  });
  readonly #first: FirstStarts;
  readonly #hold: ProcessHold;
  /** Modules that end the threads that import them. */
  readonly modules = new ModuleDeaths();
  readonly #proofs: ModuleProofs;
  readonly #setups: Setups;
  readonly #recycling = new Recycling<Member>({
    mayLeave: ({ id }) => this.readyCount > 1 || !hasPromises(this.words, id),
    retire: (member) => {
      if (this.readyCount > 1) this.retire(member);
      else this.#askToLeave(member);
    },
  });

  /** @param setup how threads are set up; undefined = they have nothing to set up */
  constructor(
    platform: Platform,
    maker: ThreadMaker,
    setup: SetupOptions | undefined,
    events: CrewEvents,
  ) {
    super(maker.control);
    this.#events = events;
    this.#maker = maker;
    maker.tell({
      onMessage: (member, message) => {
        this.#arrived(member, message as Arrived<FromWorker>);
      },
      onEnd: (member, end) => {
        this.#ended(member, end);
      },
    });
    this.#first = new FirstStarts(platform.availableParallelism(), {
      yieldToEvents: () => platform.yieldToEvents(),
      start: () => {
        this.#startWanted();
      },
    });
    this.#hold = new ProcessHold({
      roster: this,
      words: this.words,
      timers: () => this.#replacements.timers(),
      onHeld: () => {
        events.onHeld();
      },
    });
    this.#proofs = this.#makeProofs();
    this.#setups = new Setups(setup, this, events, {
      isClosing: () => this.#closing,
      isReady: (member) => {
        this.#isReady(member);
      },
    });
    this.#wanted = new WantedThreads(this.capacity);
  }

  /** Threads wanted. */
  get target(): number {
    return this.#wanted.count;
  }

  /** The highest id that a thread may have: of those that are wanted, or that come when work waits. */
  get most(): number {
    return this.#wanted.most;
  }

  /** Their number changes by itself. */
  get isElastic(): boolean {
    return this.#wanted.isElastic;
  }

  /** Is a thread with this id wanted? */
  isWanted(id: number): boolean {
    return this.#wanted.has(id);
  }

  /** Is something under way that keeps the process alive? */
  get isHeld(): boolean {
    return this.#hold.isOn;
  }

  /** No thread takes jobs: none is wanted, or none can be started. */
  get isAlone(): boolean {
    return this.most === 0 || this.startError !== undefined;
  }

  /** Why there are no threads, once it is certain that none can be started. */
  get startError(): unknown {
    return this.#replacements.startError;
  }

  /** Why some of the threads that are wanted cannot be started; undefined = nothing is known against it. */
  get startTrouble(): unknown {
    return this.#replacements.trouble;
  }

  /** Why no thread is set up any more; undefined = they are, or none is wanted. */
  get setupError(): PadataError | undefined {
    return this.target === 0 ? undefined : this.#setups.error;
  }

  /** Why one of the threads cannot be set up, as far as one knows, while others are; undefined = all may be. */
  get setupTrouble(): PadataError | undefined {
    return this.#setups.trouble((id) => this.isWanted(id));
  }

  /** Why the calling thread is not to be set up. */
  get setupRefusal(): PadataError | undefined {
    return this.#setups.refusal;
  }

  /** Threads that there may be, without those that cannot be set up while others can. */
  usableIds(): readonly number[] {
    const all = Array.from({ length: this.isAlone ? 0 : this.most }, (_, i) => i + 1);
    return this.#setups.usable(all);
  }

  /** Someone asks anew: threads that could not be set up get one more try. */
  trySetupAgain(): void {
    if (!this.isAlone && this.#setups.tryAgain()) this.#apply();
  }

  /**
   * Starts or retires threads until there are `count`; the highest ids leave first. Up to `most` may be wanted one by one;
   * of those that are, none leaves.
   */
  resize(count: number, most = count): void {
    if (this.#wanted.set(count, most)) this.#replacements.tryAnew();
    this.#apply();
  }

  /** A thread with this id, 1 to `most`, is to be there. It is not the caller's fault if it cannot be made. */
  want(id: number): void {
    this.#wanted.add(id);
    this.#startWanted();
  }

  /** So many jobs wait: threads that were to follow the first start now if there are fewer. */
  startFor(jobs: number): void {
    if (this.#first.isHolding && jobs > this.living().length) this.startAll();
  }

  /** Threads that were to follow the first start now. */
  startAll(): void {
    if (this.#first.open()) this.#startWanted();
  }

  #startWanted(): void {
    if (this.#closing) return;
    try {
      this.#apply();
    } catch (error) {
      this.#cannotStart(error);
    }
  }

  /** The thread leaves, unless it has begun something before it hears of it. */
  dismiss(member: Member): void {
    this.#wanted.delete(member.id);
    this.#askToLeave(member);
    this.#apply();
  }

  #askToLeave(member: Member): void {
    member.state = 'leaving';
    member.mayStay = true;
    this.post(member, { t: 'leave', ifIdle: true });
  }

  /** Starts and retires threads until those that are wanted are there. */
  #apply(): void {
    this.#recycling.resized((id) => this.isWanted(id));
    for (let id = 1; id <= this.capacity && this.startError === undefined; id += 1) {
      const member = this.member(id);
      if (this.isWanted(id)) {
        const isMissing = member === undefined && !this.#replacements.isLater(id);
        if (isMissing && this.#first.mayStart()) this.#start(id);
        continue;
      }
      this.#replacements.cancel(id);
      if (member === undefined) markAbsent(this.words, id, this.#wanted.mayCome(id));
      else if (!member.mayStay || id > this.most) this.retire(member);
    }
  }

  /** One that was to leave if it had nothing to do has something. */
  #stays(member: Member): void {
    // It was told since then that it has to.
    if (!member.mayStay || this.#closing) return;
    member.mayStay = false;
    member.state = 'ready';
    const isCounted = this.isWanted(member.id);
    this.#wanted.add(member.id);
    this.#apply();
    this.#recycling.stays(member);
    this.#events.onStays(isCounted);
  }

  /** Ends a thread that does not give up by itself. */
  terminate(id: number): void {
    const member = this.member(id);
    if (member === undefined) return;
    member.killed = true;
    void member.platform.terminate();
  }

  /** The worker takes no more work, and is replaced when it has ended what it has. */
  retire(member: Member): void {
    if ((member.state === 'leaving' && !member.mayStay) || member.state === 'dead') return;
    member.state = 'leaving';
    member.mayStay = false;
    this.post(member, { t: 'leave', ifIdle: false });
  }

  /** Takes waiting messages without the event loop, for an owner that blocks. */
  receiveAll(): void {
    for (const member of this.living()) {
      for (;;) {
        const message = member.platform.receive();
        if (message === undefined || !this.#arrived(member, message as Arrived<FromWorker>)) break;
      }
    }
  }

  /** Where no threads are wanted: finds out about a suspect. See `ModuleProofs.prove`. */
  prove(href: string, name: string, ms: number): Promise<void> {
    return this.#proofs.prove(href, name, ms);
  }

  /** Keeps the process alive until the matching `unref`. */
  ref(): void {
    this.#hold.ref();
  }

  unref(): void {
    this.#hold.unref();
  }

  /** Stops all threads; see `ThreadEnds.ofAll`. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true;
    this.#first.open();
    this.#recycling.stop();
    this.#replacements.cancelAll();
    this.#hold.close();
    Atomics.store(this.words, HEAD.STOP, 1);
    sleep.publish(this.words);
    for (const { id } of this.living()) this.wakeOne(id);
    await this.#ends.ofAll(
      {
        words: this.words,
        living: () => this.living(),
        isTearingDown: (member) => this.#setups.isTearingDown(member),
      },
      graceMs,
    );
  }

  #start(id: number, isProof = false): Member | undefined {
    if (this.#setups.error !== undefined && !isProof) return undefined;
    // What is there for a proof runs no jobs, so it needs nothing of theirs.
    const setup = isProof ? undefined : this.#setups.plan;
    const member = this.#maker.make({ id, isProof, setup }, (error) => {
      this.#cannotStart(error);
      this.#replacements.died(false);
      if (this.startError === undefined) this.#hold.adopt(this.#replacements.later(id));
    });
    if (member === undefined) return undefined;
    this.enter(member);
    if (this.isHeld) member.platform.ref();
    this.#hold.check();
    this.#events.onStart(member);
    return member;
  }

  #cannotStart(error: unknown): void {
    void this.#first.follow();
    // Those that are there go on; without any, the calling thread does all.
    const isAlone = this.isEmpty;
    this.#replacements.cannotStart(error, isAlone);
    if (isAlone) this.#events.onNoThreads();
  }

  /** @returns false: what was lost was nothing that may be, and the thread is ended for it */
  #arrived(member: Member, arrived: Arrived<FromWorker>): boolean {
    let message: FromWorker | undefined;
    try {
      message = member.readings.of(arrived);
    } catch {
      void member.platform.terminate();
      return false;
    }
    if (message !== undefined) this.#deliver(member, message);
    return true;
  }

  #deliver(member: Member, message: FromWorker): void {
    switch (message.t) {
      case 'hello':
        this.#greeted(member, message.tid);
        break;
      case 'worn':
        this.#recycling.worn(member);
        break;
      case 'setUp':
      case 'tearDown':
      case 'tornDown':
        this.#setups.onMessage(member, message);
        break;
      case 'importing':
        member.importing.set(message.href, message.alone);
        break;
      case 'imported':
        member.importing.delete(message.href);
        member.used = true;
        this.modules.imported(message.href);
        if (member.isProof) this.post(member, { t: 'leave', ifIdle: false });
        break;
      case 'stays':
        this.#stays(member);
        break;
      default:
        this.#events.onMessage(member, message);
    }
  }

  #greeted(member: Member, tid: number): void {
    member.platform.identify(tid);
    member.tid = tid;
    member.isThere = true;
    this.#replacements.greeted();
    void this.#first.follow();
    const setsUp = !member.isProof && this.#setups.areNeeded;
    if (member.state === 'starting') member.state = setsUp ? 'settingUp' : 'ready';
    if (setsUp) this.#setups.begins(member);
    else this.#isReady(member);
  }

  #isReady(member: Member): void {
    this.#recycling.ready(member.id);
    this.#events.onReady(member);
  }

  #ended(member: Member, end: WorkerEnd): void {
    this.#recycling.ended(member);
    this.#setups.ended(member, end);
    const wasStarting = member.state === 'starting';
    const wasLeaving = member.state === 'leaving' && !member.failed;
    member.state = 'dead';
    this.erase(member);
    void this.#first.follow();
    this.#hold.check();
    // Whoever dies awake leaves the place of the one that spins to others.
    Atomics.compareExchange(this.words, HEAD.SPINNER, member.id, 0);
    sent.busy(this.words, workerBase(member.id));
    const expected =
      (wasLeaving && !(member.isProof && member.importing.size > 0)) || this.#closing;
    if (wasStarting && !this.#closing && this.#replacements.diedUngreeted(end.error)) {
      this.#cannotStart(end.error ?? new Error(`worker ended with exit code ${end.exitCode}`));
    }
    if (!expected && !member.killed && member.importing.size > 0) {
      const { importing, used, id: worker } = member;
      const error = this.modules.ended({ importing, used, worker, end });
      if (error !== undefined) this.#events.onGivenUp(error);
    }
    const hadWork = this.#events.onEnd(member, end, expected);
    this.#ends.ended(member);
    if (this.#closing || this.startError !== undefined) return;
    const isWanted = this.isWanted(member.id);
    if (!isWanted && !wasLeaving) return;
    const lived = !member.failed && performance.now() - member.since > LIVED_MS;
    this.#replacements.died(expected || hadWork || lived || (member.killed && !member.failed));
    if (this.#replacements.isAtOnce || !isWanted) this.#apply();
    else this.#hold.adopt(this.#replacements.later(member.id));
  }

  #makeProofs(): ModuleProofs {
    return new ModuleProofs({
      roster: this,
      modules: this.modules,
      ends: this.#ends,
      isOver: () => this.#closing || this.startError !== undefined,
      start: (id) => this.#start(id, true),
      post: (member, message) => {
        this.post(member, message);
      },
      adopt: (timer) => {
        this.#hold.adopt(timer);
      },
    });
  }
}
