/**
 * Entry of worker threads on Node: binds the worker loop to the thread's port and starts it. Started by
 * `platform.node.ts` only; exports nothing.
 */
import { readlinkSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { becomeWorker } from '../base/current-worker.js';
import type { WorkerInit } from '../crew/platform.js';
import { recoverTypeScript } from './typescript-loader.js';
import { watchOutput } from './thread-output.node.js';
import { WorkerCore } from './worker-core.js';

/** Given by `platform.node.ts`. */
type NodeInit = WorkerInit & { readonly port: MessagePort };

/** Starts the loop of this thread. */
function start(init: NodeInit): void {
  const { port } = init;
  const core = new WorkerCore(init, {
    post(message, transfer) {
      port.postMessage(message, transfer as never);
    },
    receive() {
      return receiveMessageOnPort(port)?.message as unknown;
    },
    yieldToEvents: () => new Promise((resolve) => setImmediate(resolve)),
    exit() {
      port.close();
      process.exit(0);
    },
    recover: recoverTypeScript,
    tid: threadName(),
    canBlock: true,
    busyMs: () => performance.eventLoopUtilization().active,
    output: watchOutput(init.words, init.id),
  });
  port.on('message', (message) => {
    core.deliver(message);
  });
  becomeWorker(init.id);
  void core.run();
}

/** Linux tells a thread's number; elsewhere 0. */
function threadName(): number {
  try {
    const link = readlinkSync('/proc/thread-self');
    return Number(link.slice(link.lastIndexOf('/') + 1)) || 0;
  } catch {
    return 0;
  }
}

start((workerData as { padata: NodeInit }).padata);
