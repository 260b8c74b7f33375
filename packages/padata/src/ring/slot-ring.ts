/**
 * One slot ring, owner's side: submit, deliver in order, settle what a dead worker had, cancel.
 *
 * ```
 *   tail ─────────▶ submitted     [ FREE | DONE | RUNNING | DONE | READY | READY | FREE ]
 *   processed ────▶ delivered             ^ processed                        ^ tail
 * ```
 * The bytes of the jobs lie in a `SlotArena`. Only the owner's thread uses this object; what it shares is in `RingMemory`.
 */
import { throwLater } from '../base/errors.js';
import { smallInteger } from '../base/small-integer.js';
import { StretchCounts } from '../base/stretch-counts.js';
import { ring as protocol } from '../protocol/machine.js';
import type { FromWorker, SentJob } from '../protocol/messages.js';
import {
  Kind,
  RING,
  SLOT,
  SLOT_NUMBER,
  SlotState,
  slotNumber,
  slotWord,
} from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { latencyOffset } from '../protocol/ring-stats.js';
import { hasWorker, setWorkers } from '../protocol/worker-set.js';
import { readValue } from '../slot/slot-values.js';
import { AwaitedJob } from './awaited-job.js';
import { JobEnds } from './job-ends.js';
import { busyJobs, jobState } from './job-states.js';
import type { JobState } from './job-states.js';
import { Left } from './left-behind.js';
import { LostJobs } from './lost-jobs.js';
import { replyOf } from './replies.js';
import type { Reply } from './replies.js';
import { makeBlock } from './ring-store.js';
import { SentJobs } from './sent-jobs.js';
import type { SentInput } from './sent-jobs.js';
import { SlotArena } from './slot-arena.js';
import { Placed, SlotInput } from './slot-input.js';
import type { SerialCallback, Settle, SlotRingOptions } from './slot-ring-types.js';

/** Submissions of a tick that a lazy owner publishes in one step. */
const PUBLISH_EVERY = 16;

const { load, store } = Atomics;

/** What a ring needs of the pool's threads: the hub gives it. */
export interface SlotRingHost {
  /** Threads that take jobs, at least 1. */
  readonly threads: number;
  /**
   * Hands an input over, to a thread at once or to be kept here for one.
   * @returns what is to be kept; undefined = it has been sent
   * @throws ERR_PADATA_CLONE
   */
  handOver(ring: SlotRing, job: SentJob, transfer: readonly unknown[]): SentInput | undefined;
}

/** The owner's end of a ring. */
export class SlotRing {
  readonly id: number;
  readonly memory: RingMemory;
  readonly stats: Int32Array;
  readonly arenaBytes: number;
  /** Its memory may be another ring's by now. */
  closed = false;
  /** Set when the ring's jobs cannot be run at all. */
  broken: unknown;
  /** Jobs that end from outside. */
  readonly ends: JobEnds;
  /** Jobs whose inputs go by message. */
  readonly sent: SentJobs;
  delivered = 0;
  failed = 0;
  readonly #host: SlotRingHost;
  readonly #mask: number;
  readonly #words: Int32Array;
  readonly #callbacks: (SerialCallback | undefined)[];
  readonly #replies: (Reply | undefined)[];
  readonly #lost: LostJobs;
  readonly #input: SlotInput;
  readonly #arenaEnd: Int32Array;
  /** Set for a job whose callback is the `resolve` of a promise. */
  readonly #rejects: (Settle | undefined)[];
  /** A bit set of what a job left behind here besides its callback. */
  readonly #flags: Uint8Array;
  readonly #window: number;
  readonly #numbers: Float64Array;
  readonly #copyBytes: boolean;
  readonly #retries: number;
  readonly #onOutcome: ((failed: boolean) => void) | undefined;
  readonly #latencies: StretchCounts;
  #tail: number;
  #processed: number;
  readonly #arena: SlotArena;
  #delivering = false;
  /** An input is being written or sent. */
  #placing = false;
  readonly #awaited: AwaitedJob;
  #published: number;
  constructor(options: SlotRingOptions, host: SlotRingHost) {
    const { window, arenaBytes, capacity } = options;
    const block = options.block ?? makeBlock(options);
    this.id = options.id;
    this.#host = host;
    this.arenaBytes = arenaBytes;
    this.#arena = new SlotArena(arenaBytes);
    this.memory = block.memory;
    this.stats = block.stats;
    this.#latencies = new StretchCounts(this.stats, latencyOffset(capacity), 0);
    this.#words = this.memory.words;
    this.#input = new SlotInput(this.memory, this.#arena, options.slotBytes, options.outputBytes);
    this.sent = new SentJobs(this.memory);
    this.ends = new JobEnds(this.memory, this.#arena, this);
    this.#lost = new LostJobs(this.memory, options.retries, this.sent, this.ends);
    this.#mask = window - 1;
    this.#callbacks = new Array<undefined>(window).fill(undefined);
    this.#replies = new Array<undefined>(window).fill(undefined);
    this.#arenaEnd = new Int32Array(window);
    this.#rejects = new Array<undefined>(window).fill(undefined);
    this.#flags = new Uint8Array(window);
    this.#awaited = new AwaitedJob(this.memory, this.#flags);
    this.#window = window;
    this.#numbers = this.memory.numbers;
    this.#copyBytes = options.copyBytes;
    this.#retries = options.retries;
    this.#onOutcome = options.onOutcome;
    this.#tail = options.firstSequence | 0;
    this.#processed = this.#tail;
    this.#published = this.#tail;
    this.#words[RING.WINDOW] = window;
    for (const word of [RING.PUBLISHED, RING.CLAIM, RING.PROCESSED, RING.WAKE_AT])
      this.#words[word] = this.#tail;
  }

  /** Why nobody will run the ring's jobs; undefined = they are run. */
  get failure(): { readonly error: unknown } | undefined {
    return this.broken === undefined ? undefined : { error: this.broken };
  }

  /** Jobs run again after their thread died. */
  get retried(): number {
    return this.#lost.retried;
  }

  /** Jobs submitted and not delivered. */
  get outstanding(): number {
    return (this.#tail - this.#processed) | 0;
  }

  get isFull(): boolean {
    return this.outstanding >= this.#window;
  }

  /** Jobs that nobody has reserved. */
  get waiting(): number {
    return (this.#tail - load(this.#words, RING.CLAIM)) | 0;
  }

  /** Sequence number of the next job to be delivered. */
  get processed(): number {
    return this.#processed >>> 0;
  }

  /** The same, and that after the job submitted last, as the slots count them. */
  get first(): number {
    return this.#processed;
  }

  get end(): number {
    return this.#tail;
  }

  /** Sequence number of the job submitted last. */
  get newest(): number {
    return (this.#tail - 1) | 0;
  }

  /** Jobs in flight whose function has not returned. O(window). */
  busyJobs(): number {
    return busyJobs(this.memory, this.#processed, this.#tail);
  }

  /** Nobody waits for the next result alone. */
  get isPatient(): boolean {
    return this.#awaited.isPatient(this.#processed);
  }

  /** Lets exactly these workers claim; the owner may always. */
  allow(workers: Iterable<number>): void {
    if (this.closed) return;
    setWorkers(this.#words, RING.ALLOWED, [0, ...workers]);
  }

  /** May this worker claim? */
  allows(worker: number): boolean {
    return hasWorker(this.#words, RING.ALLOWED, worker);
  }

  /**
   * Submits a job.
   * @param use    of byte results: `Left.KEPT`, the consumer releases it, see `release`; `Left.OWN`, it gets a copy; else 0
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
    lazy = false,
    reject?: Settle,
    more = false,
  ): boolean {
    // While an input is placed its getters run: what they submit waits behind it.
    if (this.#placing || ((this.#tail - this.#processed) | 0) >= this.#window) return false;
    const sequence = this.#tail;
    const index = sequence & this.#mask;
    const base = slotWord(this.#window, sequence);
    const words = this.#words;
    words[base + SLOT.SEQ] = sequence;
    words[base + SLOT.ABORT] = 0;
    this.#numbers[slotNumber(index) + SLOT_NUMBER.STAMP] = stamp;
    let placed: number = Placed.MESSAGE;
    this.#placing = true;
    try {
      if (transfer === undefined) placed = this.#input.place(input, base, index);
      if (placed === Placed.MESSAGE && !this.#placeSent(input, transfer, sequence)) return false;
    } finally {
      this.#placing = false;
    }
    if (placed === Placed.FULL) return false;
    let flags = use;
    if (placed === Placed.MESSAGE) flags |= Left.INPUT;
    else {
      if (this.#retries > 0) this.#lost.remember(base, index);
      protocol.offer(words, base);
    }
    if (this.#retries > 0) flags |= Left.INPUT;
    if (more) {
      flags |= Left.MORE;
      this.#awaited.hasMore = true;
    }
    if (reject !== undefined) {
      this.#rejects[index] = reject;
      flags |= Left.PROMISE;
    }
    this.#callbacks[index] = callback;
    this.#flags[index] = flags;
    this.#arenaEnd[index] = this.#arena.take();
    this.#tail = (sequence + 1) | 0;
    if (!lazy || ((this.#tail - this.#published) | 0) >= PUBLISH_EVERY) this.publish();
    return true;
  }

  /** Lets the workers see all that was submitted. */
  publish(): void {
    if (this.#published === this.#tail) return;
    this.#published = this.#tail;
    protocol.publish(this.#words, this.#tail);
  }

  /** Takes a place in the order for a job that has failed already. The ring must not be full. */
  submitSettled(callback: SerialCallback, error: unknown, stamp: number, reject?: Settle): void {
    const sequence = this.#tail;
    const index = sequence & this.#mask;
    const base = slotWord(this.memory.window, sequence);
    const words = this.#words;
    words[base + SLOT.SEQ] = sequence;
    words[base + SLOT.KIND] = Kind.ERROR;
    this.memory.numbers[slotNumber(index) + SLOT_NUMBER.STAMP] = stamp;
    this.#replies[index] = { failed: true, value: error };
    this.#callbacks[index] = callback;
    this.#rejects[index] = reject;
    this.#flags[index] = reject === undefined ? 0 : Left.PROMISE;
    this.#arenaEnd[index] = this.#arena.take();
    this.#tail = (sequence + 1) | 0;
    store(words, base + SLOT.STATE, SlotState.DONE);
    this.publish();
  }

  /** Is the next job in order ready to be delivered? */
  anyDone(): boolean {
    if (this.#processed === this.#tail) return false;
    const base = slotWord(this.#window, this.#processed);
    if (!protocol.isDone(this.#words, base)) return false;
    return (
      this.#words[base + SLOT.KIND]! < Kind.MESSAGE ||
      this.#replies[this.#processed & this.#mask] !== undefined
    );
  }

  /**
   * Delivers what is done, in order, at most `most` jobs.
   * @param now the owner's clock, for the latency histogram
   * @returns number of jobs delivered
   */
  deliver(most: number, now: number): number {
    // A callback may submit and thereby deliver; the order is kept by letting only one loop deliver.
    if (this.#delivering) return 0;
    this.#delivering = true;
    let count = 0;
    try {
      while (count < most && this.anyDone()) {
        this.#deliverNext(now);
        count += 1;
      }
    } finally {
      this.#delivering = false;
      if (count > 0 || this.#awaited.hasMore) {
        const next = this.#processed;
        const awaited = this.#awaited.find(next, this.outstanding, this.#host.threads);
        protocol.passed(this.#words, next, awaited);
      }
    }
    return count;
  }

  /** The guard found nothing to deliver: no longer a time of quick jobs. Whoever is next, wakes the owner. */
  awaitNext(): void {
    protocol.passed(this.#words, this.#processed, this.#processed);
  }

  /** Takes a worker's answer that came by message. */
  onReply(message: Extract<FromWorker, { t: 'result' | 'jobFailed' }>): void {
    const index = message.seq & this.#mask;
    if (this.#words[slotWord(this.memory.window, message.seq) + SLOT.SEQ] !== (message.seq | 0)) {
      return;
    }
    this.#replies[index] = replyOf(message);
  }

  /** State of the next job in order, for the watchdog. */
  headState(): JobState {
    return jobState(this.memory, this.#processed);
  }

  /** For `JobEnds`. */
  reply(index: number, reply: Reply): void {
    this.#replies[index] = reply;
  }

  /** For `JobEnds`. */
  noteReason(index: number): void {
    this.#flags[index]! |= Left.CANCELLED;
  }

  /** A thread has ended: what it ran fails or is run again, what was only sent to it goes to another. */
  workerDied(worker: number, exitCode: number, cause: unknown): void {
    this.#arena.closeHolesOf(worker);
    this.#lost.workerDied(this.#processed, this.#tail, { worker, exitCode, cause });
    protocol.offerAgain(this.#words);
  }

  /** Does nobody but the threads' loops look at this memory: no function, no handle, no consumer of bytes? */
  get isUnseen(): boolean {
    return (
      this.outstanding === 0 &&
      !this.ends.hasAbandoned &&
      this.#arena.isEmpty &&
      load(this.#words, RING.HANDLES) === 0
    );
  }

  /** Gives the bytes of the oldest kept result back. */
  release(): void {
    this.#arena.release();
  }

  /** Marks the ring as unusable: all that waits ends with this error. */
  breakWith(error: unknown): void {
    this.broken = error;
    this.ends.cancelWaiting(error);
  }

  #deliverNext(now: number): void {
    const sequence = this.#processed;
    const index = sequence & this.#mask;
    const base = slotWord(this.#window, sequence);
    const words = this.#words;
    const kind = words[base + SLOT.KIND]!;
    const flags = this.#flags[index]!;
    let failed = false;
    let value: unknown;
    if (kind === Kind.NUMBER) {
      value = smallInteger(this.#numbers[slotNumber(index) + SLOT_NUMBER.VALUE]!);
    } else if (kind >= Kind.MESSAGE) {
      const reply = this.#replies[index]!;
      this.#replies[index] = undefined;
      failed = reply.failed;
      value = reply.value;
    } else {
      value = readValue(this.memory, base, index);
      if (kind === Kind.BYTES && (this.#copyBytes || (flags & (Left.OWN | Left.PROMISE)) !== 0)) {
        value = (value as Uint8Array).slice();
      }
    }
    const callback = this.#callbacks[index]!;
    const end = this.#arenaEnd[index]!;
    let reject: Settle | undefined;
    this.#callbacks[index] = undefined;
    if (flags !== 0) {
      if ((flags & Left.PROMISE) !== 0) {
        reject = this.#rejects[index];
        this.#rejects[index] = undefined;
      }
      if ((flags & Left.INPUT) !== 0) {
        this.#lost.forget(index);
        this.sent.forget(index);
      }
      if ((flags & Left.CANCELLED) !== 0) {
        failed = true;
        value = this.ends.takeReason(index);
      }
    }
    const keep = (flags & Left.KEPT) !== 0;
    this.#processed = (sequence + 1) | 0;
    this.delivered += 1;
    if (failed) this.failed += 1;
    this.#latencies.add(this.#numbers[slotNumber(index) + SLOT_NUMBER.STAMP]!, now);
    const direct = this.#arena.delivered(end, keep);
    protocol.free(words, base);
    if (this.#onOutcome !== undefined) this.#onOutcome(failed);
    if (reject !== undefined) {
      if (failed) reject(value);
      else (callback as unknown as Settle)(value);
    } else this.#call(callback, failed, value, sequence);
    if (direct) this.#arena.giveBack(end);
    else if (!keep) this.#arena.sweep();
  }

  #call(callback: SerialCallback, failed: boolean, value: unknown, sequence: number): void {
    try {
      callback(failed ? value : undefined, failed ? undefined : value, sequence >>> 0);
    } catch (error) {
      throwLater(error);
    }
  }

  #placeSent(input: unknown, transfer: readonly unknown[] | undefined, sequence: number): boolean {
    const index = sequence & this.#mask;
    const base = slotWord(this.#window, sequence);
    if (this.#input.reserve(base) !== Placed.SLOT) return false;
    if (this.#retries > 0) this.#lost.remember(base, index);
    if (transfer === undefined) {
      this.sent.add(sequence, { input, transfer, gone: false });
      return true;
    }
    try {
      const kept = this.#host.handOver(this, [sequence, input], transfer);
      if (kept !== undefined) this.sent.add(sequence, kept);
    } catch (error) {
      this.sent.forget(index);
      store(this.#words, base + SLOT.STATE, SlotState.FREE);
      throw error;
    }
    return true;
  }
}
