/**
 * The lanes of a pool, owner's side: the shared words of one range job each. A lane is taken with the works that the
 * job needs, described while its gate is closed, opened to the helpers that are chosen, and given back.
 */
import type { Crew } from '../crew/crew.js';
import type { Member } from '../threads/member.js';
import type { WorkList } from '../crew/work-list.js';
import {
  HEAD,
  LANE,
  LANE_COUNT,
  LANE_NUMBER,
  LANE_STAT_NUMBERS,
  controlLayout,
  lanePlace,
} from '../protocol/control-layout.js';
import type { ControlLayout } from '../protocol/control-layout.js';
import { lane as protocol, sleep } from '../protocol/machine.js';
import { addWorker, clearWorkers, hasWorker } from '../protocol/worker-set.js';
import { LaneRun } from './lane-run.js';
import { argError } from './own-arg.js';
import { RangeHelpers } from './range-helpers.js';
import type { PlannedRun, RangeJobState } from './range-job.js';
import { planRange, plannedThreads } from './range-plan.js';
import type { RangePlan, RangeShape } from './range-plan.js';

const { add, load } = Atomics;

type ShareRun = (count: number, allows: (worker: number) => boolean) => void;

/** Lanes, and which run has which. */
export class RangeLanes {
  readonly #crew: Crew;
  readonly #works: WorkList;
  readonly #layout: ControlLayout;
  readonly #words: Int32Array;
  readonly #numbers: Float64Array;
  readonly #helpers: RangeHelpers;
  readonly #share: ShareRun;
  readonly #free: number[] = [];
  readonly #runs: (LaneRun | undefined)[] = new Array<LaneRun | undefined>(LANE_COUNT).fill(
    undefined,
  );

  /**
   * @param nodes node of each worker thread; missing = 0
   * @param share threads come, if more may, so that so many of these share a run
   */
  constructor(crew: Crew, works: WorkList, nodes: readonly number[], share: ShareRun) {
    this.#crew = crew;
    this.#share = share;
    this.#works = works;
    this.#layout = controlLayout(crew.capacity);
    this.#words = crew.words;
    this.#numbers = crew.numbers;
    this.#helpers = new RangeHelpers(crew, nodes);
    for (let i = LANE_COUNT - 1; i >= 0; i -= 1) this.#free.push(i);
  }

  /** Runs that have a lane now; undefined = the lane is free. */
  get runs(): readonly (LaneRun | undefined)[] {
    return this.#runs;
  }

  /** Takes works and a lane; no lane = the caller runs the plan alone. Both come back by `giveBack`. */
  take(shape: RangeShape): { plan: RangePlan; lane: number | undefined } {
    const most = Math.floor((this.#layout.maxChunks - 2) / 8) - 1;
    const works = this.#works.take(Math.min(plannedThreads(shape) - 1, most));
    let plan = planRange(shape, works);
    if (plan.got === 1) return { plan, lane: undefined };
    const lane = this.#free.pop();
    if (lane === undefined) {
      this.#works.put(works);
      plan = planRange(shape, 0);
    }
    return { plan, lane };
  }

  /** The same for a run that begins without the caller: a single chunk takes a lane too. */
  takeForThreads(shape: RangeShape): { plan: RangePlan; lane: number | undefined } {
    const { plan, lane } = this.take(shape);
    if (lane !== undefined || !plan.fastPath || this.#works.take(1) === 0) return { plan, lane };
    const one = this.#free.pop();
    if (one === undefined) {
      this.#works.put(1);
      return { plan, lane: undefined };
    }
    // Cut at multiples of the end, the range is one chunk wherever it begins.
    const chunkSize = shape.start + shape.size;
    return { plan: { ...plan, got: 2, chunkSize, fastPath: false }, lane: one };
  }

  /** Writes the job into a lane whose gate is closed. */
  describe(run: PlannedRun, lane: number): LaneRun {
    const { job, shape, plan } = run;
    const place = lanePlace(this.#layout, lane);
    const active = new LaneRun(this.#crew, place, run);
    const words = this.#words;
    const numbers = this.#numbers;
    words[place.base + LANE.CLAIM] = 0;
    words[place.base + LANE.COUNT] = plan.chunkCount;
    words[place.base + LANE.JOB] = job.id;
    words[place.base + LANE.STOPPED] = 0;
    words[place.base + LANE.WAITING] = 0;
    words[place.base + LANE.LOW_PRIORITY] = job.options.priority === 'low' ? 1 : 0;
    numbers[place.numbers + LANE_NUMBER.START] = shape.start;
    numbers[place.numbers + LANE_NUMBER.END] = active.end;
    numbers[place.numbers + LANE_NUMBER.CHUNK_SIZE] = plan.chunkSize;
    // Loops: for the few words of a small job the built-in fill costs more.
    const chunksEnd = place.chunks + plan.chunkCount;
    for (let i = place.chunks; i < chunksEnd; i += 1) words[i] = 0;
    const statsEnd = place.stats + (this.#layout.capacity + 1) * LANE_STAT_NUMBERS;
    for (let i = place.stats; i < statsEnd; i += 1) numbers[i] = 0;
    this.#runs[lane] = active;
    return active;
  }

  /** Chooses helpers, tells them about the job if they do not know it, opens the lane. @throws ERR_PADATA_CLONE */
  open(job: RangeJobState, active: LaneRun): void {
    const base = active.place.base;
    const words = this.#words;
    const { workers } = job.options;
    this.#share(active.plan.got - 1, (id) => workers?.includes(id) ?? true);
    // The gate is closed: nobody reads the words yet.
    clearWorkers(words, base + LANE.ALLOWED);
    for (const member of this.#helpers.choose(active.plan.got - 1, job.options)) {
      // Nobody who would die of it is asked to help.
      if (this.#crew.modules.error(job.href) !== undefined) break;
      this.announceTo(member, job);
      addWorker(words, base + LANE.ALLOWED, member.id);
    }
    add(this.#words, HEAD.OPEN_LANES, 1);
    active.gate = protocol.open(this.#words, base);
    sleep.publish(this.#words);
  }

  /** Threads that may help with a job. */
  helpersOf(job: RangeJobState): Member[] {
    return this.#helpers.allowed(job.options);
  }

  /** How many there are, with those that may come. */
  countHelpers(job: RangeJobState): number {
    const { most, isElastic } = this.#crew;
    if (!isElastic) return this.helpersOf(job).length;
    const named = new Set(job.options.workers);
    let count = 0;
    for (let id = 1; id <= most; id += 1) if (named.has(id)) count += 1;
    return count > 0 ? count : most;
  }

  /** Sends job and argument to a thread that does not know them. @throws ERR_PADATA_CLONE */
  announceTo(member: Member, job: RangeJobState): void {
    if (member.jobs.has(job.id)) return;
    try {
      this.#crew.post(member, {
        t: 'job',
        job: job.id,
        href: job.href,
        name: job.name,
        aloneMs: this.#crew.modules.aloneMs(job.href),
        arg: job.options.arg,
        wantValues: job.options.reduce !== undefined,
      });
    } catch (error) {
      throw argError(error);
    }
    member.jobs.add(job.id);
  }

  /** Threads that have taken the place of helpers since learn of the job; all that may help are woken. */
  helpAgain(job: RangeJobState, active: LaneRun): void {
    if (this.#crew.modules.error(job.href) !== undefined) return;
    const allowed = active.place.base + LANE.ALLOWED;
    for (const member of this.#crew.memberList()) {
      if (hasWorker(this.#words, allowed, member.id)) this.announceTo(member, job);
    }
    this.wakeAllowed(active);
  }

  /** Wakes the helpers that were chosen and sleep. */
  wakeAllowed(active: LaneRun): void {
    const allowed = active.place.base + LANE.ALLOWED;
    for (const member of this.#crew.members()) {
      if (hasWorker(this.#words, allowed, member.id)) this.#crew.wakeOne(member.id);
    }
  }

  /** No helper joins from now on. */
  close(active: LaneRun): void {
    protocol.close(this.#words, active.place.base);
    add(this.#words, HEAD.OPEN_LANES, -1);
  }

  /** Does this thread take part in a run? */
  isPresent(worker: number): boolean {
    return this.#runs.some(
      (active) => active !== undefined && load(this.#words, active.place.present + worker) !== 0,
    );
  }

  /** A thread has ended: its chunks are settled, nobody waits for it. */
  workerDied(worker: number, exitCode: number, cause: unknown): void {
    for (const active of this.#runs) {
      if (active === undefined) continue;
      const lost = load(this.#words, active.place.present + worker) !== 0;
      if (!lost) continue;
      active.workerDied(worker, exitCode, cause);
      if (active.failure !== undefined) protocol.stop(this.#words, active.place.base);
    }
  }

  /** Gives works and lane back. */
  giveBack(plan: RangePlan, lane: number | undefined): void {
    if (lane !== undefined) {
      this.#runs[lane] = undefined;
      this.#free.push(lane);
    }
    this.#works.put(plan.got - 1);
  }
}
