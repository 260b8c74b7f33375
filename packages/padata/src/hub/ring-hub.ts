/**
 * All rings of a pool, owner's side: tells the threads about them, decides who may run their jobs, and routes what the
 * threads say. When the owner delivers and sleeps: `owner-turns.ts`; inputs by message: `feeder.ts`.
 */
import { jobFunction } from '../slot/job-function.js';
import { fromErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { AnyFunction } from '../base/function-ref.js';
import { performance, queueMicrotask } from '../base/host-time.js';
import type { Crew } from '../crew/crew.js';
import type { Member } from '../threads/member.js';
import type { OwnFunctions } from '../threads/own-functions.js';
import type { Platform, WorkerEnd } from '../threads/platform.js';
import type { Demand } from '../crew/thread-need.js';
import type { PartMemory } from '../protocol/arena-parts.js';
import { LOWEST_LEVEL } from '../levels/levels.js';
import type { FromWorker, SentJob } from '../protocol/messages.js';
import { RING } from '../protocol/ring-layout.js';
import { RingStore } from '../ring/ring-store.js';
import type { RingBlock } from '../ring/ring-store.js';
import type { SentInput } from '../ring/sent-jobs.js';
import type { JobRing, SlotRingHost } from '../ring/job-ring.js';
import { SlotRunner } from '../slot/slot-runner.js';
import type { RunnerHost } from '../slot/slot-runner.js';
import type { RingHere } from '../slot/ring-here.js';
import { DeferredWatch } from './deferred-watch.js';
import { Feeder } from './feeder.js';
import { OwnerTurns } from './owner-turns.js';
import { PoolFigures } from './pool-figures.js';
import type { JobFigures } from './pool-figures.js';
import type { RingEntry, RingUse } from './ring-entry.js';
import { OwnShared, cloneShared, sharedError } from './own-shared.js';
import { runHeldHere } from './run-here.js';
import { JobStopper } from './stop-jobs.js';
import { jobsWorth, wakeAll } from './wake-workers.js';

/** The rings of one pool. */
export class RingHub implements SlotRingHost {
  /** When the owner delivers, publishes and sleeps. */
  readonly turns: OwnerTurns;
  readonly #crew: Crew;
  readonly #entries = new Map<number, RingEntry>();
  readonly #feeder: Feeder;
  readonly #owner: RunnerHost;
  readonly #stopper: JobStopper;
  readonly #store = new RingStore();
  readonly #figures: PoolFigures;
  /** Rings of each level of priority. */
  readonly #levels = new Array<number>(LOWEST_LEVEL + 1).fill(0);
  readonly #deferred: DeferredWatch;
  readonly #own: OwnFunctions;
  readonly #processors: number;

  /** @param own functions on this thread */
  constructor(platform: Platform, crew: Crew, own: OwnFunctions) {
    this.#crew = crew;
    this.#own = own;
    this.#processors = platform.availableParallelism();
    this.#figures = new PoolFigures(crew.capacity);
    this.#deferred = new DeferredWatch(platform, crew);
    this.#feeder = new Feeder(
      crew,
      (ring, sequence, error) => {
        ring.ends.cancelOne(sequence, error);
        this.turns.scheduleDelivery();
      },
      this,
    );
    this.turns = new OwnerTurns(platform, crew, this.#entries, this.#feeder);
    // For jobs that the owner does itself: what a worker posts and wakes is done here, soon.
    this.#owner = {
      worker: 0,
      control: crew.words,
      clock: this.turns.clock,
      get local() {
        return own.local;
      },
      post: (message, transfer) => {
        this.onMessage(undefined, asArrived(message, transfer));
      },
      takeMail: () => undefined,
      wake: () => {
        this.turns.scheduleDelivery();
      },
      beginsWork: () => undefined,
      beginAsync: () => undefined,
      endAsync: () => {
        this.turns.scheduleDelivery();
      },
      busyMs: () => undefined,
      wakeAnother: () => undefined,
    };
    this.#stopper = new JobStopper(crew, {
      get inline() {
        return crew.isAlone;
      },
      scheduleDelivery: () => {
        this.turns.scheduleDelivery();
      },
      abandonHere: (ring, sequence) => {
        this.#entries.get(ring.id)?.runner.abandon(sequence >>> 0);
      },
      keepsBusy: (worker) =>
        [...this.#entries.values()].some(({ ring }) => ring.ends.keepsBusy(worker)),
    });
  }

  /** For `Feeder`. */
  get rings(): readonly RingEntry[] {
    return [...this.#entries.values()];
  }

  /** Have the rings several priorities? */
  get #isMixed(): boolean {
    return this.#levels.filter((count) => count > 0).length > 1;
  }

  /** For `Feeder`. */
  moduleOf(ring: JobRing): string | undefined {
    return this.#entries.get(ring.id)?.href;
  }

  /** This ring has come, or gone. */
  #countLevel({ ring: one, level }: RingEntry, by: number): void {
    const before = this.#isMixed;
    this.#levels[level]! += by;
    const isMixed = this.#isMixed;
    one.sent.onlyToFree = isMixed;
    if (isMixed === before) return;
    for (const { ring } of this.#entries.values()) {
      ring.sent.onlyToFree = isMixed;
      // What threads have ahead waits for its turn here.
      if (isMixed) ring.sent.recall(() => false);
      ring.sent.tell();
    }
    this.turns.scheduleDelivery();
  }

  /** Makes a ring known to all threads. */
  add(ring: JobRing, use: RingUse): RingEntry {
    const { href, name, shared, pendingPerThread, copyInput, level } = use;
    const { id, memory, stats } = ring;
    const own = new OwnShared(shared);
    // As it is now, like a thread's.
    if (this.#isAlone) own.clone();
    const here: RingHere = {
      id,
      memory,
      get shared() {
        return own.value;
      },
      stats,
      threads: this.threads,
      clockOffset: 0,
      pendingPerThread,
      copyInput,
      level,
    };
    const runner = new SlotRunner(here, this.#owner);
    let loading: Promise<AnyFunction> | undefined;
    const load = (): Promise<AnyFunction> => {
      loading ??= this.#loadHere(href, name, own).then(
        (fn) => {
          runner.fn = jobFunction(fn, use.outputBytes);
          this.turns.scheduleDelivery();
          return fn;
        },
        (error: unknown) => {
          // Threads, where there are some, say themselves whether they can.
          if (this.#isAlone) ring.breakWith(error);
          else loading = undefined;
          this.turns.scheduleDelivery();
          throw error;
        },
      );
      return loading;
    };
    const entry: RingEntry = { ...use, workers: [...use.workers], ring, runner, load };
    this.#crew.modules.tryAgain(href);
    this.#entries.set(ring.id, entry);
    this.#crew.trySetupAgain();
    this.#countLevel(entry, 1);
    try {
      let isTold = this.#isAlone;
      for (const member of this.#crew.workers()) {
        if (!member.knowsRings) continue;
        this.#announceTo(member, entry);
        isTold = true;
      }
      // There is no thread to tell yet: what could not be told later is told the caller now.
      if (!isTold) cloneShared(shared);
    } catch (error) {
      this.#remove(entry);
      throw error;
    }
    this.#assign(entry);
    return entry;
  }

  /** The function and what it shares, on this thread. */
  async #loadHere(href: string, name: string, shared: OwnShared): Promise<AnyFunction> {
    const fn = await this.#own.load(href, name);
    shared.clone();
    return fn;
  }

  /** Limits the jobs not yet begun to these workers. */
  setWorkers(entry: RingEntry, workers: Iterable<number>): void {
    entry.workers = [...workers];
    this.#assign(entry);
    this.#lookAgain();
  }

  /** Threads have come or gone: who may run which jobs is decided anew. */
  reassign(): void {
    for (const entry of this.#entries.values()) this.#assign(entry);
    this.#lookAgain();
  }

  /** The calling thread runs what nobody else will. */
  get #isAlone(): boolean {
    return this.#crew.isAlone;
  }

  /**
   * Accepted jobs always run: on the workers that were asked for; when none of those is there, on any thread; when there
   * is none at all, here.
   */
  #assign(entry: RingEntry): void {
    const there = this.#crew.usableIds();
    const usable = entry.workers.filter((id) => there.includes(id));
    entry.ring.allow(usable.length > 0 ? usable : there);
    entry.ring.sent.recall((worker) => entry.ring.allows(worker));
    if (this.#isAlone && entry.runner.fn === undefined) void this.#loadForJobs(entry);
  }

  /** Loads a function here because its jobs must run here; they end with an error when that fails or takes too long. */
  async #loadForJobs(entry: RingEntry): Promise<void> {
    const { href, name, ring } = entry;
    const { modules } = this.#crew;
    try {
      // What ends threads would end the program here.
      if (modules.isSuspect(href)) await this.#crew.prove(href, name, this.#own.timeoutMs);
      if (modules.isSuspect(href)) throw modules.error(href) ?? suspectError(href);
      await Promise.all([this.#own.loadWithin(href, name), entry.load()]);
    } catch (error) {
      if (this.#isAlone) ring.breakWith(error);
    }
    this.turns.scheduleDelivery();
  }

  /** Whoever sleeps looks for work by the new rules. */
  #lookAgain(): void {
    wakeAll(this.#crew);
    this.turns.scheduleDelivery();
  }

  /** Forgets a ring in all threads. The promise is for whoever makes one ring after the other, see `RingStore.room`. */
  remove(ring: JobRing): Promise<void> {
    this.#forget(ring);
    return this.#store.room();
  }

  #forget(ring: JobRing): void {
    const entry = this.#entries.get(ring.id);
    if (entry === undefined) return;
    this.#remove(entry);
    this.#figures.keep(ring.stats);
    const threads = this.#crew.living();
    for (const member of threads) this.#crew.post(member, { t: 'dropRing', ring: ring.id });
    if (ring.isUnseen) {
      const { memory, arenaBytes, stats } = ring;
      this.#store.put(ring.id, { memory, arenaBytes, stats }, threads);
    }
    ring.closed = true;
  }

  #remove(entry: RingEntry): void {
    this.#entries.delete(entry.ring.id);
    this.#countLevel(entry, -1);
  }

  /** What the jobs of all rings took, since the pool was made. */
  figures(): JobFigures {
    return this.#figures.sum([...this.#entries.values()].map(({ ring }) => ring.stats));
  }

  /** Memory for a ring of this shape that an earlier one has left. */
  takeBlock(window: number, arenaBytes: number): RingBlock | undefined {
    return this.#store.take(window, arenaBytes);
  }

  /** A thread was started: it learns all rings, after its predecessor's jobs are settled. */
  onStart(member: Member): void {
    queueMicrotask(() => {
      if (member.state === 'dead' || member.isProof) return;
      member.knowsRings = true;
      const { modules } = this.#crew;
      const entries = [...this.#entries.values()].filter(({ ring }) => ring.broken === undefined);
      for (const entry of modules.inOrder(entries)) this.#announceLate(member, entry);
      this.turns.feedAll();
    });
  }

  /** A module ends the threads that import it: its jobs end with this error. */
  onGivenUp(error: PadataError): void {
    for (const { href, ring } of this.#entries.values()) {
      if (href === error.details['module']) ring.breakWith(error);
    }
    this.turns.scheduleDelivery();
  }

  /** No thread can be set up: all jobs end with this error. */
  onSetupGivenUp(error: PadataError): void {
    for (const { ring } of this.#entries.values()) ring.breakWith(error);
    this.turns.scheduleDelivery();
  }

  /** Jobs that nobody has begun, by ring: as far as they are worth a thread each, at most so many. O(jobs in flight). */
  *demands(most: number): Generator<Demand> {
    for (const { ring } of this.#entries.values()) {
      if (ring.outstanding === 0) continue;
      yield {
        jobs: jobsWorth(ring, ring.unbegun(most)),
        allows: (worker) => ring.allows(worker),
      };
    }
  }

  /** Is an input with this thread, or on its way to it? */
  hasInput(worker: number): boolean {
    for (const { ring } of this.#entries.values()) if (ring.sent.unbegun(worker) > 0) return true;
    return false;
  }

  /** Has this thread begun a job that has not ended? O(jobs in flight). */
  isRunning(worker: number): boolean {
    for (const { ring } of this.#entries.values()) {
      if (ring.outstanding > 0 && ring.ends.isRunning(worker)) return true;
    }
    return false;
  }

  /** Threads that take jobs, at least 1. */
  get threads(): number {
    return Math.max(1, this.#crew.most);
  }

  /** See `SlotRingHost`. */
  get atOnce(): number {
    return Math.min(this.threads, this.#processors);
  }

  /** See `SlotRingHost`. */
  tellPart(ring: number, part: PartMemory): void {
    for (const member of this.#crew.living()) {
      if (member.knowsRings) this.#crew.post(member, { t: 'part', ring, part });
    }
  }

  /** See `SlotRingHost`. */
  deliverSoon(): void {
    this.turns.scheduleDelivery();
  }

  /** See `SlotRingHost`. */
  beginLong(ring: JobRing): void {
    this.turns.wakeFor(ring);
  }

  /** See `Feeder.handOver`. */
  handOver(ring: JobRing, job: SentJob, transfer: readonly unknown[]): SentInput | undefined {
    return this.#feeder.handOver(ring, job, transfer);
  }

  /** Runs one waiting job of a ring in the calling thread; false = there was none, or it is not loaded. */
  helpOnce(entry: RingEntry): boolean {
    return entry.runner.steal() || runHeldHere(entry);
  }

  /** Routes a message; undefined = from the owner's own runner. */
  onMessage(member: Member | undefined, message: FromWorker): void {
    switch (message.t) {
      case 'wake':
        this.turns.deliverAll();
        break;
      case 'result':
      case 'jobFailed':
        this.#entries.get(message.ring)?.ring.onReply(message);
        this.turns.scheduleDelivery();
        break;
      case 'progress':
        this.#entries.get(message.ring)?.ring.onProgress(message);
        break;
      case 'output':
        this.#entries.get(message.ring)?.ring.onOutput(message);
        break;
      case 'deferred':
        this.#watchDeferred();
        break;
      case 'dropped':
        if (member !== undefined) this.#store.onDropped(message.ring, member);
        break;
      case 'idle':
        this.#onIdle(member, message.ring);
        break;
      case 'ended':
        this.#entries.get(message.ring)?.ring.ends.functionEnded(message.seq);
        break;
      case 'ringError': {
        const entry = this.#entries.get(message.ring);
        if (entry === undefined) break;
        entry.ring.breakWith(
          new PadataError(
            'ERR_PADATA_MODULE',
            `worker ${member?.id ?? 0} cannot load ${entry.name} of ${entry.href}: ${
              message.error.message
            }`,
            { module: entry.href, name: entry.name, worker: member?.id ?? 0 },
            { cause: fromErrorRecord(message.error) },
          ),
        );
        this.turns.scheduleDelivery();
        break;
      }
    }
  }

  #onIdle(member: Member | undefined, id: number): void {
    const ring = this.#entries.get(id)?.ring;
    if (ring === undefined || member?.state !== 'ready' || this.#isAlone) return;
    this.#feeder.giveTo(ring, member, performance.now());
  }

  /** Is a job out that its function has left to others, on whatever thread that was? */
  get hasDeferred(): boolean {
    for (const { ring } of this.#entries.values()) {
      if (Atomics.load(ring.memory.words, RING.DEFERRED) > 0) return true;
    }
    return false;
  }

  #watchDeferred(): void {
    this.#deferred.begin(
      () => this.hasDeferred,
      () => {
        this.turns.deliverAll();
      },
    );
  }

  /** A thread has ended. */
  onEnd(member: Member, { exitCode, error }: WorkerEnd): void {
    const worker = member.id;
    this.#store.onEnd(member);
    // After the crew has started a replacement, before that is told about any ring (see onStart).
    queueMicrotask(() => {
      for (const { ring } of this.#entries.values()) ring.workerDied(worker, exitCode, error);
      // One turn later: the replacement must know its rings before it is sent a job of one.
      queueMicrotask(() => {
        this.turns.flushWork();
        wakeAll(this.#crew);
        this.turns.scheduleDelivery();
      });
    });
  }

  /** Cancels a job: it ends now if it has not begun, else when it has given up, at the latest after `graceMs`. */
  cancel(ring: JobRing, sequence: number, graceMs: number, error: unknown): void {
    if (ring.ends.cancelOne(sequence, error)) {
      this.#stopper.stopLater({ ring, sequence, graceMs, error });
    } else this.turns.scheduleDelivery();
  }

  /** All jobs of a ring that have begun were asked to stop: those that do not, end after `graceMs`. */
  stopAll(ring: JobRing, graceMs: number, error: unknown): void {
    for (const sequence of ring.ends.begun()) {
      this.#stopper.stopLater({ ring, sequence, graceMs, error });
    }
  }

  /** @throws ERR_PADATA_CLONE */
  #announceTo(member: Member, entry: RingEntry): void {
    const { ring } = entry;
    try {
      this.#crew.post(member, {
        t: 'ring',
        ring: ring.id,
        href: entry.href,
        name: entry.name,
        buffer: ring.memory.buffer,
        window: ring.memory.window,
        arenaBytes: ring.arenaBytes,
        parts: ring.memory.arena.added,
        stats: ring.stats,
        shared: entry.shared,
        timeOrigin: performance.timeOrigin,
        aloneMs: this.#crew.modules.aloneMs(entry.href),
        threads: this.threads,
        pendingPerThread: entry.pendingPerThread,
        copyInput: entry.copyInput,
        outputBytes: entry.outputBytes,
        level: entry.level,
      });
    } catch (error) {
      throw sharedError(error);
    }
  }

  /** What is shared may have become something that no thread can be told: that series ends, and the others go on. */
  #announceLate(member: Member, entry: RingEntry): void {
    try {
      this.#announceTo(member, entry);
    } catch (error) {
      entry.ring.breakWith(error);
      this.turns.scheduleDelivery();
    }
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
