import { Worker } from 'node:worker_threads';

/** A worker that runs one job; `result` is what it posts. */
export function start(workerData: object): { worker: Worker; result: Promise<unknown> } {
  const worker = new Worker(new URL('./hammer.mjs', import.meta.url), { workerData });
  const result = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, result };
}
