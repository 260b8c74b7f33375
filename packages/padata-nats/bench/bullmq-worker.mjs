// One BullMQ worker process: node bullmq-worker.mjs PORT BLOCKS CONCURRENCY KIND, KIND = in-process or sandboxed.
import { fileURLToPath } from 'node:url';
import { Worker } from 'bullmq';
import { work } from './jobs.mjs';

const [port, length, concurrency, kind] = process.argv.slice(2);
const blocks = Number(length);
const processor =
  kind === 'sandboxed'
    ? fileURLToPath(new URL('./bullmq-sandbox.mjs', import.meta.url))
    : (job) => Promise.resolve(blocks === 0 ? job.data.n + 1 : work(blocks));
const worker = new Worker('bench', processor, {
  connection: { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null },
  concurrency: Number(concurrency),
  removeOnComplete: { count: 0 },
  useWorkerThreads: kind === 'sandboxed',
});
worker.on('error', () => undefined);
await worker.waitUntilReady();
console.log('ready');
