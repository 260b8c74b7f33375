/** Models: threads that share words, and what must hold of every run. */
import type { AtomicOps, Words } from '../protocol/atomic-ops.js';

/** What a thread gets. */
export interface ThreadTools {
  readonly ops: AtomicOps;
  /** The shared words from this one on, as an object of its own, for `ops` and for plain reads and writes. */
  readonly area: (base: number) => Words;
  /**
   * Sleeps while the word has this value (as Atomics.wait); goes on when it is woken or differs. Does not sleep
   * when the word `unless` is not 0: an event that has come already.
   */
  readonly wait: (index: number, value: number, unless?: number) => void;
  /** Goes on only while a condition on all the words holds: sleep that is taken to work, at no cost in states. */
  readonly until: (condition: (words: Words) => boolean) => void;
  /** Wakes all threads that wait on a word, together with the step before. */
  readonly notify: (index: number) => void;
  /** Does several operations as one step: for cases that are too large otherwise. */
  readonly atomic: <T>(steps: () => T) => T;
  /**
   * Says that what this thread does from here depends on `state` alone, not on what it saw before; it is then
   * run again from the start with `resumed` = state. Keeps the number of states small.
   */
  readonly mark: (state: number) => void;
  /** The state of the last `mark`; undefined at first. */
  readonly resumed: number | undefined;
  /** Adds an entry to the history of this run, in the order of the steps. */
  readonly note: (entry: string) => void;
}

/** One thread of a model. */
export type ModelThread = (tools: ThreadTools) => void;

/** A thread that may end at any of its steps. */
export interface Mortal {
  /** Its index in `threads`. */
  readonly thread: number;
  /** Word that becomes 1 with its death. */
  readonly word: number;
  /** Thread that is told: it goes on, whatever it waits for. */
  readonly told: number;
}

/** A model to be explored. */
export interface Model {
  /** Number of shared words. */
  readonly words: number;
  /** Fills the words before the threads start. */
  setup?(words: Words): void;
  /** Threads that are the same function are interchangeable: states that differ by who is who count once. */
  readonly threads: readonly ModelThread[];
  readonly mortal?: Mortal | undefined;
  /** What matters of a history so far; default: all of it, in order. */
  summary?(history: readonly string[]): string;
  /** Checks one complete run; throws or returns a text when something is wrong. */
  check(words: Words, history: readonly string[]): string | undefined;
}

/** What exploring found. */
export interface Exploration {
  /** Different ends of complete runs. */
  readonly runs: number;
  /** Different states met. */
  readonly states: number;
  /** Interleavings that these states stand for, those that come back to a state not counted; exact to 2^53. */
  readonly schedules: number;
  /** First violation with the schedule that leads to it (thread indices; -1 - n = thread n dies). */
  readonly violation:
    | {
        readonly text: string;
        readonly schedule: readonly number[];
        readonly history: readonly string[];
      }
    | undefined;
}
