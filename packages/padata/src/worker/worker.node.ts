/** Entry of worker threads on Node. Started by `platform.node.ts` only; exports nothing. */
import { workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import type { WorkerInit } from '../crew/platform.js';
import { startNodeWorker } from './worker-start.node.js';

startNodeWorker((workerData as { padata: WorkerInit & { port: MessagePort } }).padata);
