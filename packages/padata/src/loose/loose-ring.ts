/**
 * A ring whose jobs have no order, owner's side: submit, deliver what has ended, settle what a dead worker had, cancel.
 *
 * ```
 *   FreeSlots ─ submit ─▶ slot, StartQueue ─ a thread ends it ─▶ collect ─▶ ready, in order of completion ─ deliver ─▶ FreeSlots
 *                                                                      └─▶ awaits its message ─ onReply ─▶ ready
 *   submitSettled ──────────────────────────── no slot ───────────────────▶ ready
 * ```
 * What the slot of a job that is out says is true after `collect`: the owner makes no decision on a state before. A slot is used
 * again and again; SEQ counts its uses, so that whatever comes late is known to be late (`protocol/loose.ts`).
 */
import { Fifo } from '../base/fifo.js';
import { loose, ring as protocol } from '../protocol/machine.js';
import type { FromWorker } from '../protocol/messages.js';
import {
  RING,
  SLOT,
  SLOT_NUMBER,
  SlotState,
  slotNumber,
  slotWord,
} from '../protocol/ring-layout.js';
import type {
  JobRing,
  SerialCallback,
  Settle,
  SlotRingHost,
  SlotRingOptions,
} from '../ring/job-ring.js';
import { jobState } from '../ring/job-states.js';
import type { JobState } from '../ring/job-states.js';
import { replyOf } from '../ring/replies.js';
import { RingBase } from '../ring/ring-base.js';
import { Placed } from '../arena/slot-input.js';
import { Left, call } from '../ring/slot-records.js';
import { LONG_PLAIN } from '../ring/long-plain.js';
import { resultsAhead } from '../ring/wake-ahead.js';
import { FreeSlots } from './free-slots.js';
import { LooseArena } from './loose-arena.js';
import { StartQueue } from './start-queue.js';

/** Submissions of a tick that a lazy owner publishes in one step. */
const PUBLISH_EVERY = 16;

const { load } = Atomics;

/** Where a slot's job is, on the owner's side. */
const Place = { FREE: 0, OUT: 1, AWAITS_MESSAGE: 2, READY: 3 } as const;

/** A job that has failed before it got a slot. */
interface Settled {
  readonly callback: SerialCallback;
  readonly reject: Settle | undefined;
  readonly error: unknown;
  readonly number: number;
  readonly stamp: number;
}

/** The owner's end of a ring whose jobs have no order. */
export class LooseRing extends RingBase implements JobRing {
  readonly isPatient = false;
  readonly takesSettled = true;
  /** The job submitted last. */
  newest = 0;
  readonly #arena: LooseArena;
  readonly #free: FreeSlots;
  readonly #queue: StartQueue;
  /** A `Place` of each slot. */
  readonly #places: Uint8Array;
  /** Slots of jobs to be delivered, and those that never had one, in order of completion. */
  readonly #ready = new Fifo<number | Settled>();
  /** Jobs that were submitted, modulo 2^32. */
  #number: number;
  /** Of them, those that are not delivered. */
  #outstanding = 0;
  #published: number;
  #delivering = false;

  constructor(options: SlotRingOptions, host: SlotRingHost) {
    const { window, arenaBytes, firstSequence } = options;
    const arena = new LooseArena(arenaBytes, window);
    super(options, host, arena, true);
    this.#arena = arena;
    this.#free = new FreeSlots(window);
    this.#queue = new StartQueue(this.memory, firstSequence);
    this.#places = new Uint8Array(window);
    this.#number = firstSequence | 0;
    this.#published = this.#queue.end;
    this.#await(0);
    // The first use of each slot that is not before the first number.
    const lap = this.#number & -window;
    for (let index = 0; index < window; index += 1) {
      this.words[slotWord(window, index) + SLOT.SEQ] = lap | index;
    }
  }

  /** Jobs submitted and not delivered. */
  get outstanding(): number {
    return this.#outstanding;
  }

  get isFull(): boolean {
    return this.#free.free === 0;
  }

  /** Jobs that nobody has reserved, about. */
  get waiting(): number {
    const places = (this.#queue.end - load(this.words, RING.CLAIM)) | 0;
    return Math.min(places, this.#outstanding);
  }

  /** The n-th job submitted, which is out; O(window). */
  sequenceOf(n: number): number {
    const number = (this.#number - (this.delivered + this.#outstanding) + n) | 0;
    const found = this.jobs().find((s) => this.#numberOf(s) === number);
    // A job that is settled without a slot is over: no slot is used for this.
    return found ?? (this.newest + this.window) | 0;
  }

  /** Jobs that have a slot and are not delivered, oldest first. */
  jobs(): readonly number[] {
    this.#lookThrough();
    const jobs: number[] = [];
    for (let index = 0; index < this.window; index += 1) {
      if (this.#places[index] !== Place.FREE) jobs.push(this.#sequenceIn(index));
    }
    return jobs.sort((a, b) => (this.#numberOf(a) - this.#numberOf(b)) | 0);
  }

  /** Is this one of them? */
  isOut(sequence: number): boolean {
    this.#lookThrough();
    const index = sequence & (this.window - 1);
    return this.#places[index] !== Place.FREE && this.#sequenceIn(index) === (sequence | 0);
  }

  /** See `JobRing`. That nobody waits for a result alone changes nothing here: each is told when it is there. */
  submit(
    input: unknown,
    callback: SerialCallback,
    transfer: readonly unknown[] | undefined,
    stamp: number,
    use: number,
    lazy = false,
    reject?: Settle,
  ): boolean {
    const index = this.#free.next;
    if (this.takesNone || index === undefined) return false;
    const base = slotWord(this.window, index);
    const sequence = (this.words[base + SLOT.SEQ]! + this.window) | 0;
    const placed = this.place(sequence, this.#number, input, transfer, stamp, use);
    if (placed === Placed.FULL) return false;
    const first = this.words[base + SLOT.FIRST]!;
    const room = this.words[base + SLOT.IN_ROOM]! + this.words[base + SLOT.OUT_ROOM]!;
    this.#arena.take(index, first, first + room);
    this.#free.take();
    this.#places[index] = Place.OUT;
    this.records.note(index, this.leftBy(placed, use), callback, reject);
    this.#queue.add(index);
    this.newest = sequence;
    this.#number = (this.#number + 1) | 0;
    this.#outstanding += 1;
    const isLong = this.isLong(base);
    const isLump = ((this.#queue.end - this.#published) | 0) >= PUBLISH_EVERY;
    if (!lazy || isLong || isLump) this.publish();
    if (isLong) this.host.beginLong(this);
    return true;
  }

  /** Lets the workers see all that was submitted. */
  publish(): void {
    if (this.#published === this.#queue.end) return;
    this.#published = this.#queue.end;
    protocol.publish(this.words, this.#published);
  }

  /** A job that has failed already: it needs no slot. */
  submitSettled(callback: SerialCallback, error: unknown, stamp: number, reject?: Settle): void {
    this.#ready.push({ callback, reject, error, number: this.#number, stamp });
    this.#number = (this.#number + 1) | 0;
    this.#outstanding += 1;
  }

  /** Is a job ready to be delivered? */
  anyDone(): boolean {
    if (this.#ready.length > 0) return true;
    this.#collect();
    return this.#ready.length > 0;
  }

  /** Delivers what has ended, in that order, at most `most` jobs. */
  deliver(most: number, now: number): number {
    if (this.#delivering) return 0;
    this.#delivering = true;
    this.isCut = false;
    const until = this.records.plainBytes + LONG_PLAIN;
    let count = 0;
    try {
      while (count < most && !this.isCut && this.anyDone()) {
        this.#deliverOne(this.#ready.shift()!, now);
        this.isCut = this.records.plainBytes >= until;
        count += 1;
      }
    } finally {
      this.#delivering = false;
      if (count > 0) this.#await(0);
    }
    return count;
  }

  /** The owner may sleep soon: says how many jobs have to end until it is woken. True = more than one. */
  awaitLater(): boolean {
    const ns = load(this.words, RING.RUN_NS);
    const more = resultsAhead(this.#outstanding, ns, this.host.atOnce);
    this.#await(more);
    return more > 0;
  }

  /** The same: whoever is next wakes it. */
  awaitNext(): void {
    this.#await(0);
  }

  /** Is so much done that the owner must not sleep: what it awaits, or all that the threads have to do? */
  isDue(): boolean {
    return (
      this.#ready.length > 0 || loose.isDue(this.words) || (this.waiting <= 0 && this.anyDone())
    );
  }

  /** Tells the threads how many jobs are out, and how many have to end after the next until the owner is woken. */
  #await(more: number): void {
    loose.passed(this.words, (this.#published - this.#outstanding) | 0, 1 + more);
  }

  /** Takes a worker's answer that came by message, before its slot or after it. */
  onReply(message: Extract<FromWorker, { t: 'result' | 'jobFailed' }>): void {
    const { seq } = message;
    if (!this.isOut(seq)) return;
    const index = seq & (this.window - 1);
    this.records.reply(index, replyOf(message, this.#numberOf(seq)));
    if (this.#places[index] === Place.AWAITS_MESSAGE) this.#isReady(index);
  }

  /** State of the job that is out for longest. */
  headState(): JobState {
    const oldest = this.jobs()[0];
    return oldest === undefined
      ? { seq: this.#number >>> 0, phase: SlotState.DONE, worker: 0 }
      : jobState(this.memory, oldest);
  }

  /** A thread has ended: what it ran fails or is run again, what was only sent to it goes to another. */
  workerDied(worker: number, exitCode: number, cause: unknown): void {
    this.#arena.closeHolesOf(worker);
    // What it ended is on the list before it is gone: `jobs` collects it, so it is not settled as lost.
    const jobs = this.jobs();
    this.lost.workerDied(jobs, { worker, exitCode, cause });
    // What it had reserved and not begun, and what is to run again.
    for (const sequence of jobs) {
      const state = load(this.words, slotWord(this.window, sequence) + SLOT.STATE);
      if (state === SlotState.READY) this.#queue.add(sequence & (this.window - 1));
    }
    this.publish();
  }

  /** Does nobody but the threads' loops look at this memory: no function, no handle, no consumer of bytes? */
  get isUnseen(): boolean {
    return this.hasNoUsers && this.#arena.isEmpty;
  }

  /** Gives the bytes of the oldest kept result back. */
  release(): void {
    this.#arena.release();
  }

  /** Takes what has ended, to look at it: threads see it no longer and tell nobody of it, so the owner delivers by itself. */
  #lookThrough(): void {
    const before = this.#ready.length;
    this.#collect();
    if (this.#ready.length > before && !this.#delivering) this.host.deliverSoon();
  }

  /** Takes what has ended. */
  #collect(): void {
    // Whoever was to look at a job later comes when all is over: the memory may be another ring's, and so may what has ended there.
    if (this.closed) return;
    const { words } = this;
    for (let base = loose.collect(words); base !== 0; base = loose.endedAfter(words, base)) {
      // Plain: nobody but the owner acts on a slot that has ended.
      words[base + SLOT.STATE] = SlotState.DONE;
      const index = words[base + SLOT.SEQ]! & (this.window - 1);
      if (this.records.hasOutcome(base, index)) this.#isReady(index);
      else this.#places[index] = Place.AWAITS_MESSAGE;
    }
  }

  #isReady(index: number): void {
    this.#places[index] = Place.READY;
    this.#ready.push(index);
  }

  #deliverOne(job: number | Settled, now: number): void {
    this.delivered += 1;
    this.#outstanding -= 1;
    if (typeof job !== 'number') {
      this.failed += 1;
      this.latencies.add(job.stamp, now);
      this.onOutcome?.(true);
      if (job.reject === undefined) call(job.callback, true, job.error, job.number);
      else job.reject(job.error);
      return;
    }
    const index = job;
    const base = slotWord(this.window, index);
    const { records } = this;
    const flags = records.flags[index]!;
    const value = records.take(base, index);
    const { failed } = records;
    const keep = (flags & Left.KEPT) !== 0;
    if (failed) this.failed += 1;
    this.latencies.add(this.numbers[slotNumber(index) + SLOT_NUMBER.STAMP]!, now);
    const number = this.words[base + SLOT.NUMBER]!;
    protocol.free(this.words, base);
    this.#places[index] = Place.FREE;
    // The slot is free, its bytes are not: a view of them is told now.
    const stretch = this.#arena.delivered(index, keep);
    this.#free.give(index);
    records.tell(index, number, flags, failed, value, this.onOutcome);
    this.#arena.giveBack(stretch);
  }

  #sequenceIn(index: number): number {
    return this.words[slotWord(this.window, index) + SLOT.SEQ]!;
  }

  #numberOf(sequence: number): number {
    return this.words[slotWord(this.window, sequence) + SLOT.NUMBER]!;
  }
}
