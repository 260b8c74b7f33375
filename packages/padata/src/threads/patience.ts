/**
 * How long a thread stays awake for what it waits for: an account, without a clock. What came while it was awake has saved a sleep
 * and a wake-up; from that all waiting is paid. So waiting awake costs no more CPU than it saves, whatever comes when; and
 * something that is late now and then, as another program has the processor of who brings it, is no reason to give up.
 */

/** What a sleep and a wake-up cost a thread at least, in milliseconds of CPU; whoever wakes it pays as much again. */
const WAKE_MS = 0.03;
/** No more is saved up, in milliseconds: some long waits in vain, one after the other. */
const SAVED_MS = 1;
/** The first wait, in milliseconds. */
const FIRST_MS = 0.002;
/** With nothing saved, it tries again once in so many times, and waits for so long. */
const RETRY = 64;
const RETRY_MS = 0.05;

/** One side's account. */
export class Patience {
  #savedMs = FIRST_MS;
  #refused = 0;

  /** @returns milliseconds that it may wait now, at most `most`; 0 = not at all */
  limit(most: number): number {
    if (this.#savedMs > 0) return Math.min(most, this.#savedMs);
    this.#refused += 1;
    return this.#refused % RETRY === 0 ? Math.min(most, RETRY_MS) : 0;
  }

  /** It has waited for so long, at most what it might, and what it waited for came or did not. */
  waited(ms: number, hasCome: boolean): void {
    const left = Math.max(0, this.#savedMs - ms);
    this.#savedMs = hasCome ? Math.min(SAVED_MS, left + WAKE_MS) : left;
  }
}
