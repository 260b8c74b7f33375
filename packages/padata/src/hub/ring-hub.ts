/**
 * All rings of a pool, owner's side: they are made known, used and forgotten here, and the crew's events reach them here.
 *
 * ```
 *   RingHub ── Announcements    what threads are told about rings
 *           ├─ WorkerMessages   what threads say of them
 *           ├─ Affinity         which threads may run their jobs
 *           ├─ OwnRunners       the calling thread as one that runs jobs
 *           ├─ JobStopper       jobs that were asked to stop and do not
 *           └─ OwnerTurns, Feeder   when the owner delivers and sleeps, who gets inputs by message
 * ```
 */
import type { PadataError } from '../base/errors.js';
import { queueMicrotask } from '../base/host-time.js';
import type { Crew } from '../crew/crew.js';
import type { Demand } from '../crew/thread-need.js';
import { LOWEST_LEVEL } from '../levels/levels.js';
import type { PartMemory } from '../protocol/arena-parts.js';
import type { FromWorker, SentJob } from '../protocol/messages.js';
import type { JobRing, SlotRingHost } from '../ring/job-ring.js';
import { RingStore } from '../ring/ring-store.js';
import type { RingBlock } from '../ring/ring-store.js';
import type { SentInput } from '../ring/sent-jobs.js';
import type { Member } from '../threads/member.js';
import type { OwnFunctions } from '../threads/own-functions.js';
import type { Platform, WorkerEnd } from '../threads/platform.js';
import { DeferredWatch } from '../turns/deferred-watch.js';
import { Feeder } from '../turns/feeder.js';
import { OwnerTurns } from '../turns/owner-turns.js';
import type { RingEntry, RingUse } from '../turns/ring-entry.js';
import { runHeldHere } from '../turns/run-here.js';
import { wakeAll } from '../turns/wake-workers.js';
import { Affinity } from './affinity.js';
import { Announcements } from './announcements.js';
import { anyDeferred, anyInputWith, anyRunningOn, demandsOf } from './demand.js';
import { OwnRunners } from './own-runners.js';
import { PoolFigures } from './pool-figures.js';
import type { JobFigures } from './pool-figures.js';
import { JobStopper } from './stop-jobs.js';
import { WorkerMessages } from './worker-messages.js';

/** The rings of one pool. */
export class RingHub implements SlotRingHost {
  /** When the owner delivers, publishes and sleeps. */
  readonly turns: OwnerTurns;
  readonly #crew: Crew;
  readonly #entries = new Map<number, RingEntry>();
  readonly #feeder: Feeder;
  readonly #announcements: Announcements;
  readonly #messages: WorkerMessages;
  readonly #affinity: Affinity;
  readonly #runners: OwnRunners;
  readonly #stopper: JobStopper;
  readonly #store = new RingStore();
  readonly #figures: PoolFigures;
  /** Rings of each level of priority. */
  readonly #levels = new Array<number>(LOWEST_LEVEL + 1).fill(0);
  readonly #processors: number;

  /** @param own functions on this thread */
  constructor(platform: Platform, crew: Crew, own: OwnFunctions) {
    this.#crew = crew;
    this.#processors = platform.availableParallelism();
    this.#figures = new PoolFigures(crew.capacity);
    this.#feeder = new Feeder(
      crew,
      (ring, sequence, error) => {
        ring.ends.cancelOne(sequence, error);
        this.turns.scheduleDelivery();
      },
      this,
    );
    this.turns = new OwnerTurns(platform, crew, this.#entries, this.#feeder);
    this.#announcements = new Announcements(crew, this.turns);
    this.#messages = new WorkerMessages({
      crew,
      entries: this.#entries,
      turns: this.turns,
      feeder: this.#feeder,
      store: this.#store,
      deferred: new DeferredWatch(platform, crew),
    });
    this.#runners = new OwnRunners(crew, own, this.turns, (message) => {
      this.onMessage(undefined, message);
    });
    this.#affinity = new Affinity(crew, this.turns, this.#runners);
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
    const { runner, load } = this.#runners.make(ring, use, this.threads);
    const entry: RingEntry = { ...use, workers: [...use.workers], ring, runner, load };
    this.#crew.modules.tryAgain(entry.href);
    this.#entries.set(ring.id, entry);
    this.#crew.trySetupAgain();
    this.#countLevel(entry, 1);
    try {
      this.#announcements.toAll(entry, this.threads);
    } catch (error) {
      this.#remove(entry);
      throw error;
    }
    this.#affinity.assign(entry);
    return entry;
  }

  /** Limits the jobs not yet begun to these workers. */
  setWorkers(entry: RingEntry, workers: Iterable<number>): void {
    entry.workers = [...workers];
    this.#affinity.reassign([entry]);
  }

  /** Threads have come or gone: who may run which jobs is decided anew. */
  reassign(): void {
    this.#affinity.reassign(this.#entries.values());
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
      this.#announcements.toNew(member, this.rings, this.threads);
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

  /** Jobs that nobody has begun, see `demandsOf`. */
  demands(most: number): Generator<Demand> {
    return demandsOf(this.#entries.values(), most);
  }

  /** Is an input with this thread, or on its way to it? */
  hasInput(worker: number): boolean {
    return anyInputWith(this.#entries.values(), worker);
  }

  /** Has this thread begun a job that has not ended? O(jobs in flight). */
  isRunning(worker: number): boolean {
    return anyRunningOn(this.#entries.values(), worker);
  }

  /** Is a job out that its function has left to others, on whatever thread that was? */
  get hasDeferred(): boolean {
    return anyDeferred(this.#entries.values());
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
    this.#announcements.ofPart(ring, part);
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
    this.#messages.take(member, message);
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
}
