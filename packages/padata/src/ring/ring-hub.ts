/**
 * All rings of a pool, owner's side: tell the threads about them, wake threads for work, deliver when woken.
 *
 * ```
 *   submit ─▶ publish (epoch) ─▶ nobody awake? wake one ─▶ end of tick: wake as many as the work is worth
 *   wake message ─▶ deliver of all rings ─▶ sleep flag ─▶ look once more
 * ```
 * The owner sleeps in its event loop with OWNER_ASLEEP set; the worker that finishes the next job in order
 * clears it and posts one empty message.
 */
import { fromErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { loadFunction } from '../base/function-ref.js';
import { loadWithin } from '../base/load-within.js';
import type { AnyFunction } from '../base/function-ref.js';
import type { Crew, Member } from '../crew/crew.js';
import type { Platform, WorkerEnd } from '../crew/platform.js';
import { HEAD } from '../protocol/control-layout.js';
import { ring as protocol } from '../protocol/machine.js';
import type { FromWorker, SentJob } from '../protocol/messages.js';
import { RING } from '../protocol/ring-layout.js';
import { SlotRunner } from '../slot/slot-runner.js';
import { isBytes } from '../slot/slot-values.js';
import type { RunnerHost } from '../slot/slot-runner.js';
import { Linger } from './linger.js';
import { Outbox } from './outbox.js';
import { RingStore } from './ring-store.js';
import type { RingBlock } from './ring-store.js';
import type { SlotRing, SlotRingHost } from './slot-ring.js';
import { JobStopper } from './stop-jobs.js';
import { QUICK_NS } from './wake-ahead.js';
import { threadsWorth, wakeAll, wakeFor } from './wake-workers.js';

/** Submissions within one tick after which sleepers are looked at again. */
const LOOK_EVERY = 16;
/** From so many deliveries in one turn on, what they make the program submit is published in lumps. */
const LAZY_FROM = 32;
/** and only while the program's answer to a delivery takes less than this, in milliseconds. */
const LAZY_MS = 0.005;
/** Jobs delivered in one turn at most: a share of the window, so that the workers need not pause. */
const TURN_JOBS = 64;
/** The owner looks by itself when nobody wakes it, first after and at least every so many milliseconds. */
const GUARD_MS = 2;
const GUARD_MAX_MS = 64;
/** The owner delivers at most for so long before it lets events in, in milliseconds. */
const DELIVER_SLICE_MS = 10;
/** How long the process is kept alive after the last delivery, in milliseconds. */
const UNREF_MS = 5;

/** An input that waits for its thread. */
interface HeldInput {
  readonly ring: SlotRing;
  readonly job: SentJob;
  readonly transfer: readonly unknown[] | undefined;
}

/** What a ring is used for. */
interface RingUse {
  /** Module and export of the jobs' function. */
  readonly href: string;
  readonly name: string;
  /** The series' `shared` value. */
  readonly shared: unknown;
  /** Promises that may be pending on one thread. */
  readonly pendingPerThread: number;
  /** Workers that may run the jobs, by the user's wish; see `reassign`. */
  readonly workers: Iterable<number>;
  /** Called after deliveries of this ring. */
  readonly onDelivered: () => void;
}

/** A ring and what belongs to it here. */
export interface RingEntry extends Omit<RingUse, 'workers'> {
  workers: readonly number[];
  readonly ring: SlotRing;
  /** The owner's own runner, for jobs that it does itself. */
  readonly runner: SlotRunner;
  /** Loads the function on this thread; only for jobs that the owner does itself. */
  load(): Promise<AnyFunction>;
}

/** The rings of one pool. */
export class RingHub implements SlotRingHost {
  readonly #platform: Platform;
  readonly #crew: Crew;
  readonly #entries = new Map<number, RingEntry>();
  readonly #outbox: Outbox;
  readonly #owner: RunnerHost;
  readonly #stopper: JobStopper;
  readonly #store = new RingStore();
  readonly #linger = new Linger();
  readonly #loadTimeoutMs: number;
  /** Inputs for threads that are on their way. */
  #held: HeldInput[] = [];
  #nextWorker = 0;
  #flushScheduled = false;
  #sinceLook = 0;
  #stamp = 0;
  #keepsAlive = false;
  #unrefTimer: ReturnType<typeof setTimeout> | undefined;
  #deliveryScheduled = false;
  #watching = false;
  /** Submissions of this turn are answers to deliveries: the end of the turn publishes them. */
  #lazy = false;
  /** The last turn delivered many jobs and the program answered them quickly. */
  #quick = false;
  #turnJobs = 0;
  #turnEnds = 0;
  #guard: ReturnType<typeof setTimeout> | undefined;
  #guardMs = GUARD_MS;

  constructor(platform: Platform, crew: Crew, loadTimeoutMs: number) {
    this.#platform = platform;
    this.#crew = crew;
    this.#loadTimeoutMs = loadTimeoutMs;
    // For jobs that the owner does itself: what a worker posts and wakes is done here, soon.
    this.#owner = {
      worker: 0,
      control: crew.words,
      post: (message) => {
        this.onMessage(undefined, asArrived(message));
      },
      wake: () => {
        this.scheduleDelivery();
      },
      beginAsync: () => undefined,
      endAsync: () => {
        this.scheduleDelivery();
      },
      busyMs: () => undefined,
      wakeAnother: () => undefined,
    };
    this.#stopper = new JobStopper(crew, {
      get inline() {
        return crew.isAlone;
      },
      scheduleDelivery: () => {
        this.scheduleDelivery();
      },
      abandonHere: (ring, sequence) => {
        this.#entries.get(ring.id)?.runner.abandon(sequence >>> 0);
      },
      keepsBusy: (worker) => [...this.#entries.values()].some(({ ring }) => ring.keepsBusy(worker)),
    });
    this.#outbox = new Outbox(crew, (ring, sequence, error) => {
      ring.cancelOne(sequence, error);
      this.scheduleDelivery();
    });
  }

  /** Makes a ring known to all threads. */
  add(ring: SlotRing, use: RingUse): RingEntry {
    const { href, name, shared, pendingPerThread } = use;
    const { id, memory, stats } = ring;
    const runner = new SlotRunner(
      { id, memory, shared, stats, threads: this.threads, clockOffset: 0, pendingPerThread },
      this.#owner,
    );
    let loading: Promise<AnyFunction> | undefined;
    const load = (): Promise<AnyFunction> => {
      loading ??= loadFunction(href, name).then(
        (fn) => {
          runner.fn = fn;
          this.scheduleDelivery();
          return fn;
        },
        (error: unknown) => {
          ring.breakWith(error);
          this.scheduleDelivery();
          throw error;
        },
      );
      return loading;
    };
    const entry: RingEntry = { ...use, workers: [...use.workers], ring, runner, load };
    this.#crew.modules.tryAgain(href);
    this.#entries.set(ring.id, entry);
    for (const member of this.#crew.members()) this.#announceTo(member, entry);
    this.#assign(entry);
    return entry;
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
    for (const { ring, job, transfer } of this.#held.splice(0)) ring.sendAgain(job, transfer);
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
    const { target } = this.#crew;
    const there = Array.from({ length: this.#isAlone ? 0 : target }, (_, i) => i + 1);
    const usable = entry.workers.filter((id) => there.includes(id));
    entry.ring.allow(usable.length > 0 ? usable : there);
    if (this.#isAlone && entry.runner.fn === undefined) void this.#loadForJobs(entry);
  }

  /** Loads a function here because its jobs must run here; they end with an error when that fails or takes too long. */
  async #loadForJobs(entry: RingEntry): Promise<void> {
    const { href, name, ring } = entry;
    const { modules } = this.#crew;
    try {
      // What ends threads would end the program here.
      if (modules.isSuspect(href)) throw modules.error(href) ?? suspectError(href);
      await Promise.all([loadWithin(href, name, this.#loadTimeoutMs), entry.load()]);
    } catch (error) {
      if (this.#isAlone) ring.breakWith(error);
    }
    this.scheduleDelivery();
  }

  async #runSentHere(ring: SlotRing, [sequence, input]: SentJob): Promise<void> {
    const entry = this.#entries.get(ring.id);
    if (entry === undefined) return;
    // Not at once: the slot is not submitted yet.
    await (entry.runner.fn === undefined ? this.#loadForJobs(entry) : undefined);
    if (entry.runner.fn !== undefined) entry.runner.runSent(sequence, input);
    this.scheduleDelivery();
  }

  /** Whoever sleeps looks for work by the new rules. */
  #lookAgain(): void {
    wakeAll(this.#crew);
    this.scheduleDelivery();
  }

  /** Forgets a ring in all threads. */
  remove(ring: SlotRing): void {
    if (!this.#entries.delete(ring.id)) return;
    this.#outbox.forget(ring);
    const threads = this.#crew.living();
    for (const member of threads) this.#crew.post(member, { t: 'dropRing', ring: ring.id });
    if (ring.isUnseen) {
      const { memory, arenaBytes, stats } = ring;
      this.#store.put(ring.id, { memory, arenaBytes, stats }, threads);
    }
    ring.closed = true;
  }

  /** Memory for a ring of this shape that an earlier one has left. */
  takeBlock(window: number, arenaBytes: number): RingBlock | undefined {
    return this.#store.take(window, arenaBytes);
  }

  /** A thread was started: it learns all rings, after its predecessor's jobs are settled. */
  onStart(member: Member): void {
    queueMicrotask(() => {
      if (member.state === 'dead') return;
      const { modules } = this.#crew;
      const entries = [...this.#entries.values()].filter(({ ring }) => ring.broken === undefined);
      // Of suspects, the one that least is known against comes first.
      entries.sort((a, b) => modules.deathsOf(a.href) - modules.deathsOf(b.href));
      for (const entry of entries) this.#announceTo(member, entry);
      for (const { ring, job, transfer } of this.#held.splice(0)) ring.sendAgain(job, transfer);
      this.#outbox.flush();
    });
  }

  /** A module ends the threads that import it: its jobs end with this error. */
  onGivenUp(error: PadataError): void {
    for (const { href, ring } of this.#entries.values()) {
      if (href === error.details['module']) ring.breakWith(error);
    }
    this.scheduleDelivery();
  }

  /** Has this thread begun a job that has not ended? O(jobs in flight). */
  isRunning(worker: number): boolean {
    for (const { ring } of this.#entries.values()) {
      if (ring.outstanding > 0 && ring.isRunning(worker)) return true;
    }
    return false;
  }

  /** Threads that take jobs, at least 1. */
  get threads(): number {
    return Math.max(1, this.#crew.target);
  }

  /** The owner's clock for stamps: read once per tick. */
  get stamp(): number {
    if (!this.#flushScheduled) this.#stamp = performance.now();
    return this.#stamp;
  }

  /** May a submission be published a little later? True only until the end of a turn of deliveries. */
  get isLazy(): boolean {
    return this.#lazy;
  }

  /** A job was submitted to this ring. */
  noteSubmit(ring: SlotRing): void {
    if (!this.#keepsAlive) this.#keepAlive();
    if (this.#isAlone) {
      this.scheduleDelivery();
      return;
    }
    // The ring's PUBLISHED word is what a worker looks at before it sleeps; no epoch is needed.
    if (!this.#flushScheduled) {
      this.#scheduleFlush();
      // If everybody sleeps, one thread can begin while the rest of the tick goes on.
      wakeFor(this.#crew, ring, 1);
      return;
    }
    this.#sinceLook += 1;
    if (this.#sinceLook === LOOK_EVERY) {
      this.#sinceLook = 0;
      wakeFor(this.#crew, ring, threadsWorth(ring));
    }
  }

  /** A worker for an input that goes by message, there or on its way; 0 = there are none, the owner does it. */
  pickWorker(ring: SlotRing): number {
    if (this.#isAlone) return 0;
    const list = this.#crew.memberList().filter((m) => ring.allows(m.id));
    this.#nextWorker += 1;
    const picked = list[this.#nextWorker % list.length]?.id;
    if (picked !== undefined) return picked;
    for (let id = 1; id < this.#crew.target; id += 1) if (ring.allows(id)) return id;
    return this.#crew.target;
  }

  /** Sends an input by message, with others of this tick; one with a transfer list at once. */
  send(
    ring: SlotRing,
    worker: number,
    job: SentJob,
    transfer: readonly unknown[] | undefined,
  ): void {
    const member = this.#crew.member(worker);
    // One that leaves takes no more work; who takes its place does.
    if (worker !== 0 && (member === undefined || member.state === 'leaving')) {
      this.#held.push({ ring, job, transfer });
      return;
    }
    if (member === undefined) {
      void this.#runSentHere(ring, job);
      return;
    }
    if (transfer === undefined) this.#outbox.add(ring, worker, job);
    else this.#outbox.sendNow(ring, member, job, transfer);
  }

  /** Runs one waiting job of a ring in the calling thread; false = there was none, or it is not loaded. */
  helpOnce(entry: RingEntry): boolean {
    return entry.runner.steal();
  }

  /** Routes a message; undefined = from the owner's own runner. */
  onMessage(member: Member | undefined, message: FromWorker): void {
    switch (message.t) {
      case 'wake':
        this.deliverAll();
        break;
      case 'result':
      case 'jobFailed':
        this.#entries.get(message.ring)?.ring.onReply(message);
        this.scheduleDelivery();
        break;
      case 'deferred':
        this.#watchDeferred();
        break;
      case 'dropped':
        if (member !== undefined) this.#store.onDropped(message.ring, member);
        break;
      case 'idle':
        if (member?.state === 'ready') this.#entries.get(message.ring)?.ring.takeBack(member.id);
        this.#outbox.flush();
        break;
      case 'ended':
        this.#entries.get(message.ring)?.ring.functionEnded(message.seq);
        break;
      case 'ringError': {
        const entry = this.#entries.get(message.ring);
        if (entry === undefined) break;
        entry.ring.breakWith(
          new PadataError(
            'ERR_PADATA_MODULE',
            `worker ${member?.id ?? 0} cannot load ${entry.name} of ${entry.href}: ${message.error.message}`,
            { module: entry.href, name: entry.name, worker: member?.id ?? 0 },
            { cause: fromErrorRecord(message.error) },
          ),
        );
        this.scheduleDelivery();
        break;
      }
    }
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
        this.#flushWork();
        wakeAll(this.#crew);
        this.scheduleDelivery();
      });
    });
  }

  /** Cancels a job: it ends now if it has not begun, else when it has given up, at the latest after `graceMs`. */
  cancel(ring: SlotRing, sequence: number, graceMs: number, error: unknown): void {
    if (ring.cancelOne(sequence, error)) {
      this.#stopper.stopLater({ ring, sequence, graceMs, error });
    } else this.scheduleDelivery();
  }

  /** All jobs of a ring that have begun were asked to stop: those that do not, end after `graceMs`. */
  stopAll(ring: SlotRing, graceMs: number, error: unknown): void {
    for (const sequence of ring.begun()) {
      this.#stopper.stopLater({ ring, sequence, graceMs, error });
    }
  }

  /** Delivers everything that is done; then the owner may sleep. For the beginning of an event. */
  deliverAll(): void {
    this.#turnEnds = performance.now() + DELIVER_SLICE_MS;
    this.#deliverTurn();
  }

  /**
   * One turn: deliver, then let the promises' reactions run (they submit more), then look again.
   * OWNER_ASLEEP stays 0 until nothing was delivered, so that no worker sends a message in vain.
   */
  #deliverTurn(): void {
    protocol.ownerAwake(this.#crew.words);
    for (;;) {
      const count = this.#deliverOnce();
      if (count > 0 && !this.#isAlone) {
        this.#lazy = this.#quick && count >= LAZY_FROM;
        this.#turnJobs = count;
        this.#guardMs = GUARD_MS;
        this.#scheduleFlush();
        return;
      }
      this.#lazy = false;
      // Callbacks have submitted more: this loop is their tick.
      if (this.#flushScheduled) this.#flushWork();
      if (count === 0 && this.#maySleep()) break;
      if (performance.now() > this.#turnEnds) {
        this.scheduleDelivery();
        return;
      }
    }
    this.#startGuard();
    this.#checkIdle();
  }

  #deliverOnce(): number {
    let count = 0;
    const now = performance.now();
    this.#stamp = now;
    // What callbacks submit is published every 16 jobs and at the end of the turn.
    this.#lazy = this.#quick;
    for (const entry of this.#entries.values()) {
      const { ring } = entry;
      if (ring.outstanding === 0) continue;
      if (this.#isAlone && entry.runner.scan()) count += 1;
      const delivered = ring.deliver(Math.max(TURN_JOBS, ring.memory.window >> 2), now);
      count += delivered;
      if (delivered > 0) entry.onDelivered();
    }
    return count;
  }

  /**
   * Workers wake the owner at the end of a reservation of small jobs. Should one of those turn out to be
   * slow, what was done before it would wait: so the owner looks by itself, less and less often.
   */
  #startGuard(): void {
    if (this.#guard !== undefined) return;
    let busy = false;
    let patient = true;
    for (const { ring } of this.#entries.values()) {
      if (ring.outstanding === 0) continue;
      busy = true;
      patient &&= ring.isPatient;
    }
    if (!busy) return;
    if (patient) this.#guardMs = GUARD_MAX_MS;
    const timer = setTimeout(() => {
      this.#guard = undefined;
      this.#guardMs = Math.min(GUARD_MAX_MS, this.#guardMs * 2);
      for (const { ring } of this.#entries.values()) ring.awaitNext();
      this.deliverAll();
    }, this.#guardMs);
    (timer as { unref?: () => void }).unref?.();
    this.#guard = timer;
  }

  /** Is the next job of any ring done? */
  readonly #anyDone = (): boolean => {
    for (const { ring } of this.#entries.values()) if (ring.anyDone()) return true;
    return false;
  };

  /** Waits awake for a moment when jobs are so quick that sleeping would cost more; true = one is done. */
  #lingerForQuickJobs(): boolean {
    let quick = false;
    for (const { ring } of this.#entries.values()) {
      if (ring.outstanding === 0) continue;
      if (ring.anyDone()) return true;
      const ns = Atomics.load(ring.memory.words, RING.RUN_NS);
      if (ns > 0 && ns <= QUICK_NS) quick = true;
    }
    return quick && this.#linger.until(this.#anyDone);
  }

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
        stats: ring.stats,
        shared: entry.shared,
        timeOrigin: performance.timeOrigin,
        suspect: this.#crew.modules.isSuspect(entry.href),
        threads: this.threads,
        pendingPerThread: entry.pendingPerThread,
      });
    } catch (error) {
      this.#entries.delete(ring.id);
      throw new PadataError(
        'ERR_PADATA_CLONE',
        "the series' shared value cannot be cloned",
        {},
        { cause: error },
      );
    }
  }

  readonly #onFlush = (): void => {
    this.#flush();
  };

  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#sinceLook = 0;
    queueMicrotask(this.#onFlush);
  }

  #flush(): void {
    if (!this.#flushScheduled) return;
    this.#flushWork();
    const jobs = this.#turnJobs;
    this.#turnJobs = 0;
    this.#quick = jobs >= LAZY_FROM && performance.now() - this.#stamp < jobs * LAZY_MS;
    const isAwake = Atomics.load(this.#crew.words, HEAD.OWNER_ASLEEP) === 0;
    if (this.#lingerForQuickJobs()) {
      if (performance.now() < this.#turnEnds) this.#deliverTurn();
      else this.scheduleDelivery();
    } else if (isAwake) {
      // More may come in later reactions of this turn: sleep only after them.
      this.scheduleDelivery();
    } else if (!this.#maySleep()) this.scheduleDelivery();
    else this.#startGuard();
  }

  #flushWork(): void {
    this.#flushScheduled = false;
    this.#lazy = false;
    this.#outbox.flush();
    for (const { ring } of this.#entries.values()) {
      if (ring.outstanding === 0) continue;
      ring.publish();
      if (ring.waiting > 0) wakeFor(this.#crew, ring, threadsWorth(ring));
    }
  }

  #maySleep(): boolean {
    return protocol.ownerMaySleep(this.#crew.words, () => {
      for (const { ring, runner } of this.#entries.values()) {
        if (ring.anyDone()) return true;
        // Jobs that were settled from outside may be unclaimed still, though all are delivered.
        if (this.#isAlone && ring.outstanding > 0 && runner.canWork) return true;
      }
      return false;
    });
  }

  /** Delivers soon, in its own turn of the event loop. */
  scheduleDelivery(): void {
    if (this.#deliveryScheduled) return;
    this.#deliveryScheduled = true;
    void this.#platform.yieldToEvents().then(() => {
      this.#deliveryScheduled = false;
      this.deliverAll();
    });
  }

  #outstanding(): number {
    let sum = 0;
    for (const { ring } of this.#entries.values()) sum += ring.outstanding;
    return sum;
  }

  #keepAlive(): void {
    this.#keepsAlive = true;
    this.#crew.ref();
  }

  /** The process may end a moment after the last delivery; not at once, as more usually comes. */
  #checkIdle(): void {
    if (!this.#keepsAlive || this.#unrefTimer !== undefined || this.#outstanding() > 0) return;
    this.#unrefTimer = setTimeout(() => {
      this.#unrefTimer = undefined;
      if (this.#outstanding() > 0) return;
      this.#keepsAlive = false;
      this.#crew.unref();
    }, UNREF_MS);
  }

  /** While completions are deferred, any thread may wake the owner through OWNER_ASLEEP itself. */
  #watchDeferred(): void {
    if (this.#watching) return;
    const words = this.#crew.words;
    const deferred = (): boolean =>
      [...this.#entries.values()].some(
        ({ ring }) => Atomics.load(ring.memory.words, RING.DEFERRED) > 0,
      );
    this.#watching = true;
    const watch = async (): Promise<void> => {
      try {
        while (deferred()) {
          const result = Atomics.waitAsync(words, HEAD.OWNER_ASLEEP, 1, 100);
          if (result.async) await result.value;
          else await this.#platform.yieldToEvents();
          this.deliverAll();
        }
      } finally {
        this.#watching = false;
      }
    };
    void watch();
  }
}

/** Bytes that a job of the calling thread gives are what they would be from a thread: no Buffer. */
function asArrived(message: FromWorker): FromWorker {
  if (message.t !== 'result' || typeof message.value !== 'object' || message.value === null) {
    return message;
  }
  return isBytes(message.value) ? { ...message, value: new Uint8Array(message.value) } : message;
}

function suspectError(module: string): PadataError {
  return new PadataError(
    'ERR_PADATA_MODULE',
    `a thread ended while it loaded ${module}, and there are no threads left to try again`,
    { module },
  );
}
