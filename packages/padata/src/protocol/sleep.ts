/**
 * Sleep protocol: a worker goes to sleep only if nothing was published since it last looked, and whoever
 * publishes wakes only those who sleep.
 *
 * ```
 *   worker                                 publisher
 *   seen := EPOCH                          make the work visible
 *   look for work, find none               EPOCH += 1                      (a)
 *   SLEEP[w] := 1                  (b)     SLEEP[w] = 1 ? then 0, notify   (c)
 *   EPOCH still seen ? wait(SLEEP[w], 1)
 * ```
 * Either (b) comes before (c) and the publisher wakes the worker, or (a) comes before the worker's second
 * look at EPOCH and the worker stays awake. `wait` compares SLEEP[w] with 1 once more, so that a publisher
 * who cleared the word in between is not missed. A worker that dies asleep leaves its word at 1, which
 * costs the publisher one useless notify.
 */
import type { AtomicOps, Words } from './atomic-ops.js';
import { HEAD, WORKER } from './control-layout.js';

/**
 * What a sleep and a wake-up take, in milliseconds: of the CPU of both sides, and of the time of whoever waits for it. Jobs that take
 * longer are long: each is worth a thread and a wake-up of its own, and whoever waits awake meets the next one by chance.
 */
export const WAKE_UP_MS = 0.05;
/** The same in nanoseconds. */
export const WAKE_UP_NS = WAKE_UP_MS * 1e6;

/** Steps of the sleep protocol; `base` is the first word of the worker's block. */
export interface SleepProtocol {
  /** Worker: value to hand to `maySleep` after having looked for work. */
  look(words: Words): number;
  /** Worker: true = SLEEP is set and nothing came since `seen`; now wait on SLEEP while it is 1. */
  maySleep(words: Words, base: number, seen: number): boolean;
  /** Worker: awake again. */
  awake(words: Words, base: number): void;
  /** Publisher: work is visible; call before `claimSleeper`. */
  publish(words: Words): void;
  /** Publisher: true = this worker was asleep and is this caller's to notify (on its SLEEP word). */
  claimSleeper(words: Words, base: number): boolean;
}

/** The protocol over given operations; production uses `machineOps`. */
export function makeSleepProtocol(ops: AtomicOps): SleepProtocol {
  return {
    look(words) {
      return ops.load(words, HEAD.EPOCH);
    },
    maySleep(words, base, seen) {
      ops.store(words, base + WORKER.SLEEP, 1);
      if (ops.load(words, HEAD.EPOCH) === seen) return true;
      ops.store(words, base + WORKER.SLEEP, 0);
      return false;
    },
    awake(words, base) {
      ops.store(words, base + WORKER.SLEEP, 0);
    },
    publish(words) {
      ops.add(words, HEAD.EPOCH, 1);
    },
    claimSleeper(words, base) {
      if (ops.load(words, base + WORKER.SLEEP) !== 1) return false;
      return ops.compareExchange(words, base + WORKER.SLEEP, 1, 0) === 1;
    },
  };
}
