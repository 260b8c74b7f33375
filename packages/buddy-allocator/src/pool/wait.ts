/** Sleeping on a word of shared memory: what it takes, and the error where it is not possible. */
import { checkInteger, refuse } from '../base/check.js';
import { BuddyError } from '../base/errors.js';
import { isSharedMemory } from '../base/local.js';

const INT32_MAX = 2 ** 31 - 1;

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
