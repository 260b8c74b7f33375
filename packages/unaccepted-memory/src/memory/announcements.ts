/**
 * Who is at work where: each thread announces the units that it is about to change, before it changes the first.
 *
 * ```text
 * slot 1  tag of thread 1   accept    [12, 15)     it may hold claims in units 12, 13, 14
 * slot 2  tag of thread 2   convert   [40, 41)     it makes unit 40 shared, or private again
 * slot 3  tag of thread 3   accept    [0, 0)       it is at nothing
 * slot 4  tag of a thread that has ended   [7, 9)  counts for nothing
 * ```
 * **Rule**: a thread announces before its first change and retracts after its last, or when its platform call failed. It
 * never waits while its announcement stands. So what is half done and announced by no living thread was left behind.
 *
 * The **tag** is the thread's id with the generation of that id, from the registry that knows who is alive: it names one
 * thread for good. An announcement ends with its thread, without anybody touching the slot, and the next thread with
 * the same id starts with a tag of its own: a reader that stood still between two of its loads takes neither for the other.
 *
 * Slots are by thread id, from 1. Each is written by its own thread only. Over given operations, so that the steps that
 * ship are also those that are explored (test/model/convert-model.ts).
 */

/** Atomic operations on 32-bit words; `Atomics` satisfies it. */
export interface WordOps {
  /** Reads a word. */
  load(words: Int32Array, index: number): number;
  /** Writes a word. */
  store(words: Int32Array, index: number, value: number): number;
  /** Clears the bits that are not in `value`; returns the old word. */
  and(words: Int32Array, index: number, value: number): number;
  /** Sets the bits of `value`; returns the old word. */
  or(words: Int32Array, index: number, value: number): number;
}

/** What a thread does in the units that it announces. */
export const Work = { ACCEPT: 0, CONVERT: 1 } as const;
/** One of {@link Work}. */
export type WorkKind = (typeof Work)[keyof typeof Work];

/** Words of a slot. */
export const SLOT = { TAG: 0, START: 1, END: 2, WORK: 3, WORDS: 4 } as const;

/** One thread's announcement. */
export interface Announcement {
  /** Participant: the thread's id. */
  readonly id: number;
  /** The thread. */
  readonly tag: number;
  /** What it does there. */
  readonly work: WorkKind;
  /** First unit. */
  readonly start: number;
  /** One past the last unit. */
  readonly end: number;
}

/** Where slots are, and who lives. */
export interface AnnouncementParts {
  /** The words that hold the slots. */
  readonly words: Int32Array;
  /** Index of slot 0, which nobody has. */
  readonly at: number;
  /** Highest id. */
  readonly count: number;
  /** True when the thread of a tag has ended, for certain; see `ThreadRegistry.hasEnded`. */
  readonly hasEnded: (tag: number) => boolean;
}

/** The announcements of all threads. No state of its own. */
export class Announcements {
  readonly #ops: WordOps;
  readonly #parts: AnnouncementParts;

  /**
   * @param ops    operations of the machine, or of a model
   * @param parts  where the slots are
   */
  constructor(ops: WordOps, parts: AnnouncementParts) {
    this.#ops = ops;
    this.#parts = parts;
  }

  /** Highest id. */
  get count(): number {
    return this.#parts.count;
  }

  /** A thread has got the id: what a former owner left there counts no more. Before the thread's first announcement. */
  reset(id: number): void {
    this.#ops.store(this.#parts.words, this.#at(id) + SLOT.END, 0);
  }

  /**
   * Says that units `[start, end)` are the thread's work from now on. The end is written last: until then the slot
   * announces nothing, and the first change comes only after it.
   */
  announce(id: number, tag: number, work: WorkKind, start: number, end: number): void {
    const { words } = this.#parts;
    const at = this.#at(id);
    this.#ops.store(words, at + SLOT.TAG, tag);
    this.#ops.store(words, at + SLOT.WORK, work);
    this.#ops.store(words, at + SLOT.START, start | 0);
    // Pairs with the load of END in `#read`: whoever sees a change of ours sees this announcement too.
    this.#ops.store(words, at + SLOT.END, end | 0);
  }

  /** Says that the thread changes nothing any more. */
  retract(id: number): void {
    // Pairs with `#read`: comes after the last change, so who misses the announcement finds the change complete.
    this.#ops.store(this.#parts.words, this.#at(id) + SLOT.END, 0);
  }

  /** What a living thread announces; undefined when it is at nothing or has ended. */
  of(id: number): Announcement | undefined {
    const found = this.left(id);
    return found === undefined || this.#parts.hasEnded(found.tag) ? undefined : found;
  }

  /** What stands in a slot, also when its thread has ended. */
  left(id: number): Announcement | undefined {
    const { words } = this.#parts;
    const at = this.#at(id);
    // END first: announce writes it last, so an end other than 0 comes with its own words or later ones.
    const end = this.#ops.load(words, at + SLOT.END) >>> 0;
    if (end === 0) return undefined;
    const start = this.#ops.load(words, at + SLOT.START) >>> 0;
    const work = this.#ops.load(words, at + SLOT.WORK) as WorkKind;
    return { id, tag: this.#ops.load(words, at + SLOT.TAG), work, start, end };
  }

  /**
   * A living thread that announces some unit of `[start, end)`; the one with the lowest id. O(slots).
   * @param work  which work counts
   * @param but   id that does not count: the caller's
   */
  find(work: WorkKind, start: number, end: number, but = 0): Announcement | undefined {
    for (let id = 1; id <= this.#parts.count; id += 1) {
      if (id === but) continue;
      const found = this.of(id);
      if (found?.work === work && found.start < end && start < found.end) return found;
    }
    return undefined;
  }

  /** What all living threads announce of one kind of work, by id. O(slots). */
  all(work: WorkKind): Announcement[] {
    const found: Announcement[] = [];
    for (let id = 1; id <= this.#parts.count; id += 1) {
      const announced = this.of(id);
      if (announced?.work === work) found.push(announced);
    }
    return found;
  }

  #at(id: number): number {
    return this.#parts.at + id * SLOT.WORDS;
  }
}
