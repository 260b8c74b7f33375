/**
 * The least that a pool in Node has to do: threads take jobs from a count in shared memory, and the owner, which sleeps in its
 * event loop, is woken when some have ended. What this does not reach on a machine, no pool with a sleeping owner does.
 *
 * ```
 *   owner   ASKED += n, wakes who waits for it ─────▶ threads   CLAIMED + 1 each, the job, ENDED + 1
 *           AWAITED, ASLEEP := 1, looks once more ◀── a message     ENDED has reached AWAITED: whoever clears ASLEEP tells
 * ```
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Deadline } from '../../kit/deadline.js';
import type { OpenSubject, Subject } from './peers.js';

const names = { ASKED: 0, CLAIMED: 16, ENDED: 32, AWAITED: 48, ASLEEP: 49, STEPS: 64 } as const;
const WORDS = 80;

/** The owner's end. */
class BareOwner implements OpenSubject {
  readonly #words = new Int32Array(new SharedArrayBuffer(4 * WORDS));
  readonly #part: number;
  #workers: readonly Worker[] = [];
  #seen = 0;
  #out = 0;
  #onEnded: (count: number) => void = () => undefined;
  /** Whoever waits for a single job, in the order in which they asked. */
  readonly #waiting: (() => void)[] = [];

  /** @param part the owner awaits one in so many of the jobs that are out; Infinity: each */
  constructor(part: number) {
    this.#part = part;
  }

  async open(threads: number): Promise<this> {
    const make = (): Worker =>
      new Worker(new URL('threads/bare-thread.mjs', import.meta.url), {
        workerData: { words: this.#words, names },
        execArgv: [],
      });
    this.#workers = Array.from({ length: threads }, make);
    await Promise.all(this.#workers.map((worker) => once(worker, 'message')));
    for (const worker of this.#workers)
      worker.on('message', () => {
        this.#wake();
      });
    this.#sleep();
    return this;
  }

  /** Resolves when as many jobs have ended as were asked for up to this one. */
  run(value: unknown): Promise<void> {
    this.#onEnded = (count) => {
      for (const resolve of this.#waiting.splice(0, count)) resolve();
    };
    this.#ask(value, 1);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  pump(value: unknown, inFlight: number, deadline: Deadline): Promise<number> {
    return new Promise((resolve) => {
      let done = 0;
      this.#onEnded = (count) => {
        done += count;
        if (!deadline.isOver) this.#ask(value, count);
        else if (this.#out === 0) resolve(done);
      };
      this.#ask(value, inFlight);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #ask(value: unknown, count: number): void {
    const steps = typeof value === 'number' ? value : (value as { readonly steps: number }).steps;
    this.#out += count;
    Atomics.store(this.#words, names.STEPS, steps);
    Atomics.add(this.#words, names.ASKED, count);
    Atomics.notify(this.#words, names.ASKED, count);
  }

  #wake(): void {
    do {
      const count = (Atomics.load(this.#words, names.ENDED) - this.#seen) | 0;
      this.#seen = (this.#seen + count) | 0;
      this.#out -= count;
      if (count > 0) this.#onEnded(count);
    } while (!this.#sleep());
  }

  /** True: nothing has ended since the last look, and whatever is awaited will be told. */
  #sleep(): boolean {
    const awaited = (this.#seen + Math.max(1, Math.floor(this.#out / this.#part))) | 0;
    Atomics.store(this.#words, names.AWAITED, awaited);
    Atomics.store(this.#words, names.ASLEEP, 1);
    if (Atomics.load(this.#words, names.ENDED) === this.#seen) return true;
    Atomics.store(this.#words, names.ASLEEP, 0);
    return false;
  }
}

/** The name of the subject. */
export const BARE = 'bare threads';

/**
 * Such threads; the value of a job is how many steps of `burn` it takes, or an object with that as its `steps`.
 * @param part the owner awaits one in so many of the jobs that are out; Infinity: each
 */
export function bareThreads(part: number): Subject {
  return {
    name: BARE,
    version: process.version,
    open: (threads) => new BareOwner(part).open(threads),
  };
}
