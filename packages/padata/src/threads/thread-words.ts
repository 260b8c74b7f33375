/** A thread's words of the control block, as its owner reads them, and as it writes them while no thread has them. */
import { performance } from '../base/host-time.js';
import { WORKER, workerBase } from '../protocol/control-layout.js';

const { load, store } = Atomics;

/** Before a thread with this id is started. */
export function clearWords(words: Int32Array, id: number): void {
  const base = workerBase(id);
  store(words, base + WORKER.SLEEP, 0);
  store(words, base + WORKER.MAIL, 0);
  store(words, base + WORKER.OUTPUT, 0);
  store(words, base + WORKER.PENDING, 0);
  store(words, base + WORKER.FREE, 0);
  store(words, base + WORKER.BUSY_MS, 0);
  store(words, base + WORKER.BUSY_FROM, 0);
}

/**
 * There is no thread with this id.
 * @param mayCome it is started when it is looked for: others leave jobs to it
 */
export function markAbsent(words: Int32Array, id: number, mayCome: boolean): void {
  const base = workerBase(id);
  store(words, base + WORKER.PENDING, 0);
  store(words, base + WORKER.FREE, Number(mayCome));
}

/** It has printed something that has not arrived. */
export function isPrinting(words: Int32Array, id: number): boolean {
  return load(words, workerBase(id) + WORKER.OUTPUT) !== 0;
}

/** It waits for promises. */
export function hasPromises(words: Int32Array, id: number): boolean {
  return load(words, workerBase(id) + WORKER.PENDING) !== 0;
}

/** Share of the time since the thread was started, at `since` on this thread's clock, that it had something to do, 0..1. */
export function busyShare(words: Int32Array, id: number, since: number): number {
  const base = workerBase(id);
  const now = performance.now();
  const isFree = load(words, base + WORKER.FREE) !== 0;
  const from = words[base + WORKER.BUSY_FROM]!;
  const current = isFree || from === 0 ? 0 : (Math.floor(performance.timeOrigin + now) | 0) - from;
  const busyMs = (words[base + WORKER.BUSY_MS]! >>> 0) + Math.max(0, current | 0);
  return Math.min(1, busyMs / Math.max(1, now - since));
}
