/**
 * How long a thread stays awake for what it waits for: an account, without a clock. What came while it was awake has saved a sleep
 * and a wake-up; from that all waiting is paid. So waiting awake costs no more CPU than it saves, whatever comes when; and
 * something that is late now and then, as another program has the processor of who brings it, is no reason to give up.
 */

/** What a sleep and a wake-up cost a thread at least, in milliseconds of CPU; whoever wakes it pays as much again. */
const WAKE_MS = 0.03;
/** No more is saved up, in milliseconds: some long waits in vain, one after the other. */
const SAVED_MS = 1;
/** With nothing saved, so much is lent now and then, in milliseconds: what has come too late until then may come sooner by now. */
const LOAN_MS = 0.2;
/** One loan in so many sleeps. */
const SLEEPS = 64;

/** One side's account. */
export class Patience {
  #savedMs = LOAN_MS;
  #sleeps = 0;

  /** @returns milliseconds that it may wait now, at most `most`; 0 = not at all */
  limit(most: number): number {
    if (this.#savedMs === 0) {
      this.#sleeps += 1;
      if (this.#sleeps < SLEEPS) return 0;
      this.#sleeps = 0;
      this.#savedMs = LOAN_MS;
    }
    return Math.min(most, this.#savedMs);
  }

  /** It has waited for so long, at most what it might, and what it waited for came or did not. */
  waited(ms: number, hasCome: boolean): void {
    const left = Math.max(0, this.#savedMs - ms);
    this.#savedMs = hasCome ? Math.min(SAVED_MS, left + WAKE_MS) : left;
  }
}
