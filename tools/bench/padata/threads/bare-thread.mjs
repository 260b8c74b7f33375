// A thread that takes jobs from a count in shared memory, does them, counts what has ended, and wakes the owner when so many
// have that it asked for: what any pool with an owner has to do, and nothing else. No values, no order, no errors.
import { parentPort, workerData } from 'node:worker_threads';
import { burn } from './tasks.mjs';

/** Words that the owner and its threads share. */
const { ASKED, CLAIMED, ENDED, AWAITED, ASLEEP, STEPS } = workerData.names;
const { words } = workerData;

/** Something to keep results alive for. */
let sum = 0;

function tell() {
  if (Atomics.compareExchange(words, ASLEEP, 1, 0) === 1) parentPort.postMessage(null);
}

parentPort.postMessage('ready');
for (;;) {
  // In this order: what is claimed was asked for, also if more is asked for and claimed between the two looks.
  const claimed = Atomics.load(words, CLAIMED);
  const asked = Atomics.load(words, ASKED);
  if (claimed === asked) {
    // Nothing to do: what has ended is told, whether or not it is as much as was asked for.
    if (Atomics.load(words, ENDED) === asked) tell();
    Atomics.wait(words, ASKED, asked);
    continue;
  }
  if (Atomics.compareExchange(words, CLAIMED, claimed, (claimed + 1) | 0) !== claimed) continue;
  sum ^= burn(Atomics.load(words, STEPS));
  const ended = (Atomics.add(words, ENDED, 1) + 1) | 0;
  if (((ended - Atomics.load(words, AWAITED)) | 0) >= 0) tell();
  if (sum === 0.5) break;
}
