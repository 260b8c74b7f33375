/**
 * A timer that goes off when a thread's event loop has come round: a thread that computes for long has not been idle.
 * It keeps no process alive, and is not armed again by itself, so an idle program is not woken.
 */

/** Timers take no more. */
const LONGEST_MS = 2 ** 31 - 1;

/** Waits for the event loop once in a while. */
export interface IdleTimer {
  /** Calls back in a while; nothing if that is due already. */
  readonly arm: () => void;
  /** Not any more. */
  readonly stop: () => void;
}

/**
 * Makes the timer; not armed.
 * @param ms  how long after `arm`; never from 2^31 on, and where there are no timers
 */
export function createIdleTimer(ms: number, callback: () => void): IdleTimer {
  const wait = (globalThis as { setTimeout?: typeof setTimeout }).setTimeout;
  let due: ReturnType<typeof setTimeout> | undefined;
  return {
    arm() {
      if (due !== undefined || ms > LONGEST_MS || wait === undefined) return;
      due = wait(() => {
        due = undefined;
        callback();
      }, ms);
      // A number in browsers, where no timer keeps anything alive.
      (due as { unref?: () => void }).unref?.();
    },
    stop() {
      clearTimeout(due);
      due = undefined;
    },
  };
}
