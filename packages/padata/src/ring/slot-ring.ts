/**
 * One slot ring, owner's side: submit, deliver in order, settle what a dead worker had, cancel.
 *
 * ```
 *   tail ─────────▶ submitted     [ FREE | DONE | RUNNING | DONE | READY | READY | FREE ]
 *   processed ────▶ delivered             ^ processed                        ^ tail
 * ```
 * The bytes of the jobs lie in a `SlotArena`. Only the owner's thread uses this object; what it shares is in `RingMemory`.
 */
import { ring as protocol } from '../protocol/machine.js';
import type { FromWorker } from '../protocol/messages.js';
import {
  Kind,
  RING,
  SLOT,
  SLOT_NUMBER,
  SlotState,
  slotNumber,
  slotWord,
} from '../protocol/ring-layout.js';
import { AwaitedJob } from './awaited-job.js';
import type { JobRing, SerialCallback, Settle, SlotRingHost, SlotRingOptions } from './job-ring.js';
import { LONG_PLAIN } from './long-plain.js';
import { jobState } from './job-states.js';
import type { JobState } from './job-states.js';
import { replyOf } from './replies.js';
import { RingBase } from './ring-base.js';
import { SlotArena } from '../arena/slot-arena.js';
import { Placed } from '../arena/slot-input.js';
import { Left, askedBy } from './slot-records.js';

/** Submissions of a tick that a lazy owner publishes in one step. */
const PUBLISH_EVERY = 16;

const { load, store } = Atomics;

/** The owner's end of a ring whose jobs have an order. */
export class SlotRing extends RingBase implements JobRing {
  readonly #arena: SlotArena;
  readonly #arenaEnd: Int32Array;
  readonly #awaited: AwaitedJob;
  #tail: number;
  #processed: number;
  #published: number;
  #awaitedAt: number;
  #delivering = false;

  constructor(options: SlotRingOptions, host: SlotRingHost) {
    const arena = new SlotArena(options.arenaBytes);
    super(options, host, arena, false);
    this.#arena = arena;
    this.#arenaEnd = new Int32Array(this.window);
    this.#awaited = new AwaitedJob(this.memory, this.records.flags);
    this.#tail = options.firstSequence | 0;
    this.#processed = this.#tail;
    this.#published = this.#tail;
    this.#awaitedAt = this.#tail;
  }

  /** Jobs submitted and not delivered. */
  get outstanding(): number {
    return (this.#tail - this.#processed) | 0;
  }

  get isFull(): boolean {
    return this.outstanding >= this.window;
  }

  /** Jobs that nobody has reserved. */
  get waiting(): number {
    return (this.#tail - load(this.words, RING.CLAIM)) | 0;
  }

  /** The n-th job submitted. */
  sequenceOf(n: number): number {
    return (this.#processed + (n - this.delivered)) | 0;
  }

  /** Sequence number of the job submitted last. */
  get newest(): number {
    return (this.#tail - 1) | 0;
  }

  /** Nobody waits for the next result alone. */
  get isPatient(): boolean {
    return this.#awaited.isPatient(this.#processed);
  }

  /** Jobs submitted and not delivered, in order. */
  jobs(): readonly number[] {
    return Array.from({ length: this.outstanding }, (_, i) => (this.#processed + i) | 0);
  }

  /** Is the job submitted and not delivered? */
  isOut(sequence: number): boolean {
    return ((sequence - this.#processed) | 0) >= 0 && ((this.#tail - sequence) | 0) > 0;
  }

  /** See `JobRing`. */
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
    if (this.takesNone || ((this.#tail - this.#processed) | 0) >= this.window) return false;
    const isPlainNumber = typeof input === 'number' && transfer === undefined && !more;
    if (isPlainNumber && this.#submitNumber(input, callback, stamp, use, lazy, reject)) return true;
    const sequence = this.#tail;
    const placed = this.place(sequence, sequence, input, transfer, stamp, use);
    if (placed === Placed.FULL) return false;
    let flags = this.leftBy(placed, use);
    if (more) {
      flags |= Left.MORE;
      this.#awaited.hasMore = true;
    }
    this.#accept(sequence, flags, callback, reject);
    const isLong = this.isLong(slotWord(this.window, sequence));
    if (!lazy || isLong || ((this.#tail - this.#published) | 0) >= PUBLISH_EVERY) this.publish();
    if (isLong) this.host.beginLong(this);
    return true;
  }

  /**
   * The way of most jobs of a busy series, in one piece: what `submit` does with a number where nothing stands in the way.
   * V8 puts only so much code into one function, and what it calls instead takes a tenth of the rate.
   * @returns false: nothing has happened, there is another way
   */
  #submitNumber(
    input: number,
    callback: SerialCallback,
    stamp: number,
    use: number,
    lazy: boolean,
    reject: Settle | undefined,
  ): boolean {
    const out = this.input.leastRoom;
    if (this.room.bytes > out || this.retries > 0) return false;
    const first = this.#arena.takeNext(out);
    if (first < 0) return false;
    const { words, numbers } = this;
    const sequence = this.#tail;
    const index = sequence & (this.window - 1);
    const base = slotWord(this.window, sequence);
    const number = slotNumber(index);
    words[base + SLOT.SEQ] = sequence;
    words[base + SLOT.NUMBER] = sequence;
    words[base + SLOT.ASKS] = askedBy(use);
    words[base + SLOT.KIND] = Kind.NUMBER;
    words[base + SLOT.FIRST] = first;
    words[base + SLOT.IN_ROOM] = 0;
    words[base + SLOT.OUT_ROOM] = out;
    numbers[number + SLOT_NUMBER.STAMP] = stamp;
    numbers[number + SLOT_NUMBER.VALUE] = input;
    protocol.offer(words, base);
    this.records.note(index, use, callback, reject);
    this.#arenaEnd[index] = first + out;
    const next = (sequence + 1) | 0;
    this.#tail = next;
    if (lazy && ((next - this.#published) | 0) < PUBLISH_EVERY) return true;
    this.#published = next;
    protocol.publish(words, next);
    return true;
  }

  /** Lets the workers see all that was submitted. */
  publish(): void {
    if (this.#published === this.#tail) return;
    this.#published = this.#tail;
    protocol.publish(this.words, this.#tail);
  }

  get takesSettled(): boolean {
    return !this.isFull;
  }

  /** Takes a place in the order for a job that has failed already. The ring must not be full. */
  submitSettled(callback: SerialCallback, error: unknown, stamp: number, reject?: Settle): void {
    const sequence = this.#tail;
    const index = sequence & (this.window - 1);
    const base = slotWord(this.window, sequence);
    const words = this.words;
    words[base + SLOT.SEQ] = sequence;
    words[base + SLOT.NUMBER] = sequence;
    words[base + SLOT.KIND] = Kind.ERROR;
    this.numbers[slotNumber(index) + SLOT_NUMBER.STAMP] = stamp;
    this.records.reply(index, { failed: true, value: error });
    this.#accept(sequence, 0, callback, reject);
    store(words, base + SLOT.STATE, SlotState.DONE);
    this.publish();
  }

  #accept(
    sequence: number,
    flags: number,
    callback: SerialCallback,
    reject: Settle | undefined,
  ): void {
    const index = sequence & (this.window - 1);
    this.records.note(index, flags, callback, reject);
    this.#arenaEnd[index] = this.#arena.take();
    this.#tail = (sequence + 1) | 0;
  }

  /** Is the next job in order ready to be delivered? */
  anyDone(): boolean {
    const next = this.#processed;
    if (next === this.#tail) return false;
    const base = slotWord(this.window, next);
    return (
      protocol.isDone(this.words, base) && this.records.hasOutcome(base, next & (this.window - 1))
    );
  }

  /** Delivers what is done, in order, at most `most` jobs. */
  deliver(most: number, now: number): number {
    // A callback may submit and thereby deliver; the order is kept by letting only one loop deliver.
    if (this.#delivering) return 0;
    this.#delivering = true;
    this.isCut = false;
    const until = this.records.plainBytes + LONG_PLAIN;
    let count = 0;
    try {
      while (count < most && !this.isCut && this.anyDone()) {
        this.#deliverNext(now);
        this.isCut = this.records.plainBytes >= until;
        count += 1;
      }
    } finally {
      this.#delivering = false;
      if (count > 0) this.#await(this.#processed);
    }
    return count;
  }

  /** The owner may sleep soon: says which job's end wakes it. True = not that of the very next. */
  awaitLater(): boolean {
    const next = this.#processed;
    const at = this.#awaited.find(next, this.outstanding, this.host.atOnce);
    if (at !== this.#awaitedAt) this.#await(at);
    return at !== next;
  }

  /** The same: whoever is next wakes it. */
  awaitNext(): void {
    this.#await(this.#processed);
  }

  /** Is so much done that the owner must not sleep: what it awaits, or all that the threads have to do? */
  isDue(): boolean {
    if (!this.anyDone()) return false;
    const at = this.#awaitedAt;
    if (at === this.#processed || this.waiting <= 0) return true;
    return protocol.isDone(this.words, slotWord(this.window, at));
  }

  #await(sequence: number): void {
    this.#awaitedAt = sequence;
    protocol.passed(this.words, this.#processed, sequence);
  }

  /** Takes a worker's answer that came by message. */
  onReply(message: Extract<FromWorker, { t: 'result' | 'jobFailed' }>): void {
    const { seq } = message;
    if (this.words[slotWord(this.window, seq) + SLOT.SEQ] !== (seq | 0)) return;
    this.records.reply(seq & (this.window - 1), replyOf(message, seq));
  }

  /** State of the next job in order, for the watchdog. */
  headState(): JobState {
    return jobState(this.memory, this.#processed);
  }

  /** A thread has ended: what it ran fails or is run again, what was only sent to it goes to another. */
  workerDied(worker: number, exitCode: number, cause: unknown): void {
    this.#arena.closeHolesOf(worker);
    this.lost.workerDied(this.jobs(), { worker, exitCode, cause });
    protocol.offerAgain(this.words);
  }

  /** Does nobody but the threads' loops look at this memory: no function, no handle, no consumer of bytes? */
  get isUnseen(): boolean {
    return this.hasNoUsers && this.#arena.isEmpty;
  }

  /** Gives the bytes of the oldest kept result back. */
  release(): void {
    this.#arena.release();
  }

  #deliverNext(now: number): void {
    const sequence = this.#processed;
    const index = sequence & (this.window - 1);
    const base = slotWord(this.window, sequence);
    const { records } = this;
    const flags = records.flags[index]!;
    const value = records.take(base, index);
    const { failed } = records;
    const end = this.#arenaEnd[index]!;
    const keep = (flags & Left.KEPT) !== 0;
    this.#processed = (sequence + 1) | 0;
    this.delivered += 1;
    if (failed) this.failed += 1;
    this.latencies.add(this.numbers[slotNumber(index) + SLOT_NUMBER.STAMP]!, now);
    const direct = this.#arena.delivered(end, keep);
    protocol.free(this.words, base);
    records.tell(index, sequence, flags, failed, value, this.onOutcome);
    if (direct) this.#arena.giveBack(end);
    else if (!keep) this.#arena.sweep();
  }
}
