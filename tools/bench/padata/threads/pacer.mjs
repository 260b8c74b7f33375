// A thread that does nothing but tell the time: counts up a shared word at an even pace and wakes who waits on it. The
// thread that it wakes need not burn a processor to know when the next job is due.
import { workerData } from 'node:worker_threads';

const { counter, periodMs, total } = workerData;
const nobody = new Int32Array(new SharedArrayBuffer(4));
const start = performance.now();
for (let tick = 1; tick <= total; tick += 1) {
  const due = start + tick * periodMs;
  for (let left = due - performance.now(); left > 0; left = due - performance.now())
    Atomics.wait(nobody, 0, 0, left);
  Atomics.store(counter, 0, tick);
  Atomics.notify(counter, 0);
}
