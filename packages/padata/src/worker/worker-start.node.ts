/**
 * Binds the worker loop to a thread of Node: padata's own entry does so with what the thread was given at its start, a
 * program's own entry with the first message of the pool.
 */
import { readlinkSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { becomeWorker } from '../base/current-worker.js';
import { PadataError } from '../base/errors.js';
import { UNREAD } from '../values/unread.js';
import { receiveFrom } from './receive.node.js';
import type { NodeInit } from './start-data.node.js';
import { watchOutput } from './thread-output.node.js';
import { WorkerCore } from '../loop/worker-core.js';

// As they were at the start, as host-time says. Node's clock knows more than others.
const nextTurn = setImmediate;
// eslint-disable-next-line no-restricted-globals -- the whole clock, when the thread starts.
const clock = performance as { eventLoopUtilization?: () => { readonly active: number } };
const utilization = clock.eventLoopUtilization?.bind(clock);

/** Starts the loop of this thread. */
export function startLoop(init: NodeInit): void {
  const { port } = init;
  const core = new WorkerCore(init, {
    post(message, transfer) {
      port.postMessage(message, transfer as never);
    },
    receive() {
      return receiveFrom(port);
    },
    yieldToEvents: () => new Promise((resolve) => nextTurn(resolve)),
    exit() {
      port.close();
      process.exit(0);
    },
    tid: threadName(),
    canBlock: true,
    // By globals: a module of Node costs the start of a thread as much as many of ours.
    busyMs: () => utilization?.().active,
    heapBytes: () => process.memoryUsage().heapUsed,
    output: watchOutput(init.words, init.id),
  });
  port.on('message', (message) => {
    core.deliver(message);
  });
  port.on('messageerror', () => {
    core.deliver(UNREAD);
  });
  becomeWorker(init.id);
  void core.run();
}

/**
 * Makes this thread one of a pool's: the last call of a program's own worker file, which the pool's `worker` function starts.
 * Modules that the file has provided (`provideModule`) are there for jobs; others are imported as ever.
 * @throws ERR_PADATA_ARGUMENT on a thread that is nobody's worker
 */
export function startWorker(): void {
  const port = parentPort;
  if (port === null) {
    throw new PadataError(
      'ERR_PADATA_ARGUMENT',
      'startWorker() belongs into the file of a worker: createWorkPool({ worker: () => new Worker(that file) })',
    );
  }
  // The program may send messages of its own.
  const first = (message: unknown): void => {
    const init = (message as { readonly padata?: NodeInit } | null | undefined)?.padata;
    if (init === undefined) return;
    port.off('message', first);
    startLoop(init);
  };
  port.on('message', first);
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
