/**
 * A worker's part in range jobs: knows the jobs that were announced, looks for open lanes, visits them.
 */
import { toErrorRecord } from '../base/error-record.js';
import type { AnyFunction } from '../base/function-ref.js';
import { PadataError } from '../base/errors.js';
import { performance } from '../base/host-time.js';
import { withLocal } from '../threads/thread-setup.js';
import { HEAD, LANE, LANE_COUNT, controlLayout, lanePlace } from '../protocol/control-layout.js';
import type { LanePlace } from '../protocol/control-layout.js';
import { lane as protocol } from '../protocol/machine.js';
import type { ToWorker } from '../protocol/messages.js';
import { refusal } from '../values/unread.js';
import { hasWorker } from '../protocol/worker-set.js';
import { LaneVisit, leaveLane } from './lane-visit.js';
import type { ReadyJob } from './lane-visit.js';
import { withFunction } from './worker-loop.js';
import type { WorkerLoop } from './worker-loop.js';

/** A job that was announced; its function may still be under way. */
interface AnnouncedJob extends Omit<ReadyJob, 'fn'> {
  fn: AnyFunction | undefined;
  failed: boolean;
}

const { load } = Atomics;

/** Joins lanes on behalf of one worker. */
export class RangeParticipant {
  readonly #loop: WorkerLoop;
  readonly #words: Int32Array;
  readonly #id: number;
  readonly #places: LanePlace[] = [];
  /** Opening of each lane in which this worker found nothing left. */
  readonly #exhausted = new Int32Array(LANE_COUNT);
  readonly #jobs = new Map<number, AnnouncedJob>();

  constructor(loop: WorkerLoop) {
    this.#loop = loop;
    this.#words = loop.init.words;
    this.#id = loop.init.id;
    const layout = controlLayout(loop.init.capacity);
    for (let i = 0; i < LANE_COUNT; i += 1) this.#places.push(lanePlace(layout, i));
  }

  /** Registers a job; its module is imported if this thread does not have it yet. */
  define(message: Extract<ToWorker, { t: 'job' }>): void {
    const { job, arg, wantValues } = message;
    const here: AnnouncedJob = { fn: undefined, arg, wantValues, failed: false };
    this.#jobs.set(job, here);
    const fail = (error: unknown): void => {
      here.failed = true;
      this.#loop.post({ t: 'jobError', job, error: toErrorRecord(error) });
    };
    if (message.unread === true) {
      fail(new PadataError('ERR_PADATA_CLONE', refusal('the argument')));
      return;
    }
    withFunction(
      this.#loop,
      message,
      (fn) => {
        here.fn = withLocal(fn, this.#loop.setup);
      },
      fail,
    );
  }

  /** Forgets a job. */
  drop(job: number): void {
    this.#jobs.delete(job);
  }

  /** One pass over the lanes; true = something was done. */
  scan(): boolean {
    // Plain: read after the epoch before the thread sleeps.
    if (this.#words[HEAD.OPEN_LANES] === 0) return false;
    let did = false;
    for (let i = 0; i < LANE_COUNT; i += 1) {
      const place = this.#places[i]!;
      const gate = load(this.#words, place.base + LANE.GATE);
      if ((gate & 1) === 0 || gate === this.#exhausted[i]) continue;
      if (!this.#isAllowed(place)) continue;
      this.#loop.beginsWork(performance.now());
      if (this.#visit(i, place, gate)) did = true;
    }
    return did;
  }

  #isAllowed(place: LanePlace): boolean {
    return hasWorker(this.#words, place.base + LANE.ALLOWED, this.#id);
  }

  #visit(lane: number, place: LanePlace, gate: number): boolean {
    const words = this.#words;
    const job =
      protocol.join(words, place.base, place.present, this.#id, gate) && this.#isAllowed(place)
        ? this.#find(words[place.base + LANE.JOB]!)
        : undefined;
    if (job?.fn === undefined) {
      if (job?.failed === true) this.#exhausted[lane] = gate;
      leaveLane(this.#loop, lane, place);
      return false;
    }
    const visit = new LaneVisit(this.#loop, { lane, place, gate }, job as ReadyJob);
    if (visit.run()) this.#exhausted[lane] = gate;
    return true;
  }

  #find(id: number): AnnouncedJob | undefined {
    const job = this.#jobs.get(id);
    if (job !== undefined) return job;
    // The owner posts a job before it opens a lane for it, so it can only be in the port.
    this.#loop.takeMail();
    return this.#jobs.get(id);
  }
}
