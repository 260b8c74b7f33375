/**
 * What rings with and without an order have in common, owner's side: who may run the jobs, how a job gets into its slot, what
 * becomes of those that end from outside. In which slot a job lies, when it begins and when it is delivered is the
 * subclass's.
 */
import { throwLater } from '../base/errors.js';
import { StretchCounts } from '../share/stretch-counts.js';
import { noteMade } from '../protocol/arena-parts.js';
import { ring as protocol } from '../protocol/machine.js';
import {
  Kind,
  RING,
  SLOT,
  SLOT_NUMBER,
  STATE_MASK,
  SlotState,
  isBegun,
  slotNumber,
  slotWord,
} from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import type { FromWorker } from '../protocol/messages.js';
import { latencyOffset } from '../protocol/ring-stats.js';
import { hasWorker, setWorkers } from '../protocol/worker-set.js';
import type { JobRing, SlotRingHost, SlotRingOptions } from './job-ring.js';
import { JobEnds } from './job-ends.js';
import { busyJobs } from './job-states.js';
import { LONG_PLAIN } from './long-plain.js';
import { LostJobs } from './lost-jobs.js';
import { makeBytes, partBytes } from '../arena/part-sizes.js';
import type { Reply } from './replies.js';
import { ResultRoom } from '../arena/result-room.js';
import { makeBlock } from './ring-store.js';
import { SentJobs } from './sent-jobs.js';
import type { Arena } from '../arena/slot-arena.js';
import { Placed, SlotInput } from '../arena/slot-input.js';
import { Left, SlotRecords, askedBy } from './slot-records.js';

/** The common part of the owner's end of a ring. */
export abstract class RingBase {
  readonly id: number;
  readonly memory: RingMemory;
  readonly stats: Int32Array;
  readonly arenaBytes: number;
  readonly ends: JobEnds;
  readonly sent: SentJobs;
  closed = false;
  isListed = false;
  broken: unknown;
  isCut = false;
  delivered = 0;
  failed = 0;
  protected readonly words: Int32Array;
  protected readonly window: number;
  protected readonly numbers: Float64Array;
  protected readonly host: SlotRingHost;
  protected readonly records: SlotRecords;
  protected readonly lost: LostJobs;
  protected readonly latencies: StretchCounts;
  protected readonly onOutcome: ((failed: boolean) => void) | undefined;
  /** It takes nothing: an input is being written or sent, whose getters may submit; or nobody will run its jobs. */
  protected takesNone = false;
  protected readonly input: SlotInput;
  protected readonly room = new ResultRoom();
  protected readonly retries: number;
  readonly #arena: Arena;
  readonly #isShared: boolean;
  readonly #tellProgress: SlotRingOptions['onProgress'];
  readonly #tellOutput: SlotRingOptions['onOutput'];

  /** @param isLoose its jobs have no order */
  constructor(options: SlotRingOptions, host: SlotRingHost, arena: Arena, isLoose: boolean) {
    const { window, arenaBytes, capacity } = options;
    const block = options.block ?? makeBlock(options);
    this.id = options.id;
    this.host = host;
    this.arenaBytes = arenaBytes;
    this.memory = block.memory;
    this.stats = block.stats;
    this.words = this.memory.words;
    this.window = window;
    this.numbers = this.memory.numbers;
    this.words[RING.WINDOW] = window;
    this.words[RING.LOOSE] = isLoose ? 1 : 0;
    const first = options.firstSequence | 0;
    for (const word of [RING.PUBLISHED, RING.CLAIM, RING.PROCESSED, RING.WAKE_AT]) {
      this.words[word] = first;
    }
    this.latencies = new StretchCounts(this.stats, latencyOffset(capacity), 0);
    this.#arena = arena;
    this.#isShared = options.shared;
    this.input = new SlotInput(
      this.memory,
      arena,
      this,
      this.room,
      options.slotBytes,
      options.outputBytes,
    );
    this.sent = new SentJobs(this.memory);
    this.ends = new JobEnds(this.memory, arena, this);
    this.lost = new LostJobs(this.memory, options.retries, this.sent, this.ends);
    this.records = new SlotRecords(this.memory, options.copyBytes, this.room, this);
    this.retries = options.retries;
    this.onOutcome = options.onOutcome;
    this.#tellProgress = options.onProgress;
    this.#tellOutput = options.onOutput;
  }

  /** For `JobEnds`: jobs that are submitted and not delivered, oldest first; what their slots say is up to date. */
  abstract jobs(): readonly number[];
  /** For `JobEnds`: is this one of them? The same. */
  abstract isOut(sequence: number): boolean;
  /** Jobs submitted and not delivered. */
  abstract readonly outstanding: number;

  /** Jobs submitted so far. */
  get submitted(): number {
    return this.delivered + this.outstanding;
  }

  /** Why nobody will run the ring's jobs; undefined = they are run. */
  get failure(): { readonly error: unknown } | undefined {
    return this.broken === undefined ? undefined : { error: this.broken };
  }

  /** Jobs run again after their thread died. */
  get retried(): number {
    return this.lost.retried;
  }

  /** No job is out, no function was abandoned, there is no handle of a job. */
  protected get hasNoUsers(): boolean {
    return (
      this.outstanding === 0 &&
      !this.ends.hasAbandoned &&
      Atomics.load(this.words, RING.HANDLES) === 0
    );
  }

  /** Jobs in flight whose function has not returned. O(window). */
  busyJobs(): number {
    return busyJobs(this.memory, this.jobs());
  }

  /** Jobs that nobody has begun, at most so many. O(jobs in flight), those submitted last first. */
  unbegun(most: number): number {
    const jobs = this.jobs();
    let count = 0;
    for (let i = jobs.length - 1; i >= 0 && count < most; i -= 1) {
      const state = Atomics.load(this.words, slotWord(this.window, jobs[i]!) + SLOT.STATE);
      const phase = state & STATE_MASK;
      if (phase === SlotState.READY || phase === SlotState.SENT) count += 1;
    }
    return count;
  }

  /** NUMBERs of jobs whose functions have begun and that are not over. O(window). */
  begunNumbers(): ReadonlySet<number> {
    const numbers = new Set<number>();
    for (const sequence of this.jobs()) {
      const base = slotWord(this.window, sequence);
      const state = Atomics.load(this.words, base + SLOT.STATE);
      if (isBegun(state)) numbers.add(this.words[base + SLOT.NUMBER]!);
    }
    return numbers;
  }

  /** Is the function of this job over, however it has ended? */
  hasEnded(sequence: number): boolean {
    if (!this.isOut(sequence)) return true;
    const state = Atomics.load(this.words, slotWord(this.window, sequence) + SLOT.STATE);
    return (state & STATE_MASK) === SlotState.DONE;
  }

  /** Lets exactly these workers claim; the owner may always. */
  allow(workers: Iterable<number>): void {
    if (this.closed) return;
    setWorkers(this.words, RING.ALLOWED, [0, ...workers]);
  }

  /** May this worker claim? */
  allows(worker: number): boolean {
    return hasWorker(this.words, RING.ALLOWED, worker);
  }

  /** Marks the ring as unusable: all that waits ends with this error. */
  breakWith(error: unknown): void {
    this.broken = error;
    this.takesNone = true;
    this.ends.cancelWaiting(error);
  }

  /** For `SlotInput`: one more part for stretches of so many bytes. */
  grow(bytes: number): boolean {
    const first = this.#arena.bytes;
    const more = partBytes(first, bytes, this.host.threads);
    if (more === 0) return false;
    const buffer = makeBytes(more, this.#isShared);
    if (buffer === undefined) return false;
    noteMade(buffer);
    const part = { first, buffer };
    this.memory.arena.add(part);
    this.#arena.extend(first + more);
    this.host.tellPart(this.id, part);
    return true;
  }

  /** For `JobEnds`. */
  reply(index: number, reply: Reply): void {
    this.records.reply(index, reply);
  }

  /** A function tells how far it is; nobody hears it of a job that is over, or was given up. */
  onProgress({ seq, value }: Extract<FromWorker, { t: 'progress' }>): void {
    if (this.ends.wasCancelled(seq & (this.window - 1))) return;
    this.#tell(seq, this.#tellProgress, value);
  }

  /** What a function has written; told with a result that comes though the series has ended, too. */
  onOutput({ seq, output }: Extract<FromWorker, { t: 'output' }>): void {
    if (this.ends.wasCancelled(seq & (this.window - 1))) return;
    this.#tell(seq, this.#tellOutput, output);
  }

  #tell<T>(
    seq: number,
    listener: ((number: number, value: T) => void) | undefined,
    value: T,
  ): void {
    if (listener === undefined || !this.isOut(seq)) return;
    const number = this.words[slotWord(this.window, seq) + SLOT.NUMBER]! >>> 0;
    try {
      listener(number, value);
    } catch (error) {
      throwLater(error);
    }
  }

  /** For `JobEnds`. */
  noteReason(index: number): void {
    this.records.flags[index]! |= Left.CANCELLED;
  }

  /** For `SlotRecords`. */
  forgetInput(index: number): void {
    this.lost.forget(index);
    this.sent.forget(index);
  }

  /** For `SlotRecords`. */
  takeReason(index: number): unknown {
    return this.ends.takeReason(index);
  }

  /**
   * Puts a job's input into its slot, which is free, and offers it; or by message.
   * @param number what the slot says as NUMBER
   * @returns a `Placed`; FULL = nothing has happened
   * @throws ERR_PADATA_CLONE
   */
  protected place(
    sequence: number,
    number: number,
    input: unknown,
    transfer: readonly unknown[] | undefined,
    stamp: number,
    use: number,
  ): number {
    const index = sequence & (this.window - 1);
    const base = slotWord(this.window, sequence);
    const words = this.words;
    words[base + SLOT.SEQ] = sequence;
    words[base + SLOT.NUMBER] = number;
    words[base + SLOT.ASKS] = askedBy(use);
    this.numbers[slotNumber(index) + SLOT_NUMBER.STAMP] = stamp;
    const placed = this.#placeAny(sequence, input, transfer);
    if (placed === Placed.SLOT) {
      if (this.retries > 0) this.lost.remember(base, index);
      protocol.offer(words, base);
    }
    return placed;
  }

  /** Taking an input in runs its getters, and those may submit. */
  #placeAny(sequence: number, input: unknown, transfer: readonly unknown[] | undefined): number {
    const index = sequence & (this.window - 1);
    let placed: number = Placed.MESSAGE;
    this.takesNone = true;
    try {
      if (transfer === undefined) {
        placed = this.input.place(input, slotWord(this.window, sequence), index);
      }
      if (placed === Placed.MESSAGE) placed = this.#placeSent(input, transfer, sequence);
    } finally {
      this.takesNone = this.broken !== undefined;
    }
    return placed;
  }

  /** Is the input in this slot long plain data? */
  protected isLong(base: number): boolean {
    const { words } = this;
    return words[base + SLOT.IN_ROOM]! >= LONG_PLAIN && words[base + SLOT.KIND] === Kind.PLAIN;
  }

  /** What a job that was placed so leaves here besides its callback. */
  protected leftBy(placed: number, use: number): number {
    return placed === Placed.MESSAGE || this.retries > 0 ? use | Left.INPUT : use;
  }

  #placeSent(input: unknown, transfer: readonly unknown[] | undefined, sequence: number): number {
    const index = sequence & (this.window - 1);
    const base = slotWord(this.window, sequence);
    if (this.input.reserve(base) !== Placed.SLOT) return Placed.FULL;
    if (this.retries > 0) this.lost.remember(base, index);
    if (transfer === undefined) {
      this.sent.add(sequence, { input, transfer, gone: false });
      return Placed.MESSAGE;
    }
    try {
      const kept = this.host.handOver(this as unknown as JobRing, [sequence, input], transfer);
      if (kept !== undefined) this.sent.add(sequence, kept);
    } catch (error) {
      this.sent.forget(index);
      Atomics.store(this.words, base + SLOT.STATE, SlotState.FREE);
      throw error;
    }
    return Placed.MESSAGE;
  }
}
