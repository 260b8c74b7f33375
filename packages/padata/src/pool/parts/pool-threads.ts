/**
 * The threads of a pool, and who is told of them: its jobs, whoever waits until all are there, the program.
 *
 * ```
 *   Crew ── started, there, ended ─▶ PoolJobs, Readiness, events
 *     ▲                                  │ what waits, who has nothing to do
 *     └────── ElasticThreads ◀───────────┘
 * ```
 */
import { platform } from '#platform';
import type { Emitter } from '../../base/emitter.js';
import { Crew } from '../../crew/crew.js';
import { ElasticThreads } from '../../crew/elastic-threads.js';
import type { ThreadBounds } from '../../crew/elastic-threads.js';
import type { Member } from '../../threads/member.js';
import type { WorkerEnd } from '../../threads/platform.js';
import type { ThreadMaker } from '../../threads/thread-maker.js';
import { notice } from '../notice.js';
import { startError } from '../pool-errors.js';
import type { PoolJobs } from './pool-jobs.js';
import type { PoolPlan } from '../pool-options.js';
import type { WorkPoolEvents } from '../pool-types.js';
import { Readiness } from './readiness.js';

/** Threads that ended unexpectedly before close may take this long, in milliseconds. */
const CLOSE_GRACE_MS = 2000;

/** Those of one pool. */
export class PoolThreads {
  readonly crew: Crew;
  readonly elastic: ElasticThreads;
  readonly #readiness: Readiness;
  readonly #events: Emitter<WorkPoolEvents>;
  /** Undefined while the first thread is started, and for good where they could not be made. */
  #jobs: PoolJobs | undefined;
  #deaths = 0;

  /** Starts the first. @throws ERR_PADATA_ARGUMENT where threads do not start with these options */
  constructor(plan: PoolPlan, maker: ThreadMaker, events: Emitter<WorkPoolEvents>) {
    this.#events = events;
    this.crew = this.#makeCrew(plan, maker);
    this.#readiness = new Readiness(this.crew);
    this.elastic = new ElasticThreads(this.crew, {
      demands: (most) => this.#jobs!.demands(most),
      isAtWork: (worker) => this.#jobs!.isAtWork(worker),
      isAsked: (worker) => this.#jobs!.isAsked(worker),
      onChange: () => {
        this.onChange();
      },
    });
    if (plan.bounds.max > 0) this.elastic.set(plan.bounds);
  }

  /** Threads that ended without being asked to. */
  get deaths(): number {
    return this.#deaths;
  }

  /** These run on them from now on. */
  serve(jobs: PoolJobs): void {
    this.#jobs = jobs;
    for (const member of this.crew.living()) jobs.onStart(member);
  }

  /** Resolves when all that are wanted run and are set up; rejects when they cannot be, one of them not three times in a row. */
  async ready(): Promise<void> {
    const { crew } = this;
    crew.startAll();
    if (this.#readiness.isReady) return;
    const setupError = crew.setupError ?? crew.setupTrouble;
    if (setupError !== undefined) throw setupError;
    if (crew.startTrouble !== undefined) throw startError(crew.startTrouble);
    await this.#readiness.wait();
  }

  /** There are to be so many. @throws ERR_PADATA_ARGUMENT */
  set(bounds: ThreadBounds): void {
    this.elastic.set(bounds);
  }

  /** The number of threads that are wanted has changed. */
  onChange(): void {
    this.#jobs?.onThreads();
    this.#events.emit('resize', { threads: this.crew.target });
    this.#readiness.check();
  }

  /** Nobody is to wait for them any more. */
  refuse(error: unknown): void {
    this.#readiness.reject(error);
  }

  /** Resolves when all have ended; those that do not leave soon are ended. */
  async close(): Promise<void> {
    this.elastic.close();
    await this.crew.close(CLOSE_GRACE_MS);
  }

  #makeCrew({ setup }: PoolPlan, maker: ThreadMaker): Crew {
    return new Crew(platform, maker, setup, {
      onMessage: (member, message) => {
        this.#jobs?.onMessage(member, message);
      },
      onReady: (member) => {
        this.#events.emit('worker-ready', { worker: member.id, tid: member.tid });
        this.#readiness.check();
      },
      onStart: (member) => {
        this.#jobs?.onStart(member);
      },
      onEnd: (member, end, expected) => {
        return this.#onEnd(member, end, expected);
      },
      onGivenUp: (error) => {
        this.#jobs?.onGivenUp(error);
        this.#events.emit('error', { error });
      },
      onTrouble: (error) => {
        this.#events.emit('error', { error });
      },
      onMissing: () => {
        this.#jobs?.reassign();
        const { setupTrouble } = this.crew;
        if (setupTrouble !== undefined) this.#readiness.reject(setupTrouble);
      },
      onSetupGivenUp: (error) => {
        this.#jobs?.onSetupGivenUp(error);
        this.#readiness.reject(error);
      },
      onNoThreads: () => {
        this.#onNoThreads();
      },
      onHeld: () => {
        this.elastic.begin();
      },
      onStays: (isCounted) => {
        if (isCounted) this.#readiness.check();
        else this.onChange();
      },
    });
  }

  /** @returns whether the thread had work at hand */
  #onEnd(member: Member, end: WorkerEnd, expected: boolean): boolean {
    if (!expected) this.#deaths += 1;
    const hadWork = this.#jobs?.onEnd(member, end) === true;
    this.#events.emit('worker-exit', {
      worker: member.id,
      exitCode: end.exitCode,
      error: end.error,
      expected,
    });
    if (this.crew.startTrouble !== undefined) {
      this.#readiness.reject(startError(this.crew.startTrouble));
    }
    this.#readiness.check();
    return hadWork;
  }

  /** Everything runs on the calling thread from now on. */
  #onNoThreads(): void {
    const error = startError(this.crew.startTrouble);
    this.#jobs?.reassign();
    this.#jobs?.onThreads();
    this.#readiness.reject(error);
    if (error.code === 'ERR_PADATA_MODULE') notice(error.message);
    this.#events.emit('error', { error });
  }
}
