/**
 * A thread that does nothing for a while: asleep on a word of shared memory, or with an event loop that has come round.
 * Meanwhile its cache is parked.
 */
import { checkInteger, refuse } from '../base/check.js';
import { BuddyError } from '../base/errors.js';
import { isSharedMemory } from '../base/local.js';

const INT32_MAX = 2 ** 31 - 1;
/** Timers take no more. */
const LONGEST_MS = 2 ** 31 - 1;

/** @throws ERR_BUDDY_ARGUMENT for what cannot be waited on */
export function checkWait(words: unknown, index: unknown, value: unknown, ms: unknown): void {
  const typed =
    ArrayBuffer.isView(words) && Object.prototype.toString.call(words) === '[object Int32Array]';
  if (!typed || !isSharedMemory(words.buffer))
    refuse('words', 'an Int32Array over shared memory', words);
  checkInteger(index, 'index', 0, (words as Int32Array).length - 1);
  checkInteger(value, 'value', -INT32_MAX - 1, INT32_MAX);
  if (typeof ms !== 'number' || !(ms >= 0)) refuse('ms', 'milliseconds, 0 or more', ms);
}

/** `Atomics.wait`. @throws ERR_BUDDY_ARGUMENT where the thread must not sleep */
export function sleepOn(
  words: Int32Array,
  index: number,
  value: number,
  ms: number,
): 'ok' | 'not-equal' | 'timed-out' {
  try {
    return Atomics.wait(words, index, value, ms);
  } catch (cause) {
    throw new BuddyError(
      'ERR_BUDDY_ARGUMENT',
      'this thread must not sleep',
      { option: 'words' },
      { cause },
    );
  }
}

/**
 * Waits for the event loop once in a while: a thread that computes for long has not been idle. Keeps no process alive, and
 * is not armed again by itself, so an idle program is not woken.
 */
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
