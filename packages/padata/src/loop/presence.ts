/** Whether a thread has something to do, as its owner and the other threads read it: its words FREE, BUSY_MS and BUSY_FROM. */
import { performance } from '../base/host-time.js';
import { WORKER, workerBase } from '../protocol/control-layout.js';
import { sent, sleep } from '../protocol/machine.js';

const { load, store, wait } = Atomics;
const ORIGIN = performance.timeOrigin;
/** A thread that was busy for so long has nothing to do for a moment, if an input waits for that, in milliseconds. */
const BUSY_MS = 10;
const PAUSE_MS = 1;

/** Of one thread. */
export class Presence {
  readonly #words: Int32Array;
  readonly #base: number;
  /** It has said that it has nothing to do. */
  #isFree = false;
  #freeAt = 0;
  /** When it last had nothing to do for an input that did not come. */
  #inVainAt = -BUSY_MS;
  /** When it began what it does now; what it did before took so long, in milliseconds. */
  #busyAt: number | undefined;
  #busyMs = 0;

  constructor(words: Int32Array, id: number) {
    this.#words = words;
    this.#base = workerBase(id);
  }

  /** From here on it has nothing to do. */
  free(): void {
    if (this.#isFree) return;
    this.#isFree = true;
    this.#freeAt = performance.now();
    if (this.#busyAt !== undefined) this.wasBusy(this.#freeAt - this.#busyAt);
    sent.free(this.#words, this.#base);
  }

  /** From here on it has something to do. @param now this thread's clock, in milliseconds */
  begins(now: number): void {
    if (!this.#isFree) return;
    this.#isFree = false;
    this.#busyAt = now;
    // Plain, as BUSY_MS: figures of the moment.
    this.#words[this.#base + WORKER.BUSY_FROM] = Math.floor(ORIGIN + now) | 0;
    sent.busy(this.#words, this.#base);
  }

  /** What it did took so long, in milliseconds. */
  wasBusy(ms: number): void {
    this.#busyMs += ms;
    this.#words[this.#base + WORKER.BUSY_MS] = this.#busyMs | 0;
  }

  /** It has not been free for so long that it is now, for an input that waits for that. */
  get isPauseDue(): boolean {
    return performance.now() - this.#freeAt >= BUSY_MS;
  }

  /** Its owner listened the last time. */
  get mayPause(): boolean {
    return performance.now() - this.#inVainAt >= BUSY_MS;
  }

  /** Being free, waits a moment for a message. @param received messages so far @returns whether one came */
  pause(received: number): boolean {
    const words = this.#words;
    const at = this.#base + WORKER.SLEEP;
    const mail = this.#base + WORKER.MAIL;
    store(words, at, 1);
    // Pairs with the owner: it counts the message, then looks who sleeps.
    if (load(words, mail) === received) wait(words, at, 1, PAUSE_MS);
    sleep.awake(words, this.#base);
    const hasCome = load(words, mail) !== received;
    if (!hasCome) this.#inVainAt = performance.now();
    return hasCome;
  }
}
