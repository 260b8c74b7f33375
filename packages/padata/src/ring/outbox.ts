/**
 * Inputs that go by message: gathered by ring and thread, posted together at the end of a tick or when there are
 * enough for one message.
 */
import { messageOf } from '../base/error-record.js';
import { PadataError } from '../base/errors.js';
import type { Crew, Member } from '../crew/crew.js';
import type { SentJob } from '../protocol/messages.js';
import type { SlotRing } from './slot-ring.js';

/** Inputs sent to one thread in one message at most. */
const BATCH = 32;

/** Told about an input that cannot be cloned, found out after its submission. */
type OnRefused = (ring: SlotRing, sequence: number, error: PadataError) => void;

/** The inputs of one pool that wait for their message. */
export class Outbox {
  readonly #crew: Crew;
  readonly #onRefused: OnRefused;
  readonly #waiting = new Map<SlotRing, Map<number, SentJob[]>>();

  constructor(crew: Crew, onRefused: OnRefused) {
    this.#crew = crew;
    this.#onRefused = onRefused;
  }

  /** Sends an input with others of this tick. */
  add(ring: SlotRing, worker: number, job: SentJob): void {
    let byWorker = this.#waiting.get(ring);
    if (byWorker === undefined) {
      byWorker = new Map<number, SentJob[]>();
      this.#waiting.set(ring, byWorker);
    }
    let jobs = byWorker.get(worker);
    if (jobs === undefined) byWorker.set(worker, (jobs = []));
    jobs.push(job);
    if (jobs.length < BATCH) return;
    byWorker.delete(worker);
    this.#post(ring, worker, jobs);
  }

  /** Sends an input at once, with objects to hand over. @throws ERR_PADATA_CLONE */
  sendNow(ring: SlotRing, member: Member, job: SentJob, transfer: readonly unknown[]): void {
    try {
      const message = { t: 'inputs', ring: ring.id, jobs: [job] } as const;
      this.#crew.post(member, message, transfer);
    } catch (error) {
      throw cloneError(job[0], error);
    }
  }

  /** Sends all that wait. */
  flush(): void {
    for (const [ring, byWorker] of this.#waiting) {
      // Taken out first: cloning an input may run its getters, and those may submit.
      const lists = [...byWorker];
      byWorker.clear();
      for (const [worker, jobs] of lists) this.#post(ring, worker, jobs);
    }
  }

  /** The ring is no more. */
  forget(ring: SlotRing): void {
    this.#waiting.delete(ring);
  }

  #post(ring: SlotRing, worker: number, jobs: SentJob[]): void {
    const member = this.#crew.member(worker);
    // It may have died since; then workerDied sends these jobs elsewhere.
    if (member === undefined) return;
    try {
      this.#crew.post(member, { t: 'inputs', ring: ring.id, jobs });
    } catch {
      this.#postOneByOne(ring, member, jobs);
    }
  }

  /** One input of a message cannot be cloned: finds out which, the others are not to blame. */
  #postOneByOne(ring: SlotRing, member: Member, jobs: SentJob[]): void {
    for (const job of jobs) {
      try {
        this.#crew.post(member, { t: 'inputs', ring: ring.id, jobs: [job] });
      } catch (error) {
        this.#onRefused(ring, job[0], cloneError(job[0], error));
      }
    }
  }
}

function cloneError(sequence: number, cause: unknown): PadataError {
  return new PadataError(
    'ERR_PADATA_CLONE',
    `the input of job ${sequence >>> 0} cannot be cloned: ${messageOf(cause)}`,
    { seq: sequence >>> 0 },
    { cause },
  );
}
