/** What a job's function gets besides its input. */
import { ring as protocol } from '../protocol/machine.js';
import { Ask, RING, SLOT, deferredState } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import type { JobOutput } from '../protocol/messages.js';
import type { OutputKeeper } from './job-output.js';
import { ProgressReports } from './progress-reports.js';

/** Second argument of a job function; `S` and `L` are the types of `shared` and `local`. */
export interface JobContext<S = unknown, L = unknown> {
  /** How many jobs of the series were submitted before this one (modulo 2^32). */
  readonly seq: number;
  /** Worker that runs the job; 0 = the owner of the pool. */
  readonly worker: number;
  /** True once the job should give up; long synchronous functions poll it. */
  readonly aborted: boolean;
  /** The series' `shared` value, cloned once per thread. */
  readonly shared: S;
  /** What the pool's `setup` has given on this thread; undefined without one. */
  readonly local: L;
  /**
   * Writable bytes for the result, in the job's own slot when they fit: returning them (or a part) copies
   * nothing. Valid until the job is done. Bytes of their own once the job was aborted and given up.
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

/** Context of one job. */
export class SlotContext implements JobContext {
  seq = 0;
  /** What its slot calls SEQ: names the job for this thread and the owner. */
  sequence = 0;
  readonly worker: number;
  readonly shared: unknown;
  readonly local: unknown;
  readonly #ring: RingMemory;
  #base = 0;
  readonly #control: Int32Array;
  readonly #announce: (at: number, state: number) => void;
  /** The function called `defer`. */
  deferred = false;
  /** It was told that nobody waits for the function any more. */
  abandoned = false;
  /** The function has returned a promise: the slot may be settled from outside. */
  #pending = false;
  /** It has a view of the room for its result. */
  #holds = false;
  /** It has reported something, or its output is kept: its outcome goes behind that, by message. */
  hasReported = false;
  readonly #report: (sequence: number, value: unknown) => void;
  #reports: ProgressReports | undefined;
  readonly #tellOutput: (sequence: number, output: JobOutput) => void;
  #keeper: OutputKeeper | undefined;

  constructor(home: ContextHome) {
    const { ring, worker, shared, local, control, announce, report } = home;
    this.#report = report;
    this.#tellOutput = home.tellOutput;
    this.#ring = ring;
    this.#control = control;
    this.#announce = announce;
    this.worker = worker;
    this.shared = shared;
    this.local = local;
  }

  /** Now stands for the job in this slot. */
  enter(base: number): void {
    this.#base = base;
    this.seq = this.#ring.words[base + SLOT.NUMBER]! >>> 0;
    this.sequence = this.#ring.words[base + SLOT.SEQ]! | 0;
    this.#holds = false;
    this.hasReported = false;
  }

  /** The function has returned a promise; `seesInput`: its input is a view of the slot's bytes. */
  pend(seesInput: boolean): void {
    this.#pending = true;
    protocol.pend(this.#ring.words, this.#base, this.worker, this.#holds || seesInput);
    if (this.hasReported) this.#reports?.sendLater();
  }

  /** What its function writes is kept there from here on. */
  keepOutput(keeper: OutputKeeper): void {
    this.hasReported = true;
    this.#reports = undefined;
    this.#keeper = keeper;
  }

  progress(value: unknown): void {
    const { words } = this.#ring;
    // Written before the job was offered; of another job once this one is over.
    const asks = words[this.#base + SLOT.ASKS]!;
    if ((asks & Ask.PROGRESS) === 0 || this.deferred || this.abandoned) return;
    if (words[this.#base + SLOT.SEQ] !== this.sequence) return;
    if (!this.hasReported || this.#reports === undefined) {
      this.hasReported = true;
      const { sequence } = this;
      this.#reports = new ProgressReports((last) => {
        this.#report(sequence, last);
      });
    }
    this.#reports.add(value, (asks & Ask.EVERY) !== 0);
    if (this.#pending) this.#reports.sendLater();
  }

  /** The function has ended: what it reported last, and what it has written, goes before its outcome. */
  endReports(): void {
    if (!this.hasReported) return;
    const output = this.#keeper?.close();
    this.#keeper = undefined;
    if (output !== undefined) this.#tellOutput(this.sequence, output);
    this.#reports?.send();
  }

  /** The promise has ended; true = the job is the caller's to finish. True once at most. */
  regain(): boolean {
    return protocol.regain(this.#ring.words, this.#base, this.worker, this.sequence);
  }

  get aborted(): boolean {
    const { words } = this.#ring;
    if (this.abandoned || (this.#pending && words[this.#base + SLOT.SEQ] !== this.sequence)) {
      return true;
    }
    return (
      Atomics.load(words, RING.ABORTED) !== 0 ||
      (Atomics.load(words, this.#base + SLOT.ASKS) & Ask.STOP) !== 0
    );
  }

  output(bytes: number): Uint8Array {
    const { words } = this.#ring;
    if (this.#pending && !protocol.hold(words, this.#base, this.worker, this.sequence)) {
      return new Uint8Array(bytes);
    }
    if (bytes > words[this.#base + SLOT.OUT_ROOM]!) return new Uint8Array(bytes);
    this.#holds = true;
    const offset = words[this.#base + SLOT.FIRST]! + words[this.#base + SLOT.IN_ROOM]!;
    const part = this.#ring.arena.at(offset);
    return part.bytes.subarray(offset - part.first, offset - part.first + bytes);
  }

  defer(): DeferredJob {
    if (!this.deferred) {
      this.endReports();
      this.deferred = true;
      const { words } = this.#ring;
      // A pending job may be over already: its handle completes nothing then.
      if (!this.#pending || this.regain()) {
        Atomics.add(words, RING.DEFERRED, 1);
        Atomics.store(words, RING.HANDLES, 1);
        // Before the handle exists: pairs with the exchange in `completeDeferred`, which may come at once.
        const at = this.#base + SLOT.STATE;
        const state = deferredState(this.#ring.window, this.sequence);
        Atomics.store(words, at, state);
        this.#announce(at, state);
      }
    }
    return {
      control: this.#control,
      buffer: this.#ring.buffer,
      window: this.#ring.window,
      arenaBytes: this.#ring.arena.ownBytes,
      parts: this.#ring.arena.added,
      seq: this.seq,
      sequence: this.sequence,
    };
  }
}
