/** Binds the worker loop to a Web Worker's global scope. Never blocks: messages need the event loop. */
import { becomeWorker } from '../base/current-worker.js';
import { UNREAD } from '../values/unread.js';
import type { WorkerInit } from '../threads/platform.js';
import { platform } from './platform.browser.js';
import { WorkerCore } from '../loop/worker-core.js';

/** The part of a dedicated worker's scope that is used; the package compiles without the DOM library. */
interface WorkerScope {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  onmessageerror: (() => void) | null;
  close(): void;
}

/**
 * Makes this thread one of a pool's: the last call of a program's own worker file, which the pool's `worker` function starts.
 * Modules that the file has provided (`provideModule`) are there for jobs; others are imported as ever.
 */
export function startWorker(): void {
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = (event) => {
    // The program may send messages of its own.
    const padata = (event.data as { padata?: WorkerInit } | null | undefined)?.padata;
    if (padata === undefined) return;
    const core = new WorkerCore(padata, {
      post(message, transfer) {
        scope.postMessage(message, transfer);
      },
      receive: () => undefined,
      yieldToEvents: () => platform.yieldToEvents(),
      exit() {
        scope.postMessage({ padataExit: true });
        scope.close();
      },
      tid: 0,
      canBlock: false,
      busyMs: () => undefined,
      heapBytes: () => undefined,
      output: undefined,
    });
    scope.onmessage = (next) => {
      core.deliver(next.data);
    };
    scope.onmessageerror = () => {
      core.deliver(UNREAD);
    };
    becomeWorker(padata.id);
    void core.run();
  };
}
