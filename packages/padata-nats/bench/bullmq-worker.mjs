// One BullMQ worker process: node bullmq-worker.mjs PORT STEPS CONCURRENCY KIND, KIND = in-process or sandboxed.
import { fileURLToPath } from 'node:url';
import { Worker } from 'bullmq';
import { burn } from '../../padata/bench/tasks.mjs';

const [port, steps, concurrency, kind] = process.argv.slice(2);
const work = Number(steps);
const processor =
  kind === 'sandboxed'
    ? fileURLToPath(new URL('./bullmq-sandbox.mjs', import.meta.url))
    : (job) => Promise.resolve(work === 0 ? job.data.n + 1 : burn(work));
const worker = new Worker('bench', processor, {
  connection: { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null },
  concurrency: Number(concurrency),
  removeOnComplete: { count: 0 },
  useWorkerThreads: kind === 'sandboxed',
});
worker.on('error', () => undefined);
await worker.waitUntilReady();
console.log('ready');
