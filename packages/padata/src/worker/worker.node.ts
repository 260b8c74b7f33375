/**
 * Entry of worker threads on Node: `platform.node.ts` starts them from this file. Where the package is installed the owner's thread
 * loads it too, as it has much of what both run; what a thread is given is taken once, whoever else loads it there.
 */
import { workerData } from 'node:worker_threads';
import { START_DATA } from './start-data.node.js';
import type { NodeInit } from './start-data.node.js';
import { startLoop } from './worker-start.node.js';

const given = workerData as { [START_DATA]?: NodeInit | undefined } | null;
const init = given?.[START_DATA];
if (init !== undefined) {
  given![START_DATA] = undefined;
  startLoop(init);
}
