/** A ring of jobs as the hub and a series see it, with an order (`SlotRing`) or without (`LooseRing`), and what it is made of. */
import type { PartMemory } from '../protocol/arena-parts.js';
import type { FromWorker, JobOutput, SentJob } from '../protocol/messages.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import type { JobEnds } from './job-ends.js';
import type { JobState } from './job-states.js';
import type { RingBlock } from './ring-store.js';
import type { SentInput, SentJobs } from './sent-jobs.js';

/** Called once per job: in order of submission, or of completion where there is no order. */
export type SerialCallback = (error: unknown, value: unknown, sequence: number) => void;

/** How a promise is settled. */
export type Settle = (value: unknown) => void;

/** How a ring is made. */
export interface SlotRingOptions {
  readonly id: number;
  /** Jobs in flight at most; a power of two. */
  readonly window: number;
  readonly arenaBytes: number;
  readonly slotBytes: number;
  readonly outputBytes: (inputBytes: number) => number;
  /** First sequence number, modulo 2^32. */
  readonly firstSequence: number;
  /** Memory of a closed ring of the same shape; undefined = new memory. */
  readonly block?: RingBlock | undefined;
  readonly shared: boolean;
  readonly copyBytes: boolean;
  /** Times a job may be run again after its worker died. */
  readonly retries: number;
  readonly capacity: number;
  /** Told about each outcome before its callback runs. */
  readonly onOutcome: ((failed: boolean) => void) | undefined;
  /** Told what functions report of their jobs; undefined = nobody listens. */
  readonly onProgress?: ((number: number, value: unknown) => void) | undefined;
  /** Told what jobs have written; the same. */
  readonly onOutput?: ((number: number, output: JobOutput) => void) | undefined;
}

/** What a ring needs of the pool's threads: the hub gives it. */
export interface SlotRingHost {
  /** Tells all threads that the ring's arena has grown, before it offers a job that uses it. */
  tellPart(ring: number, part: PartMemory): void;
  /** Threads that take jobs, at least 1. */
  readonly threads: number;
  /** Of them, those that run at the same time: not more than there are processors. */
  readonly atOnce: number;
  /** Something is ready that no thread will tell of: the owner delivers in a turn of its own. */
  deliverSoon(): void;
  /** A job whose input is long plain data can be begun: somebody does that while the caller may write the next one. */
  beginLong(ring: JobRing): void;
  /**
   * Hands an input over, to a thread at once or to be kept here for one.
   * @returns what is to be kept; undefined = it has been sent
   * @throws ERR_PADATA_CLONE
   */
  handOver(ring: JobRing, job: SentJob, transfer: readonly unknown[]): SentInput | undefined;
}

/** The owner's end of a ring. A job is named by what its slot calls SEQ, `sequence` here. */
export interface JobRing {
  readonly id: number;
  readonly memory: RingMemory;
  readonly stats: Int32Array;
  readonly arenaBytes: number;
  /** Its memory may be another ring's by now. */
  closed: boolean;
  /** The owner's turns look at it: it has, or had a moment ago, jobs that are out. */
  isListed: boolean;
  /** Set when the ring's jobs cannot be run at all. */
  readonly broken: unknown;
  /** Why nobody will run the ring's jobs; undefined = they are run. */
  readonly failure: { readonly error: unknown } | undefined;
  /** Jobs that end from outside. */
  readonly ends: JobEnds;
  /** Jobs whose inputs go by message. */
  readonly sent: SentJobs;
  readonly delivered: number;
  readonly failed: number;
  /** Jobs run again after their thread died. */
  readonly retried: number;
  /** Jobs submitted so far. */
  readonly submitted: number;
  /** Of them, those that are not delivered. */
  readonly outstanding: number;
  readonly isFull: boolean;
  /** Jobs that nobody has reserved, about. */
  readonly waiting: number;
  /** The job submitted last. */
  readonly newest: number;
  /** Nobody waits for the next result alone. */
  readonly isPatient: boolean;
  /** Does nobody but the threads' loops look at this memory: no function, no handle, no consumer of bytes? */
  readonly isUnseen: boolean;
  /** The n-th job submitted, from 0, which is not delivered yet. */
  sequenceOf(n: number): number;
  /** Jobs in flight whose function has not returned. O(window). */
  busyJobs(): number;
  /** Jobs that nobody has begun, at most so many. O(jobs in flight). */
  unbegun(most: number): number;
  /** NUMBERs of jobs whose functions have begun and that are not over. O(window). */
  begunNumbers(): ReadonlySet<number>;
  /** Is the function of this job over, however it has ended? */
  hasEnded(sequence: number): boolean;
  /** Lets exactly these workers claim; the owner may always. */
  allow(workers: Iterable<number>): void;
  /** May this worker claim? */
  allows(worker: number): boolean;
  /**
   * Submits a job.
   * @param use    of byte results: `Left.KEPT`, the consumer releases it, see `release`; `Left.OWN`, it gets a copy; else 0;
   *               and `Left.PROGRESS`, `Left.EVERY`
   * @param lazy   the owner's tick ends soon with `publish`: workers may hear of the job a little later
   * @param reject given when `callback` is the `resolve` of a promise, which then gets the value alone
   * @param more   others follow, and nobody waits for this result alone
   * @returns false when there is no room now; nothing has happened then
   * @throws ERR_PADATA_CLONE when the input cannot be sent at all
   */
  submit(
    input: unknown,
    callback: SerialCallback,
    transfer: readonly unknown[] | undefined,
    stamp: number,
    use: number,
    lazy?: boolean,
    reject?: Settle,
    more?: boolean,
  ): boolean;
  /** Lets the workers see all that was submitted. */
  publish(): void;
  /** Takes it a job that has failed already? With an order that needs a place. */
  readonly takesSettled: boolean;
  /** Takes a job that has failed already; see `takesSettled`. */
  submitSettled(callback: SerialCallback, error: unknown, stamp: number, reject?: Settle): void;
  /** Is a job ready to be delivered? */
  anyDone(): boolean;
  /** What was just delivered took long to read, and more may be done: it goes on when the program has answered. */
  readonly isCut: boolean;
  /**
   * Delivers what is done, at most `most` jobs, and no more after long plain data.
   * @param now the owner's clock, for the latency histogram
   * @returns number of jobs delivered
   */
  deliver(most: number, now: number): number;
  /** The owner may sleep soon: says which job's end wakes it. True = not that of the very next. */
  awaitLater(): boolean;
  /** The same: whoever is next wakes it. */
  awaitNext(): void;
  /** Is so much done that the owner must not sleep: what it awaits, or all that the threads have to do? */
  isDue(): boolean;
  /** Takes a worker's answer that came by message. */
  onReply(message: Extract<FromWorker, { t: 'result' | 'jobFailed' }>): void;
  /** A function tells how far it is. */
  onProgress(message: Extract<FromWorker, { t: 'progress' }>): void;
  onOutput(message: Extract<FromWorker, { t: 'output' }>): void;
  /** State of the job that is out for longest, for the watchdog. There must be one. */
  headState(): JobState;
  /** A thread has ended: what it ran fails or is run again, what was only sent to it goes to another. */
  workerDied(worker: number, exitCode: number, cause: unknown): void;
  /** Gives the bytes of the oldest kept result back. */
  release(): void;
  /** Marks the ring as unusable: all that waits ends with this error. */
  breakWith(error: unknown): void;
}
