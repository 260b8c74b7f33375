/**
 * Waiting for a word to change, a slice at a time: between two slices a waiter looks whether the one it waits for has ended.
 *
 * Sleeps where the thread may sleep; spins on the main thread of a browser page, and on words that are not shared.
 */
import { isShared } from './words.js';

const { load, wait } = Atomics;

/** A waiter looks for a thread that has ended so often. */
export const SLICE_MS = 20;
/** Looks at the word between two looks at the clock. */
const SPINS = 200;

let sleepAllowed: boolean | undefined;

/** True where `Atomics.wait` works on this thread and these words. */
export function maySleep(words: Int32Array): boolean {
  if (!isShared(words.buffer)) return false;
  if (sleepAllowed === undefined) {
    try {
      // An expected value that is never there: returns at once where waiting is allowed.
      wait(words, 0, ~load(words, 0), 0);
      sleepAllowed = true;
    } catch {
      // TypeError: the main thread of a browser page must not block. It spins.
      sleepAllowed = false;
    }
  }
  return sleepAllowed;
}

/** Spins for `ms` while the word is `seen`; false when it has changed. */
export function spinSlice(words: Int32Array, at: number, seen: number, ms: number): boolean {
  const started = performance.now();
  for (;;) {
    for (let i = 0; i < SPINS; i++) if (load(words, at) !== seen) return false;
    if (performance.now() - started >= ms) return true;
  }
}

/**
 * Waits at most `ms` for the word to be other than `seen`.
 * @returns true when the whole time passed; false when the caller was woken or the word had changed
 */
export function waitSlice(words: Int32Array, at: number, seen: number, ms: number): boolean {
  if (!maySleep(words)) return spinSlice(words, at, seen, ms);
  // Pairs with the notify of whoever changes the word.
  return wait(words, at, seen, ms) === 'timed-out';
}
