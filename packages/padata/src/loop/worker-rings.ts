/** A worker's rings: told by message, scanned in turn. */
import { countWorks } from '../base/current-worker.js';
import { toErrorRecord } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import { performance } from '../base/host-time.js';
import type { TurnClock } from '../base/turn-clock.js';
import { WORKER, workerBase } from '../protocol/control-layout.js';
import { wakeWorker } from '../protocol/machine.js';
import type { FromWorker, SentJob, ToWorker } from '../protocol/messages.js';
import { jobsRun } from '../protocol/ring-stats.js';
import { refusal } from '../values/unread.js';
import { RING, ringMemory } from '../protocol/ring-layout.js';
import { hasWorker } from '../protocol/worker-set.js';
import { jobFunction } from '../slot/job-function.js';
import { SlotRunner } from '../slot/slot-runner.js';
import type { RunnerHost } from '../slot/slot-runner.js';
import { RingLevels } from '../levels/ring-levels.js';
import { withFunction } from './worker-loop.js';
import type { WorkerLoop } from './worker-loop.js';

const { load } = Atomics;

/** Inputs of one message, and at which of them the owner is told. */
interface EarlyJobs {
  readonly jobs: readonly SentJob[];
  readonly ask: number;
}

/** All rings that one worker serves. */
export class WorkerRings implements RunnerHost {
  readonly worker: number;
  readonly control: Int32Array;
  readonly clock: TurnClock;
  readonly #loop: WorkerLoop;
  readonly #byId = new Map<number, SlotRunner>();
  /** Those of a higher priority first. */
  #list: SlotRunner[] = [];
  /** The same by their priorities; undefined = they have one. */
  #levels: RingLevels | undefined;
  /** Jobs that came by message before the ring's module was there. */
  readonly #early = new Map<number, EarlyJobs[]>();
  #next = 0;
  /** Histograms of the rings that there are, and jobs run here that the others' had counted. */
  readonly #stats = new Map<number, Int32Array>();
  #jobsBefore = 0;

  constructor(loop: WorkerLoop) {
    this.#loop = loop;
    this.worker = loop.init.id;
    this.control = loop.init.words;
    this.clock = loop.clock;
  }

  /** Could this worker reserve something right now? */
  get canWork(): boolean {
    if (this.#levels !== undefined) return this.#levels.canWork;
    for (const ring of this.#list) if (ring.canWork) return true;
    return false;
  }

  /** Is anything submitted and not delivered? */
  get isBusy(): boolean {
    return this.#list.some((ring) => ring.isBusy);
  }

  /** Time of the longest jobs under way, in nanoseconds; Infinity = not known of all, undefined = there are none. */
  get longestNs(): number | undefined {
    let longest: number | undefined;
    for (const ring of this.#list) {
      if (ring.isBusy) longest = Math.max(longest ?? 0, ring.runNs || Infinity);
    }
    return longest;
  }

  /** Functions of this thread have left jobs to others, and they wait for them. */
  get hasHandedOver(): boolean {
    return this.#list.some((ring) => ring.hasHandedOver);
  }

  /** Are jobs left to others for a moment? */
  get isPatient(): boolean {
    return this.#list.some((ring) => ring.isPatient);
  }

  define(message: Extract<ToWorker, { t: 'ring' }>): void {
    const { ring, shared, stats, threads } = message;
    const fail = (error: unknown): void => {
      this.#loop.post({ t: 'ringError', ring, error: toErrorRecord(error) });
    };
    const memory = ringMemory(message.buffer, message.window, message.arenaBytes);
    for (const part of message.parts) memory.arena.add(part);
    const clockOffset = performance.timeOrigin - message.timeOrigin;
    const { pendingPerThread, copyInput, level } = message;
    const runner = new SlotRunner(
      { id: ring, memory, shared, stats, threads, clockOffset, pendingPerThread, copyInput, level },
      this,
    );
    this.#byId.set(ring, runner);
    this.#stats.set(ring, stats);
    // What threads before this one have counted under its number.
    this.#jobsBefore -= jobsRun(stats, this.worker);
    this.#listAnew();
    if (message.unread === true) {
      fail(new PadataError('ERR_PADATA_CLONE', refusal("the series' shared value")));
      return;
    }
    withFunction(
      this.#loop,
      message,
      (fn) => {
        runner.fn = jobFunction(fn, message.outputBytes);
        const early = this.#early.get(ring);
        this.#early.delete(ring);
        // In a turn of its own, between the loop's: what runs now are jobs, whatever else is imported.
        countWorks(1);
        for (const { jobs, ask } of early ?? []) this.takeInputs(ring, jobs, ask);
        countWorks(-1);
      },
      fail,
    );
  }

  /** Jobs that this thread has run. O(rings). */
  get jobsRun(): number {
    let jobs = this.#jobsBefore;
    for (const stats of this.#stats.values()) jobs += jobsRun(stats, this.worker);
    return jobs;
  }

  drop(ring: number): void {
    const stats = this.#stats.get(ring);
    if (stats !== undefined) this.#jobsBefore += jobsRun(stats, this.worker);
    this.#stats.delete(ring);
    this.#byId.delete(ring);
    this.#early.delete(ring);
    this.#listAnew();
    this.#loop.post({ t: 'dropped', ring });
  }

  #listAnew(): void {
    const list = [...this.#byId.values()].sort((a, b) => a.level - b.level);
    const isMixed = list.length > 0 && list[0]!.level !== list.at(-1)!.level;
    this.#list = list;
    this.#levels = isMixed ? new RingLevels(list, this) : undefined;
  }

  /** A ring's arena has grown. */
  addPart({ ring, part }: Extract<ToWorker, { t: 'part' }>): void {
    this.#byId.get(ring)?.addPart(part);
  }

  takeMail(): void {
    this.#loop.takeMail();
  }

  /** A job was settled without its function. */
  abandon(ring: number, sequence: number): void {
    this.#byId.get(ring)?.abandon(sequence);
  }

  /** Runs jobs whose inputs came by message; at one of them the owner may be told that there is room for more. */
  takeInputs(ring: number, jobs: readonly SentJob[], ask: number): void {
    const runner = this.#byId.get(ring);
    if (runner === undefined) return;
    if (runner.fn === undefined) {
      this.#early.set(ring, [...(this.#early.get(ring) ?? []), { jobs, ask }]);
      return;
    }
    for (let i = 0; i < jobs.length; i += 1) {
      const [sequence, input] = jobs[i]!;
      runner.runSent(sequence, input, i === ask);
    }
  }

  /** This thread has nothing to do: the owner is told of what has ended. */
  tell(): void {
    for (const ring of this.#list) ring.tell();
  }

  /** This thread has nothing to do: whoever has inputs for it is told. */
  askForHeld(): void {
    for (const ring of this.#list) ring.askForHeld();
  }

  /** An input waits for a thread that has nothing to do. */
  get wantsFree(): boolean {
    for (const ring of this.#list) if (ring.wantsFree) return true;
    return false;
  }

  /** Inputs wait behind jobs of other threads. */
  get seesKept(): boolean {
    return this.#list.some((ring) => ring.seesKept);
  }

  /** One reservation in each ring, in turn, or one job where they have priorities; true = something was done. */
  scan(): boolean {
    if (this.#levels !== undefined) return this.#levels.begin();
    const list = this.#list;
    let did = false;
    for (let i = 0; i < list.length; i += 1) {
      if (list[(this.#next + i) % list.length]!.scan()) did = true;
    }
    this.#next += 1;
    return did;
  }

  /** Takes one job over that another worker has reserved but not begun. */
  steal(): boolean {
    for (const ring of this.#list) {
      if (!ring.isBusy) continue;
      if (ring.steal()) return true;
      ring.askForSent();
    }
    return false;
  }

  get local(): unknown {
    return this.#loop.setup?.local;
  }

  post(message: FromWorker, transfer?: readonly unknown[]): void {
    this.#loop.post(message, transfer);
  }

  /** Wakes the owner. */
  wake(): void {
    this.#loop.post({ t: 'wake' });
  }

  beginsWork(now: number): void {
    this.#loop.beginsWork(now);
  }

  pause(): boolean {
    return this.#loop.pause();
  }

  beginAsync(): void {
    this.#loop.beginAsync();
  }

  endAsync(): void {
    this.#loop.endAsync();
  }

  busyMs(): number | undefined {
    return this.#loop.busyMs();
  }

  /** Of those that sleep, one that waits for the fewest promises: it has the most to give. */
  wakeAnother(ring: Int32Array): void {
    const { capacity } = this.#loop.init;
    let best = 0;
    let fewest = Infinity;
    for (let w = 1; w <= capacity; w += 1) {
      if (w === this.worker || !hasWorker(ring, RING.ALLOWED, w)) continue;
      const base = workerBase(w);
      if (load(this.control, base + WORKER.SLEEP) !== 1) continue;
      const pending = load(this.control, base + WORKER.PENDING);
      if (pending >= fewest) continue;
      best = w;
      fewest = pending;
      if (pending === 0) break;
    }
    if (best !== 0) wakeWorker(this.control, best);
  }
}
