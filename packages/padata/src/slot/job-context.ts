/** What a job's function gets besides its input. */
import { ring as protocol } from '../protocol/machine.js';
import {
  Ask,
  RING,
  SLOT,
  STATE_MASK,
  SlotState,
  deferredState,
  slotWord,
} from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import type { JobOutput } from '../protocol/messages.js';
import type { OutputKeeper } from './job-output.js';
import { noteGiven } from '../values/own-bytes.js';
import { ProgressReports } from './progress-reports.js';

/**
 * Second argument of a job function; `S` and `L` are the types of `shared` and `local`. It belongs to that job and to no other: kept
 * and used when the job has ended, it touches nobody's. `aborted` is true then, `output` gives bytes of its own, `progress`
 * tells nobody, and the handle that `defer` gives completes nothing; the other members stay what they were.
 */
export interface JobContext<S = unknown, L = unknown> {
  /** How many jobs of the series were submitted before this one (modulo 2^32). */
  readonly seq: number;
  /** Worker that runs the job; 0 = the owner of the pool. */
  readonly worker: number;
  /** True once the job should give up, or has ended; long synchronous functions poll it. */
  readonly aborted: boolean;
  /** The series' `shared` value, cloned once per thread, the calling one included. */
  readonly shared: S;
  /** What the pool's `setup` has given on this thread; undefined without one. */
  readonly local: L;
  /**
   * Writable bytes for the result, in the job's own slot when they fit: returning them (or a part) copies
   * nothing. Valid until the job is done. Bytes of their own at a second call, after `defer`, and once the job has ended or
   * was given up.
   */
  output(bytes: number): Uint8Array;
  /**
   * Tells whoever listens (`onProgress`) how far the job is; any value that can be cloned. Without a listener it costs a look at
   * a word. By default reports are left out while others were sent a moment ago; the last one before the end never is.
   * @throws ERR_PADATA_CLONE
   */
  progress(value: unknown): void;
  /**
   * Leaves the completion to whoever gets the handle, on any thread; see `completeDeferred`. From this call on
   * the job may be completed, so its input and output bytes are no longer the function's.
   */
  defer(): DeferredJob;
}

/** A job to be completed from anywhere; survives structured clone. */
export interface DeferredJob {
  readonly control: Int32Array;
  readonly buffer: SharedArrayBuffer;
  readonly window: number;
  readonly arenaBytes: number;
  readonly parts: readonly { readonly first: number; readonly buffer: SharedArrayBuffer }[];
  readonly seq: number;
  /** The use of its slot that this job is; with an order `seq`. */
  readonly sequence: number;
}

/** What the contexts of one ring on one thread have in common. */
export interface ContextHome {
  readonly ring: RingMemory;
  readonly worker: number;
  readonly shared: unknown;
  /** What the pool's `setup` has given; before the first context is made. */
  readonly local: unknown;
  readonly control: Int32Array;
  /** Tells the owner that a completion is to come from elsewhere. */
  readonly announce: (at: number, state: number) => void;
  /** Sends a report of progress. @throws when it cannot be cloned */
  readonly report: (sequence: number, value: unknown) => void;
  /** Sends what a job has written. */
  readonly tellOutput: (sequence: number, output: JobOutput) => void;
}

/** What is known of a job on its thread, as bits. */
const Known = {
  /** The function has called `defer` in time. */
  DEFERRED: 1,
  /** The function has returned a promise: the slot may be settled from outside. */
  PENDING: 2,
  /** The job is over for its function. */
  ENDED: 4,
  /** It has a view of the room for its result. */
  HOLDS: 8,
} as const;

/** What goes before the outcome. */
interface Told {
  reports: ProgressReports | undefined;
  /** What the function writes is kept there. */
  keeper: OutputKeeper | undefined;
}

/**
 * Context of one job. Who keeps it may use it at any time: while other jobs have the slot, and when the memory is another ring's. So
 * what it does goes by what it knows of its own job first, and by the slot's words only where its job may still have them.
 * It is made for each job, so it is small.
 */
export class SlotContext implements JobContext {
  readonly seq: number;
  /** What its slot calls SEQ: names the job for this thread and the owner. */
  readonly sequence: number;
  readonly #home: ContextHome;
  #known = 0;
  #told: Told | undefined;

  /** @param base first word of the job's slot */
  constructor(home: ContextHome, base: number) {
    const { words } = home.ring;
    this.seq = words[base + SLOT.NUMBER]! >>> 0;
    this.sequence = words[base + SLOT.SEQ]! | 0;
    this.#home = home;
  }

  /** The job is left to whoever has its handle. */
  get deferred(): boolean {
    return (this.#known & Known.DEFERRED) !== 0;
  }

  /** It has reported something, or its output is kept: its outcome goes behind that, by message. */
  get hasReported(): boolean {
    return this.#told !== undefined;
  }

  /** The function has a view of the room for its result. */
  get holds(): boolean {
    return (this.#known & Known.HOLDS) !== 0;
  }

  /** The function has ended, or nobody waits for it any more. A deferred job goes on without it. */
  end(): void {
    if (!this.deferred) this.#known |= Known.ENDED;
  }

  /** The function has returned a promise; `seesInput`: its input is a view of the slot's bytes. */
  pend(seesInput: boolean): void {
    const { ring, worker } = this.#home;
    const holds = (this.#known & Known.HOLDS) !== 0;
    this.#known |= Known.PENDING;
    protocol.pend(ring.words, this.#base, worker, holds || seesInput);
    this.#told?.reports?.sendLater();
  }

  /** What its function writes is kept there from here on. */
  keepOutput(keeper: OutputKeeper): void {
    this.#told = { reports: undefined, keeper };
  }

  /** The function has ended: what it reported last, and what it has written, goes before its outcome. */
  endReports(): void {
    const told = this.#told;
    if (told === undefined) return;
    const output = told.keeper?.close();
    told.keeper = undefined;
    if (output !== undefined) this.#home.tellOutput(this.sequence, output);
    told.reports?.send();
  }

  /** The promise has ended; true = the job is the caller's to finish. True once at most. */
  regain(): boolean {
    const isMine = this.#takeBack();
    this.#known |= Known.ENDED;
    return isMine;
  }

  get worker(): number {
    return this.#home.worker;
  }

  get shared(): unknown {
    return this.#home.shared;
  }

  get local(): unknown {
    return this.#home.local;
  }

  progress(value: unknown): void {
    // Written before the job was offered; of another job once this one is over.
    const asks = this.#home.ring.words[this.#base + SLOT.ASKS]!;
    if ((asks & Ask.PROGRESS) === 0 || this.deferred || this.#isOver) return;
    const told = (this.#told ??= { reports: undefined, keeper: undefined });
    if (told.reports === undefined) {
      const { sequence } = this;
      const { report } = this.#home;
      told.reports = new ProgressReports((last) => {
        report(sequence, last);
      });
    }
    told.reports.add(value, (asks & Ask.EVERY) !== 0);
    if ((this.#known & Known.PENDING) !== 0) told.reports.sendLater();
  }

  get aborted(): boolean {
    if (this.#isOver) return true;
    const { words } = this.#home.ring;
    return (
      Atomics.load(words, RING.ABORTED) !== 0 ||
      (Atomics.load(words, this.#base + SLOT.ASKS) & Ask.STOP) !== 0
    );
  }

  output(bytes: number): Uint8Array {
    const known = this.#known;
    // There is room for one.
    if ((known & (Known.ENDED | Known.DEFERRED | Known.HOLDS)) !== 0) return new Uint8Array(bytes);
    const { ring, worker } = this.#home;
    const { words } = ring;
    const base = this.#base;
    const isPending = (known & Known.PENDING) !== 0;
    if (isPending && !protocol.hold(words, base, worker, this.sequence)) {
      return new Uint8Array(bytes);
    }
    // What is no such number, the language refuses or rounds.
    if (!(Number.isInteger(bytes) && bytes >= 0 && bytes <= words[base + SLOT.OUT_ROOM]!)) {
      return new Uint8Array(bytes);
    }
    noteGiven();
    this.#known = known | Known.HOLDS;
    const offset = words[base + SLOT.FIRST]! + words[base + SLOT.IN_ROOM]!;
    const part = ring.arena.at(offset);
    return part.bytes.subarray(offset - part.first, offset - part.first + bytes);
  }

  defer(): DeferredJob {
    // Where the job is over already, the handle completes nothing.
    if ((this.#known & (Known.ENDED | Known.DEFERRED)) === 0) this.#handOver();
    const { ring, control } = this.#home;
    return {
      control,
      buffer: ring.buffer,
      window: ring.window,
      arenaBytes: ring.arena.ownBytes,
      parts: ring.arena.added,
      seq: this.seq,
      sequence: this.sequence,
    };
  }

  #handOver(): void {
    this.endReports();
    if ((this.#known & Known.PENDING) !== 0 && !this.#takeBack()) return;
    this.#known |= Known.DEFERRED;
    const { ring, announce } = this.#home;
    const { words } = ring;
    Atomics.add(words, RING.DEFERRED, 1);
    Atomics.store(words, RING.HANDLES, 1);
    // Before the handle exists: pairs with the exchange in `completeDeferred`, which may come at once.
    const at = this.#base + SLOT.STATE;
    const state = deferredState(ring.window, this.sequence);
    Atomics.store(words, at, state);
    announce(at, state);
  }

  /** Makes the pending job this thread's own again, if it is still pending. */
  #takeBack(): boolean {
    const { ring, worker } = this.#home;
    return protocol.regain(ring.words, this.#base, worker, this.sequence);
  }

  /** Its job has ended, as far as can be seen from here. */
  get #isOver(): boolean {
    const known = this.#known;
    if ((known & Known.ENDED) !== 0) return true;
    // While the function runs nobody else ends its job.
    if ((known & (Known.PENDING | Known.DEFERRED)) === 0) return false;
    const { words } = this.#home.ring;
    if (words[this.#base + SLOT.SEQ] !== this.sequence) return true;
    const phase = Atomics.load(words, this.#base + SLOT.STATE) & STATE_MASK;
    return phase === SlotState.DONE || phase === SlotState.FREE;
  }

  /** First word of its slot. */
  get #base(): number {
    return slotWord(this.#home.ring.window, this.sequence);
  }
}
