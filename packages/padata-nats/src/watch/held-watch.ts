/**
 * Does a worker hold anything of a run? A message that is not acknowledged is given to whoever asks, and each worker with a free place
 * asks all the time. So a run of which no worker has held anything for longer than the server waits for a sign of life, although
 * one had a free place all that time, has no message that the server still gives.
 *
 *     looked at twice a second ─▶ held, or nobody free, or news ─▶ from now on
 *                               └ else ─▶ the time grows
 */

/** Looks further apart than this prove nothing of the time between, in milliseconds. */
const LONGEST_STEP_MS = 3000;

/** What is known of a run at one moment. */
interface Moment {
  /** A worker holds something of it. */
  readonly isHeld: boolean;
  /** A worker that offers its module has a free place. */
  readonly isWanted: boolean;
  /** Something of it came, or was stored, since the last look. */
  readonly hasNews: boolean;
}

/** For how long nothing of one run was held; pure. */
export class HeldWatch {
  #since: number;
  #lookedAt: number;

  /** @param now as of `performance.now()` */
  constructor(now: number) {
    this.#since = now;
    this.#lookedAt = now;
  }

  /** @returns milliseconds for which nothing was held although it could have been */
  look({ isHeld, isWanted, hasNews }: Moment, now: number): number {
    const isAsleep = now - this.#lookedAt > LONGEST_STEP_MS;
    if (isHeld || !isWanted || hasNews || isAsleep) this.#since = now;
    this.#lookedAt = now;
    return now - this.#since;
  }
}
