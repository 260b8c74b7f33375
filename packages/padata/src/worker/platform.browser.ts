/**
 * Backend for browsers: module Web Workers. Needs a cross-origin isolated page for SharedArrayBuffer;
 * without it the pool runs inline.
 */
import { UNREAD } from '../values/unread.js';
import { ownWorker } from '../threads/own-worker.js';
import type {
  Platform,
  PlatformWorker,
  PlatformWorkerOptions,
  WorkerInit,
} from '../threads/platform.js';

/** The part of the Web Worker interface that is used here; the package compiles without the DOM library. */
interface WebWorker {
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  terminate(): void;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror:
    ((event: { message?: string; error?: unknown; preventDefault?: () => void }) => void) | null;
  onmessageerror: ((event: unknown) => void) | null;
}
declare const Worker: new (url: URL, options: { type: 'module'; name?: string }) => WebWorker;
declare const navigator: { hardwareConcurrency?: number } | undefined;
declare const document: unknown;
declare const MessageChannel: new () => {
  port1: { postMessage(m: unknown): void; onmessage: (() => void) | null };
  port2: { postMessage(m: unknown): void; onmessage: (() => void) | null };
};

function startWorker(init: WorkerInit, options: PlatformWorkerOptions): PlatformWorker {
  const worker =
    options.factory === undefined
      ? // Bundlers look for exactly this expression, with options that are constants.
        new Worker(new URL('./worker.browser.js', import.meta.url), { type: 'module' })
      : (ownWorker(options.factory({ name: options.name })) as WebWorker);
  let ended = false;
  const end = (exitCode: number, error: unknown): void => {
    if (ended) return;
    ended = true;
    worker.terminate();
    options.onEnd({ exitCode, error });
  };
  worker.onmessage = (event) => {
    const message = event.data;
    // A web worker cannot announce its end by an event; it says so itself.
    if (typeof message === 'object' && message !== null && 'padataExit' in message)
      end(0, undefined);
    else options.onMessage(message);
  };
  worker.onerror = (event) => {
    event.preventDefault?.();
    end(1, event.error ?? new Error(event.message ?? 'the worker could not be started'));
  };
  worker.onmessageerror = () => {
    options.onMessage(UNREAD);
  };
  worker.postMessage({ padata: init });
  return {
    post(message, transfer) {
      worker.postMessage(message, transfer);
    },
    receive: () => undefined,
    ref() {
      // Pages stay alive by themselves.
    },
    unref() {
      // As above.
    },
    terminate() {
      end(1, undefined);
      return Promise.resolve();
    },
    isAlive: () => !ended,
    identify() {
      // Threads have no name here.
    },
  };
}

/** The browser backend. */
export const platform: Platform = {
  availableParallelism: () =>
    (typeof navigator === 'undefined' ? undefined : navigator.hardwareConcurrency) ?? 1,
  canBlock: () => typeof document === 'undefined',
  startWorker,
  yieldToEvents: () =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.onmessage = null;
        resolve();
      };
      port2.postMessage(0);
    }),
};
