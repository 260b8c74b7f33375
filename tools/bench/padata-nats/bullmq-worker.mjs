// One BullMQ worker process: node bullmq-worker.mjs PORT LENGTH CONCURRENCY KIND, LENGTH = a JobLength as JSON,
// KIND = in-process or sandboxed.
import { fileURLToPath } from 'node:url';
import { Worker } from 'bullmq';
import { perform } from './jobs.mjs';

const [port, text, concurrency, kind] = process.argv.slice(2);
const length = JSON.parse(text);
const processor =
  kind === 'sandboxed'
    ? fileURLToPath(new URL('./bullmq-sandbox.mjs', import.meta.url))
    : (job) => Promise.resolve(perform(length, job.data.n));
const worker = new Worker('bench', processor, {
  connection: { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null },
  concurrency: Number(concurrency),
  removeOnComplete: { count: 0 },
  useWorkerThreads: kind === 'sandboxed',
});
worker.on('error', () => undefined);
await worker.waitUntilReady();
console.log('ready');
