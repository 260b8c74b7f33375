// A thread with nothing but the job: what any pool of worker_threads has to wait for.
import { parentPort } from 'node:worker_threads';
import { increment } from './increment.mjs';

parentPort.on('message', (value) => parentPort.postMessage(increment(value)));
