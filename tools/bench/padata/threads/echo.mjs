// A thread that sleeps until a shared word changes, and then wakes the thread that changed it: by a message, or by another
// word that its event loop awaits. What that takes is two wake-ups, whatever is built on them.
import { parentPort, workerData } from 'node:worker_threads';

const { asked, answered, way } = workerData;
parentPort.postMessage('ready');
for (let seen = 0; ;) {
  Atomics.wait(asked, 0, seen);
  const now = Atomics.load(asked, 0);
  if (now < 0) break;
  if (now === seen) continue;
  seen = now;
  if (way === 'message') parentPort.postMessage(now);
  else {
    Atomics.store(answered, 0, now);
    Atomics.notify(answered, 0);
  }
}
