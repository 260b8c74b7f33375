/**
 * Threads that are to end and have not yet, as their owner sees them: they wait for what they have printed to be taken, or
 * for an import to come to its end, because one that is ended in the middle leaves the file open.
 *
 * Whoever reads the program's output may be slow (a pager), and the machine busy, so time alone says nothing. Such a
 * thread turns its loop, and ends by itself when it has waited for enough of its turns. One that stands still is kept by a
 * function; one whose number of writes has not changed for long has a reader that takes nothing. One that still boots has no loop
 * to turn: it reads the files that it is made of, and leaves as soon as it has its loop.
 */
import { WORKER, workerBase } from '../protocol/control-layout.js';

/** They are looked at so often, in milliseconds: a thread that waits turns its loop every millisecond. */
export const ENDING_LOOK_MS = 250;
/** Looks without a turn after which a function keeps the thread. */
const STILL_LOOKS = 4;
/** Looks at a thread that boots after which it is held to stand still: ten seconds, as the machine may be busy. */
const BOOT_LOOKS = 40;
/** Looks without a write that has arrived after which nobody reads: 30 seconds. */
const UNREAD_LOOKS = 120;
/** Time that all looks take after which a thread that stands still is ended, in milliseconds. */
export const STILL_MS = STILL_LOOKS * ENDING_LOOK_MS;

/** What was seen of one at the last look. */
interface Seen {
  turn: number;
  writes: number;
  still: number;
  unread: number;
  boots: number;
}

/** The threads of one pool that closes. */
export class EndingThreads {
  readonly #words: Int32Array;
  readonly #seen = new Map<number, Seen>();

  constructor(words: Int32Array) {
    this.#words = words;
  }

  /**
   * Does this worker go on with what it has to end? Each call is a look.
   * @param boots it has not said hello
   */
  goesOn(worker: number, boots = false): boolean {
    const base = workerBase(worker);
    const writes = Atomics.load(this.#words, base + WORKER.OUTPUT);
    const turn = Atomics.load(this.#words, base + WORKER.TURN);
    const seen = this.#seen.get(worker);
    if (seen === undefined) {
      this.#seen.set(worker, { turn, writes, still: 0, unread: 0, boots: 0 });
      return true;
    }
    if (boots) {
      seen.boots += 1;
      return seen.boots < BOOT_LOOKS;
    }
    seen.still = seen.turn === turn ? seen.still + 1 : 0;
    seen.unread = seen.writes === writes ? seen.unread + 1 : 0;
    seen.turn = turn;
    seen.writes = writes;
    return seen.still < STILL_LOOKS && seen.unread < UNREAD_LOOKS;
  }
}
