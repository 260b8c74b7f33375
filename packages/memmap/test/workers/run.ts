import { type MessagePort, Worker } from 'node:worker_threads';

/** A worker that runs one job; `result` is what it posts. */
export function start(
  workerData: object,
  transferList: MessagePort[] = [],
): { worker: Worker; result: Promise<unknown> } {
  const url = new URL('./hammer.mjs', import.meta.url);
  const worker = new Worker(url, { workerData, transferList });
  const result = new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, result };
}
