/**
 * Looks whether the server still has what a run waits for, and still gives it.
 *
 * A job that was stored and has no outcome is in the stream of jobs, or its result is in the stream of results: workers
 * acknowledge only what they have answered. So when no job of the run is left and every result was read, what is still
 * open is lost: streams in memory after a restart, a disk that lost its last seconds, an operator's purge. A job that is left
 * is nobody's when the server keeps it and gives it to nobody (held-watch): it is taken away, and lost like the others.
 *
 *     silent ─▶ streams there? made again ─▶ no jobs left? ─▶ all results read? ─▶ still open: lost
 *       ▲  twice as long as before └── no: held back? taken away ──┘       └ no ─┐
 *       ├────────────────────────────────────────────────────────────────────────┘
 *       └ the server is there and answers none of this, for a minute: what is open ends
 *
 * The order of the steps is the proof: jobs are counted before results are, and only jobs whose publication was
 * confirmed before the count are judged.
 */
import { Patience } from '../server/pulse.js';
import { isNotFound } from '../server/streams.js';
import type { Engine } from '../server/streams.js';
import { HeldWatch } from './held-watch.js';

/** A run's open jobs are looked after for the first time when nothing came for so long, in milliseconds. */
const FIRST_SILENCE_MS = 2000;
const LONGEST_SILENCE_MS = 60_000;
const TICK_MS = 500;
/** The description of a run is stored again before it is so old, as a part of the time that messages are kept. */
const INFO_AGE = 1 / 4;
/** What is held back was held by nobody for so much longer than the server waits for a sign of life, in milliseconds. */
const HELD_BACK_MS = 5000;
/** The time that the server waits: where there is no consumer, and where it is not told. */
const DEFAULT_ACK_WAIT_MS = 30_000;
const UNKNOWN_ACK_WAIT_MS = 600_000;
const NANOS = 1e6;

/** What the audit must know of a run, and may do to it. */
interface AuditedRun {
  readonly run: string;
  /** Subject of its jobs. */
  readonly jobs: string;
  /** Consumer that its workers share. */
  readonly consumer: string;
  /** Was the run's last result in the stream taken in; `undefined` = there is none? If not, it is asked for anew. */
  readonly hasRead: (last: { readonly seq: number; readonly time: Date } | undefined) => boolean;
  /** Jobs that are stored for certain and have no outcome. */
  readonly open: () => number[];
  /** Messages that came, and messages that were stored, so far. */
  readonly arrived: () => number;
  readonly stored: () => number;
  /** A worker holds something of the run; one that offers its module has a free place. */
  readonly isHeld: () => boolean;
  readonly isWanted: () => boolean;
  /**
   * Stores the run's description again where it is gone, or a stranger's; `isOld`: also where it is there.
   * @returns whose it is: 'ended' = it was taken off the server, 'taken' = it is another submitter's
   */
  readonly describe: (isOld: boolean) => Promise<'ours' | 'ended' | 'taken'>;
  /** These are lost; `ended`: somebody has taken the run off the server. */
  readonly onLost: (sequences: readonly number[], ended: boolean) => Promise<void>;
  /** The server is there, and it cannot be found out what became of these. */
  readonly onRefused: (sequences: readonly number[], cause: unknown) => void;
}

/** Messages of a run in the stream of jobs. */
interface JobsLeft {
  readonly count: number;
  /** Number of the last one, where it is known. */
  readonly last: number | undefined;
  /** None of them has a higher number. */
  readonly upTo: number;
}

/** Audits one run until it is stopped. */
export class RunAudit {
  readonly #engine: Engine;
  readonly #audited: AuditedRun;
  readonly #held = new HeldWatch(performance.now());
  readonly #patience: Patience;
  #describedAt = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  #arrived = 0;
  #silentSince = performance.now();
  #patienceMs = FIRST_SILENCE_MS;
  #looking = false;
  /** Messages that came and were stored, when nobody holding anything was looked at last. */
  #news = 0;
  /** For how long nobody has held anything, and how long that has to be. */
  #unheldMs = 0;
  #heldBackMs = DEFAULT_ACK_WAIT_MS + HELD_BACK_MS;
  #wasHeldBack = false;
  /** What was left at the look before. */
  #left: JobsLeft | undefined;

  /** The run has just been described to the server. */
  constructor(engine: Engine, audited: AuditedRun) {
    this.#engine = engine;
    this.#audited = audited;
    this.#patience = new Patience(engine.pulse);
    this.#timer = setInterval(() => {
      this.#watch();
      void this.#tick();
    }, TICK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #watch(): void {
    const { arrived, stored, isHeld, isWanted } = this.#audited;
    const news = arrived() + stored();
    const hasNews = news !== this.#news;
    this.#news = news;
    const moment = { isHeld: isHeld(), isWanted: isWanted(), hasNews };
    this.#unheldMs = this.#held.look(moment, performance.now());
  }

  async #tick(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#keepDescription();
      if (!this.#isDue()) return;
      await this.#look();
    } catch (error) {
      await this.#onRefused(error);
    } finally {
      this.#looking = false;
    }
  }

  /** Silent for long enough, or held back since just now. */
  #isDue(): boolean {
    const arrived = this.#audited.arrived();
    const now = performance.now();
    if (arrived !== this.#arrived || this.#audited.open().length === 0) {
      this.#arrived = arrived;
      this.#beginAnew(now);
      return false;
    }
    const turned = this.#isHeldBack && !this.#wasHeldBack;
    this.#wasHeldBack = this.#isHeldBack;
    if (!turned && now - this.#silentSince < this.#patienceMs) return false;
    this.#patienceMs = Math.min(this.#patienceMs * 2, LONGEST_SILENCE_MS);
    this.#silentSince = now;
    return true;
  }

  get #isHeldBack(): boolean {
    return this.#unheldMs >= this.#heldBackMs;
  }

  #beginAnew(now: number): void {
    this.#silentSince = now;
    this.#patienceMs = FIRST_SILENCE_MS;
    this.#patience.renew();
  }

  /** Nothing was found out: the server is away, or it refuses. */
  async #onRefused(error: unknown): Promise<void> {
    this.#patienceMs = FIRST_SILENCE_MS;
    const open = this.#audited.open();
    if (open.length === 0 || !(await this.#patience.isOver()) || this.#timer === undefined) return;
    this.#audited.onRefused(open, error);
  }

  async #keepDescription(): Promise<void> {
    if (performance.now() - this.#describedAt < this.#engine.retentionMs * INFO_AGE) return;
    await this.#audited.describe(true);
    this.#describedAt = performance.now();
  }

  async #look(): Promise<void> {
    const { run, jobs, hasRead, describe } = this.#audited;
    await this.#engine.restore();
    // Whoever takes a run away leaves a mark in the description's place, or takes the name.
    const whose = await describe(false);
    const open = this.#audited.open();
    if (whose === 'taken') {
      // Jobs and results that are left are that one's.
      await this.#lose(open, true);
      return;
    }
    if (await this.#areJobsLeft(jobs)) {
      this.#patience.renew();
      return;
    }
    const last = await this.#lastResult(run);
    if (!hasRead(last)) throw new Error('results are there and do not come');
    this.#patience.renew();
    const still = new Set(this.#audited.open());
    const lost = open.filter((sequence) => still.has(sequence));
    await this.#lose(lost, whose === 'ended');
  }

  async #lose(lost: readonly number[], ended: boolean): Promise<void> {
    if (lost.length === 0 || this.#timer === undefined) return;
    await this.#audited.onLost(lost, ended);
    this.#beginAnew(performance.now());
  }

  /** Whether a job of the run may still be given to a worker. What is held back is taken away first. */
  async #areJobsLeft(subject: string): Promise<boolean> {
    const { jsm, names } = this.#engine;
    const before = this.#left;
    const left = await this.#jobsLeft(subject);
    this.#left = left;
    if (left === undefined) return false;
    // The same as at the look before: nothing was stored while nobody held anything.
    const isSame = left.count === before?.count && left.last === before.last;
    if (!this.#isHeldBack || !isSame) return true;
    await jsm.streams.purge(names.jobsStream, { filter: subject, seq: left.upTo + 1 });
    return (await this.#jobsLeft(subject)) !== undefined;
  }

  /**
   * The run's messages in the stream; undefined where its workers have acknowledged them all. A server whose disk was full,
   * or that was killed, keeps messages that were acknowledged, gives them to nobody, and may not find a subject's last one.
   */
  async #jobsLeft(subject: string): Promise<JobsLeft | undefined> {
    const { jsm, names } = this.#engine;
    const { state } = await jsm.streams.info(names.jobsStream, { subjects_filter: subject });
    const count = state.subjects?.[subject] ?? 0;
    if (count === 0) return undefined;
    // The floor first: whatever is acknowledged meanwhile only makes the answer too careful.
    const floor = await this.#acknowledged();
    const last = await this.#lastJob(subject);
    const upTo = last ?? state.last_seq;
    return upTo > floor ? { count, last, upTo } : undefined;
  }

  /** Number of the run's last message; undefined where the server does not find it, or may not be asked by this user. */
  async #lastJob(subject: string): Promise<number | undefined> {
    const { jsm, names } = this.#engine;
    try {
      const last = await jsm.streams.getMessage(names.jobsStream, { last_by_subj: subject });
      return last?.seq;
    } catch {
      return undefined;
    }
  }

  /** Up to which number workers have acknowledged everything; takes in how long the server waits for a sign of life. */
  async #acknowledged(): Promise<number> {
    const { jsm, names } = this.#engine;
    try {
      const { ack_floor: floor, config } = await jsm.consumers.info(
        names.jobsStream,
        this.#audited.consumer,
      );
      const ackWaitMs = (config.ack_wait ?? DEFAULT_ACK_WAIT_MS * NANOS) / NANOS;
      this.#heldBackMs = ackWaitMs + HELD_BACK_MS;
      return floor.stream_seq;
    } catch (error) {
      // No worker has come yet, or the server has lost it; or this user may not ask.
      const ackWaitMs = isNotFound(error) ? DEFAULT_ACK_WAIT_MS : UNKNOWN_ACK_WAIT_MS;
      this.#heldBackMs = ackWaitMs + HELD_BACK_MS;
      return 0;
    }
  }

  /** The run's last result in the stream; undefined when there is none (any more). */
  async #lastResult(run: string): Promise<{ seq: number; time: Date } | undefined> {
    const { jsm, names } = this.#engine;
    try {
      const subject = names.results(run);
      const message = await jsm.streams.getMessage(names.resultsStream, { last_by_subj: subject });
      return message ?? undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
