// A thread that runs a list of jobs when a shared word says so, and tells when it was done: what threads can do without a
// pool.
import { parentPort, workerData } from 'node:worker_threads';
import { burnTimed } from './tasks.mjs';

const { jobs, rounds } = workerData;
parentPort.postMessage('ready');
for (let round = 0; ;) {
  Atomics.wait(rounds, 0, round);
  const now = Atomics.load(rounds, 0);
  if (now < 0) break;
  if (now === round) continue;
  round = now;
  let end = 0;
  for (const steps of jobs) [, end] = burnTimed(steps);
  parentPort.postMessage(end);
}
