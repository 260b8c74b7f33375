/**
 * Threads that come when work waits for them and go when they have had nothing to do for long.
 *
 * ```
 *   absent ── jobs wait, fewer threads have nothing to do ──▶ starting ─▶ works ◀─▶ nothing to do
 *      ▲                                                                               │ idleMs
 *      └─────────── it has ended ◀──────── leaves ◀── "leave if you have nothing" ─────┘
 *                                            └──────── "I stay": it has begun something meanwhile ─▶ works
 * ```
 * The owner looks: when something begins to be under way and when nothing is any more, now and then in between, and when the
 * first could have had nothing to do for long enough. Nothing is counted for it while jobs run.
 *
 * A thread is dismissed only if no input and no question is with it, so that nothing has to come back; what it begins before
 * it hears of it, it ends.
 */
import { clearTimeout, performance, queueMicrotask, setTimeout } from '../base/host-time.js';
import { unrefTimer } from '../threads/timers.js';
import type { Timer } from '../threads/timers.js';
import { WORKER, workerBase } from '../protocol/control-layout.js';
import type { Crew } from './crew.js';
import type { Member } from '../threads/member.js';
import { threadsToStart } from './thread-need.js';
import type { Demand } from './thread-need.js';

/** While something is under way and threads may come, the owner looks so often, in milliseconds. */
const LOOK_MS = 5;
/** While all of them are there and something is under way, so often in the time that a thread may have nothing to do. */
const IDLE_LOOKS = 4;

/** A thread that has said that it begins something and has nothing yet is about to take a job; for so long, in milliseconds. */
const ABOUT_MS = 200;

/** Bounds of the number of threads. */
export interface ThreadBounds {
  readonly min: number;
  readonly max: number;
  /** How long a thread has nothing to do before it goes, in milliseconds. */
  readonly idleMs: number;
}

/** What it needs of the pool. */
interface ElasticHost {
  /** What waits for threads; of each kind at most so many jobs are counted. */
  demands(most: number): Iterable<Demand>;
  /** Is something on its way to this thread that it has to answer? */
  isAsked(worker: number): boolean;
  /** Has this thread a job that it has begun, or a part in a range? O(jobs in flight). */
  isAtWork(worker: number): boolean;
  /** The number of threads that are wanted has changed. */
  onChange(): void;
}

/** What a thread was doing at the last look, and since when it has done nothing else. */
interface Seen {
  readonly did: string;
  readonly since: number;
}

/** The threads of one pool. */
export class ElasticThreads {
  readonly #crew: Crew;
  readonly #host: ElasticHost;
  readonly #seen = new Map<Member, Seen>();
  #bounds: ThreadBounds = { min: 0, max: 0, idleMs: 0 };
  #timer: Timer | undefined;
  #isScheduled = false;
  #isClosed = false;

  constructor(crew: Crew, host: ElasticHost) {
    this.#crew = crew;
    this.#host = host;
  }

  /** These are the bounds from now on; equal ones = their number is fixed. @throws ERR_PADATA_ARGUMENT, see `Crew.resize` */
  set(bounds: ThreadBounds): void {
    this.#bounds = bounds;
    this.#crew.resize(bounds.min, bounds.max);
    this.begin();
  }

  get bounds(): ThreadBounds {
    return this.#bounds;
  }

  /** Something is under way, or nothing any more: the owner looks at the end of this turn, when all is submitted. */
  begin(): void {
    if (this.#isScheduled || !this.#isElastic) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#look();
    });
  }

  /** Work that begins now is shared by as many threads as there may be of these, at most `count`. */
  share(count: number, allows: (worker: number) => boolean): void {
    if (this.#isElastic) this.#start([{ jobs: count, allows }], this.#idle());
  }

  /** No look from now on. */
  close(): void {
    clearTimeout(this.#timer);
    this.#isClosed = true;
  }

  get #isElastic(): boolean {
    return (
      this.#crew.isElastic &&
      !this.#isClosed &&
      !this.#crew.isAlone &&
      this.#crew.setupError === undefined
    );
  }

  #look(): void {
    clearTimeout(this.#timer);
    if (!this.#isElastic) return;
    const { min, max, idleMs } = this.#bounds;
    // First who could take a job, then which jobs wait: one that is taken in between is counted for nobody else.
    const idle = this.#idle();
    const demands = [...this.#host.demands(max)].filter(({ jobs }) => jobs > 0);
    const now = performance.now();
    const due = this.#note(now);
    if (demands.length > 0) this.#start(demands, idle);
    else this.#dismiss(now);
    const { isHeld, target } = this.#crew;
    if (isHeld && target < max) this.#later(LOOK_MS);
    else if (target > min) this.#later(isHeld ? idleMs / IDLE_LOOKS : due - now);
  }

  #later(ms: number): void {
    this.#timer = setTimeout(
      () => {
        this.#look();
      },
      Math.max(LOOK_MS, Math.ceil(ms)),
    );
    unrefTimer(this.#timer);
  }

  /** Threads that have nothing to do, or soon take something. */
  #idle(): number[] {
    const isThere = (member: Member): boolean => this.#isComing(member) || this.#isIdle(member);
    return this.#crew
      .memberList()
      .filter(isThere)
      .map(({ id }) => id);
  }

  #start(demands: readonly Demand[], idle: readonly number[]): void {
    const crew = this.#crew;
    const absent: number[] = [];
    for (let id = 1; id <= this.#bounds.max; id += 1) if (!crew.isWanted(id)) absent.push(id);
    // One whose predecessor is still about to end comes later than one whose place is free.
    absent.sort(
      (a, b) => Number(crew.member(a) !== undefined) - Number(crew.member(b) !== undefined),
    );
    const ids = threadsToStart(demands, idle, absent);
    if (ids.length === 0) return;
    for (const id of ids) crew.want(id);
    this.#host.onChange();
  }

  /** Notes what each thread does. @returns when the first of them, or one that is to come, has had nothing to do for long enough */
  #note(now: number): number {
    const members = new Set(this.#crew.memberList());
    for (const member of this.#seen.keys()) if (!members.has(member)) this.#seen.delete(member);
    let first = now;
    for (const member of members) {
      const did = this.#did(member);
      const before = this.#seen.get(member);
      const isStill = before?.did === did && this.#hasNothing(member);
      const since = isStill ? before.since : now;
      this.#seen.set(member, { did, since });
      first = Math.min(first, since);
    }
    return first + this.#bounds.idleMs;
  }

  #dismiss(now: number): void {
    const { min, idleMs } = this.#bounds;
    const crew = this.#crew;
    let isChanged = false;
    // The last that came goes first.
    for (const member of crew.memberList().reverse()) {
      if (crew.target <= min) break;
      const { id } = member;
      if (now - this.#seen.get(member)!.since < idleMs || !this.#hasNothing(member)) continue;
      if (!crew.isWanted(id) || this.#host.isAsked(id)) continue;
      crew.dismiss(member);
      isChanged = true;
    }
    if (isChanged) this.#host.onChange();
  }

  /** It will take a job soon: it is being started, has begun nothing yet, or is between saying that it begins and beginning. */
  #isComing(member: Member): boolean {
    const { id, state } = member;
    if (state === 'starting' || state === 'settingUp') return true;
    if (state !== 'ready') return false;
    const from = this.#word(id, WORKER.BUSY_FROM);
    return from === 0 || (((msNow() - from) | 0) < ABOUT_MS && this.#isAboutTo(member));
  }

  /** It does not say that it is free, and has nothing: where it gets no processor at that very moment, that takes a while. */
  #isAboutTo({ id, importing }: Member): boolean {
    if (this.#crew.isFree(id) || importing.size > 0) return false;
    return this.#word(id, WORKER.PENDING) === 0 && !this.#host.isAtWork(id);
  }

  /** Nothing to do and no promise. */
  #isIdle({ id, state }: Member): boolean {
    return state === 'ready' && this.#crew.isFree(id) && this.#word(id, WORKER.PENDING) === 0;
  }

  /** And nothing to import. */
  #hasNothing(member: Member): boolean {
    return member.importing.size === 0 && this.#isIdle(member);
  }

  /** Differs when it has begun something since. */
  #did({ id }: Member): string {
    return `${this.#word(id, WORKER.BUSY_FROM)} ${this.#word(id, WORKER.BUSY_MS)}`;
  }

  #word(id: number, word: number): number {
    return Atomics.load(this.#crew.words, workerBase(id) + word);
  }
}

/** Milliseconds on the clock of BUSY_FROM. */
function msNow(): number {
  return Math.floor(performance.timeOrigin + performance.now()) | 0;
}
