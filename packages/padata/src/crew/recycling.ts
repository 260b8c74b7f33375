/**
 * Threads that are replaced because they have run so many jobs, or because their heap has grown: one at a time, so that the
 * others go on.
 *
 * ```
 *   worn (the thread says so) ─ nobody is being replaced, others are ready ─▶ told to leave ─▶ ends ─▶ its successor is ready ─▶ the next
 *     ▲                                                                     └──────── "I stay": the only one, and it has begun something
 *     └───────────────────────────────────────────────────────────────────────────────────────┘
 * ```
 * A thread that leaves takes nothing new and ends what it has, so nothing is lost. A pool's only thread leaves in a moment in which
 * it waits for no promise: until that has ended, nobody would run the jobs that come, and it may be one of those that the promise
 * waits for. What it begins before it hears of it only it knows, so it is asked, and answers.
 */
import { clearTimeout, setTimeout } from '../base/host-time.js';
import { unrefTimer } from '../threads/timers.js';
import type { Timer } from '../threads/timers.js';

/** Where no thread may be told now, it is looked at again after so long, in milliseconds. */
const LOOK_MS = 10;

interface Worn {
  readonly id: number;
  readonly state: string;
}

interface RecyclingHost<M> {
  /** May this one leave: is another ready, or does it wait for nothing, as far as one can see? */
  mayLeave(member: M): boolean;
  /** Tells it to leave, or asks it where no other is ready. */
  retire(member: M): void;
}

/** Replaces the worn threads of one pool. */
export class Recycling<M extends Worn> {
  readonly #host: RecyclingHost<M>;
  /** Those that are to be told, in the order in which they have said so. */
  readonly #worn = new Set<M>();
  /** All that have said so: they say it once. */
  readonly #said = new WeakSet<M>();
  /** Whose successor is not ready yet; 0 = nobody's. */
  #replacing = 0;
  #timer: Timer | undefined;

  constructor(host: RecyclingHost<M>) {
    this.#host = host;
  }

  /** The thread says that it is worn. */
  worn(member: M): void {
    this.#said.add(member);
    this.#worn.add(member);
    this.#next();
  }

  /** A thread was asked to leave, for whatever reason, and goes on. */
  stays(member: M): void {
    if (this.#replacing === member.id) this.#replacing = 0;
    if (this.#said.has(member)) this.#worn.add(member);
    this.#later();
  }

  /** A thread is ready. */
  ready(id: number): void {
    if (id !== this.#replacing) return;
    this.#replacing = 0;
    this.#next();
  }

  /** A thread has ended. */
  ended(member: M): void {
    this.#worn.delete(member);
  }

  /** Other threads are wanted, or fewer. */
  resized(isWanted: (id: number) => boolean): void {
    if (this.#replacing === 0 || isWanted(this.#replacing)) return;
    this.#replacing = 0;
    this.#next();
  }

  /** Nobody is replaced any more. */
  stop(): void {
    this.#worn.clear();
    clearTimeout(this.#timer);
  }

  #next(): void {
    clearTimeout(this.#timer);
    if (this.#replacing !== 0) return;
    for (const member of this.#worn) {
      // It leaves anyway.
      if (member.state !== 'ready') this.#worn.delete(member);
      else if (this.#host.mayLeave(member)) {
        this.#worn.delete(member);
        this.#replacing = member.id;
        this.#host.retire(member);
        return;
      }
    }
    this.#later();
  }

  #later(): void {
    clearTimeout(this.#timer);
    if (this.#worn.size === 0) return;
    this.#timer = setTimeout(() => {
      this.#next();
    }, LOOK_MS);
    unrefTimer(this.#timer);
  }
}
