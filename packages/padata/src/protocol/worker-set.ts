/**
 * Sets of workers in shared words: one bit a worker, worker 0 (the owner) included. Rings and lanes say in one who
 * may take part.
 *
 * `MASK_WORDS` words; a set has one writer, the owner. Readers look at it as a hint and decide by a
 * compare-exchange or a claim elsewhere, so a set that changes meanwhile does no harm.
 */
import { MASK_WORDS } from './control-layout.js';

const { store } = Atomics;

/** Is this worker in the set that begins at word `at`? */
export function hasWorker(words: Int32Array, at: number, worker: number): boolean {
  return ((words[at + (worker >>> 5)]! >>> (worker & 31)) & 1) === 1;
}

/** How many of the workers 1 to `last` are in the set that begins at word `at`? */
export function countWorkers(words: Int32Array, at: number, last: number): number {
  let count = 0;
  for (let worker = 1; worker <= last; worker += 1) if (hasWorker(words, at, worker)) count += 1;
  return count;
}

/** Makes the set that begins at word `at` hold exactly these workers, word by word. */
export function setWorkers(words: Int32Array, at: number, workers: Iterable<number>): void {
  const mask = new Int32Array(MASK_WORDS);
  for (const worker of workers) mask[worker >>> 5]! |= 1 << (worker & 31);
  for (let i = 0; i < MASK_WORDS; i += 1) store(words, at + i, mask[i]!);
}

/** Empties a set that nobody reads yet. */
export function clearWorkers(words: Int32Array, at: number): void {
  for (let i = 0; i < MASK_WORDS; i += 1) words[at + i] = 0;
}

/** Adds a worker to a set that nobody reads yet. */
export function addWorker(words: Int32Array, at: number, worker: number): void {
  words[at + (worker >>> 5)]! |= 1 << (worker & 31);
}
