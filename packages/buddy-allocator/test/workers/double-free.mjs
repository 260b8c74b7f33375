// Test worker: frees in each round what the other thread frees, in the same instant.
import { workerData } from 'node:worker_threads';

import { BuddyAllocator } from '../../dist/index.js';

const { handle, words, order, run } = workerData;
const pool = BuddyAllocator.attach(handle);
const ROUND = 0;
const PFN = 1;
const RESULT = 2;
const READY = 3;

function attempt(pfn) {
  if (run === 0) return pool.tryFree(pfn, order) === 'ok';
  try {
    pool.freeExact(pfn, run);
    return true;
  } catch {
    return false;
  }
}

for (let round = 1; ; round++) {
  Atomics.store(words, READY, round);
  let seen = Atomics.load(words, ROUND);
  while (seen >= 0 && seen < round) seen = Atomics.load(words, ROUND);
  if (seen < 0) break;
  const ok = attempt(Atomics.load(words, PFN));
  Atomics.store(words, RESULT, ok ? 1 : 2);
}
pool.close();
