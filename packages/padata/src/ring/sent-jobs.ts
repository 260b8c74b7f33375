/**
 * Jobs of one ring whose inputs travel by message, owner's side: which wait here, and which are with a thread that has
 * not begun them. The slots' states decide (`protocol/sent.ts`); the lists here only say where to look.
 *
 * ```
 *   add ─▶ held, oldest first ─ bindNext ─▶ with thread w, oldest first ─▶ begun: forgotten at the next look
 *            ▲                                 │
 *            └─ recall, requeue ◀──────────────┴─ takeBack ─▶ with another thread
 * ```
 * An input that is handed over (transfer list) leaves once, and never comes back.
 */
import { sent as protocol } from '../protocol/machine.js';
import type { SentJob } from '../protocol/messages.js';
import { HANDED_OVER, SLOT, slotWord } from '../protocol/ring-layout.js';
import type { RingMemory } from '../protocol/ring-layout.js';
import { sentTo } from '../protocol/sent.js';

/** An input, until its job is delivered: it may be needed again. */
export interface SentInput {
  readonly input: unknown;
  /** Objects to hand over with it. */
  readonly transfer: readonly unknown[] | undefined;
  /** It was handed over: it is not here any more. */
  gone: boolean;
}

/** What one thread was sent, oldest first; the first `at` are begun, or another's by now. */
interface ThreadJobs {
  list: number[];
  at: number;
}

const { load } = Atomics;
/** Lists give back what lies before their beginning when it is so much. */
const COMPACT = 1024;

/** The jobs by message of one ring. */
export class SentJobs {
  readonly #words: Int32Array;
  readonly #window: number;
  /** By slot. */
  readonly #inputs: (SentInput | undefined)[];
  #held: number[] = [];
  #heldAt = 0;
  readonly #threads: (ThreadJobs | undefined)[] = [];
  /** What the threads know of `held`. */
  #told = 0;
  /** Inputs leave for threads that have nothing to do alone, as what is handed over does: the pool's rings have priorities. */
  onlyToFree = false;

  constructor(memory: RingMemory) {
    this.#words = memory.words;
    this.#window = memory.window;
    this.#inputs = new Array<undefined>(memory.window).fill(undefined);
  }

  /** Inputs that wait here; some of their jobs may have ended. */
  get held(): number {
    return this.#held.length - this.#heldAt;
  }

  /** A job's input is here: it waits for a thread. */
  add(sequence: number, input: SentInput): void {
    this.keep(sequence, input);
    this.#held.push(sequence);
  }

  /** Keeps an input, and marks its slot; the job waits for a thread after `add` or `requeue` only. */
  keep(sequence: number, input: SentInput): void {
    this.#inputs[sequence & (this.#window - 1)] = input;
    protocol.keep(this.#words, slotWord(this.#window, sequence));
  }

  /** The input of the job in this slot; undefined = it did not go by message. */
  input(index: number): SentInput | undefined {
    return this.#inputs[index];
  }

  /** The job is delivered. */
  forget(index: number): void {
    this.#inputs[index] = undefined;
  }

  /** A job whose thread has died waits again: in front of all that are younger. Its slot is the owner's. */
  requeue(sequence: number): void {
    protocol.keep(this.#words, slotWord(this.#window, sequence));
    this.#insert(sequence);
  }

  /** The oldest job that waits; undefined = none. */
  next(): number | undefined {
    while (this.#heldAt < this.#held.length) {
      const sequence = this.#held[this.#heldAt]!;
      if (this.#isWith(sequence, 0)) return sequence;
      this.#shift();
    }
    return undefined;
  }

  /** The job that `next` has given goes to this thread, by the message that follows. */
  bindNext(worker: number): SentJob {
    const sequence = this.#held[this.#heldAt]!;
    this.#shift();
    return this.bind(sequence, worker);
  }

  /** A job whose input is here goes to this thread. */
  bind(sequence: number, worker: number): SentJob {
    const base = slotWord(this.#window, sequence);
    protocol.bind(this.#words, base, 0, worker);
    const sent = this.#inputs[sequence & (this.#window - 1)]!;
    if (sent.transfer !== undefined) sent.gone = true;
    this.#of(worker).list.push(sequence);
    return [sequence, sent.input];
  }

  /** Jobs that this thread was sent and has not begun, about: never fewer. */
  unbegun(worker: number): number {
    const jobs = this.#threads[worker];
    if (jobs === undefined) return 0;
    const { list } = jobs;
    while (jobs.at < list.length && !this.#isWith(list[jobs.at]!, worker)) jobs.at += 1;
    if (jobs.at === list.length || jobs.at >= COMPACT) {
      list.splice(0, jobs.at);
      jobs.at = 0;
    }
    return list.length - jobs.at;
  }

  /**
   * Jobs that others have not begun go to this thread: half of them, the oldest, at most so many. What was handed over
   * stays where it is, and so does the oldest of a thread that is free: it is begun at once.
   */
  takeBack(worker: number, most: number, isFree: (worker: number) => boolean): SentJob[] {
    const jobs: (readonly [sequence: number, from: number])[] = [];
    this.#threads.forEach((_, from) => {
      if (from === worker) return;
      const back = this.#backFrom(from);
      for (const sequence of isFree(from) ? back.slice(1) : back) jobs.push([sequence, from]);
    });
    jobs.sort(([a], [b]) => this.#age(a, b));
    const taken: SentJob[] = [];
    for (const [sequence, from] of jobs.slice(0, Math.min(most, Math.ceil(jobs.length / 2)))) {
      // Its thread may begin it at this moment.
      if (!protocol.bind(this.#words, slotWord(this.#window, sequence), from, worker)) continue;
      this.#of(worker).list.push(sequence);
      taken.push([sequence, this.#inputs[sequence & (this.#window - 1)]!.input]);
    }
    return taken;
  }

  /** Jobs that threads which may not run them any more have not begun wait here again. */
  recall(mayRun: (worker: number) => boolean): void {
    this.#threads.forEach((_, worker) => {
      if (mayRun(worker)) return;
      for (const sequence of this.#backFrom(worker)) {
        const base = slotWord(this.#window, sequence);
        if (protocol.bind(this.#words, base, worker, 0)) this.#insert(sequence);
      }
    });
  }

  /** Tells the threads how many inputs wait here. Before the owner looks whether one of them wants some. */
  tell(): void {
    const first = this.next();
    const isHandedOver = first !== undefined && this.needsFree(first);
    const told = this.held + (isHandedOver ? HANDED_OVER : 0);
    if (told === this.#told) return;
    this.#told = told;
    protocol.holds(this.#words, told);
  }

  /** Does the job that `next` has given wait for a thread that has nothing to do? */
  needsFree(sequence: number): boolean {
    return this.onlyToFree || this.#inputs[sequence & (this.#window - 1)]!.transfer !== undefined;
  }

  /** Jobs with this thread that are not begun and can be taken back. */
  #backFrom(worker: number): number[] {
    const jobs = this.#threads[worker];
    if (jobs === undefined || this.unbegun(worker) === 0) return [];
    return jobs.list
      .slice(jobs.at)
      .filter(
        (s) =>
          this.#isWith(s, worker) && this.#inputs[s & (this.#window - 1)]?.transfer === undefined,
      );
  }

  /** Is this job's input with this thread, and not begun? 0 = it waits here. */
  #isWith(sequence: number, worker: number): boolean {
    const base = slotWord(this.#window, sequence);
    return (
      this.#words[base + SLOT.SEQ] === (sequence | 0) &&
      load(this.#words, base + SLOT.STATE) === sentTo(worker)
    );
  }

  /** Below 0 = the first was submitted before the second. */
  #age(a: number, b: number): number {
    return (this.#number(a) - this.#number(b)) | 0;
  }

  #number(sequence: number): number {
    return this.#words[slotWord(this.#window, sequence) + SLOT.NUMBER]!;
  }

  #of(worker: number): ThreadJobs {
    return (this.#threads[worker] ??= { list: [], at: 0 });
  }

  #shift(): void {
    this.#heldAt += 1;
    if (this.#heldAt < this.#held.length && this.#heldAt < COMPACT) return;
    this.#held.splice(0, this.#heldAt);
    this.#heldAt = 0;
  }

  #insert(sequence: number): void {
    let at = this.#heldAt;
    while (at < this.#held.length && this.#age(this.#held[at]!, sequence) < 0) at += 1;
    this.#held.splice(at, 0, sequence);
  }
}
