/** Entry of worker threads on Node. Started by `platform.node.ts` only; exports nothing. */
import { workerData } from 'node:worker_threads';
import { startLoop } from './worker-start.node.js';
import type { NodeInit } from './worker-start.node.js';

startLoop((workerData as { padata: NodeInit }).padata);
