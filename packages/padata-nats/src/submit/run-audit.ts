/**
 * Looks whether the server still has what a run waits for.
 *
 * A job that was stored and has no outcome is in the stream of jobs, or its result is in the stream of results: workers
 * acknowledge only what they have answered. So when no job of the run is left and every result was read, what is still
 * open is lost: streams in memory after a restart, a disk that lost its last seconds, an operator's purge.
 *
 *     silent ─▶ streams there? made again ─▶ no jobs left? ─▶ all results read? ─▶ still open: lost
 *       ▲  twice as long as before └──────── no ──────────────────┘
 *
 * The order of the steps is the proof: jobs are counted before results are, and only jobs whose publication was
 * confirmed before the count are judged.
 */
import { fetchRunInfo } from '../server/run-info.js';
import { isNotFound } from '../server/streams.js';
import type { Engine, StreamMarks } from '../server/streams.js';
import { PadataNatsError } from '../wire/errors.js';
import type { ResultReader } from './result-reader.js';

/** A run's open jobs are looked after for the first time when nothing came for so long, in milliseconds. */
const FIRST_SILENCE_MS = 2000;
const LONGEST_SILENCE_MS = 60_000;
const TICK_MS = 500;
/** The description of a run is stored again before it is so old, as a part of the time that messages are kept. */
const INFO_AGE = 1 / 4;

/** What the audit must know of a run, and may do to it. */
interface AuditedRun {
  readonly run: string;
  /** Subject of its jobs. */
  readonly jobs: string;
  /** Consumer that its workers share. */
  readonly consumer: string;
  readonly reader: ResultReader;
  /** Jobs that are stored for certain and have no outcome. */
  readonly open: () => number[];
  /** Messages of results that came so far. */
  readonly arrived: () => number;
  /** The run's key, by which its description is known. */
  readonly key: Uint8Array;
  /** Stores the run's description again. */
  readonly describe: () => Promise<void>;
  /** These are lost; `ended`: somebody has taken the run off the server. */
  readonly onLost: (sequences: readonly number[], ended: boolean) => Promise<void>;
}

/** Audits one run until it is stopped. */
export class RunAudit {
  readonly #engine: Engine;
  readonly #audited: AuditedRun;
  #marks: StreamMarks;
  #describedAt = performance.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  #arrived = 0;
  #silentSince = performance.now();
  #patienceMs = FIRST_SILENCE_MS;
  #looking = false;

  /** The run has just been described to the server. */
  constructor(engine: Engine, audited: AuditedRun) {
    this.#engine = engine;
    this.#audited = audited;
    this.#marks = engine.marks();
    this.#timer = setInterval(() => {
      void this.#tick();
    }, TICK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #tick(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      await this.#keepDescription();
      if (this.#isSilent()) await this.#look();
    } catch {
      // The server is away or refuses: another time.
    } finally {
      this.#looking = false;
    }
  }

  #isSilent(): boolean {
    const arrived = this.#audited.arrived();
    const now = performance.now();
    if (arrived !== this.#arrived || this.#audited.open().length === 0) {
      this.#arrived = arrived;
      this.#silentSince = now;
      this.#patienceMs = FIRST_SILENCE_MS;
      return false;
    }
    if (now - this.#silentSince < this.#patienceMs) return false;
    this.#patienceMs = Math.min(this.#patienceMs * 2, LONGEST_SILENCE_MS);
    this.#silentSince = now;
    return true;
  }

  async #keepDescription(): Promise<void> {
    if (performance.now() - this.#describedAt < this.#engine.retentionMs * INFO_AGE) return;
    await this.#audited.describe();
    this.#describedAt = performance.now();
  }

  async #look(): Promise<void> {
    const { run, jobs, reader } = this.#audited;
    const marks = await this.#engine.restore();
    const ended = await this.#isEnded(run, marks);
    const open = this.#audited.open();
    if (await this.#areJobsLeft(jobs)) return;
    if (!reader.hasRead(await this.#lastResult(run), marks)) {
      this.#patienceMs = FIRST_SILENCE_MS;
      return;
    }
    // Made again meanwhile: the answers were about two different streams.
    if ((await this.#engine.restore()).results !== marks.results) return;
    const still = new Set(this.#audited.open());
    const lost = open.filter((sequence) => still.has(sequence));
    if (lost.length > 0 && this.#timer !== undefined) await this.#audited.onLost(lost, ended);
  }

  /** A description that is gone with its stream, or another's, is stored again; one that is gone alone was taken away. */
  async #isEnded(run: string, marks: StreamMarks): Promise<boolean> {
    const found = await this.#description(run);
    if (found === 'ours') return false;
    if (found === 'none' && marks.runs === this.#marks.runs) return true;
    await this.#audited.describe();
    this.#marks = marks;
    return false;
  }

  async #description(run: string): Promise<'ours' | 'none' | 'other'> {
    try {
      const info = await fetchRunInfo(this.#engine, run);
      if (info === undefined) return 'none';
      return Buffer.compare(info.key, this.#audited.key) === 0 ? 'ours' : 'other';
    } catch (error) {
      if (error instanceof PadataNatsError && error.code === 'ERR_PADATA_NATS_WIRE') return 'other';
      throw error;
    }
  }

  /**
   * Whether a job of the run may still be given to a worker: a message is there that its workers have not acknowledged. A server whose
   * disk was full keeps messages that were acknowledged, and gives them to nobody.
   */
  async #areJobsLeft(subject: string): Promise<boolean> {
    const { jsm, names } = this.#engine;
    const { state } = await jsm.streams.info(names.jobsStream, { subjects_filter: subject });
    if ((state.subjects?.[subject] ?? 0) === 0) return false;
    try {
      // The floor first: whatever is acknowledged meanwhile only makes the answer too careful.
      const { ack_floor: floor } = await jsm.consumers.info(
        names.jobsStream,
        this.#audited.consumer,
      );
      const last = await jsm.streams.getMessage(names.jobsStream, { last_by_subj: subject });
      return last === null || last.seq > floor.stream_seq;
    } catch {
      // No worker has come yet, or this user may not ask.
      return true;
    }
  }

  /** Number of the run's last result in the stream; 0 when there is none (any more). */
  async #lastResult(run: string): Promise<number> {
    const { jsm, names } = this.#engine;
    try {
      const subject = names.results(run);
      const message = await jsm.streams.getMessage(names.resultsStream, { last_by_subj: subject });
      return message?.seq ?? 0;
    } catch (error) {
      if (isNotFound(error)) return 0;
      throw error;
    }
  }
}
