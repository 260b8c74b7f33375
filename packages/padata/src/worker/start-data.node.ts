/** What a thread of Node is given at its start. */
import type { MessagePort } from 'node:worker_threads';
import type { WorkerInit } from '../threads/platform.js';

/** Key of it in the thread's `workerData`. */
export const START_DATA = '@bootmem/padata';

/** Given by `platform.node.ts`. */
export type NodeInit = WorkerInit & { readonly port: MessagePort };
